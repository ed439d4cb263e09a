"""The checkpoint: its token (F1-F5), the same request again (F4), the answer (S7), quotas (Q1)."""

from typing import Any

import pytest

from perdure.core.commands import AnswerCallback, Heartbeat, Pause, Resume, Stop, Token
from perdure.core.errors import InvalidCheckpointToken, InvalidParameterValue
from perdure.core.execution import LastReply
from perdure.core.machine import apply
from perdure.core.outcome import CheckpointReply, QuotaPassed, TokenState
from perdure.core.quotas import REPLY_KEPT_MS, Quotas
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    ExecutionStatus,
    InvocationStatus,
    OperationAction,
    OperationStatus,
)

from .builders import (
    LEASE_MS,
    NONCE,
    NOW_MS,
    ROOT_ID,
    Story,
    a_callback,
    a_checkpoint,
    a_closed_story,
    a_step,
    a_suspended_story,
    a_wait,
    an_end,
    an_execution,
    an_operation,
)

SUCCEED, RETRY = OperationAction.SUCCEED, OperationAction.RETRY


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (Token(1, 1, NONCE), "Invalid checkpoint token: it was used before"),
        (Token(1, 3, NONCE), "Invalid checkpoint token: it was used before"),
        (Token(0, 2, NONCE), "Invalid checkpoint token: it belongs to another invocation"),
        (Token(2, 2, NONCE), "Invalid checkpoint token: it belongs to another invocation"),
        (Token(1, 2, b"x" * 32), "Invalid checkpoint token: it belongs to another invocation"),
        (Token(1, 2, b""), "Invalid checkpoint token: it belongs to another invocation"),
    ],
    ids=["used", "future", "older epoch", "later epoch", "another nonce", "no nonce"],
)
def test_only_the_current_token_of_the_current_epoch_is_taken(token: Token, message: str) -> None:
    """F1, F3."""
    story = Story()
    story.checkpoint(a_step())
    story.checkpoint(a_step(SUCCEED))
    refusal = story.refusal(a_checkpoint(story.execution, a_wait(), token=token))
    assert (type(refusal), refusal.message) == (InvalidCheckpointToken, message)


def test_a_token_is_good_for_one_accepted_checkpoint() -> None:
    """F2."""
    story = Story()
    first = a_checkpoint(story.execution, a_step())
    rival = a_checkpoint(story.execution, a_wait())
    story.tell(first)
    assert story.refusal(rival).message == "Invalid checkpoint token: it was used before"
    assert story.statuses == {"step": OperationStatus.STARTED}


def test_a_refused_checkpoint_leaves_the_token_good() -> None:
    """F2, D2."""
    story = Story()
    story.refusal(a_checkpoint(story.execution, a_step(RETRY, step_options=None)))
    assert story.checkpoint(a_step()).token == TokenState(1, 1)


def test_a_token_of_a_suspended_invocation_is_worth_nothing() -> None:
    """F1, F7."""
    story = a_suspended_story(a_wait())
    refusal = story.refusal(a_checkpoint(story.execution, a_step()))
    assert refusal.message == "Invalid checkpoint token: it belongs to another invocation"


def test_a_token_of_the_invocation_before_is_worth_nothing_though_the_nonce_were_the_same() -> None:
    """F5, F7."""
    story = Story()
    old = a_checkpoint(story.execution, a_step())
    story.finish(None)
    story.pass_ms(LEASE_MS).begin()
    assert story.refusal(old).message == (
        "Invalid checkpoint token: it belongs to another invocation"
    )


@pytest.mark.parametrize("status", [InvocationStatus.SUCCEEDED, InvocationStatus.FAILED])
def test_an_ended_execution_takes_no_token(status: InvocationStatus) -> None:
    """F3."""
    story = a_closed_story(status)
    refusal = story.refusal(a_checkpoint(story.execution, a_step()))
    assert refusal.message == "Invalid checkpoint token: the execution has ended"


