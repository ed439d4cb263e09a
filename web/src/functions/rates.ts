/** How a function has done lately. Pure. */

import type { ExecutionStatus } from "../api/shapes";

const BAD: readonly ExecutionStatus[] = ["FAILED", "TIMED_OUT"];
const ENDED: readonly ExecutionStatus[] = [...BAD, "SUCCEEDED", "STOPPED"];

type Recent = Readonly<Partial<Record<ExecutionStatus, number>>>;

/** Returns how many of the ended executions failed, in percent; null where none has ended. */
export function errorPercent(recent: Recent): number | null {
  const ended = sum(recent, ENDED);
  return ended === 0 ? null : (sum(recent, BAD) / ended) * 100;
}

/** Returns how many executions `recent` counts. */
export function total(recent: Recent): number {
  return Object.values(recent).reduce((all, one) => all + (one ?? 0), 0);
}

function sum(recent: Recent, statuses: readonly ExecutionStatus[]): number {
  return statuses.reduce((all, status) => all + (recent[status] ?? 0), 0);
}
