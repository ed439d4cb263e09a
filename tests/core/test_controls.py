"""Start (I1, I5), stop (X1, X6), pause and resume (X7), delete (R1)."""

from typing import Any

import pytest

from perdure.core.commands import AnswerCallback, Delete, Pause, Resume, Stop
from perdure.core.errors import (
    ExecutionAlreadyStarted,
    RecursiveInvocation,
    ResourceConflict,
)
from perdure.core.event import Event
from perdure.core.execution import Execution, ParentLink, Progress
from perdure.core.execution import Pause as PauseState
from perdure.core.machine import apply
from perdure.core.operation import Operation
from perdure.core.outcome import Accepted, Attached, CancelInvocation, Closed
from perdure.core.quotas import CHAIN_DEPTH_MAX
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    InvocationStatus,
    OperationStatus,
    OperationType,
)

from .builders import (
    BOOM,
    INPUT,
    LEASE_MS,
    NOW_MS,
    ROOT_ID,
    Story,
    a_begin,
    a_callback,
    a_closed_story,
    a_start,
    a_step,
    a_suspended_story,
    a_wait,
)

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
LIFE_MS = 366 * DAY_MS


def test_a_start_makes_an_execution_that_is_ready_for_its_first_invocation() -> None:
    start = a_start()
    outcome = apply(None, start, NOW_MS)
    root = Operation(
        ROOT_ID,
        OperationType.EXECUTION,
        OperationStatus.STARTED,
        NOW_MS,
        sequence=1,
        position=1,
        name="order-1",
        input=INPUT,
    )
    assert (outcome.identity, outcome.reply) == (start.identity, Accepted(at_ms=NOW_MS))
    assert outcome.operations == {ROOT_ID: root}
    assert outcome.events == (Event(1, EventType.EXECUTION_STARTED, NOW_MS),)
    assert outcome.progress == Progress(
        version=1,
        updated_at_ms=NOW_MS,
        ready_at_ms=NOW_MS,
        timeout_at_ms=NOW_MS + HOUR_MS,
        wake_at_ms=NOW_MS + HOUR_MS,
        sequence=1,
        event_count=1,
        operation_count=1,
        stored_bytes=len(INPUT),
    )


def an_existing(ending: str) -> Execution:
    """Return the execution that has the name, running or closed in some way."""
    story = Story()
    match ending:
        case "running":
            story.checkpoint(a_step())
        case "stopped":
            story.tell(Stop())
        case "timed out":
            story.pass_ms(HOUR_MS).wake()
        case "failed":
            story.finish(InvocationStatus.FAILED, error=BOOM)
        case _:
            story.finish(InvocationStatus.SUCCEEDED, result="1")
    return story.execution


ENDINGS = ["running", "succeeded", "failed", "timed out", "stopped"]


@pytest.mark.parametrize("name", ["generated", "order-1"], ids=["row 1: no name", "row 2: free"])
def test_a_name_that_nobody_has_starts_a_new_execution(name: str) -> None:
    """I1, rows 1 and 2 of the table: generated, never used, past retention, or deleted."""
    outcome = apply(None, a_start(name=name), NOW_MS)
    assert (outcome.identity.name, outcome.base_version) == (name, 0)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_taken_name_with_the_same_input_is_the_existing_execution(ending: str) -> None:
    """I1, rows 3 and 5: running, or closed, however; nothing changes."""
    existing = an_existing(ending)
    outcome = apply(existing, a_start(id="d" * 32), NOW_MS)
    assert (outcome.reply, outcome.is_change) == (Attached(execution=existing), False)
    assert outcome.identity.id == ROOT_ID


@pytest.mark.parametrize("payload", ['{"n": 1}', "", None], ids=["other bytes", "empty", "none"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_taken_name_with_another_input_is_refused(ending: str, payload: str | None) -> None:
    """I1, rows 4 and 6."""
    existing = an_existing(ending)
    with pytest.raises(ExecutionAlreadyStarted) as caught:
        apply(existing, a_start(id="d" * 32, payload=payload), NOW_MS)
    assert caught.value.message == "the execution name order-1 is taken, with another input"
    assert caught.value.durable_execution_arn == existing.identity.arn


def test_a_chain_of_invokes_may_be_so_deep_and_no_deeper() -> None:
    """I5."""
    assert apply(None, a_start(depth=CHAIN_DEPTH_MAX), NOW_MS).is_change
    with pytest.raises(RecursiveInvocation) as caught:
        apply(None, a_start(depth=CHAIN_DEPTH_MAX + 1), NOW_MS)
    assert caught.value.message == "17 chained invokes lead to this one; the limit is 16"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (BOOM, BOOM),
        (ErrorObject(), ErrorObject()),
        (None, ErrorObject(error_message="Execution stopped by user request")),
    ],
    ids=["an error", "an empty error", "none"],
)
def test_a_stop_ends_the_execution(given: ErrorObject | None, kept: ErrorObject) -> None:
    story = a_suspended_story(a_wait())
    outcome = story.pass_ms(1_000).tell(Stop(error=given))
    root = story.operation(ROOT_ID)
    assert outcome.reply == Accepted(at_ms=NOW_MS + 1_000)
    assert (story.progress.status, root.status) == (
        ExecutionStatus.STOPPED,
        OperationStatus.STOPPED,
    )
    assert (root.error, root.ended_at_ms) == (kept, NOW_MS + 1_000)
    assert outcome.effects == (Closed(status=ExecutionStatus.STOPPED),)
    assert story.kinds(3) == [EventType.EXECUTION_STOPPED]


