/** A function's log, by the CloudWatch Logs API. */

import type { LogLine } from "./lambda";
import { ApiError, json } from "./request";

const PAGES_MAX = 20;

/** Returns the lines of `functionName`'s log between two instants, oldest first. */
export async function filterLog(
  functionName: string,
  between: { readonly fromMs: number; readonly toMs: number },
  pattern: string,
  signal?: AbortSignal,
): Promise<{ lines: LogLine[]; isCut: boolean }> {
  const lines: LogLine[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    let answer: { events?: LogLine[]; nextToken?: string };
    try {
      answer = await json("POST", "/", {
        body: {
          logGroupName: `/aws/lambda/${functionName}`,
          startTime: between.fromMs,
          endTime: between.toMs,
          filterPattern: pattern || undefined,
          nextToken,
          limit: 1_000,
        },
        headers: {
          "Content-Type": "application/x-amz-json-1.1",
          "X-Amz-Target": "Logs_20140328.FilterLogEvents",
        },
        signal,
      });
    } catch (error) {
      if (error instanceof ApiError && error.type === "ResourceNotFoundException") {
        return { lines, isCut: false };
      }
      throw error;
    }
    lines.push(...(answer.events ?? []));
    if (!answer.nextToken) return { lines, isCut: false };
    nextToken = answer.nextToken;
  }
  return { lines, isCut: true };
}
