"""Invocations: leases and epochs (F5-F7), verdicts, suspension (X8), the ladder of retries (X4)."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perdure.core.commands import (
    AnswerCallback,
    FinishInvocation,
    Pause,
    ReleaseLease,
    RenewLease,
    Resume,
    Stop,
    Verdict,
)
from perdure.core.errors import ResourceConflict
from perdure.core.event import Event
from perdure.core.execution import ExecutionKind, ParentLink
from perdure.core.invocations import retry_delay_ms
from perdure.core.outcome import (
    Accepted,
    CancelInvocation,
    Closed,
    InvocationInput,
    NotifyParent,
    TokenState,
)
from perdure.core.quotas import CHAINED_PAYLOAD_BYTES_MAX
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    InvocationStatus,
    OperationAction,
    OperationStatus,
)

from .builders import (
    BOOM,
    LEASE_MS,
    NONCE,
    NOW_MS,
    ROOT_ID,
    Story,
    a_begin,
    a_callback,
    a_closed_story,
    a_context,
    a_start,
    a_step,
    a_suspended_story,
    a_wait,
)

SUCCEED = OperationAction.SUCCEED
PLAIN = ExecutionKind.PLAIN


def test_the_first_invocation_takes_the_lease_and_is_told_of_no_change() -> None:
    """F5."""
    story = Story(is_begun=False)
    outcome = story.begin()
    assert outcome.reply == InvocationInput(token=TokenState(1, 0), changes=())
    progress = story.progress
    assert (progress.epoch, progress.token_sequence, progress.nonce_sha256) == (1, 0, NONCE)
    assert (progress.lease_owner, progress.lease_until_ms) == ("server-1", NOW_MS + LEASE_MS)
    assert (progress.request_id, progress.invoked_at_ms) == ("request-1", NOW_MS)
    assert (progress.ready_at_ms, outcome.events) == (None, ())


def test_a_later_invocation_is_given_what_its_handler_was_not_told() -> None:
    """S7, F5, K1."""
    story = a_suspended_story(a_step(SUCCEED, payload="1"), a_wait(10))
    story.pass_ms(10_000).wake()
    reply = story.begin().reply
    assert reply == InvocationInput(token=TokenState(2, 0), changes=(story.operation("wait"),))


def test_what_changes_after_the_last_answer_and_before_the_end_is_not_lost() -> None:
    """S7, X8, K1."""
    story = Story()
    story.checkpoint(a_callback())
    story.tell(AnswerCallback(operation_id="callback", payload="1"))
    story.finish()
    assert story.begin().reply.changes == (story.operation("callback"),)  # type: ignore[union-attr]


def test_what_was_stored_but_not_answered_for_is_told_again() -> None:
    """X7, K1: a pausing execution takes updates, and withholds what it would have told."""
    story = Story()
    story.checkpoint(a_callback())
    story.tell(Pause())
    story.checkpoint(a_step(SUCCEED, payload="1"))
    story.tell(AnswerCallback(operation_id="callback"))
    story.finish()
    story.tell(Resume())
    reply = story.begin().reply
    assert [o.id for o in reply.changes] == ["step", "callback"]  # type: ignore[union-attr]


def test_a_later_invocation_counts_its_tokens_anew() -> None:
    """F5."""
    story = a_suspended_story(a_step(SUCCEED), a_wait(1))
    story.pass_ms(1_000).wake()
    story.begin()
    assert story.progress.token_sequence == 0
    assert story.checkpoint(a_step(operation_id="next")).token == TokenState(2, 1)


def test_an_invocation_begins_with_what_has_come_due_that_very_moment() -> None:
    """T1, S7."""
    story = a_suspended_story(a_wait(10), a_callback())
    story.tell(AnswerCallback(operation_id="callback"))
    reply = story.pass_ms(10_000).begin().reply
    assert [o.id for o in reply.changes] == ["callback", "wait"]  # type: ignore[union-attr]


def test_at_most_one_invocation_holds_the_lease() -> None:
    """F5, E3."""
    story = Story()
    refusal = story.refusal(a_begin())
    assert (type(refusal), refusal.message) == (
        ResourceConflict,
        f"an invocation holds the lease until {NOW_MS + LEASE_MS}",
    )


def test_a_lease_that_ran_out_still_has_to_be_taken_away_first() -> None:
    """F6: time alone decides nothing."""
    story = Story()
    refusal = story.pass_ms(LEASE_MS * 10).refusal(a_begin())
    assert refusal.message.startswith("an invocation holds the lease")


@pytest.mark.parametrize(
    ("story", "status"),
    [
        (a_suspended_story(a_wait()), "RUNNING"),
        (a_closed_story(), "SUCCEEDED"),
    ],
    ids=["waiting", "ended"],
)
def test_nobody_is_invoked_who_does_not_want_it(story: Story, status: str) -> None:
    assert story.refusal(a_begin()).message == (
        f"no invocation is wanted; the execution is {status}"
    )


def test_nobody_is_invoked_while_paused_or_before_a_retrys_time() -> None:
    """X4, X7."""
    paused, failed = Story(is_begun=False), Story()
    paused.tell(Pause())
    failed.finish(None)
    assert paused.refusal(a_begin()).message == "no invocation is wanted; the execution is PAUSED"
    failed.pass_ms(999)
    assert failed.refusal(a_begin()).message == "no invocation is wanted; the execution is RUNNING"
    assert failed.pass_ms(1).begin().is_change


def test_an_execution_whose_time_is_over_is_not_invoked() -> None:
    """X3."""
    story = Story(is_begun=False)
    refusal = story.pass_ms(3_600_000).refusal(a_begin())
    assert refusal.message == "no invocation is wanted; the execution is TIMED_OUT"


def test_a_live_invocation_keeps_its_lease() -> None:
    story = Story()
    outcome = story.pass_ms(30_000).tell(RenewLease(epoch=1, lease_ms=LEASE_MS))
    assert (outcome.reply, story.progress.lease_until_ms) == (
        Accepted(at_ms=NOW_MS + 30_000),
        NOW_MS + 30_000 + LEASE_MS,
    )


@pytest.mark.parametrize(
    ("story", "epoch"),
    [(Story(), 0), (Story(), 2), (a_suspended_story(a_wait()), 1), (a_closed_story(), 1)],
    ids=["older", "later", "suspended", "ended"],
)
def test_nobody_else_keeps_it(story: Story, epoch: int) -> None:
    """F5, F7."""
    refusal = story.refusal(RenewLease(epoch=epoch, lease_ms=LEASE_MS))
    assert (type(refusal), refusal.message) == (
        ResourceConflict,
        f"the lease of epoch {epoch} is over",
    )


@pytest.mark.parametrize(
    ("release", "after_ms"),
    [(ReleaseLease(), LEASE_MS), (ReleaseLease(epoch=1), 0)],
    ids=["it ran out", "its owner died"],
)
def test_a_lease_that_nobody_serves_is_taken_and_another_invocation_follows(
    release: ReleaseLease, after_ms: int
) -> None:
    """X4, F5: its token is worth nothing from then on."""
    story = Story()
    outcome = story.pass_ms(after_ms).tell(release)
    at_ms = NOW_MS + after_ms
    assert outcome.effects == (CancelInvocation(epoch=1),)
    assert outcome.events == (
        Event(
            2,
            EventType.INVOCATION_COMPLETED,
            at_ms,
            None,
            {
                "request_id": "request-1",
                "started_at_ms": NOW_MS,
                "ended_at_ms": at_ms,
                "error": {
                    "type": "Runtime.Unavailable",
                    "message": "the worker or its server was lost",
                },
            },
        ),
    )
    progress = story.progress
    assert (progress.lease_until_ms, progress.lease_owner, progress.nonce_sha256) == (
        None,
        None,
        b"",
    )
    assert (progress.ready_at_ms, progress.failures) == (at_ms, 0)


@pytest.mark.parametrize(
    ("story", "release"),
    [
        (Story(), ReleaseLease()),
        (Story(), ReleaseLease(epoch=2)),
        (a_suspended_story(a_wait()), ReleaseLease()),
        (a_suspended_story(a_wait()), ReleaseLease(epoch=1)),
    ],
    ids=["it has not run out", "another epoch", "none to run out", "none of that epoch"],
)
def test_a_lease_that_is_served_or_none_is_left_alone(story: Story, release: ReleaseLease) -> None:
    """F6, F7."""
    assert not story.tell(release).is_change


def test_a_lost_lease_of_a_pausing_execution_ends_in_the_pause() -> None:
    """X7."""
    story = Story()
    story.tell(Pause())
    story.tell(ReleaseLease(epoch=1))
    assert (story.progress.status, story.progress.owes_invocation) == (
        ExecutionStatus.PAUSED,
        True,
    )


def test_a_lost_lease_after_the_execution_timed_out_ends_it() -> None:
    """X3."""
    story = Story()
    story.pass_ms(3_600_000).tell(ReleaseLease())
    assert story.progress.status is ExecutionStatus.TIMED_OUT


@pytest.mark.parametrize("result", ['"done"', "", None], ids=["a result", "empty", "none"])
def test_a_handler_that_succeeds_ends_the_execution(result: str | None) -> None:
    story = Story()
    outcome = story.pass_ms(1_000).finish(InvocationStatus.SUCCEEDED, result=result)
    root = story.operation(ROOT_ID)
    assert (root.status, root.payload, root.error) == (OperationStatus.SUCCEEDED, result, None)
    assert outcome.reply == Accepted(at_ms=NOW_MS + 1_000)
    assert outcome.effects == (Closed(status=ExecutionStatus.SUCCEEDED),)
    assert story.kinds(1) == [EventType.INVOCATION_COMPLETED, EventType.EXECUTION_SUCCEEDED]


@pytest.mark.parametrize(
    ("given_error", "kept"),
    [(BOOM, BOOM), (None, ErrorObject())],
    ids=["an error", "none"],
)
def test_a_handler_that_fails_fails_the_execution_at_once(
    given_error: ErrorObject | None, kept: ErrorObject
) -> None:
    """X4: a verdict is never retried."""
    story = Story()
    story.finish(InvocationStatus.FAILED, error=given_error)
    root = story.operation(ROOT_ID)
    assert (root.status, root.error) == (OperationStatus.FAILED, kept)
    assert story.progress.ready_at_ms is None


@pytest.mark.parametrize("over", [0, 1], ids=["at the limit", "over it"])
def test_a_childs_result_is_bounded(over: int) -> None:
    """Q1."""
    story = Story(a_start(parent=ParentLink("f" * 32, "invoke")))
    result = "x" * (CHAINED_PAYLOAD_BYTES_MAX + over)
    outcome = story.finish(InvocationStatus.SUCCEEDED, result=result)
    too_large = ErrorObject(
        error_message=("Execution output payload size must be less than or equal to 1048576 bytes.")
    )
    assert outcome.messages == (
        NotifyParent(
            parent=ParentLink("f" * 32, "invoke"),
            status=OperationStatus.FAILED if over else OperationStatus.SUCCEEDED,
            payload=None if over else result,
            error=too_large if over else None,
        ),
    )


def test_an_answer_that_cannot_be_understood_is_the_executions_end() -> None:
    story = Story()
    story.finish(None, error=BOOM, is_final=True)
    assert (story.progress.status, story.operation(ROOT_ID).error) == (
        ExecutionStatus.FAILED,
        BOOM,
    )


@pytest.mark.parametrize("epoch", [0, 2], ids=["older", "later"])
@pytest.mark.parametrize("status", [None, *InvocationStatus], ids=str)
def test_an_invocation_that_lost_its_lease_changes_nothing(
    epoch: int, status: InvocationStatus | None
) -> None:
    """F7."""
    story = Story()
    command = FinishInvocation(
        epoch=epoch,
        started_at_ms=NOW_MS,
        ended_at_ms=NOW_MS,
        verdict=Verdict(status=status, result="1", error=BOOM),
        jitter=0,
    )
    assert not story.tell(command).is_change


def test_a_second_end_of_one_invocation_changes_nothing() -> None:
    """X1, F7: a duplicated late "done"."""
    story = Story()
    command = story.a_finish(InvocationStatus.SUCCEEDED, result="1")
    story.tell(command)
    assert not story.tell(command).is_change


def test_history_says_when_an_invocation_ran_and_how_it_broke() -> None:
    story = Story()
    story.pass_ms(500)
    command = FinishInvocation(
        epoch=1,
        started_at_ms=NOW_MS + 100,
        ended_at_ms=NOW_MS + 400,
        verdict=Verdict(status=None, error=BOOM),
        jitter=0,
    )
    story.tell(command)
    assert story.events[-1] == Event(
        2,
        EventType.INVOCATION_COMPLETED,
        NOW_MS + 500,
        None,
        {
            "request_id": "request-1",
            "started_at_ms": NOW_MS + 100,
            "ended_at_ms": NOW_MS + 400,
            "error": {"type": "Boom", "message": "it broke"},
        },
    )


def test_suspension_with_something_pending_waits_for_it() -> None:
    """X8."""
    story = a_suspended_story(a_wait(10))
    progress = story.progress
    assert (progress.ready_at_ms, progress.lease_until_ms) == (None, None)
    assert progress.wake_at_ms == NOW_MS + 10_000


@pytest.mark.parametrize(
    "answers",
    [["callback"], ["wait"]],
    ids=["a callback was answered", "a wait came due"],
)
def test_suspension_with_something_unseen_is_invoked_again_at_once(answers: list[str]) -> None:
    """X8: a completion between the input and PENDING is not lost."""
    story = Story()
    story.checkpoint(a_callback(), a_wait(10))
    story.pass_ms(10_000 if answers == ["wait"] else 1)
    if answers == ["callback"]:
        story.tell(AnswerCallback(operation_id="callback"))
    story.finish()
    assert (story.progress.ready_at_ms, story.progress.failures) == (story.now_ms, 0)
    told = story.begin().reply
    assert [o.id for o in told.changes] == answers  # type: ignore[union-attr]


def test_suspension_that_waits_for_nothing_is_an_error_and_after_three_the_verdict() -> None:
    """X8."""
    story, seen = Story(), []
    for _ in range(3):
        story.finish(jitter=1.0)
        seen.append((story.progress.status, story.progress.failures, story.progress.ready_at_ms))
        if story.progress.ready_at_ms is not None:
            story.now_ms = story.progress.ready_at_ms
            story.begin()
    assert seen == [
        (ExecutionStatus.RUNNING, 1, NOW_MS + 1_000),
        (ExecutionStatus.RUNNING, 2, NOW_MS + 3_000),
        (ExecutionStatus.FAILED, 2, None),
    ]
    assert story.operation(ROOT_ID).error == ErrorObject(
        error_type="InvalidParameterValueException",
        error_message="Cannot return PENDING status with no pending operations.",
    )


@pytest.mark.parametrize(
    "updates",
    [
        [a_step()],
        [a_context()],
        [a_step(SUCCEED)],
        [a_callback(), a_wait(1)],
        [a_step(OperationAction.RETRY)],
    ],
    ids=["an open step", "an open context", "a finished step", "outside", "a retry"],
)
def test_only_what_others_finish_counts_as_pending(updates: list[Any]) -> None:
    """X8: an open step is the handler's own."""
    story = a_suspended_story(*updates)
    is_outside = len(updates) == 2 or updates[0].action is OperationAction.RETRY
    assert story.progress.failures == (0 if is_outside else 1)


