"""What the hooks of an instrumentation plugin are told: the public values of ``perdure.plugin``.

Names, order and defaults of the fields are AWS's, so that a plugin moves by changing its import.
Instants are aware datetimes here and epoch milliseconds in the protocol; this module is where
they are turned. It knows nothing of when a hook is called.

Source: ``aws_durable_execution_sdk_python.plugin``, 3.x.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.error_object import ErrorObject
from perdure.sdk.wall_time import now_ms
from perdure.sdk.words import InvocationStatus

if TYPE_CHECKING:
    from perdure.protocol.operations import ErrorObject as WireError
    from perdure.protocol.operations import Operation

__all__ = [
    "ErrorObject",
    "InvocationEndInfo",
    "InvocationInfo",
    "InvocationOutput",
    "InvocationStartInfo",
    "InvocationStatus",
    "OperationChangeInfo",
    "OperationEndInfo",
    "OperationInfo",
    "OperationStartInfo",
    "OperationStatus",
    "OperationType",
    "PropagationInput",
    "PropagationMetadata",
    "UserFunctionEndInfo",
    "UserFunctionOutcome",
    "UserFunctionStartInfo",
    "end_of",
    "instant",
    "start_of",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at_ms: int | None) -> datetime | None:
    """Return ``at_ms`` as an aware datetime; None for None and for what no datetime can say."""
    if at_ms is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError:
        return None


class InvocationOutput(Protocol):
    """What an invocation is answered with."""

    @property
    def status(self) -> StrEnum: ...
    @property
    def result(self) -> str | None: ...
    @property
    def error(self) -> WireError | None: ...


class UserFunctionOutcome(StrEnum):
    """How a call of a user's function ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    INCOMPLETE = "INCOMPLETE"  #: suspended, orphaned, cancelled or interrupted on its way

    @classmethod
    def from_error(cls, error: ErrorObject | None) -> UserFunctionOutcome:
        """Return FAILED for an error and SUCCEEDED for None."""
        return cls.SUCCEEDED if error is None else cls.FAILED


@dataclass(frozen=True)
class OperationInfo:
    """One operation: its identity and, as far as the occasion knows it, its state."""

    operation_id: str
    operation_type: OperationType
    sub_type: str | None  #: a plain string; None for the execution itself
    name: str | None
    parent_id: str | None
    start_time: datetime | None
    is_replayed: bool
    status: OperationStatus
    end_time: datetime | None = field(default=None, kw_only=True)
    result: str | None = field(default=None, kw_only=True)  #: serialized
    error: ErrorObject | None = field(default=None, kw_only=True)
    attempt: int | None = field(default=None, kw_only=True)

    @staticmethod
    def from_operation(operation: Operation, *, is_replayed: bool = False) -> OperationInfo:
        """Return what a plugin may see of a recorded operation."""
        return OperationInfo(**_fields(operation), is_replayed=is_replayed)


@dataclass(frozen=True)
class OperationStartInfo(OperationInfo):
    """An operation starts, or one that has not ended is met again on replay."""


@dataclass(frozen=True)
class OperationEndInfo(OperationInfo):
    """An operation has ended."""


@dataclass(frozen=True)
class OperationChangeInfo:
    """Operations whose status changed since the last such notification, and all there are."""

    execution_arn: str | None
    updated_operations: dict[str, OperationInfo]
    operations: dict[str, OperationInfo]


@dataclass(frozen=True)
class UserFunctionStartInfo(OperationInfo):
    """A user's function is about to be called."""

    #: The function only rebuilds the result of a context whose checkpoint holds a summary.
    is_replay_children: bool = False


@dataclass(frozen=True)
class UserFunctionEndInfo(OperationInfo):
    """A user's function has returned, failed, or been left."""

    is_replay_children: bool
    outcome: UserFunctionOutcome

    @classmethod
    def from_start_info(
        cls,
        start_info: UserFunctionStartInfo,
        error: ErrorObject | None,
        *,
        outcome: UserFunctionOutcome | None = None,
        end_time: datetime | None = None,
    ) -> UserFunctionEndInfo:
        """Return the end of the call that ``start_info`` began; ``end_time`` is now by default.

        Without ``outcome`` the error decides it.
        """
        return cls(
            operation_id=start_info.operation_id,
            operation_type=start_info.operation_type,
            sub_type=start_info.sub_type,
            name=start_info.name,
            parent_id=start_info.parent_id,
            start_time=start_info.start_time,
            is_replayed=start_info.is_replayed,
            status=start_info.status,
            is_replay_children=start_info.is_replay_children,
            attempt=start_info.attempt,
            outcome=UserFunctionOutcome.from_error(error) if outcome is None else outcome,
            end_time=end_time or instant(now_ms()),
            error=error,
        )


