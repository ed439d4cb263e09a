"""What time alone does: waits end, retries become ready, callbacks and executions time out."""

from typing import Final

from perdure.core.closing import close
from perdure.core.draft import Draft
from perdure.core.operation import Operation
from perdure.core.transitions import Trigger
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import EventType, ExecutionStatus, OperationType

__all__ = ["fire_due", "wake_operations", "want_invocation"]

#: Source: AWS's testing package, CallbackTimeoutType and its messages.
_CALLBACK_TIMED_OUT: Final = ErrorObject(
    error_type="Callback.Timeout", error_message="Callback timed out"
)
_HEARTBEAT_MISSED: Final = ErrorObject(
    error_type="Callback.Heartbeat", error_message="Callback timed out on heartbeat"
)


def fire_due(draft: Draft) -> None:
    """Do everything that is due now, the earliest first; never anything before its time (T1)."""
    has_woken = wake_operations(draft)
    timeout_at_ms = draft.progress.timeout_at_ms
    if timeout_at_ms is not None and timeout_at_ms <= draft.now_ms:
        seconds = draft.identity.execution_timeout_seconds
        close(
            draft,
            ExecutionStatus.TIMED_OUT,
            error=ErrorObject(error_message=f"Execution timed out after {seconds} seconds."),
        )
    elif has_woken:
        want_invocation(draft)


def wake_operations(draft: Draft) -> bool:
    """Do what is due of the operations, the earliest first, up to the execution's own time; tell
    whether anything was.
    """
    wake_at_ms = draft.base.progress.wake_at_ms
    if draft.progress.ended_at_ms is not None:
        return False
    if draft.operations:
        wake_at_ms = draft.wakes_at_ms()
    if wake_at_ms is None or wake_at_ms > draft.now_ms:
        return False
    timeout_at_ms = draft.progress.timeout_at_ms
    horizon_ms = draft.now_ms if timeout_at_ms is None else min(draft.now_ms, timeout_at_ms)
    due = sorted(
        (wakes_at_ms, draft.operations.get(i) or draft.base.operations[i])
        for i, wakes_at_ms in draft.pending()
        if wakes_at_ms is not None and wakes_at_ms <= horizon_ms
    )
    for _, operation in due:
        _wake(draft, operation)
    return bool(due)


def want_invocation(draft: Draft) -> None:
    """Have the handler told of what has changed: at once, or when the pause ends.

    A running invocation is told by its next checkpoint, or is followed by another one.
    """
    progress = draft.progress
    if progress.lease_until_ms is not None or progress.ended_at_ms is not None:
        return
    if progress.pause is not None:
        draft.update(owes_invocation=True)
    elif progress.ready_at_ms is None or progress.ready_at_ms > draft.now_ms:
        draft.update(ready_at_ms=draft.now_ms)


def _wake(draft: Draft, operation: Operation) -> None:
    match operation.type:
        case OperationType.WAIT:
            draft.move(operation, Trigger.WAKE, ended_at_ms=draft.now_ms, due_at_ms=None)
            draft.record(EventType.WAIT_SUCCEEDED, operation.id)
        case OperationType.STEP:
            draft.move(operation, Trigger.WAKE, due_at_ms=None)
        case _:
            _time_out_callback(draft, operation)


def _time_out_callback(draft: Draft, callback: Operation) -> None:
    is_total = callback.due_at_ms is not None and callback.due_at_ms == callback.wakes_at_ms
    draft.move(
        callback,
        Trigger.EXPIRE,
        ended_at_ms=draft.now_ms,
        due_at_ms=None,
        heartbeat_due_at_ms=None,
        error=_CALLBACK_TIMED_OUT if is_total else _HEARTBEAT_MISSED,
    )
    draft.record(EventType.CALLBACK_TIMED_OUT, callback.id)