def test_suspension_after_the_execution_timed_out_ends_it() -> None:
    """X3."""
    story = Story()
    story.checkpoint(a_callback())
    story.pass_ms(3_600_000).finish()
    assert story.progress.status is ExecutionStatus.TIMED_OUT


def test_a_stop_beats_whatever_the_handler_says_afterwards() -> None:
    """X6."""
    story = Story()
    story.tell(Stop())
    story.finish(InvocationStatus.SUCCEEDED, result="1")
    assert (story.progress.status, story.operation(ROOT_ID).payload) == (
        ExecutionStatus.STOPPED,
        None,
    )


def test_failures_that_are_no_verdict_are_retried_later_and_later() -> None:
    """X4: and never end in FAILED by themselves."""
    story, delays = Story(a_start(execution_timeout_seconds=31_622_400)), []
    for _ in range(12):
        story.finish(None, error=ErrorObject(error_type="Function.Timeout"))
        assert story.progress.ready_at_ms is not None
        delays.append((story.progress.ready_at_ms - story.now_ms) // 1_000)
        story.now_ms = story.progress.ready_at_ms
        story.begin()
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


@pytest.mark.parametrize("error_type", ["Runtime.ExitError", "Sandbox.Timedout", "Extension.Crash"])
def test_the_services_own_errors_are_retried_three_times_at_once(error_type: str) -> None:
    """X4."""
    story, delays = Story(), []
    for _ in range(5):
        story.finish(None, error=ErrorObject(error_type=error_type))
        assert story.progress.ready_at_ms is not None
        delays.append(story.progress.ready_at_ms - story.now_ms)
        story.now_ms = story.progress.ready_at_ms
        story.begin()
    assert delays == [0, 0, 0, 1_000, 2_000]


def test_what_never_ran_is_no_failure_of_the_function() -> None:
    """X4."""
    story = Story()
    story.finish(None, error=BOOM, is_counted=False)
    assert (story.progress.failures, story.progress.ready_at_ms) == (0, NOW_MS)


def test_a_retry_is_not_put_off_past_something_that_has_come_due() -> None:
    """X2."""
    story = Story()
    story.checkpoint(a_wait(10))
    story.pass_ms(10_000).finish(None, error=BOOM)
    assert story.progress.ready_at_ms == NOW_MS + 10_000


def test_a_failure_after_the_execution_timed_out_ends_it() -> None:
    """X3."""
    story = Story()
    story.pass_ms(3_600_000).finish(None, error=BOOM)
    assert story.progress.status is ExecutionStatus.TIMED_OUT


@pytest.mark.parametrize("retries_max", [0, 2])
def test_an_ordinary_functions_failed_run_is_tried_so_often(retries_max: int) -> None:
    """X4: then the failure is its end."""
    story = Story(a_start(kind=PLAIN, retries_max=retries_max, retention_days=0))
    for _ in range(retries_max):
        story.finish(None, error=BOOM)
        assert story.progress.ready_at_ms is not None
        story.now_ms = story.progress.ready_at_ms
        story.begin()
    story.finish(None, error=BOOM)
    assert (story.progress.status, story.operation(ROOT_ID).error) == (
        ExecutionStatus.FAILED,
        BOOM,
    )


@given(
    failures=st.integers(1, 10_000),
    error_type=st.sampled_from(["", "Boom", "Runtime.ExitError", "Sandbox.X", "Extension.Y"]),
    jitter=st.floats(0, 1),
)
@example(failures=1, error_type="", jitter=0.0)
@example(failures=10_000, error_type="Runtime.X", jitter=1.0)
def test_a_delay_grows_is_capped_and_is_spread_over_its_upper_half(
    failures: int, error_type: str, jitter: float
) -> None:
    """X4."""
    delay_ms = retry_delay_ms(failures, error_type, jitter)
    longest_ms = retry_delay_ms(failures, error_type, 1.0)
    assert longest_ms // 2 <= delay_ms <= longest_ms <= 300_000
    assert retry_delay_ms(failures + 1, error_type, 1.0) >= longest_ms
    at_once = "." in error_type and failures <= 3
    assert (delay_ms == 0) == at_once


@pytest.mark.parametrize(
    ("failures", "asked_ms", "jitter", "delay_ms"),
    [
        (0, 5_000, 0.0, 5_000),
        (0, 5_000, 1.0, 7_500),
        (0, 0, 1.0, 0),
        (6, 1_000, 1.0, 32_000),
        (0, 10_000_000, 1.0, 300_000),
    ],
)
def test_an_end_may_ask_for_a_pause_before_the_next_invocation(
    failures: int, asked_ms: int, jitter: float, delay_ms: int
) -> None:
    """X4: it is never shorter than the ladder's, and never longer than its longest."""
    story = Story()
    for _ in range(failures):
        story.finish(None)
        story.pass_ms(story.progress.ready_at_ms - story.now_ms)  # type: ignore[operator]
        story.begin()
    began_ms = story.now_ms
    story.tell(
        FinishInvocation(
            epoch=story.progress.epoch,
            started_at_ms=began_ms,
            ended_at_ms=began_ms,
            verdict=Verdict(status=None, is_counted=False, retry_after_ms=asked_ms),
            jitter=jitter,
        )
    )
    assert story.progress.failures == failures
    assert story.progress.ready_at_ms == began_ms + delay_ms
