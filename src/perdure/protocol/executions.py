"""The calls on executions: checkpoint, state, look, list, stop, pause, resume, delete.

Source: botocore, ``lambda/2015-03-31``, members and bounds as there.
"""

from dataclasses import dataclass, field
from typing import Annotated

from perdure.protocol.configurations import DurableConfig
from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.events import Event
from perdure.protocol.identifiers import (
    CheckpointToken,
    ClientToken,
    DurableExecutionArn,
    DurableExecutionName,
    FunctionIdentifier,
    KmsKeyArn,
    PublishedVersion,
    QualifiedFunctionArn,
    Qualifier,
    TraceId,
)
from perdure.protocol.operations import ErrorObject, Operation, OperationUpdate, Payload
from perdure.protocol.quick import quick
from perdure.protocol.wire import IN_PAYLOAD, IN_QUERY, IN_URI, Instant, wire_name
from perdure.protocol.words import ExecutionStatus

__all__ = [
    "CheckpointDurableExecutionRequest",
    "CheckpointDurableExecutionResponse",
    "CheckpointUpdatedExecutionState",
    "DeleteDurableExecutionRequest",
    "DeleteDurableExecutionResponse",
    "ExecutionSummary",
    "GetDurableExecutionHistoryRequest",
    "GetDurableExecutionHistoryResponse",
    "GetDurableExecutionRequest",
    "GetDurableExecutionResponse",
    "GetDurableExecutionStateRequest",
    "GetDurableExecutionStateResponse",
    "ListDurableExecutionsByFunctionRequest",
    "ListDurableExecutionsByFunctionResponse",
    "PageSize",
    "PauseDetails",
    "PauseDurableExecutionRequest",
    "PauseDurableExecutionResponse",
    "Reason",
    "ResumeDurableExecutionRequest",
    "ResumeDurableExecutionResponse",
    "StopDurableExecutionRequest",
    "StopDurableExecutionResponse",
    "TraceHeader",
]

PageSize = Annotated[int, Number(0, 1_000)]
Reason = Annotated[str, Text(0, 1024)]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointUpdatedExecutionState:
    """What has changed since the handler last heard."""

    operations: tuple[Operation, ...] | None = None
    next_marker: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDurableExecutionRequest:
    """Stores updates; without any, asks what has changed."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)
    checkpoint_token: CheckpointToken
    updates: tuple[OperationUpdate, ...] | None = None
    client_token: ClientToken | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDurableExecutionResponse:
    """The next token, and what has changed."""

    new_execution_state: CheckpointUpdatedExecutionState
    checkpoint_token: CheckpointToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDurableExecutionStateRequest:
    """Asks for a page of the state a replay starts from."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)
    checkpoint_token: CheckpointToken = field(metadata=IN_QUERY)
    marker: str | None = field(default=None, metadata=IN_QUERY)
    max_items: PageSize | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDurableExecutionStateResponse:
    """A page of operations."""

    operations: tuple[Operation, ...]
    next_marker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceHeader:
    """The trace an execution belongs to."""

    x_amzn_trace_id: TraceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDetails:
    """Since when, why and how an execution is paused."""

    pause_request_timestamp: Instant
    execution_timeout_paused: bool
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDurableExecutionRequest:
    """Asks for one execution."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)
    include_execution_data: bool | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDurableExecutionResponse:
    """One execution, as it stands."""

    durable_execution_arn: DurableExecutionArn
    durable_execution_name: DurableExecutionName
    function_arn: QualifiedFunctionArn
    start_timestamp: Instant
    status: ExecutionStatus
    input_payload: Payload | None = None
    result: Payload | None = None
    error: ErrorObject | None = None
    end_timestamp: Instant | None = None
    version: PublishedVersion | None = None
    trace_header: TraceHeader | None = None
    execution_data_included: bool | None = None
    durable_config: DurableConfig | None = None
    pause_details: PauseDetails | None = None
    expected_execution_timeout_timestamp: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDurableExecutionHistoryRequest:
    """Asks for a page of an execution's events."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)
    include_execution_data: bool | None = field(default=None, metadata=IN_QUERY)
    max_items: PageSize | None = field(default=None, metadata=IN_QUERY)
    marker: str | None = field(default=None, metadata=IN_QUERY)
    reverse_order: bool | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDurableExecutionHistoryResponse:
    """A page of events."""

    events: tuple[Event, ...]
    next_marker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSummary:
    """One line of a list of executions."""

    durable_execution_arn: DurableExecutionArn
    durable_execution_name: DurableExecutionName
    function_arn: QualifiedFunctionArn
    status: ExecutionStatus
    start_timestamp: Instant
    end_timestamp: Instant | None = None
    kms_key_arn: KmsKeyArn | None = field(default=None, metadata=wire_name("KMSKeyArn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDurableExecutionsByFunctionRequest:
    """Asks for a page of a function's executions."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)
    durable_execution_name: DurableExecutionName | None = field(default=None, metadata=IN_QUERY)
    statuses: Annotated[tuple[ExecutionStatus, ...], Items(1, 10)] | None = field(
        default=None, metadata=IN_QUERY
    )
    started_after: Instant | None = field(default=None, metadata=IN_QUERY)
    started_before: Instant | None = field(default=None, metadata=IN_QUERY)
    reverse_order: bool | None = field(default=None, metadata=IN_QUERY)
    marker: str | None = field(default=None, metadata=IN_QUERY)
    max_items: PageSize | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDurableExecutionsByFunctionResponse:
    """A page of executions."""

    durable_executions: tuple[ExecutionSummary, ...] | None = None
    next_marker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopDurableExecutionRequest:
    """Ends an execution from outside."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)
    error: ErrorObject | None = field(default=None, metadata=IN_PAYLOAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopDurableExecutionResponse:
    """When it was ended."""

    stop_timestamp: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDurableExecutionRequest:
    """Keeps an execution from being invoked."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)
    client_token: ClientToken | None = None
    reason: Reason | None = None
    execution_timeout_paused: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDurableExecutionResponse:
    """The pause was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDurableExecutionRequest:
    """Ends a pause."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)
    client_token: ClientToken | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDurableExecutionResponse:
    """The end of the pause was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDurableExecutionRequest:
    """Removes a closed execution before its retention ends."""

    durable_execution_arn: DurableExecutionArn = field(metadata=IN_URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDurableExecutionResponse:
    """When the removal was asked for."""

    deletion_request_timestamp: Instant
