"""What comes from outside: callbacks (C1-C5) and chained invokes (I4)."""

from typing import Any

import pytest

from perdure.core.commands import AnswerCallback, Command, FinishChainedInvoke, Heartbeat, Pause
from perdure.core.errors import CallbackTimedOut, InvalidParameterValue, ResourceNotFound
from perdure.core.event import Event
from perdure.core.outcome import Accepted
from perdure.core.quotas import REPLY_KEPT_MS
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    EventType,
    InvocationStatus,
    OperationAction,
    OperationStatus,
)

from .builders import (
    BOOM,
    NOW_MS,
    ROOT_ID,
    Story,
    a_callback,
    a_chained_invoke,
    a_closed_story,
    a_step,
    a_suspended_story,
)

SUCCEEDED, FAILED = OperationStatus.SUCCEEDED, OperationStatus.FAILED
TIMED_OUT, STOPPED = OperationStatus.TIMED_OUT, OperationStatus.STOPPED


def an_answer(payload: str | None = "1", **members: Any) -> AnswerCallback:
    return AnswerCallback(**({"operation_id": "callback", "payload": payload} | members))


def an_outcome(status: OperationStatus = SUCCEEDED, **members: Any) -> FinishChainedInvoke:
    return FinishChainedInvoke(**({"operation_id": "invoke", "status": status} | members))


HEARTBEAT = Heartbeat(operation_id="callback")


@pytest.mark.parametrize(
    ("answer", "status", "event"),
    [
        (an_answer("1"), SUCCEEDED, EventType.CALLBACK_SUCCEEDED),
        (an_answer(""), SUCCEEDED, EventType.CALLBACK_SUCCEEDED),
        (an_answer(None), SUCCEEDED, EventType.CALLBACK_SUCCEEDED),
        (an_answer(None, error=BOOM), FAILED, EventType.CALLBACK_FAILED),
        (an_answer(None, error=ErrorObject()), FAILED, EventType.CALLBACK_FAILED),
    ],
    ids=["a result", "an empty result", "no result", "an error", "an empty error"],
)
def test_an_answer_completes_the_callback_and_wakes_the_execution(
    answer: AnswerCallback, status: OperationStatus, event: EventType
) -> None:
    """C1, C3: its bytes as they were sent."""
    story = a_suspended_story(a_callback(timeout_seconds=60, heartbeat_seconds=30))
    before = story.operation("callback")
    outcome = story.pass_ms(5_000).tell(answer)
    at_ms = NOW_MS + 5_000
    assert outcome.reply == Accepted(at_ms=at_ms)
    assert story.operation("callback") == before._replace(
        status=status,
        sequence=3,
        ended_at_ms=at_ms,
        due_at_ms=None,
        heartbeat_due_at_ms=None,
        payload=answer.payload,
        error=answer.error,
    )
    assert outcome.events == (Event(4, event, at_ms, "callback"),)
    assert story.progress.ready_at_ms == at_ms


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (an_answer("1"), an_answer("2")),
        (an_answer("1"), an_answer(None, error=BOOM)),
        (an_answer(None, error=BOOM), an_answer(None)),
        (an_answer(None, error=BOOM), an_answer(None, error=ErrorObject())),
    ],
    ids=["another result", "an error", "a result after an error", "another error"],
)
def test_a_callback_is_answered_once(first: AnswerCallback, second: AnswerCallback) -> None:
    """C1."""
    story = a_suspended_story(a_callback())
    story.tell(first)
    refusal = story.refusal(second)
    assert type(refusal) is InvalidParameterValue
    status = story.statuses["callback"]
    assert refusal.message == f"the callback was answered before: it is {status}"


@pytest.mark.parametrize(
    "answer", [an_answer("1"), an_answer(None, error=BOOM)], ids=["success", "failure"]
)
def test_the_very_same_answer_again_is_accepted_for_fifteen_minutes(answer: AnswerCallback) -> None:
    """C2."""
    story = a_suspended_story(a_callback())
    story.tell(answer)
    again = story.pass_ms(REPLY_KEPT_MS).tell(answer)
    assert (again.reply, again.is_change) == (Accepted(at_ms=NOW_MS), False)
    assert type(story.pass_ms(1).refusal(answer)) is InvalidParameterValue


def test_the_same_answer_again_is_accepted_after_the_execution_has_ended() -> None:
    """C2: the sender cannot know."""
    story = Story()
    story.checkpoint(a_callback())
    story.tell(an_answer())
    story.finish(InvocationStatus.SUCCEEDED)
    assert story.tell(an_answer()).reply == Accepted(at_ms=NOW_MS)


