/** An execution's history in the Lambda API's form: instants are epoch seconds. */

import type { ErrorObject } from "./shapes";

export interface EventPayload {
  readonly Payload?: string | null;
  readonly Truncated?: boolean;
}

export interface EventError {
  readonly Payload?: ErrorObject | null;
  readonly Truncated?: boolean;
}

export interface RetryDetails {
  readonly CurrentAttempt?: number;
  readonly NextAttemptDelaySeconds?: number | null;
}

interface WithError {
  readonly Error?: EventError | null;
}

interface WithResult {
  readonly Result?: EventPayload | null;
}

export interface HistoryEvent {
  readonly EventType: string;
  readonly SubType?: string | null;
  readonly EventId: number;
  readonly Id?: string | null;
  readonly Name?: string | null;
  readonly EventTimestamp: number;
  readonly ParentId?: string | null;
  readonly ExecutionStartedDetails?: {
    readonly Input?: EventPayload | null;
    readonly ExecutionTimeout?: number;
  };
  readonly ExecutionSucceededDetails?: WithResult;
  readonly ExecutionFailedDetails?: WithError;
  readonly ExecutionTimedOutDetails?: WithError;
  readonly ExecutionStoppedDetails?: WithError;
  readonly ExecutionPausedDetails?: {
    readonly Reason?: { readonly Payload?: string | null } | null;
  };
  readonly ExecutionResumedDetails?: {
    readonly Reason?: { readonly Payload?: string | null } | null;
  };
  readonly ContextSucceededDetails?: WithResult;
  readonly ContextFailedDetails?: WithError;
  readonly WaitStartedDetails?: {
    readonly Duration?: number;
    readonly ScheduledEndTimestamp?: number;
  };
  readonly WaitCancelledDetails?: WithError;
  readonly StepSucceededDetails?: WithResult & { readonly RetryDetails?: RetryDetails };
  readonly StepFailedDetails?: WithError & { readonly RetryDetails?: RetryDetails };
  readonly ChainedInvokeStartedDetails?: {
    readonly FunctionName?: string;
    readonly Input?: EventPayload | null;
    readonly ExecutedVersion?: string | null;
    readonly DurableExecutionArn?: string | null;
  };
  readonly ChainedInvokeSucceededDetails?: WithResult;
  readonly ChainedInvokeFailedDetails?: WithError;
  readonly ChainedInvokeTimedOutDetails?: WithError;
  readonly ChainedInvokeStoppedDetails?: WithError;
  readonly CallbackStartedDetails?: {
    readonly CallbackId?: string;
    readonly HeartbeatTimeout?: number | null;
    readonly Timeout?: number | null;
  };
  readonly CallbackSucceededDetails?: WithResult;
  readonly CallbackFailedDetails?: WithError;
  readonly CallbackTimedOutDetails?: WithError;
  readonly InvocationCompletedDetails?: WithError & {
    readonly StartTimestamp: number;
    readonly EndTimestamp: number;
    readonly RequestId: string;
  };
}