def _no_operations() -> dict[str, OperationInfo]:
    return {}


@dataclass(frozen=True)
class InvocationInfo:
    """One run of the handler.

    Payloads and operations are left out of ``repr``, ``==`` and ``hash``: plugins log these values
    whole, and what customers sent has no place in a log.
    """

    request_id: str | None
    execution_arn: str | None
    is_first_invocation: bool
    execution_start_time: datetime | None = None
    #: The handler's event, decoded: the plugins' own copy.
    execution_input: Any = field(default=None, kw_only=True, repr=False, compare=False, hash=False)
    #: Every recorded operation by its id, the EXECUTION included, as of the hook's moment.
    operations: dict[str, OperationInfo] = field(
        default_factory=_no_operations, kw_only=True, repr=False, compare=False, hash=False
    )


@dataclass(frozen=True)
class InvocationStartInfo(InvocationInfo):
    """An invocation starts."""

    #: Those of ``operations`` that changed while the execution was suspended.
    updated_operations: dict[str, OperationInfo] = field(
        default_factory=_no_operations, kw_only=True, repr=False, compare=False, hash=False
    )


@dataclass(frozen=True)
class InvocationEndInfo(InvocationInfo):
    """An invocation has ended."""

    status: InvocationStatus = field(kw_only=True)
    error: ErrorObject | None = None
    #: The handler's result, serialized; "" when a checkpoint carried it, None unless SUCCEEDED.
    execution_result: str | None = field(
        default=None, kw_only=True, repr=False, compare=False, hash=False
    )

    @classmethod
    def from_durable_execution_invocation_output(
        cls,
        invocation_start_info: InvocationStartInfo,
        output: InvocationOutput,
        operations: dict[str, OperationInfo] | None = None,
    ) -> InvocationEndInfo:
        """Return the end of the invocation that ``invocation_start_info`` began."""
        return cls.of(
            invocation_start_info,
            status=InvocationStatus(output.status.value),
            error=output.error,
            result=output.result,
            operations=operations,
        )

    @classmethod
    def of(
        cls,
        start: InvocationStartInfo,
        *,
        status: InvocationStatus,
        error: WireError | None = None,
        result: str | None = None,
        operations: dict[str, OperationInfo] | None = None,
    ) -> InvocationEndInfo:
        """Return the end of ``start`` with ``status``; its operations unless newer are given."""
        return cls(
            request_id=start.request_id,
            execution_arn=start.execution_arn,
            is_first_invocation=start.is_first_invocation,
            execution_start_time=start.execution_start_time,
            execution_input=start.execution_input,
            operations=start.operations if operations is None else operations,
            status=status,
            error=ErrorObject.of(error),
            execution_result=result,
        )


@dataclass(frozen=True)
class PropagationInput:
    """A chained invoke that is about to be started for the first time."""

    execution_arn: str
    operation_id: str
    target_function_name: str
    parent_operation_id: str | None = None


@dataclass(frozen=True)
class PropagationMetadata:
    """What a plugin adds to a chained invoke."""

    x_amzn_trace_id: str | None = None


def end_of(operation: Operation) -> OperationEndInfo:
    """Return the end of a recorded operation, as its end hook is told it."""
    return OperationEndInfo(**_fields(operation), is_replayed=False)


def start_of(operation: Operation) -> OperationStartInfo:
    """Return a recorded operation that has not ended, as it is told when it is met again."""
    return OperationStartInfo(
        operation_id=operation.id,
        operation_type=operation.type,
        sub_type=operation.sub_type,
        name=operation.name,
        parent_id=operation.parent_id,
        start_time=instant(operation.start_timestamp),
        is_replayed=True,
        status=operation.status,
    )


def _fields(operation: Operation) -> dict[str, Any]:
    result, error = _outcome(operation)
    step = operation.step_details
    return {
        "operation_id": operation.id,
        "operation_type": operation.type,
        "sub_type": operation.sub_type,
        "name": operation.name,
        "parent_id": operation.parent_id,
        "start_time": instant(operation.start_timestamp),
        "status": operation.status,
        "end_time": instant(operation.end_timestamp),
        "result": result,
        "error": ErrorObject.of(error),
        "attempt": None if step is None else step.attempt or 0,
    }


def _outcome(operation: Operation) -> tuple[str | None, WireError | None]:
    result: str | None = None
    error: WireError | None = None
    for details in (
        operation.step_details,
        operation.callback_details,
        operation.chained_invoke_details,
        operation.context_details,
    ):
        if details is not None:
            result = details.result if result is None else result
            error = details.error if error is None else error
    return result, error