def test_the_answer_carries_the_next_token_and_all_that_has_changed_in_order() -> None:
    """S7: what came from outside meanwhile is told as well."""
    story = Story()
    story.checkpoint(a_callback("early"), a_callback("late"))
    story.tell(AnswerCallback(operation_id="late", payload="2"))
    story.tell(AnswerCallback(operation_id="early", payload="1"))
    reply = story.checkpoint(a_step())
    assert reply == CheckpointReply(
        token=TokenState(1, 2),
        operations=tuple(story.operation(i) for i in ("late", "early", "step")),
    )
    assert story.checkpoint() == CheckpointReply(token=TokenState(1, 2), operations=())


def test_the_answer_includes_what_has_just_come_due() -> None:
    story = Story()
    story.checkpoint(a_wait(10), a_step(RETRY, delay_seconds=10))
    reply = story.pass_ms(10_000).checkpoint(a_step(operation_id="other"))
    assert [(o.id, o.status) for o in reply.operations] == [
        ("step", OperationStatus.READY),
        ("wait", OperationStatus.SUCCEEDED),
        ("other", OperationStatus.STARTED),
    ]


def test_a_poll_that_finds_nothing_commits_nothing_and_keeps_the_token() -> None:
    story = Story()
    outcome = story.tell(a_checkpoint(story.execution))
    assert not outcome.is_change
    assert outcome.reply == CheckpointReply(token=TokenState(1, 0), operations=())


def test_a_poll_that_finds_something_consumes_the_token() -> None:
    """F2: or two polls could each believe they were told."""
    story = Story()
    story.checkpoint(a_wait(10))
    poll = a_checkpoint(story.pass_ms(10_000).execution)
    reply = story.tell(poll).reply
    assert reply == CheckpointReply(token=TokenState(1, 2), operations=(story.operation("wait"),))
    assert story.refusal(poll).message == "Invalid checkpoint token: it was used before"


def test_what_a_poll_has_told_is_heard_when_its_token_is_used() -> None:
    """S7, X8: till then its answer may be a late copy's, and have reached nobody."""
    story = Story()
    story.checkpoint(a_wait(10), a_callback())
    seen = story.progress.seen_sequence
    reply = story.pass_ms(10_000).checkpoint(client_token="p-1")
    wait = story.operation("wait")
    assert (reply.operations, story.progress.seen_sequence) == ((wait,), seen)
    assert story.checkpoint(client_token="p-2").operations == ()
    story.tell(AnswerCallback(operation_id="callback", payload="1"))
    poll = a_checkpoint(story.execution, client_token="p-3")
    reply = story.tell(poll).reply
    callback = story.operation("callback")
    assert reply == CheckpointReply(token=TokenState(1, 3), operations=(callback,))
    assert (story.tell(poll).reply, story.progress.seen_sequence) == (reply, wait.sequence)
    reply = story.checkpoint(a_step(), client_token="c-4")
    assert [operation.id for operation in reply.operations] == ["step"]
    assert story.progress.seen_sequence == story.progress.sequence


def test_pending_after_a_poll_whose_answer_reached_nobody_is_invoked_again_at_once() -> None:
    """X8: a poll that found nothing comes again, late, and finds what the handler never hears."""
    story = Story()
    story.checkpoint(a_callback())
    poll = a_checkpoint(story.execution, client_token="p-1")
    assert story.tell(poll).reply.operations == ()  # type: ignore[union-attr]
    story.tell(AnswerCallback(operation_id="callback", payload="1"))
    callback = story.operation("callback")
    assert story.tell(poll).reply.operations == (callback,)  # type: ignore[union-attr]
    story.finish()
    assert story.progress.ready_at_ms == story.now_ms
    assert story.begin().reply.changes == (callback,)  # type: ignore[union-attr]


