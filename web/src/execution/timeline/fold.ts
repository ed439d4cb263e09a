/**
 * An execution's history, folded into its operations. Pure: events in, operations out.
 *
 * Events may come in any number of batches; an event that came before is not taken twice.
 */

import type { EventError, EventPayload, HistoryEvent } from "../../api/events";
import type { ErrorObject } from "../../api/shapes";

export type OperationType = "STEP" | "WAIT" | "CALLBACK" | "CHAINED_INVOKE" | "CONTEXT";
export type OperationStatus =
  | "STARTED"
  | "PENDING"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELLED"
  | "TIMED_OUT"
  | "STOPPED";

export interface Attempt {
  readonly number: number;
  readonly startMs: number;
  endMs: number | null;
  /** "lost": its invocation ended before it did. */
  outcome: "running" | "succeeded" | "failed" | "again" | "lost";
  error: ErrorObject | null;
}

export interface Operation {
  readonly id: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly type: OperationType;
  readonly subType: string;
  readonly startMs: number;
  /** When the history first tells of it: the order of the rows. */
  readonly firstEventId: number;
  status: OperationStatus;
  endMs: number | null;
  attempts: Attempt[];
  /** When its next attempt is due. */
  retryAtMs: number | null;
  /** When a wait ends. */
  scheduledEndMs: number | null;
  callbackId: string | null;
  timeoutSeconds: number | null;
  heartbeatSeconds: number | null;
  functionName: string | null;
  childArn: string | null;
  input: EventPayload | null;
  result: EventPayload | null;
  error: ErrorObject | null;
  readonly children: string[];
}

export interface InvocationRun {
  readonly number: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly requestId: string;
  readonly error: ErrorObject | null;
}

export interface PauseSpan {
  readonly startMs: number;
  endMs: number | null;
}

/** What the events so far tell. The arrays and operations are changed in place by `add`. */
export class History {
  readonly events: HistoryEvent[] = [];
  readonly operations = new Map<string, Operation>();
  readonly roots: string[] = [];
  readonly invocations: InvocationRun[] = [];
  readonly pauses: PauseSpan[] = [];
  startMs: number | null = null;
  endMs: number | null = null;
  latestMs = 0;
  private lastEventId = 0;

  /** Takes events, in order. Returns whether any was new. */
  add(events: readonly HistoryEvent[]): boolean {
    const before = this.lastEventId;
    for (const event of events) {
      if (event.EventId <= this.lastEventId) continue;
      this.lastEventId = event.EventId;
      this.events.push(event);
      this.take(event);
    }
    return this.lastEventId !== before;
  }

  private take(event: HistoryEvent): void {
    const atMs = toMs(event.EventTimestamp);
    this.latestMs = Math.max(this.latestMs, atMs);
    if (event.EventType === "InvocationCompleted") this.takeInvocation(event);
    else if (event.EventType.startsWith("Execution")) this.takeExecution(event, atMs);
    else this.takeOperation(event, atMs);
  }

  private takeInvocation(event: HistoryEvent): void {
    const details = event.InvocationCompletedDetails;
    if (!details) return;
    this.invocations.push({
      number: this.invocations.length + 1,
      startMs: toMs(details.StartTimestamp),
      endMs: toMs(details.EndTimestamp),
      requestId: details.RequestId,
      error: details.Error?.Payload ?? null,
    });
  }

  private takeExecution(event: HistoryEvent, atMs: number): void {
    switch (event.EventType) {
      case "ExecutionStarted":
        this.startMs = atMs;
        break;
      case "ExecutionPaused":
        this.pauses.push({ startMs: atMs, endMs: null });
        break;
      case "ExecutionResumed":
        this.endPause(atMs);
        break;
      default:
        this.endMs = atMs;
        this.endPause(atMs);
    }
  }

  private endPause(atMs: number): void {
    const pause = this.pauses.at(-1);
    if (pause && pause.endMs === null) pause.endMs = atMs;
  }

  private takeOperation(event: HistoryEvent, atMs: number): void {
    const kind = KINDS[event.EventType];
    if (!kind || !event.Id) return;
    const [type, status] = kind;
    const operation = this.operations.get(event.Id) ?? this.begin(event, event.Id, type, atMs);
    if (status === "STARTED") takeStart(operation, event, atMs);
    else takeEnd(operation, event, status, atMs);
  }

  private begin(event: HistoryEvent, id: string, type: OperationType, atMs: number): Operation {
    const parent = event.ParentId ? this.operations.get(event.ParentId) : undefined;
    const operation: Operation = {
      id,
      parentId: parent?.id ?? null,
      name: event.Name ?? "",
      type,
      subType: event.SubType ?? "",
      startMs: atMs,
      firstEventId: event.EventId,
      status: "STARTED",
      endMs: null,
      attempts: [],
      retryAtMs: null,
      scheduledEndMs: null,
      callbackId: null,
      timeoutSeconds: null,
      heartbeatSeconds: null,
      functionName: null,
      childArn: null,
      input: null,
      result: null,
      error: null,
      children: [],
    };
    this.operations.set(id, operation);
    (parent?.children ?? this.roots).push(id);
    return operation;
  }
}

