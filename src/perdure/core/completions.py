"""What comes from outside: answers to callbacks, heartbeats, outcomes of chained invokes."""

from typing import Final

from perdure.core.commands import AnswerCallback, FinishChainedInvoke, Heartbeat
from perdure.core.draft import Draft
from perdure.core.errors import CallbackTimedOut, InvalidParameterValue, ResourceNotFound
from perdure.core.operation import Operation
from perdure.core.outcome import Accepted, Outcome
from perdure.core.quotas import REPLY_KEPT_MS
from perdure.core.timers import fire_due, want_invocation
from perdure.core.transitions import Trigger
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import EventType, OperationStatus, OperationType

__all__ = ["answer_callback", "finish_chained_invoke", "heartbeat"]

#: How a child's end reaches the chained invoke.
_ENDS: Final[dict[OperationStatus, tuple[Trigger, EventType]]] = {
    OperationStatus.SUCCEEDED: (Trigger.COMPLETE, EventType.CHAINED_INVOKE_SUCCEEDED),
    OperationStatus.FAILED: (Trigger.REJECT, EventType.CHAINED_INVOKE_FAILED),
    OperationStatus.TIMED_OUT: (Trigger.EXPIRE, EventType.CHAINED_INVOKE_TIMED_OUT),
    OperationStatus.STOPPED: (Trigger.HALT, EventType.CHAINED_INVOKE_STOPPED),
}


def answer_callback(draft: Draft, command: AnswerCallback) -> Outcome:
    """Complete a callback, once (C1); the very same answer again is accepted for a while (C2).

    Raises:
        ResourceNotFound: there is no such callback, or its execution has ended.
        CallbackTimedOut: its time was over.
        InvalidParameterValue: it was answered otherwise.
    """
    fire_due(draft)
    callback = _open_callback(draft, command.operation_id)
    if callback.is_finished:
        _check_same_answer(draft, callback, command)
        return draft.finish(Accepted(at_ms=callback.ended_at_ms or draft.now_ms))
    is_success = command.error is None
    draft.move(
        callback,
        Trigger.COMPLETE if is_success else Trigger.REJECT,
        ended_at_ms=draft.now_ms,
        due_at_ms=None,
        heartbeat_due_at_ms=None,
        payload=command.payload,
        error=command.error,
    )
    draft.record(
        EventType.CALLBACK_SUCCEEDED if is_success else EventType.CALLBACK_FAILED, callback.id
    )
    want_invocation(draft)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def heartbeat(draft: Draft, command: Heartbeat) -> Outcome:
    """Begin the callback's heartbeat time anew; its total time stays (C5).

    Raises:
        ResourceNotFound: there is no such callback, or it was answered, or its execution has ended.
        CallbackTimedOut: its time was over.
    """
    fire_due(draft)
    callback = _open_callback(draft, command.operation_id)
    if callback.is_finished:
        raise ResourceNotFound(f"the callback is not open: it is {callback.status}")
    if callback.heartbeat_seconds is not None:
        draft.put(callback, heartbeat_due_at_ms=draft.now_ms + callback.heartbeat_seconds * 1000)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def finish_chained_invoke(draft: Draft, command: FinishChainedInvoke) -> Outcome:
    """Bring a chained invoke its outcome, once (I4); a parent that has ended keeps its end."""
    fire_due(draft)
    invoke = draft.operation(command.operation_id)
    if (
        draft.progress.ended_at_ms is None
        and invoke is not None
        and invoke.type is OperationType.CHAINED_INVOKE
        and not invoke.is_finished
    ):
        trigger, event = _ENDS[command.status]
        draft.move(
            invoke,
            trigger,
            ended_at_ms=draft.now_ms,
            payload=command.payload,
            error=command.error if trigger is Trigger.COMPLETE else command.error or ErrorObject(),
        )
        draft.record(event, invoke.id)
        want_invocation(draft)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def _open_callback(draft: Draft, operation_id: str) -> Operation:
    callback = draft.operation(operation_id)
    if callback is None or callback.type is not OperationType.CALLBACK:
        raise ResourceNotFound("there is no such callback")
    if callback.status is OperationStatus.TIMED_OUT:
        raise CallbackTimedOut("the callback's time was over")
    if draft.progress.ended_at_ms is not None and not callback.is_finished:
        raise ResourceNotFound(f"the callback's execution is {draft.progress.status}")
    return callback


def _check_same_answer(draft: Draft, callback: Operation, command: AnswerCallback) -> None:
    is_same = callback.payload == command.payload and callback.error == command.error
    ended_at_ms = callback.ended_at_ms or 0
    if not is_same or draft.now_ms - ended_at_ms > REPLY_KEPT_MS:
        raise InvalidParameterValue(f"the callback was answered before: it is {callback.status}")