def test_the_same_request_again_gets_the_same_answer() -> None:
    """F4."""
    story = Story()
    checkpoint = a_checkpoint(story.execution, a_step(), a_callback(), client_token="c-1")
    reply = story.tell(checkpoint).reply
    again = story.pass_ms(REPLY_KEPT_MS).tell(checkpoint)
    assert (again.reply, again.is_change) == (reply, False)


def test_the_same_request_again_gets_the_same_answer_though_its_operations_went_on() -> None:
    """F4: a callback was answered, a wait ended, and a step was stored before; none shows."""
    story = Story()
    story.checkpoint(a_step(operation_id="before"))
    checkpoint = a_checkpoint(
        story.execution, a_callback(heartbeat_seconds=60), a_wait(5), a_step(), client_token="c-1"
    )
    reply = story.tell(checkpoint).reply
    story.pass_ms(1_000).tell(Heartbeat(operation_id="callback"))
    story.tell(AnswerCallback(operation_id="callback", payload="late"))
    story.pass_ms(4_000).wake()
    assert story.statuses["wait"] is OperationStatus.SUCCEEDED
    assert story.tell(checkpoint).reply == reply
    assert [o.id for o in story.checkpoint().operations] == ["callback", "wait"]


def test_the_same_request_again_gets_the_same_answer_when_it_was_told_of_an_outside_change() -> (
    None
):
    """F4."""
    story = Story()
    story.checkpoint(a_callback())
    story.tell(AnswerCallback(operation_id="callback", payload="1"))
    checkpoint = a_checkpoint(story.execution, a_step(), client_token="c-2")
    reply = story.tell(checkpoint).reply
    assert story.tell(checkpoint).reply == reply


def test_the_request_that_ended_the_execution_is_answered_again_too() -> None:
    """F4: no token, and the end itself."""
    story = Story()
    checkpoint = a_checkpoint(story.execution, an_end(payload="1"), client_token="c-1")
    reply = story.tell(checkpoint).reply
    assert reply == CheckpointReply(token=None, operations=(story.operation(ROOT_ID),))
    assert story.tell(checkpoint).reply == reply


def test_a_withheld_answer_is_given_again_too() -> None:
    """F4, X7."""
    story = Story()
    story.tell(Pause())
    checkpoint = a_checkpoint(story.execution, a_step(), client_token="c-1")
    reply = story.tell(checkpoint).reply
    assert reply == CheckpointReply(token=None, operations=())
    again = story.tell(checkpoint)
    assert (again.reply, again.is_change) == (reply, False)


def test_a_client_token_that_was_used_for_other_updates_is_refused() -> None:
    """F4: never silently success."""
    story = Story()
    checkpoint = a_checkpoint(story.execution, a_step(), client_token="c-1")
    other = a_checkpoint(story.execution, a_wait(), client_token="c-1")
    story.tell(checkpoint)
    refusal = story.refusal(other)
    assert (type(refusal), refusal.message) == (
        InvalidCheckpointToken,
        "Invalid checkpoint token: the client token was used for other updates",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"client_token": "c-2"},
        {"client_token": ""},
        {"token": Token(1, 5, NONCE)},
        {"token": Token(2, 0, NONCE)},
    ],
    ids=["another client token", "none", "another sequence", "another epoch"],
)
def test_a_request_that_differs_is_another_request(change: dict[str, Any]) -> None:
    """F4, F2."""
    story = Story()
    checkpoint = a_checkpoint(story.execution, a_step(), client_token="c-1")
    other = a_checkpoint(story.execution, a_step(), **({"client_token": "c-1"} | change))
    story.tell(checkpoint)
    assert isinstance(story.refusal(other), InvalidCheckpointToken)


def test_without_a_client_token_nothing_is_answered_again() -> None:
    """F4."""
    story = Story()
    checkpoint = a_checkpoint(story.execution, a_step())
    story.tell(checkpoint)
    assert story.refusal(checkpoint).message == "Invalid checkpoint token: it was used before"