def test_an_answer_that_comes_while_the_handler_runs_is_told_by_its_next_checkpoint() -> None:
    """C3, C4."""
    story = Story()
    story.checkpoint(a_callback())
    story.tell(an_answer())
    assert story.progress.ready_at_ms is None
    assert story.checkpoint().operations == (story.operation("callback"),)


def test_an_answer_that_comes_between_the_last_checkpoint_and_suspension_is_not_lost() -> None:
    """C4, X8."""
    story = Story()
    story.checkpoint(a_callback())
    story.tell(an_answer())
    story.finish()
    assert story.progress.ready_at_ms == NOW_MS
    told = story.begin().reply
    assert [o.id for o in told.changes] == ["callback"]  # type: ignore[union-attr]


def test_an_answer_that_comes_while_paused_is_kept_for_the_resumption() -> None:
    """C4, X7."""
    story = a_suspended_story(a_callback())
    story.tell(Pause())
    story.tell(an_answer())
    assert (story.progress.ready_at_ms, story.progress.owes_invocation) == (None, True)
    assert story.statuses == {"callback": SUCCEEDED}


@pytest.mark.parametrize("command", [an_answer(), HEARTBEAT], ids=["answer", "heartbeat"])
def test_a_callback_whose_time_is_over_says_so(command: Command) -> None:
    """C1: also in the moment it is over, before anybody else has noticed."""
    story = a_suspended_story(a_callback(timeout_seconds=60))
    assert type(story.pass_ms(60_000).refusal(command)) is CallbackTimedOut
    story.wake()
    refusal = story.refusal(command)
    assert (type(refusal), refusal.message) == (CallbackTimedOut, "the callback's time was over")


@pytest.mark.parametrize("operation_id", ["nothing", "step", ROOT_ID])
@pytest.mark.parametrize("command", [AnswerCallback, Heartbeat])
def test_what_is_no_callback_cannot_be_answered(command: Any, operation_id: str) -> None:
    story = Story()
    story.checkpoint(a_step())
    refusal = story.refusal(command(operation_id=operation_id))
    assert (type(refusal), refusal.message) == (ResourceNotFound, "there is no such callback")


@pytest.mark.parametrize("command", [an_answer(), HEARTBEAT], ids=["answer", "heartbeat"])
def test_an_open_callback_of_an_ended_execution_is_gone(command: Command) -> None:
    """C1, X1."""
    story = Story()
    story.checkpoint(a_callback())
    story.finish(InvocationStatus.SUCCEEDED)
    refusal = story.refusal(command)
    assert (type(refusal), refusal.message) == (
        ResourceNotFound,
        "the callback's execution is SUCCEEDED",
    )


def test_an_execution_that_times_out_takes_its_callbacks_with_it() -> None:
    """C1, X3: though nobody has noticed yet."""
    story = a_suspended_story(a_callback())
    refusal = story.pass_ms(3_600_000).refusal(an_answer())
    assert refusal.message == "the callback's execution is TIMED_OUT"


def test_a_heartbeat_begins_its_time_anew_and_never_the_total() -> None:
    """C5."""
    story = a_suspended_story(a_callback(timeout_seconds=60, heartbeat_seconds=20))
    outcome = story.pass_ms(15_000).tell(HEARTBEAT)
    callback = story.operation("callback")
    assert outcome.reply == Accepted(at_ms=NOW_MS + 15_000)
    assert (callback.heartbeat_due_at_ms, callback.due_at_ms) == (NOW_MS + 35_000, NOW_MS + 60_000)
    assert story.progress.wake_at_ms == NOW_MS + 35_000
    assert (outcome.events, story.progress.ready_at_ms) == ((), None)


def test_heartbeats_do_not_carry_a_callback_past_its_total_time() -> None:
    """C5."""
    story = a_suspended_story(a_callback(timeout_seconds=60, heartbeat_seconds=20))
    for _ in range(5):
        story.pass_ms(11_000).tell(HEARTBEAT)
    story.pass_ms(5_000).wake()
    callback = story.operation("callback")
    assert (callback.status, callback.error) == (
        TIMED_OUT,
        ErrorObject(error_type="Callback.Timeout", error_message="Callback timed out"),
    )


