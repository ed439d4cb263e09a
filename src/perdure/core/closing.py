"""How an execution ends: once, whatever ends it (X1)."""

from typing import Final

from perdure.core.draft import Draft
from perdure.core.event import error_details
from perdure.core.outcome import AnnounceEnd, CancelInvocation, Closed, NotifyParent
from perdure.core.transitions import Happening, Trigger
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import EventType, ExecutionStatus, OperationAction

__all__ = ["close", "end_invocation"]

_DAY_MS: Final = 86_400_000
_KEPT_MS: Final = 60_000  #: an ended execution is there at least so long: for its messages

_ENDS: Final[dict[ExecutionStatus, tuple[Happening, EventType]]] = {
    ExecutionStatus.SUCCEEDED: (OperationAction.SUCCEED, EventType.EXECUTION_SUCCEEDED),
    ExecutionStatus.FAILED: (OperationAction.FAIL, EventType.EXECUTION_FAILED),
    ExecutionStatus.TIMED_OUT: (Trigger.EXPIRE, EventType.EXECUTION_TIMED_OUT),
    ExecutionStatus.STOPPED: (Trigger.HALT, EventType.EXECUTION_STOPPED),
}


def close(
    draft: Draft,
    status: ExecutionStatus,
    *,
    payload: str | None = None,
    error: ErrorObject | None = None,
) -> None:
    """Record the outcome, let go of the invocation, tell those who wait."""
    happening, event = _ENDS[status]
    if draft.progress.lease_until_ms is not None:
        # The running invocation is recorded as ended now, so that history closes with the execution
        # and never grows.
        draft.hint(CancelInvocation(epoch=draft.progress.epoch))
        end_invocation(draft, started_at_ms=draft.progress.invoked_at_ms, error=None)
    root = draft.operation(draft.identity.id)
    assert root is not None, "H2 violated: the execution has no EXECUTION operation"
    ended = draft.move(root, happening, payload=payload, error=error, ended_at_ms=draft.now_ms)
    draft.record(event)
    draft.update(
        status=status,
        ended_at_ms=draft.now_ms,
        expires_at_ms=draft.now_ms + max(draft.identity.retention_days * _DAY_MS, _KEPT_MS),
        ready_at_ms=None,
        owes_invocation=False,
        timeout_at_ms=None,
        timeout_left_ms=None,
        nonce_sha256=b"",
        pause=None,
    )
    parent = draft.identity.parent
    if parent is not None:
        if status is ExecutionStatus.TIMED_OUT:
            error = _child_timed_out(draft.identity.execution_timeout_seconds)
        draft.send(NotifyParent(parent=parent, status=ended.status, payload=payload, error=error))
    if draft.identity.is_announced:
        draft.send(AnnounceEnd(status=status))
    draft.hint(Closed(status=status))


def _child_timed_out(seconds: int) -> ErrorObject:
    """Return what a chained invoke is told. Source: AWS's testing package."""
    return ErrorObject(
        error_type="ChainedInvoke.Timeout",
        error_message=f"CHAINED_INVOKE timed out after {seconds} seconds.",
    )


def end_invocation(
    draft: Draft,
    *,
    started_at_ms: int | None,
    error: ErrorObject | None,
    ended_at_ms: int | None = None,
) -> None:
    """Record the end of the running invocation and give back its lease; its tokens are worth
    nothing from now on.
    """
    progress = draft.progress
    start_ms = draft.now_ms if started_at_ms is None else started_at_ms
    end_ms = max(start_ms, draft.now_ms if ended_at_ms is None else ended_at_ms)
    if error is None:
        draft.record(
            EventType.INVOCATION_COMPLETED,
            request_id=progress.request_id,
            started_at_ms=start_ms,
            ended_at_ms=end_ms,
        )
    else:
        draft.record(
            EventType.INVOCATION_COMPLETED,
            request_id=progress.request_id,
            started_at_ms=start_ms,
            ended_at_ms=end_ms,
            error=error_details(error),
        )
    draft.update(
        lease_owner=None,
        lease_until_ms=None,
        request_id=None,
        invoked_at_ms=None,
        nonce_sha256=b"",
    )
