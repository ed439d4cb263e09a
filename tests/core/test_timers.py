"""What time alone does: never early, each once, the earliest first (T1, T3, X3)."""

import pytest

from perdure.core.commands import AnswerCallback, Heartbeat, Pause, Wake
from perdure.core.event import Event
from perdure.core.outcome import Accepted, Closed
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationAction,
    OperationStatus,
)

from .builders import (
    NOW_MS,
    ROOT_ID,
    Story,
    a_callback,
    a_chained_invoke,
    a_closed_story,
    a_start,
    a_step,
    a_suspended_story,
    a_wait,
)

TIMED_OUT = ErrorObject(error_type="Callback.Timeout", error_message="Callback timed out")
MISSED = ErrorObject(
    error_type="Callback.Heartbeat", error_message="Callback timed out on heartbeat"
)


def test_a_wait_ends_at_its_time_and_not_a_millisecond_before() -> None:
    """T1."""
    story = a_suspended_story(a_wait(10))
    before = story.operation("wait")
    assert not story.pass_ms(9_999).wake().is_change
    outcome = story.pass_ms(1).wake()
    at_ms = NOW_MS + 10_000
    assert outcome.reply == Accepted(at_ms=at_ms)
    assert story.operation("wait") == before._replace(
        status=OperationStatus.SUCCEEDED, sequence=3, ended_at_ms=at_ms, due_at_ms=None
    )
    assert outcome.events == (Event(4, EventType.WAIT_SUCCEEDED, at_ms, "wait"),)
    assert (story.progress.ready_at_ms, story.progress.wake_at_ms) == (at_ms, NOW_MS + 3_600_000)


def test_a_timer_fires_once() -> None:
    """T3."""
    story = a_suspended_story(a_wait(10))
    story.pass_ms(10_000).wake()
    assert not story.pass_ms(60_000).wake().is_change


def test_a_step_may_be_tried_again_at_its_time() -> None:
    """S5, T1."""
    story = a_suspended_story(a_step(OperationAction.RETRY, delay_seconds=5))
    before = story.operation("step")
    assert not story.pass_ms(4_999).wake().is_change
    outcome = story.pass_ms(1).wake()
    assert story.operation("step") == before._replace(
        status=OperationStatus.READY, sequence=3, due_at_ms=None
    )
    assert (outcome.events, story.progress.ready_at_ms) == ((), NOW_MS + 5_000)


@pytest.mark.parametrize(
    ("timeout", "heartbeat", "fires_at", "error"),
    [
        (60, None, 60, TIMED_OUT),
        (None, 20, 20, MISSED),
        (60, 20, 20, MISSED),
        (20, 60, 20, TIMED_OUT),
        (20, 20, 20, TIMED_OUT),
    ],
    ids=["total", "heartbeat", "heartbeat first", "total first", "both at once"],
)
def test_a_callback_times_out_on_the_sooner_of_its_two_times(
    timeout: int | None, heartbeat: int | None, fires_at: int, error: ErrorObject
) -> None:
    """C1, C5."""
    story = a_suspended_story(a_callback(timeout_seconds=timeout, heartbeat_seconds=heartbeat))
    before = story.operation("callback")
    assert not story.pass_ms(fires_at * 1_000 - 1).wake().is_change
    outcome = story.pass_ms(1).wake()
    assert story.operation("callback") == before._replace(
        status=OperationStatus.TIMED_OUT,
        sequence=3,
        ended_at_ms=story.now_ms,
        due_at_ms=None,
        heartbeat_due_at_ms=None,
        error=error,
    )
    assert [event.type for event in outcome.events] == [EventType.CALLBACK_TIMED_OUT]


def test_a_callback_found_late_missed_what_came_first() -> None:
    """C5: the heartbeat was missed long before the total time was over."""
    story = a_suspended_story(a_callback(timeout_seconds=60, heartbeat_seconds=20))
    story.pass_ms(100_000).wake()
    assert story.operation("callback").error == MISSED


def test_a_heartbeat_at_the_last_moment_counts() -> None:
    """C5."""
    story = a_suspended_story(a_callback(heartbeat_seconds=20))
    story.pass_ms(19_999).tell(Heartbeat(operation_id="callback"))
    assert not story.pass_ms(1).wake().is_change