def test_a_client_token_may_be_used_again_with_the_next_token() -> None:
    story = Story()
    story.checkpoint(a_step(), client_token="c-1")
    reply = story.checkpoint(a_step(SUCCEED), client_token="c-1")
    assert (reply.token, story.statuses) == (
        TokenState(1, 2),
        {"step": OperationStatus.SUCCEEDED},
    )


def test_an_answer_is_kept_for_fifteen_minutes_and_no_longer() -> None:
    """F4."""
    story = Story()
    checkpoint = a_checkpoint(story.execution, a_step(), client_token="c-1")
    story.tell(checkpoint)
    story.pass_ms(REPLY_KEPT_MS + 1)
    assert story.refusal(checkpoint).message == "Invalid checkpoint token: it was used before"


def test_an_answer_is_forgotten_with_its_invocation() -> None:
    """F5, F7."""
    story = Story()
    checkpoint = a_checkpoint(story.execution, a_step(), client_token="c-1")
    story.tell(checkpoint)
    story.finish(None)
    story.pass_ms(LEASE_MS).begin()
    assert story.progress.last_reply is None
    assert isinstance(story.refusal(checkpoint), InvalidCheckpointToken)


def test_what_is_kept_of_an_answer_is_what_has_changed_since_and_nothing_else() -> None:
    """F4: at the cost of what changes, not of what is there."""
    story = Story()
    checkpoint = a_checkpoint(
        story.execution, a_callback(heartbeat_seconds=60), a_step(), client_token="c-1"
    )
    story.tell(checkpoint)
    as_told = story.operation("callback")
    story.tell(Heartbeat(operation_id="callback"))
    story.tell(Heartbeat(operation_id="callback"))
    assert story.progress.last_reply == LastReply(
        client_token="c-1",
        inbound_sequence=0,
        outbound_sequence=1,
        updates_sha256=checkpoint.updates_sha256,
        after_sequence=1,
        until_sequence=3,
        at_ms=NOW_MS,
        earlier=(as_told,),
    )


def test_a_checkpoint_while_pausing_is_kept_and_answered_without_a_token() -> None:
    """X7: the handler must suspend; what it has not been told, the next invocation is."""
    story = Story()
    story.tell(Pause())
    reply = story.checkpoint(a_step(SUCCEED, payload="1"))
    assert reply == CheckpointReply(token=None, operations=())
    assert story.statuses == {"step": OperationStatus.SUCCEEDED}
    assert story.progress.status is ExecutionStatus.PAUSING
    refusal = story.refusal(a_checkpoint(story.execution, a_wait()))
    assert refusal.message == "Invalid checkpoint token: it belongs to another invocation"
    story.finish()
    story.tell(Resume())
    assert story.progress.ready_at_ms == NOW_MS


def test_the_end_of_an_execution_beats_its_pausing() -> None:
    """X6, X7."""
    story = Story()
    story.tell(Pause())
    reply = story.checkpoint(an_end(payload="1"))
    assert (reply.token, story.progress.status) == (None, ExecutionStatus.SUCCEEDED)
    assert reply.operations == (story.operation(ROOT_ID),)


def test_a_checkpoint_after_the_execution_timed_out_is_kept_and_told_of_the_end() -> None:
    """X3, X6."""
    story = Story()
    reply = story.pass_ms(3_600_000).checkpoint(a_step(SUCCEED, payload="1"))
    assert (reply.token, [o.id for o in reply.operations]) == (None, ["step", ROOT_ID])
    assert story.operation(ROOT_ID).error == ErrorObject(
        error_message="Execution timed out after 3600 seconds."
    )


def test_a_stop_wins_over_every_later_checkpoint() -> None:
    """X6, F7."""
    story = Story()
    story.tell(Stop())
    refusal = story.refusal(a_checkpoint(story.execution, an_end(payload="1")))
    assert refusal.message == "Invalid checkpoint token: the execution has ended"