const KINDS: Readonly<Record<string, readonly [OperationType, OperationStatus]>> = {
  ContextStarted: ["CONTEXT", "STARTED"],
  ContextSucceeded: ["CONTEXT", "SUCCEEDED"],
  ContextFailed: ["CONTEXT", "FAILED"],
  WaitStarted: ["WAIT", "STARTED"],
  WaitSucceeded: ["WAIT", "SUCCEEDED"],
  WaitCancelled: ["WAIT", "CANCELLED"],
  StepStarted: ["STEP", "STARTED"],
  StepSucceeded: ["STEP", "SUCCEEDED"],
  StepFailed: ["STEP", "FAILED"],
  ChainedInvokeStarted: ["CHAINED_INVOKE", "STARTED"],
  ChainedInvokeSucceeded: ["CHAINED_INVOKE", "SUCCEEDED"],
  ChainedInvokeFailed: ["CHAINED_INVOKE", "FAILED"],
  ChainedInvokeTimedOut: ["CHAINED_INVOKE", "TIMED_OUT"],
  ChainedInvokeStopped: ["CHAINED_INVOKE", "STOPPED"],
  CallbackStarted: ["CALLBACK", "STARTED"],
  CallbackSucceeded: ["CALLBACK", "SUCCEEDED"],
  CallbackFailed: ["CALLBACK", "FAILED"],
  CallbackTimedOut: ["CALLBACK", "TIMED_OUT"],
};

function takeStart(operation: Operation, event: HistoryEvent, atMs: number): void {
  operation.status = "STARTED";
  operation.retryAtMs = null;
  if (operation.type === "STEP") {
    const open = operation.attempts.at(-1);
    if (open && open.endMs === null) {
      open.endMs = atMs;
      open.outcome = "lost";
    }
    operation.attempts.push(attemptFrom(operation.attempts.length + 1, atMs));
  }
  const wait = event.WaitStartedDetails;
  if (wait?.ScheduledEndTimestamp) operation.scheduledEndMs = toMs(wait.ScheduledEndTimestamp);
  const callback = event.CallbackStartedDetails;
  if (callback) {
    operation.callbackId = callback.CallbackId ?? null;
    operation.timeoutSeconds = callback.Timeout || null;
    operation.heartbeatSeconds = callback.HeartbeatTimeout || null;
  }
  const chained = event.ChainedInvokeStartedDetails;
  if (chained) {
    operation.functionName = chained.FunctionName ?? null;
    operation.childArn = chained.DurableExecutionArn ?? operation.childArn;
    operation.input = chained.Input ?? null;
  }
}

function takeEnd(
  operation: Operation,
  event: HistoryEvent,
  status: OperationStatus,
  atMs: number,
): void {
  const error = errorOf(event);
  const retry = (event.StepSucceededDetails ?? event.StepFailedDetails)?.RetryDetails;
  const delaySeconds = retry?.NextAttemptDelaySeconds;
  const isAgain = delaySeconds !== null && delaySeconds !== undefined;
  if (operation.type === "STEP") {
    let attempt = operation.attempts.at(-1);
    if (!attempt || attempt.endMs !== null) {
      attempt = attemptFrom(operation.attempts.length + 1, operation.retryAtMs ?? atMs);
      operation.attempts.push(attempt);
    }
    attempt.endMs = atMs;
    attempt.error = error;
    attempt.outcome = status === "FAILED" ? "failed" : isAgain ? "again" : "succeeded";
  }
  operation.error = error ?? (isAgain ? operation.error : null);
  operation.result = resultOf(event) ?? operation.result;
  operation.status = isAgain ? "PENDING" : status;
  operation.retryAtMs = isAgain ? atMs + delaySeconds * 1_000 : null;
  operation.endMs = isAgain ? null : atMs;
}

function attemptFrom(number: number, startMs: number): Attempt {
  return { number, startMs, endMs: null, outcome: "running", error: null };
}

/** Returns the error that an event tells of, or null. */
export function errorOf(event: HistoryEvent): ErrorObject | null {
  const details: { readonly Error?: EventError | null } | undefined =
    event.StepFailedDetails ??
    event.ContextFailedDetails ??
    event.CallbackFailedDetails ??
    event.CallbackTimedOutDetails ??
    event.ChainedInvokeFailedDetails ??
    event.ChainedInvokeTimedOutDetails ??
    event.ChainedInvokeStoppedDetails ??
    event.WaitCancelledDetails ??
    event.ExecutionFailedDetails ??
    event.ExecutionTimedOutDetails ??
    event.ExecutionStoppedDetails ??
    event.InvocationCompletedDetails;
  return details?.Error?.Payload ?? null;
}

/** Returns the result that an event tells of, or null. */
export function resultOf(event: HistoryEvent): EventPayload | null {
  const details =
    event.StepSucceededDetails ??
    event.ContextSucceededDetails ??
    event.CallbackSucceededDetails ??
    event.ChainedInvokeSucceededDetails ??
    event.ExecutionSucceededDetails;
  return details?.Result ?? null;
}

/** Returns epoch milliseconds of the wire's epoch seconds. */
export function toMs(seconds: number): number {
  return Math.round(seconds * 1_000);
}
