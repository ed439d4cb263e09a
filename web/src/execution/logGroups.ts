/** Log lines, sorted by the invocation that wrote them. Pure. */

import type { LogLine } from "../api/lambda";
import type { InvocationRun } from "./timeline/fold";

export interface LogGroup {
  readonly requestId: string;
  /** null: it has not ended yet. */
  readonly run: InvocationRun | null;
  readonly lines: readonly LogLine[];
}

const REQUEST_ID = /"?request_?id"?\s*[:=]\s*"?([0-9a-f-]{36})/i;

/**
 * Returns the lines of this execution's invocations, in the order of the invocations.
 *
 * A worker writes one invocation after the other into its stream: a line without a request id
 * belongs to the one that was named before it there.
 */
export function groupLines(
  lines: readonly LogLine[],
  runs: readonly InvocationRun[],
  executionArn: string,
): LogGroup[] {
  const byRequest = new Map<string, LogLine[]>();
  const current = new Map<string, string>();
  const ours = new Set(runs.map((run) => run.requestId));
  for (const line of lines) {
    const stream = line.logStreamName ?? "";
    const named = REQUEST_ID.exec(line.message)?.[1];
    if (named) current.set(stream, named);
    const requestId = named ?? current.get(stream);
    if (!requestId) continue;
    if (line.message.includes(executionArn)) ours.add(requestId);
    const group = byRequest.get(requestId);
    if (group) group.push(line);
    else byRequest.set(requestId, [line]);
  }
  const groups: LogGroup[] = [];
  for (const run of runs) {
    const own = byRequest.get(run.requestId);
    if (own) groups.push({ requestId: run.requestId, run, lines: own });
    ours.delete(run.requestId);
  }
  for (const requestId of ours) {
    groups.push({ requestId, run: null, lines: byRequest.get(requestId) ?? [] });
  }
  return groups;
}
