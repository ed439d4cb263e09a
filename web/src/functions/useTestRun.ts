/** One test of a function: invoked, watched, and what came of it. */

import { useCallback, useEffect, useRef, useState } from "react";
import { getExecution, listExecutions } from "../api/console";
import { invoke } from "../api/functions";
import type { InvokeAnswer } from "../api/lambda";
import type { Execution } from "../api/shapes";
import { serverNow } from "../state/useNow";

export interface TestRequest {
  readonly eventName: string;
  readonly payload: string;
  readonly qualifier: string;
  readonly isAsynchronous: boolean;
  readonly executionName: string;
}

export interface TestOutcome {
  readonly request: TestRequest;
  readonly startedAtMs: number;
  readonly elapsedMs: number | null;
  readonly answer: InvokeAnswer | null;
  readonly error: Error | null;
  readonly executionArn: string | null;
  readonly execution: Execution | null;
}

export interface TestRun {
  readonly outcome: TestOutcome | null;
  readonly isRunning: boolean;
  readonly start: (request: TestRequest) => void;
}

const LOOK_MS = 500;

export function useTestRun(functionName: string, isDurable: boolean): TestRun {
  const [outcome, setOutcome] = useState<TestOutcome | null>(null);
  const current = useRef<AbortController | null>(null);
  useEffect(() => () => current.current?.abort(), []);

  const start = useCallback(
    (asked: TestRequest) => {
      current.current?.abort();
      const controller = new AbortController();
      current.current = controller;
      const request =
        isDurable && !asked.executionName ? { ...asked, executionName: madeUpName() } : asked;
      const begun: TestOutcome = {
        request,
        startedAtMs: serverNow(),
        elapsedMs: null,
        answer: null,
        error: null,
        executionArn: null,
        execution: null,
      };
      const change = (part: Partial<TestOutcome>): void => {
        if (!controller.signal.aborted) setOutcome((before) => ({ ...(before ?? begun), ...part }));
      };
      setOutcome(begun);
      if (isDurable) void watch(functionName, request.executionName, controller, change);
      void test(functionName, request, begun.startedAtMs, controller.signal, change);
    },
    [functionName, isDurable],
  );
  return { outcome, isRunning: outcome !== null && outcome.elapsedMs === null, start };
}

type Change = (part: Partial<TestOutcome>) => void;

async function test(
  functionName: string,
  request: TestRequest,
  startedAtMs: number,
  signal: AbortSignal,
  change: Change,
): Promise<void> {
  try {
    const answer = await invoke({ name: functionName, ...request }, signal);
    change({
      answer,
      elapsedMs: serverNow() - startedAtMs,
      ...(answer.executionArn && { executionArn: answer.executionArn }),
    });
    if (answer.executionArn && !request.isAsynchronous) {
      change({ execution: await getExecution(answer.executionArn, signal) });
    }
  } catch (error) {
    const caught = error instanceof Error ? error : new Error(String(error));
    change({ error: caught, elapsedMs: serverNow() - startedAtMs });
  }
}

/** Looks for the execution while the invocation has not answered: so that it can be watched. */
async function watch(
  functionName: string,
  executionName: string,
  controller: AbortController,
  change: Change,
): Promise<void> {
  for (let look = 0; look < 20 && !controller.signal.aborted; look += 1) {
    await new Promise((resolve) => window.setTimeout(resolve, LOOK_MS));
    try {
      const page = await listExecutions(
        { function: functionName, name: executionName },
        { limit: 10, marker: null, newestFirst: true },
        controller.signal,
      );
      const found = page.executions.find((one) => one.name === executionName);
      if (found) {
        change({ executionArn: found.arn });
        return;
      }
    } catch {
      // The invocation itself tells what is wrong.
      return;
    }
  }
}

function madeUpName(): string {
  return `test-${crypto.randomUUID()}`;
}
