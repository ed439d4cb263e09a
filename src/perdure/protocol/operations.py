"""Operations and their updates, as they travel: one shape each, botocore's members under Python
names.

Source: botocore, ``lambda/2015-03-31``: Operation, OperationUpdate, ErrorObject, their options and
details.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from perdure.protocol.constraints import Number, Text
from perdure.protocol.identifiers import (
    CallbackId,
    FunctionIdentifier,
    OperationId,
    OperationName,
    OperationSubType,
    TenantId,
    TraceId,
)
from perdure.protocol.quick import quick
from perdure.protocol.wire import Instant
from perdure.protocol.words import OperationAction, OperationStatus, OperationType

__all__ = [
    "PAYLOAD_BYTES_MAX",
    "CallbackDetails",
    "CallbackId",
    "CallbackOptions",
    "ChainedInvokeDetails",
    "ChainedInvokeOptions",
    "ContextDetails",
    "ContextOptions",
    "ErrorObject",
    "ExecutionDetails",
    "FunctionIdentifier",
    "Operation",
    "OperationId",
    "OperationName",
    "OperationSubType",
    "OperationUpdate",
    "Payload",
    "StepDetails",
    "StepOptions",
    "TenantId",
    "TraceId",
    "WaitDetails",
    "WaitOptions",
]

PAYLOAD_BYTES_MAX: Final = 6_291_456  #: 6 MiB

Payload = Annotated[str, Text(0, PAYLOAD_BYTES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorObject:
    """A failure of user code, or the service's word for one."""

    error_message: str | None = None
    error_type: str | None = None
    error_data: str | None = None
    stack_trace: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextOptions:
    """How a context is closed."""

    replay_children: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions:
    """When a step is tried again."""

    next_attempt_delay_seconds: Annotated[int, Number(1, 31_622_400)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOptions:
    """How long a wait lasts. Milliseconds are ours alone: they are offered by the envelope."""

    wait_seconds: Annotated[int, Number(1, 31_622_400)] | None = None
    wait_milliseconds: Annotated[int, Number(1, 31_622_400_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackOptions:
    """How long a callback may take; 0 or absent: for ever."""

    timeout_seconds: Annotated[int, Number(0, 99_999_999)] | None = None
    heartbeat_timeout_seconds: Annotated[int, Number(0, 99_999_999)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeOptions:
    """Which function is invoked."""

    function_name: FunctionIdentifier
    tenant_id: TenantId | None = None
    x_amzn_trace_id: TraceId | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OperationUpdate:
    """One change to one operation, as a checkpoint asks for it."""

    id: OperationId
    type: OperationType
    action: OperationAction
    parent_id: OperationId | None = None
    name: OperationName | None = None
    sub_type: OperationSubType | None = None
    payload: Payload | None = None
    error: ErrorObject | None = None
    context_options: ContextOptions | None = None
    step_options: StepOptions | None = None
    wait_options: WaitOptions | None = None
    callback_options: CallbackOptions | None = None
    chained_invoke_options: ChainedInvokeOptions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionDetails:
    """The input of the execution."""

    input_payload: Payload | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDetails:
    """The outcome of a context."""

    replay_children: bool | None = None
    result: Payload | None = None
    error: ErrorObject | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class StepDetails:
    """The attempts and the outcome of a step."""

    attempt: Annotated[int, Number(0)] | None = None  #: attempts that have ended
    next_attempt_timestamp: Instant | None = None
    result: Payload | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitDetails:
    """When a wait ends."""

    scheduled_end_timestamp: Instant | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackDetails:
    """The id to answer a callback with, and the answer."""

    callback_id: CallbackId | None = None
    result: Payload | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeDetails:
    """The outcome of a chained invoke."""

    result: Payload | None = None
    error: ErrorObject | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The recorded state of one operation."""

    id: OperationId
    type: OperationType
    start_timestamp: Instant
    status: OperationStatus
    parent_id: OperationId | None = None
    name: OperationName | None = None
    sub_type: OperationSubType | None = None
    end_timestamp: Instant | None = None
    execution_details: ExecutionDetails | None = None
    context_details: ContextDetails | None = None
    step_details: StepDetails | None = None
    wait_details: WaitDetails | None = None
    callback_details: CallbackDetails | None = None
    chained_invoke_details: ChainedInvokeDetails | None = None