def test_timers_found_late_fire_in_the_order_they_were_due() -> None:
    """T1: a restart finds them all at once."""
    story = a_suspended_story(
        a_wait(30, "third"),
        a_wait(10, "first"),
        a_callback("second", timeout_seconds=20),
        a_wait(31, "not yet"),
    )
    outcome = story.pass_ms(30_000).wake()
    assert [event.operation_id for event in outcome.events] == ["first", "second", "third"]
    assert story.progress.wake_at_ms == NOW_MS + 31_000


def test_an_execution_times_out_and_nothing_due_later_fires() -> None:
    """X3, T1: what was due before it does."""
    story = a_suspended_story(
        a_wait(3_599, "before"),
        a_wait(3_600, "with"),
        a_wait(3_601, "after"),
        start=a_start(),
    )
    outcome = story.pass_ms(4_000_000).wake()
    assert story.statuses == {
        "before": OperationStatus.SUCCEEDED,
        "with": OperationStatus.SUCCEEDED,
        "after": OperationStatus.STARTED,
    }
    root = story.operation(ROOT_ID)
    assert (root.status, root.error, root.ended_at_ms) == (
        OperationStatus.TIMED_OUT,
        ErrorObject(error_message="Execution timed out after 3600 seconds."),
        NOW_MS + 4_000_000,
    )
    assert outcome.effects == (Closed(status=ExecutionStatus.TIMED_OUT),)
    assert outcome.events[-1].type is EventType.EXECUTION_TIMED_OUT
    assert story.progress.ready_at_ms is None


def test_an_execution_does_not_time_out_early() -> None:
    """X3, T1."""
    story = a_suspended_story(a_callback())
    assert not story.pass_ms(3_599_999).wake().is_change
    assert story.pass_ms(1).wake().is_change


def test_a_timer_that_fires_while_the_handler_runs_waits_for_its_next_checkpoint() -> None:
    """S7."""
    story = Story()
    story.checkpoint(a_wait(10))
    story.pass_ms(10_000).wake()
    assert story.progress.ready_at_ms is None
    assert story.checkpoint().operations == (story.operation("wait"),)


def test_a_timer_brings_a_retry_of_the_invocation_forward_and_never_puts_it_off() -> None:
    """X2, X4."""
    story = Story()
    story.checkpoint(a_wait(4, "soon"), a_wait(30, "later"))
    for delay_ms in (1_000, 2_000):
        story.finish(None)
        story.pass_ms(delay_ms).begin()
    story.finish(None)
    assert story.progress.ready_at_ms == NOW_MS + 7_000
    story.pass_ms(1_000).wake()
    assert story.progress.ready_at_ms == NOW_MS + 4_000
    story.pass_ms(26_000).wake()
    assert story.progress.ready_at_ms == NOW_MS + 4_000


def test_an_ended_execution_has_no_timers() -> None:
    """X1, E8."""
    story = a_closed_story()
    assert not story.pass_ms(10**12).tell(Wake()).is_change


def test_time_alone_does_nothing_to_what_has_no_time() -> None:
    """T1."""
    story = a_suspended_story(a_callback(), a_chained_invoke())
    story.tell(Pause())
    assert not story.pass_ms(365 * 86_400_000).wake().is_change


def test_an_answer_beats_the_timeout_that_has_not_come_yet() -> None:
    """T3, C1."""
    story = a_suspended_story(a_callback(timeout_seconds=60))
    story.pass_ms(59_999).tell(AnswerCallback(operation_id="callback", payload="1"))
    assert not story.pass_ms(1).wake().is_change
    assert story.statuses == {"callback": OperationStatus.SUCCEEDED}


def test_a_clock_that_went_back_moves_nothing_back() -> None:
    """T5: the execution's own last instant stands for the present."""
    story = a_suspended_story(a_wait(10))
    story.pass_ms(10_000).wake()
    story.now_ms = NOW_MS
    outcome = story.begin()
    assert outcome.progress.updated_at_ms == NOW_MS + 10_000