def test_a_stop_kills_the_running_invocation_and_closes_history() -> None:
    """X6: nothing comes after the end."""
    story = Story()
    outcome = story.tell(Stop())
    assert outcome.effects == (
        CancelInvocation(epoch=1),
        Closed(status=ExecutionStatus.STOPPED),
    )
    assert story.kinds(1) == [EventType.INVOCATION_COMPLETED, EventType.EXECUTION_STOPPED]
    assert not story.tell(story.a_finish(InvocationStatus.SUCCEEDED)).is_change


@pytest.mark.parametrize("ending", ENDINGS[1:])
def test_a_stop_of_an_ended_execution_answers_with_its_end(ending: str) -> None:
    """X1: the end that is there stands."""
    existing = an_existing(ending)
    outcome = apply(existing, Stop(), existing.progress.updated_at_ms + 5_000)
    assert (outcome.reply, outcome.is_change) == (
        Accepted(at_ms=existing.progress.ended_at_ms or 0),
        False,
    )


def test_a_stop_after_the_time_ran_out_finds_a_timed_out_execution() -> None:
    """X6."""
    story = Story()
    outcome = story.pass_ms(HOUR_MS + 5).tell(Stop())
    assert story.progress.status is ExecutionStatus.TIMED_OUT
    assert outcome.reply == Accepted(at_ms=NOW_MS + HOUR_MS + 5)


def test_a_pause_of_a_waiting_execution_holds_at_once() -> None:
    """X7."""
    story = a_suspended_story(a_wait(60))
    outcome = story.tell(Pause(client_token="p-1", reason="audit"))
    assert outcome.reply == Accepted(at_ms=NOW_MS)
    assert outcome.events == (
        Event(
            4,
            EventType.EXECUTION_PAUSED,
            NOW_MS,
            None,
            {"reason": "audit", "timeout_paused": True},
        ),
    )
    progress = story.progress
    assert (progress.status, progress.pause) == (
        ExecutionStatus.PAUSED,
        PauseState(NOW_MS, True, "audit", "p-1"),
    )
    assert (progress.owes_invocation, progress.ready_at_ms) == (False, None)


def test_a_pause_while_the_handler_runs_holds_when_it_ends() -> None:
    """X7."""
    story = Story()
    story.tell(Pause())
    assert story.progress.status is ExecutionStatus.PAUSING
    story.checkpoint(a_wait(1))
    story.finish()
    assert story.progress.status is ExecutionStatus.PAUSED


@pytest.mark.parametrize(
    ("is_timeout_paused", "status"),
    [(True, ExecutionStatus.RUNNING), (False, ExecutionStatus.TIMED_OUT)],
    ids=["the clock stands", "the clock runs"],
)
def test_a_pause_may_stop_the_executions_clock(
    is_timeout_paused: bool, status: ExecutionStatus
) -> None:
    """X3: what was left when it stopped is left when it goes on."""
    story = a_suspended_story(a_callback())
    story.pass_ms(HOUR_MS - 1_000).tell(Pause(is_timeout_paused=is_timeout_paused))
    story.pass_ms(10 * HOUR_MS).wake()
    if is_timeout_paused:
        assert (story.progress.timeout_at_ms, story.progress.timeout_left_ms) == (
            NOW_MS + LIFE_MS,
            1_000,
        )
        assert story.progress.wake_at_ms == NOW_MS + LIFE_MS
        story.tell(Resume())
        assert story.progress.timeout_at_ms == story.now_ms + 1_000
        assert story.progress.wake_at_ms == story.now_ms + 1_000
    assert story.progress.status is status