def test_progress_of_the_handler_ends_a_row_of_failures_and_a_poll_does_not() -> None:
    """X4."""
    story = Story()
    story.finish(None)
    story.pass_ms(1_000).begin()
    story.checkpoint()
    assert story.progress.failures == 1
    story.checkpoint(a_wait(1))
    assert story.progress.failures == 0
    story.finish(None)
    story.pass_ms(1_000).begin()
    story.checkpoint(a_step())
    assert story.progress.failures == 0


def test_a_poll_that_is_told_something_does_not_end_a_row_of_failures() -> None:
    """X4."""
    story = a_suspended_story(a_callback())
    story.tell(AnswerCallback(operation_id="callback"))
    story.begin()
    story.finish(None)
    story.pass_ms(1_000).begin()
    story.checkpoint()
    assert story.progress.failures == 1


@pytest.mark.parametrize("held", [2, 3], ids=["at the limit", "over it"])
def test_a_hard_quota_of_operations_refuses_the_batch_that_passes_it(held: int) -> None:
    """Q1: the limit itself is allowed."""
    quotas = Quotas(operations_max=3, is_hard=True)
    execution = an_execution(*(an_operation(operation_id=str(n)) for n in range(held - 1)))
    checkpoint = a_checkpoint(execution, a_step(operation_id="new"), quotas=quotas)
    if held == 2:
        assert apply(execution, checkpoint, NOW_MS).progress.operation_count == 3
    else:
        with pytest.raises(InvalidParameterValue) as caught:
            apply(execution, checkpoint, NOW_MS)
        assert caught.value.message == "the execution holds 4 operations; the limit is 3"


@pytest.mark.parametrize("size", [10, 11], ids=["at the limit", "over it"])
def test_a_hard_quota_of_data_refuses_the_batch_that_passes_it(size: int) -> None:
    """Q1."""
    execution = an_execution()
    quotas = Quotas(stored_bytes_max=10, is_hard=True)
    checkpoint = a_checkpoint(execution, a_step(SUCCEED, payload="x" * size), quotas=quotas)
    if size == 10:
        assert apply(execution, checkpoint, NOW_MS).progress.stored_bytes == 10
    else:
        with pytest.raises(InvalidParameterValue) as caught:
            apply(execution, checkpoint, NOW_MS)
        assert caught.value.message == "the execution holds 11 bytes of data; the limit is 10"


def test_a_soft_quota_warns_once_when_it_is_passed() -> None:
    """Q1."""
    story = Story()
    quotas = Quotas(operations_max=2, stored_bytes_max=100)
    effects = [
        story.tell(
            a_checkpoint(story.execution, a_step(operation_id=str(n)), quotas=quotas)
        ).effects
        for n in range(3)
    ]
    message = "the execution holds 3 operations; the limit is 2"
    assert effects == [(), (QuotaPassed(message=message),), ()]


def test_an_execution_over_its_quota_can_still_be_polled_and_stopped() -> None:
    """Q1: it fails alone, and not for ever."""
    story = Story()
    story.checkpoint(a_wait(1), a_callback())
    quotas = Quotas(operations_max=1, is_hard=True)
    story.pass_ms(1_000)
    reply = story.tell(a_checkpoint(story.execution, quotas=quotas)).reply
    assert reply == CheckpointReply(token=TokenState(1, 2), operations=(story.operation("wait"),))
    story.tell(Stop())
    assert story.progress.status is ExecutionStatus.STOPPED


def test_a_caller_who_could_not_ask_again_is_kept_no_reply() -> None:
    execution = an_execution()
    kept = apply(execution, a_checkpoint(execution, a_step(), client_token="c"), NOW_MS)
    assert kept.progress.last_reply is not None
    assert kept.progress.last_reply.client_token == "c"
    outcome = apply(execution, a_checkpoint(execution, a_step()), NOW_MS)
    assert outcome.progress.last_reply is None
