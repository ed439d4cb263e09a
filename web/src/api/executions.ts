/** The calls of the Lambda API on executions and their callbacks. */

import type { HistoryEvent } from "./events";
import { json } from "./request";

const execution = (arn: string, rest = ""): string =>
  `/2025-12-01/durable-executions/${encodeURIComponent(arn)}${rest}`;
const callback = (id: string, rest: string): string =>
  `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(id)}/${rest}`;

export const stopExecution = (arn: string, reason: string): Promise<unknown> =>
  json("POST", execution(arn, "/stop"), {
    body: { ErrorType: "StoppedFromConsole", ErrorMessage: reason || "stopped from the console" },
  });

export const pauseExecution = (arn: string, reason: string): Promise<unknown> =>
  json("POST", execution(arn, "/pause"), { body: reason ? { Reason: reason } : {} });

export const resumeExecution = (arn: string, reason: string): Promise<unknown> =>
  json("POST", execution(arn, "/resume"), { body: reason ? { Reason: reason } : {} });

export const deleteExecution = (arn: string): Promise<unknown> => json("DELETE", execution(arn));

export const sendSuccess = (callbackId: string, payload: string): Promise<unknown> =>
  json("POST", callback(callbackId, "succeed"), { raw: payload });

export const sendFailure = (callbackId: string, type: string, message: string): Promise<unknown> =>
  json("POST", callback(callbackId, "fail"), {
    body: { ErrorType: type, ErrorMessage: message },
  });

export const sendHeartbeat = (callbackId: string): Promise<unknown> =>
  json("POST", callback(callbackId, "heartbeat"), { body: {} });

/** Returns the first events of an execution, at most 1,000, without their payloads. */
export async function getHistory(
  arn: string,
  signal?: AbortSignal,
): Promise<readonly HistoryEvent[]> {
  const answer = await json<{ Events?: HistoryEvent[] }>("GET", execution(arn, "/history"), {
    query: { MaxItems: 1_000 },
    signal,
  });
  return answer.Events ?? [];
}