def test_a_pause_does_not_keep_an_execution_alive_for_ever() -> None:
    """X3: 366 days from its start, whatever was left."""
    story = a_suspended_story(a_callback())
    story.pass_ms(1_000).tell(Pause())
    assert not story.pass_ms(LIFE_MS - 1_001).wake().is_change
    story.pass_ms(1).wake()
    assert (story.progress.status, story.progress.ended_at_ms) == (
        ExecutionStatus.TIMED_OUT,
        NOW_MS + LIFE_MS,
    )


def test_a_resumed_execution_does_not_outlive_its_longest_life() -> None:
    """X3."""
    story = a_suspended_story(a_callback())
    story.tell(Pause())
    story.pass_ms(LIFE_MS - 1_000).tell(Resume())
    assert story.progress.timeout_at_ms == NOW_MS + LIFE_MS


def test_a_clock_that_went_on_counts_the_pause() -> None:
    """X3."""
    story = a_suspended_story(a_callback())
    story.tell(Pause(is_timeout_paused=False))
    story.pass_ms(HOUR_MS - 1).tell(Resume())
    assert story.progress.timeout_at_ms == NOW_MS + HOUR_MS
    story.pass_ms(1).wake()
    assert story.progress.status is ExecutionStatus.TIMED_OUT


def test_what_completes_during_a_pause_is_kept_and_invoked_for_at_its_end() -> None:
    """X7, C4."""
    story = a_suspended_story(a_wait(10), a_callback())
    story.tell(Pause())
    story.pass_ms(10_000).wake()
    story.tell(AnswerCallback(operation_id="callback", payload="1"))
    assert story.statuses == {
        "wait": OperationStatus.SUCCEEDED,
        "callback": OperationStatus.SUCCEEDED,
    }
    assert type(story.refusal(a_begin())) is ResourceConflict
    story.pass_ms(1_000).tell(Resume(reason="done"))
    assert (story.progress.status, story.progress.ready_at_ms) == (
        ExecutionStatus.RUNNING,
        NOW_MS + 11_000,
    )
    assert story.events[-1] == Event(
        8, EventType.EXECUTION_RESUMED, NOW_MS + 11_000, None, {"reason": "done"}
    )


def test_a_resume_with_nothing_new_wakes_nobody() -> None:
    """X7."""
    story = a_suspended_story(a_wait(60))
    story.tell(Pause())
    story.tell(Resume())
    assert (story.progress.ready_at_ms, story.progress.status) == (None, ExecutionStatus.RUNNING)
    assert story.progress.wake_at_ms == NOW_MS + 60_000


def test_a_pause_before_the_first_invocation_owes_it() -> None:
    """X7."""
    story = Story(is_begun=False)
    story.tell(Pause())
    assert (story.progress.ready_at_ms, story.progress.owes_invocation) == (None, True)
    story.pass_ms(1_000).tell(Resume())
    assert (story.progress.ready_at_ms, story.progress.owes_invocation) == (NOW_MS + 1_000, False)


def test_a_resume_before_the_handler_has_ended_lets_it_go_on() -> None:
    """X7: no pause took place."""
    story = Story()
    story.tell(Pause())
    story.tell(Resume())
    assert (story.progress.status, story.progress.owes_invocation) == (
        ExecutionStatus.RUNNING,
        False,
    )
    assert story.checkpoint(a_step()).token is not None


def test_a_resume_after_the_token_was_withheld_is_followed_by_another_invocation() -> None:
    """X7: the handler that runs has been told to suspend."""
    story = Story()
    story.tell(Pause())
    story.checkpoint(a_step())
    story.tell(Resume())
    assert (story.progress.owes_invocation, story.progress.ready_at_ms) == (True, None)
    story.finish()
    assert (story.progress.owes_invocation, story.progress.ready_at_ms) == (False, NOW_MS)


def test_a_lost_worker_of_a_pausing_execution_is_replaced_after_the_pause() -> None:
    """X7, X4."""
    story = Story()
    story.tell(Pause())
    story.finish(None)
    assert (story.progress.status, story.progress.ready_at_ms) == (ExecutionStatus.PAUSED, None)
    story.tell(Resume())
    assert story.progress.ready_at_ms == NOW_MS


def test_a_handler_that_waits_for_nothing_while_pausing_is_invoked_again_after_the_pause() -> None:
    """X2, X7, X8: it may not be forgotten."""
    story = Story()
    story.tell(Pause())
    story.finish()
    story.tell(Resume())
    assert story.progress.ready_at_ms == NOW_MS


def test_the_same_pause_again_is_the_same_pause() -> None:
    story = a_suspended_story(a_wait())
    story.tell(Pause(client_token="p-1"))
    again = story.pass_ms(1_000).tell(Pause(client_token="p-1"))
    assert (again.reply, again.is_change) == (Accepted(at_ms=NOW_MS), False)


