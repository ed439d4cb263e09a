"""What a service in process tells of its executions."""

from dataclasses import dataclass
from datetime import UTC, datetime

from perdure.core.execution import Identity, Progress
from perdure.core.operation import Operation
from perdure.protocol.words import ExecutionStatus

__all__ = ["ExecutionInfo", "PendingCallback", "callback_of", "info_of", "instant_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionInfo:
    """One execution, as it stood when it was asked for."""

    arn: str
    name: str
    function: str  #: the name it was registered under
    status: ExecutionStatus
    started_at: datetime
    ended_at: datetime | None
    is_waiting_for_function: bool  #: it is open, and nothing is registered under its name


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCallback:
    """A callback that has no answer yet."""

    callback_id: str
    name: str | None
    execution_arn: str
    created_at: datetime
    times_out_at: datetime | None  #: without an answer
    heartbeat_due_at: datetime | None


def info_of(identity: Identity, progress: Progress, *, is_registered: bool) -> ExecutionInfo:
    """Return what is told of an execution."""
    return ExecutionInfo(
        arn=identity.arn,
        name=identity.name,
        function=identity.function_arn.rpartition(":")[2],
        status=progress.status,
        started_at=instant_of(identity.started_at_ms),
        ended_at=_instant(progress.ended_at_ms),
        is_waiting_for_function=progress.ended_at_ms is None and not is_registered,
    )


def callback_of(callback: Operation, execution_arn: str, callback_id: str) -> PendingCallback:
    """Return what is told of a callback."""
    return PendingCallback(
        callback_id=callback_id,
        name=callback.name,
        execution_arn=execution_arn,
        created_at=instant_of(callback.started_at_ms),
        times_out_at=_instant(callback.due_at_ms),
        heartbeat_due_at=_instant(callback.heartbeat_due_at_ms),
    )


def instant_of(at_ms: int) -> datetime:
    """Return epoch milliseconds as an instant, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _instant(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else instant_of(at_ms)
