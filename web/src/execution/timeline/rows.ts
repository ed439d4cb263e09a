/** The timeline's rows, and the bars in each. Pure. */

import type { History, Operation } from "./fold";

export type BarKind =
  | "succeeded"
  | "failed"
  | "running"
  | "again"
  | "lost"
  | "wait"
  | "callback"
  | "chained"
  | "retry"
  | "context";

export interface Bar {
  readonly kind: BarKind;
  readonly fromMs: number;
  /** null: until now. */
  readonly toMs: number | null;
  readonly label: string;
}

export interface Row {
  readonly operation: Operation;
  readonly depth: number;
  readonly isCollapsed: boolean;
}

/** Returns the rows, children after their context; those below a collapsed one are left out. */
export function rowsOf(history: History, collapsed: ReadonlySet<string>, find: string): Row[] {
  const rows: Row[] = [];
  const wanted = find.trim().toLowerCase();
  const kept = wanted ? keptBy(history, wanted) : null;
  const pending = history.roots.map((id): [string, number] => [id, 0]).reverse();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [id, depth] = next;
    const operation = history.operations.get(id);
    if (!operation || (kept && !kept.has(id))) continue;
    const isCollapsed = kept === null && collapsed.has(id) && operation.children.length > 0;
    rows.push({ operation, depth, isCollapsed });
    if (isCollapsed) continue;
    for (let at = operation.children.length - 1; at >= 0; at -= 1) {
      pending.push([operation.children[at] as string, depth + 1]);
    }
  }
  return rows;
}

/** Returns the operations that match, and all that are above them. */
function keptBy(history: History, wanted: string): Set<string> {
  const kept = new Set<string>();
  for (const operation of history.operations.values()) {
    const text = `${operation.name} ${operation.type} ${operation.subType} ${operation.status}`;
    if (!text.toLowerCase().includes(wanted)) continue;
    for (
      let one: Operation | undefined = operation;
      one && !kept.has(one.id);
      one = one.parentId ? history.operations.get(one.parentId) : undefined
    ) {
      kept.add(one.id);
    }
  }
  return kept;
}

/** Returns the bars of one row, in the order they are drawn. */
export function barsOf(operation: Operation): Bar[] {
  switch (operation.type) {
    case "STEP":
      return stepBars(operation);
    case "WAIT":
      return [whole(operation, "wait", "waits")];
    case "CALLBACK":
      return [whole(operation, "callback", "waits for an answer")];
    case "CHAINED_INVOKE":
      return [whole(operation, "chained", `runs ${operation.functionName ?? "another function"}`)];
    case "CONTEXT":
      return [whole(operation, "context", "child context")];
  }
}

function whole(operation: Operation, kind: BarKind, label: string): Bar {
  return { kind, fromMs: operation.startMs, toMs: operation.endMs, label };
}

function stepBars(operation: Operation): Bar[] {
  const bars: Bar[] = [];
  operation.attempts.forEach((attempt, at) => {
    bars.push({
      kind: attempt.outcome,
      fromMs: attempt.startMs,
      toMs: attempt.endMs,
      label: `attempt ${attempt.number} ${OUTCOMES[attempt.outcome]}`,
    });
    const next = operation.attempts[at + 1];
    const isLast = next === undefined;
    if (attempt.endMs === null || (isLast && operation.status !== "PENDING")) return;
    bars.push({
      kind: "retry",
      fromMs: attempt.endMs,
      toMs: isLast ? operation.retryAtMs : next.startMs,
      label: `waits for attempt ${attempt.number + 1}`,
    });
  });
  return bars;
}

const OUTCOMES = {
  running: "runs",
  succeeded: "succeeded",
  failed: "failed",
  again: "asked to be tried again",
  lost: "was lost with its invocation",
} as const;
