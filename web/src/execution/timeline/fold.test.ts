import { describe, expect, it } from "vitest";
import type { HistoryEvent } from "../../api/events";
import { History } from "./fold";
import { barsOf, rowsOf } from "./rows";

let lastId = 0;

function anEvent(type: string, seconds: number, more: Partial<HistoryEvent> = {}): HistoryEvent {
  lastId += 1;
  return { EventType: type, EventId: lastId, EventTimestamp: seconds, ...more };
}

function aHistory(...events: HistoryEvent[]): History {
  const history = new History();
  history.add(events);
  return history;
}

describe("History", () => {
  it("puts children after their context, however deep", () => {
    const history = aHistory(
      anEvent("ExecutionStarted", 1),
      anEvent("ContextStarted", 2, { Id: "a", Name: "outer" }),
      anEvent("StepStarted", 3, { Id: "z", Name: "beside" }),
      anEvent("ContextStarted", 3, { Id: "b", ParentId: "a", Name: "inner" }),
      anEvent("StepStarted", 4, { Id: "c", ParentId: "b", Name: "deep" }),
    );
    const rows = rowsOf(history, new Set(), "");
    expect(rows.map((row) => [row.operation.name, row.depth])).toEqual([
      ["outer", 0],
      ["inner", 1],
      ["deep", 2],
      ["beside", 0],
    ]);
    expect(rowsOf(history, new Set(["a"]), "").map((row) => row.operation.name)).toEqual([
      "outer",
      "beside",
    ]);
  });

  it("keeps what is above a row that was found", () => {
    const history = aHistory(
      anEvent("ContextStarted", 2, { Id: "a", Name: "outer" }),
      anEvent("StepStarted", 3, { Id: "z", Name: "beside" }),
      anEvent("StepStarted", 4, { Id: "c", ParentId: "a", Name: "Charge card" }),
    );
    const names = rowsOf(history, new Set(["a"]), "charge").map((row) => row.operation.name);
    expect(names).toEqual(["outer", "Charge card"]);
  });

  it("draws each attempt of a step, and the wait for the next", () => {
    const history = aHistory(
      anEvent("StepStarted", 1, { Id: "s", Name: "flaky" }),
      anEvent("StepFailed", 2, {
        Id: "s",
        StepFailedDetails: {
          Error: { Payload: { ErrorType: "Boom" } },
          RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 5 },
        },
      }),
    );
    const step = history.operations.get("s");
    expect(step?.status).toBe("PENDING");
    expect(step?.retryAtMs).toBe(7_000);
    history.add([
      anEvent("StepStarted", 7, { Id: "s" }),
      anEvent("StepSucceeded", 8, {
        Id: "s",
        StepSucceededDetails: { Result: { Payload: "1" }, RetryDetails: { CurrentAttempt: 2 } },
      }),
    ]);
    expect(step && barsOf(step).map(({ kind, fromMs, toMs }) => [kind, fromMs, toMs])).toEqual([
      ["failed", 1_000, 2_000],
      ["retry", 2_000, 7_000],
      ["succeeded", 7_000, 8_000],
    ]);
    expect(step?.error).toBeNull();
    expect(step?.result).toEqual({ Payload: "1" });
  });

  it("tells an attempt that was lost with its invocation", () => {
    const history = aHistory(
      anEvent("StepStarted", 1, { Id: "s" }),
      anEvent("StepStarted", 9, { Id: "s" }),
    );
    const outcomes = history.operations.get("s")?.attempts.map((attempt) => attempt.outcome);
    expect(outcomes).toEqual(["lost", "running"]);
  });

  it("takes an event once, even when it comes again", () => {
    const started = anEvent("StepStarted", 1, { Id: "s" });
    const history = aHistory(started);
    expect(history.add([started])).toBe(false);
    expect(history.events).toHaveLength(1);
    expect(history.operations.get("s")?.attempts).toHaveLength(1);
  });

  it("remembers pauses and invocations", () => {
    const history = aHistory(
      anEvent("ExecutionStarted", 1),
      anEvent("InvocationCompleted", 2, {
        InvocationCompletedDetails: { StartTimestamp: 1.25, EndTimestamp: 2, RequestId: "r" },
      }),
      anEvent("ExecutionPaused", 3),
      anEvent("ExecutionResumed", 5),
      anEvent("ExecutionSucceeded", 6),
    );
    expect(history.pauses).toEqual([{ startMs: 3_000, endMs: 5_000 }]);
    expect(history.invocations[0]?.startMs).toBe(1_250);
    expect([history.startMs, history.endMs]).toEqual([1_000, 6_000]);
  });

  it("knows the callback, the wait's end and the child execution", () => {
    const history = aHistory(
      anEvent("CallbackStarted", 1, {
        Id: "c",
        CallbackStartedDetails: { CallbackId: "cb", Timeout: 60, HeartbeatTimeout: 0 },
      }),
      anEvent("WaitStarted", 1, {
        Id: "w",
        WaitStartedDetails: { Duration: 9, ScheduledEndTimestamp: 10 },
      }),
      anEvent("ChainedInvokeStarted", 1, {
        Id: "i",
        ChainedInvokeStartedDetails: { FunctionName: "f", DurableExecutionArn: "arn" },
      }),
    );
    const callback = history.operations.get("c");
    expect([callback?.callbackId, callback?.timeoutSeconds, callback?.heartbeatSeconds]).toEqual([
      "cb",
      60,
      null,
    ]);
    expect(history.operations.get("w")?.scheduledEndMs).toBe(10_000);
    expect(history.operations.get("i")?.childArn).toBe("arn");
  });
});