def test_a_heartbeat_of_a_callback_without_one_changes_nothing() -> None:
    story = a_suspended_story(a_callback())
    outcome = story.tell(HEARTBEAT)
    assert (outcome.reply, outcome.is_change) == (Accepted(at_ms=NOW_MS), False)


def test_a_heartbeat_of_an_answered_callback_is_refused() -> None:
    story = a_suspended_story(a_callback(heartbeat_seconds=20))
    story.tell(an_answer())
    refusal = story.refusal(HEARTBEAT)
    assert (type(refusal), refusal.message) == (
        ResourceNotFound,
        "the callback is not open: it is SUCCEEDED",
    )


@pytest.mark.parametrize(
    ("outcome", "kept", "event"),
    [
        (an_outcome(SUCCEEDED, payload="1"), ("1", None), EventType.CHAINED_INVOKE_SUCCEEDED),
        (an_outcome(SUCCEEDED), (None, None), EventType.CHAINED_INVOKE_SUCCEEDED),
        (an_outcome(FAILED, error=BOOM), (None, BOOM), EventType.CHAINED_INVOKE_FAILED),
        (an_outcome(FAILED), (None, ErrorObject()), EventType.CHAINED_INVOKE_FAILED),
        (an_outcome(TIMED_OUT, error=BOOM), (None, BOOM), EventType.CHAINED_INVOKE_TIMED_OUT),
        (an_outcome(TIMED_OUT), (None, ErrorObject()), EventType.CHAINED_INVOKE_TIMED_OUT),
        (an_outcome(STOPPED, error=BOOM), (None, BOOM), EventType.CHAINED_INVOKE_STOPPED),
        (an_outcome(STOPPED), (None, ErrorObject()), EventType.CHAINED_INVOKE_STOPPED),
    ],
    ids=lambda value: value.status if isinstance(value, FinishChainedInvoke) else "",
)
def test_a_childs_end_becomes_the_chained_invokes(
    outcome: FinishChainedInvoke, kept: tuple[str | None, ErrorObject | None], event: EventType
) -> None:
    """I4."""
    story = a_suspended_story(a_chained_invoke(payload="in"))
    story.pass_ms(1_000).tell(outcome)
    invoke = story.operation("invoke")
    assert (invoke.status, invoke.payload, invoke.error) == (outcome.status, *kept)
    assert (invoke.ended_at_ms, story.progress.ready_at_ms) == (NOW_MS + 1_000,) * 2
    assert story.kinds(3) == [event]


@pytest.mark.parametrize(
    "late", [an_outcome(SUCCEEDED, payload="1"), an_outcome(FAILED, error=BOOM)], ids=str
)
def test_a_childs_end_comes_once(late: FinishChainedInvoke) -> None:
    """I4: a letter delivered twice."""
    story = a_suspended_story(a_chained_invoke())
    story.tell(an_outcome(SUCCEEDED, payload="1"))
    again = story.tell(late)
    assert (again.reply, again.is_change) == (Accepted(at_ms=NOW_MS), False)


@pytest.mark.parametrize("operation_id", ["nothing", "step", ROOT_ID])
def test_a_childs_end_without_a_chained_invoke_changes_nothing(operation_id: str) -> None:
    story = Story()
    story.checkpoint(a_step())
    assert not story.tell(an_outcome(operation_id=operation_id)).is_change


def test_a_parent_that_has_ended_keeps_its_end() -> None:
    """X1."""
    story = Story()
    story.checkpoint(a_chained_invoke())
    story.finish(InvocationStatus.SUCCEEDED)
    assert not story.tell(an_outcome()).is_change
    assert not a_closed_story().tell(an_outcome(OperationStatus.FAILED)).is_change


def test_completions_fire_what_is_due_first() -> None:
    """T1, C1: another callback's time is over by then."""
    story = a_suspended_story(a_callback("slow", timeout_seconds=5), a_callback())
    story.pass_ms(5_000).tell(an_answer())
    assert story.statuses == {"slow": TIMED_OUT, "callback": SUCCEEDED}
    assert story.kinds(4) == [EventType.CALLBACK_TIMED_OUT, EventType.CALLBACK_SUCCEEDED]


def test_a_heartbeat_leaves_the_handlers_open_steps_alone() -> None:
    story = Story()
    story.checkpoint(a_step(), a_callback(heartbeat_seconds=5))
    outcome = story.tell(HEARTBEAT)
    assert [*outcome.operations] == ["callback"]
    assert story.checkpoint(a_step(OperationAction.SUCCEED)).operations[0].id == "callback"
