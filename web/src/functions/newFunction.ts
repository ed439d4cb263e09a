/** A function that is about to be made: what is asked for, and what is wrong with it. Pure. */

import type { CreateFunction } from "../api/lambda";

export interface NewFunction {
  readonly name: string;
  readonly runtime: string;
  readonly isDurable: boolean;
  readonly executionTimeoutSeconds: string;
  readonly retentionDays: string;
}

export const TIMEOUT_SECONDS_MAX = 31_622_400;
export const RETENTION_DAYS_MAX = 90;
/** Lambda's own default of 3 s is less than some libraries take to load. */
const INVOCATION_SECONDS = 60;
const NAME = /^[a-zA-Z0-9-_]{1,64}$/;

/** Returns "python" of "python3.13": runtimes of one family run the same code. */
export function family(runtime: string): string {
  return /^[a-z]+/.exec(runtime)?.[0] ?? runtime;
}

export function nameProblem(name: string): string | null {
  return NAME.test(name) ? null : "a name has 1 to 64 letters, numbers, hyphens and underscores";
}

/** Returns why `text` is no whole number from 1 to `max`, or null if it is one. */
export function numberProblem(text: string, max: number, min = 1): string | null {
  const value = Number(text);
  const isFine = text.trim() !== "" && Number.isInteger(value) && value >= min && value <= max;
  return isFine ? null : `a whole number from ${min} to ${max} is needed`;
}

/** Returns the call that makes it. The role is needed by the API and used by nobody here. */
export function newFunctionRequest(
  draft: NewFunction,
  handler: string,
  accountId: string,
  zipBase64: string,
): CreateFunction {
  return {
    FunctionName: draft.name,
    Runtime: draft.runtime,
    Role: `arn:aws:iam::${accountId}:role/console`,
    Handler: handler,
    Code: { ZipFile: zipBase64 },
    Timeout: INVOCATION_SECONDS,
    ...(draft.isDurable && {
      DurableConfig: {
        ExecutionTimeout: Number(draft.executionTimeoutSeconds),
        RetentionPeriodInDays: Number(draft.retentionDays),
      },
    }),
  };
}
