"""Invoking a function: the Invoke call, and the envelope a durable handler is invoked with.

The envelope is no shape of botocore's: it is what AWS's SDKs read and write. Instants in it are
epoch milliseconds. ``changes_only``, ``kept`` and ``dropped`` are ours alone: they pass between
this server and a worker that may keep suspended handlers (K1).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from perdure.protocol.identifiers import (
    CheckpointToken,
    DurableExecutionArn,
    DurableExecutionName,
    FunctionIdentifier,
    FunctionVersionNumber,
    Qualifier,
    TenantId,
)
from perdure.protocol.operations import ErrorObject, Operation
from perdure.protocol.quick import quick
from perdure.protocol.wire import IN_PAYLOAD, IN_QUERY, IN_URI, Location, bound
from perdure.protocol.words import InvocationStatus

__all__ = [
    "InitialExecutionState",
    "InvocationAnswer",
    "InvocationEnvelope",
    "InvocationType",
    "InvokeRequest",
    "InvokeResponse",
    "LogType",
    "Offer",
]


class InvocationType(StrEnum):
    """How an invocation is answered."""

    EVENT = "Event"
    REQUEST_RESPONSE = "RequestResponse"
    DRY_RUN = "DryRun"


class Offer(StrEnum):
    """What a service may offer its handlers."""

    WAIT_MILLISECONDS = "WaitMilliseconds"  #: waits of less than a second, by WaitMilliseconds


class LogType(StrEnum):
    """Whether the end of the log comes with the answer."""

    NONE = "None"
    TAIL = "Tail"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeRequest:
    """Invokes a function."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    invocation_type: InvocationType | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Invocation-Type")
    )
    log_type: LogType | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Log-Type")
    )
    client_context: str | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Client-Context")
    )
    durable_execution_name: DurableExecutionName | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Durable-Execution-Name")
    )
    payload: bytes | None = field(default=None, metadata=IN_PAYLOAD)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)
    tenant_id: TenantId | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Tenant-Id")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeResponse:
    """What came of it."""

    status_code: int | None = field(default=None, metadata=bound(Location.STATUS))
    function_error: str | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Function-Error")
    )
    log_result: str | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Log-Result")
    )
    payload: bytes | None = field(default=None, metadata=IN_PAYLOAD)
    executed_version: FunctionVersionNumber | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Executed-Version")
    )
    durable_execution_arn: DurableExecutionArn | None = field(
        default=None, metadata=bound(Location.HEADER, "X-Amz-Durable-Execution-Arn")
    )


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class InitialExecutionState:
    """The first page of the state; GetDurableExecutionState reads on at the marker."""

    operations: tuple[Operation, ...]
    next_marker: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationEnvelope:
    """What a durable handler is given; the first operation is the EXECUTION, with the input.

    ``changes_only`` True: it is for the handler that this worker keeps, and the state holds nothing
    but the operations that have changed since that handler was last told.
    """

    durable_execution_arn: DurableExecutionArn
    checkpoint_token: CheckpointToken
    initial_execution_state: InitialExecutionState
    updated_operation_ids: tuple[str, ...] | None = None
    changes_only: bool | None = None
    offers: tuple[str, ...] | None = None  #: what this service can do beyond AWS's: ``Offer``


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationAnswer:
    """What a durable handler returns; an empty result may follow a checkpoint that carried it."""

    status: InvocationStatus
    result: str | None = None
    error: ErrorObject | None = None
    kept: bool | None = None  #: PENDING: the worker keeps the handler as it stands
    #: executions whose handlers it kept, and has let go since its last answer
    dropped: tuple[DurableExecutionArn, ...] | None = None
