"""An execution's history on the wire: one shape, with a member of details for each kind of event.

Source: botocore, ``lambda/2015-03-31``: Event and its details.
"""

from dataclasses import dataclass
from typing import Annotated

from perdure.protocol.constraints import Number, Text
from perdure.protocol.identifiers import (
    CallbackId,
    DurableExecutionArn,
    FunctionIdentifier,
    OperationId,
    OperationName,
    OperationSubType,
    PublishedVersion,
    TenantId,
)
from perdure.protocol.operations import ErrorObject, Payload
from perdure.protocol.wire import Instant
from perdure.protocol.words import EventType

__all__ = [
    "CallbackFailedDetails",
    "CallbackStartedDetails",
    "CallbackSucceededDetails",
    "CallbackTimedOutDetails",
    "ChainedInvokeFailedDetails",
    "ChainedInvokeStartedDetails",
    "ChainedInvokeStoppedDetails",
    "ChainedInvokeSucceededDetails",
    "ChainedInvokeTimedOutDetails",
    "ContextFailedDetails",
    "ContextStartedDetails",
    "ContextSucceededDetails",
    "Event",
    "EventError",
    "EventInput",
    "EventPauseReason",
    "EventResult",
    "EventResumeReason",
    "ExecutionFailedDetails",
    "ExecutionPausedDetails",
    "ExecutionResumedDetails",
    "ExecutionStartedDetails",
    "ExecutionStoppedDetails",
    "ExecutionSucceededDetails",
    "ExecutionTimedOutDetails",
    "InvocationCompletedDetails",
    "Reason",
    "RetryDetails",
    "Seconds",
    "StepFailedDetails",
    "StepStartedDetails",
    "StepSucceededDetails",
    "WaitCancelledDetails",
    "WaitStartedDetails",
    "WaitSucceededDetails",
]

Seconds = Annotated[int, Number(0)]
Reason = Annotated[str, Text(0, 1024)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInput:
    """An input, or that it was left out."""

    payload: Payload | None = None
    truncated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """A result, or that it was left out."""

    payload: Payload | None = None
    truncated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventError:
    """An error, or that it was left out."""

    payload: ErrorObject | None = None
    truncated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPauseReason:
    """Why a pause was asked for."""

    payload: Reason | None = None
    truncated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResumeReason:
    """Why a pause was ended."""

    payload: Reason | None = None
    truncated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDetails:
    """Which attempt it was, and when the next one comes."""

    current_attempt: Annotated[int, Number(0)] | None = None
    next_attempt_delay_seconds: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStartedDetails:
    """The input and the time allowed."""

    input: EventInput
    execution_timeout: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSucceededDetails:
    """The result."""

    result: EventResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFailedDetails:
    """The error."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionTimedOutDetails:
    """The error, if any."""

    error: EventError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStoppedDetails:
    """The error it was stopped with."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPausedDetails:
    """When the pause was asked for, why, and whether the clock stands."""

    pause_request_timestamp: Instant
    execution_timeout_paused: bool
    reason: EventPauseReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResumedDetails:
    """When the end of the pause was asked for, and why."""

    resume_request_timestamp: Instant
    reason: EventResumeReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextStartedDetails:
    """Nothing more is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSucceededDetails:
    """The result."""

    result: EventResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFailedDetails:
    """The error."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStartedDetails:
    """How long it lasts, and until when."""

    duration: Seconds
    scheduled_end_timestamp: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitSucceededDetails:
    """How long it lasted."""

    duration: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitCancelledDetails:
    """Why, if anybody said."""

    error: EventError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStartedDetails:
    """Nothing more is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSucceededDetails:
    """The result and the attempt."""

    result: EventResult
    retry_details: RetryDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailedDetails:
    """The error and the attempt."""

    error: EventError
    retry_details: RetryDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeStartedDetails:
    """What was invoked, with what."""

    function_name: FunctionIdentifier
    tenant_id: TenantId | None = None
    input: EventInput | None = None
    executed_version: PublishedVersion | None = None
    durable_execution_arn: DurableExecutionArn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeSucceededDetails:
    """The result."""

    result: EventResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeFailedDetails:
    """The error."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeTimedOutDetails:
    """The error."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeStoppedDetails:
    """The error."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStartedDetails:
    """The id to answer with, and the times allowed, in seconds."""

    callback_id: CallbackId
    heartbeat_timeout: Seconds | None = None
    timeout: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSucceededDetails:
    """The answer."""

    result: EventResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFailedDetails:
    """The error."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTimedOutDetails:
    """Which time ran out, as an error."""

    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationCompletedDetails:
    """One run of the handler, and its error if it had one."""

    start_timestamp: Instant
    end_timestamp: Instant
    request_id: str
    error: EventError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of an execution's history."""

    event_type: EventType | None = None
    sub_type: OperationSubType | None = None
    event_id: Annotated[int, Number(1)] | None = None
    id: OperationId | None = None
    name: OperationName | None = None
    event_timestamp: Instant | None = None
    parent_id: OperationId | None = None
    execution_started_details: ExecutionStartedDetails | None = None
    execution_succeeded_details: ExecutionSucceededDetails | None = None
    execution_failed_details: ExecutionFailedDetails | None = None
    execution_timed_out_details: ExecutionTimedOutDetails | None = None
    execution_stopped_details: ExecutionStoppedDetails | None = None
    context_started_details: ContextStartedDetails | None = None
    context_succeeded_details: ContextSucceededDetails | None = None
    context_failed_details: ContextFailedDetails | None = None
    wait_started_details: WaitStartedDetails | None = None
    wait_succeeded_details: WaitSucceededDetails | None = None
    wait_cancelled_details: WaitCancelledDetails | None = None
    step_started_details: StepStartedDetails | None = None
    step_succeeded_details: StepSucceededDetails | None = None
    step_failed_details: StepFailedDetails | None = None
    chained_invoke_started_details: ChainedInvokeStartedDetails | None = None
    chained_invoke_succeeded_details: ChainedInvokeSucceededDetails | None = None
    chained_invoke_failed_details: ChainedInvokeFailedDetails | None = None
    chained_invoke_timed_out_details: ChainedInvokeTimedOutDetails | None = None
    chained_invoke_stopped_details: ChainedInvokeStoppedDetails | None = None
    callback_started_details: CallbackStartedDetails | None = None
    callback_succeeded_details: CallbackSucceededDetails | None = None
    callback_failed_details: CallbackFailedDetails | None = None
    callback_timed_out_details: CallbackTimedOutDetails | None = None
    invocation_completed_details: InvocationCompletedDetails | None = None
    execution_paused_details: ExecutionPausedDetails | None = None
    execution_resumed_details: ExecutionResumedDetails | None = None