def test_a_pause_that_comes_once_more_after_its_resume_pauses_nothing() -> None:
    """X7."""
    story = a_suspended_story(a_wait(60))
    story.tell(Pause(client_token="p-1"))
    story.tell(Resume())
    again = story.pass_ms(1_000).tell(Pause(client_token="p-1"))
    assert (again.reply, again.is_change) == (Accepted(at_ms=NOW_MS + 1_000), False)
    story.tell(Pause(client_token="p-2"))
    assert story.progress.status is ExecutionStatus.PAUSED


@pytest.mark.parametrize(
    "first", [Pause(client_token="p-1"), Pause()], ids=["another's", "nobody's"]
)
@pytest.mark.parametrize(
    "second", [Pause(client_token="p-2"), Pause()], ids=["with a token", "without"]
)
def test_another_pause_of_a_paused_execution_is_refused(first: Pause, second: Pause) -> None:
    story = a_suspended_story(a_wait())
    story.tell(first)
    refusal = story.refusal(second)
    assert (type(refusal), refusal.message) == (
        ResourceConflict,
        "only a RUNNING execution can be paused; this one is PAUSED",
    )


def test_the_same_resume_again_is_the_same_resume() -> None:
    story = a_suspended_story(a_wait(60))
    story.tell(Pause())
    story.tell(Resume(client_token="r-1"))
    again = story.pass_ms(1_000).tell(Resume(client_token="r-1"))
    assert (again.reply, again.is_change) == (Accepted(at_ms=NOW_MS + 1_000), False)


@pytest.mark.parametrize("resume", [Resume(), Resume(client_token="r-2")], ids=["none", "another"])
def test_what_is_not_paused_cannot_be_resumed(resume: Resume) -> None:
    story = a_suspended_story(a_wait())
    story.tell(Pause())
    story.tell(Resume(client_token="r-1"))
    refusal = story.refusal(resume)
    assert (type(refusal), refusal.message) == (
        ResourceConflict,
        "only a paused execution can be resumed; this one is RUNNING",
    )


@pytest.mark.parametrize("command", [Pause(), Resume()], ids=["pause", "resume"])
@pytest.mark.parametrize("ending", ENDINGS[1:])
def test_an_ended_execution_is_neither_paused_nor_resumed(command: Any, ending: str) -> None:
    """X1."""
    with pytest.raises(ResourceConflict):
        apply(an_existing(ending), command, NOW_MS + HOUR_MS)


def test_an_end_during_a_pause_ends_the_pause() -> None:
    """X1, E8."""
    story = a_suspended_story(a_wait())
    story.tell(Pause())
    story.tell(Stop())
    progress = story.progress
    assert (progress.status, progress.pause, progress.timeout_left_ms) == (
        ExecutionStatus.STOPPED,
        None,
        None,
    )
    assert (progress.owes_invocation, progress.wake_at_ms) == (False, None)


def test_a_delete_marks_an_ended_execution_once() -> None:
    """R1."""
    story = a_closed_story()
    assert story.progress.expires_at_ms == NOW_MS + 14 * DAY_MS
    outcome = story.pass_ms(1_000).tell(Delete())
    assert (outcome.reply, story.progress.status, story.progress.expires_at_ms) == (
        Accepted(at_ms=NOW_MS + 1_000),
        ExecutionStatus.DELETING,
        NOW_MS + 1_000,
    )
    assert story.operation(ROOT_ID).status is OperationStatus.SUCCEEDED
    again = story.pass_ms(1_000).tell(Delete())
    assert (again.reply, again.is_change) == (Accepted(at_ms=NOW_MS + 2_000), False)


@pytest.mark.parametrize(
    ("pauses", "status"),
    [(False, "RUNNING"), (True, "PAUSED")],
    ids=["running", "paused"],
)
def test_an_execution_that_has_not_ended_is_not_deleted(pauses: bool, status: str) -> None:
    """R1."""
    story = a_suspended_story(a_wait())
    if pauses:
        story.tell(Pause())
    refusal = story.refusal(Delete())
    assert (type(refusal), refusal.message) == (
        ResourceConflict,
        f"only an ended execution can be deleted; this one is {status}",
    )


def test_a_pause_of_a_child_does_not_touch_its_parent() -> None:
    story = Story(a_start(parent=ParentLink("f" * 32, "invoke")))
    assert story.tell(Pause()).messages == ()


def test_a_lease_lives_through_a_pause_request() -> None:
    """X7: the handler that runs may end."""
    story = Story()
    story.tell(Pause())
    assert story.progress.lease_until_ms == NOW_MS + LEASE_MS
