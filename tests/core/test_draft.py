"""The workbench of one command: counts, sequence numbers, what is pending, unseen and due."""

import pytest

from perdure.core.draft import Draft
from perdure.core.event import Event
from perdure.core.execution import ExecutionKind
from perdure.core.outcome import Accepted, AnnounceEnd, CancelInvocation
from perdure.core.transitions import Trigger
from perdure.protocol.words import EventType, ExecutionStatus, OperationStatus, OperationType

from .builders import BOOM, NOW_MS, ROOT_ID, an_execution, an_identity, an_operation

WAIT, STEP, CALLBACK = OperationType.WAIT, OperationType.STEP, OperationType.CALLBACK
DONE = Accepted(at_ms=NOW_MS)


def test_a_draft_without_changes_comes_to_nothing() -> None:
    """E7."""
    execution = an_execution()
    outcome = Draft(execution, NOW_MS + 5).finish(DONE)
    assert (outcome.is_change, outcome.progress) == (False, execution.progress)


def test_a_change_raises_the_version_and_dates_it() -> None:
    """E7."""
    draft = Draft(an_execution(), NOW_MS + 5)
    draft.update(failures=3)
    progress = draft.finish(DONE).progress
    assert (progress.version, progress.updated_at_ms, progress.failures) == (3, NOW_MS + 5, 3)


def test_the_base_is_left_alone() -> None:
    execution = an_execution(an_operation())
    before = (execution.progress, dict(execution.operations))
    draft = Draft(execution, NOW_MS)
    draft.put(execution.operations["op"], status=OperationStatus.SUCCEEDED)
    draft.update(failures=9)
    draft.finish(DONE)
    assert (execution.progress, execution.operations) == before


def test_operations_are_numbered_by_change_and_placed_by_their_first() -> None:
    draft = Draft(an_execution(an_operation()), NOW_MS)
    new = draft.put(an_operation(operation_id="new"))
    old = draft.put(draft.base.operations["op"], attempt=1)
    newer = draft.put(new, attempt=1)
    assert [(o.sequence, o.position) for o in (new, old, newer)] == [(3, 3), (4, 2), (5, 3)]
    assert draft.operation("new") is newer
    assert draft.operation("nobody") is None


def test_operations_and_their_data_are_counted_as_they_change() -> None:
    draft = Draft(an_execution(an_operation(payload="12345"), stored_bytes=5), NOW_MS)
    draft.put(draft.base.operations["op"], payload="1")
    draft.put(an_operation(operation_id="new", error=BOOM, input="in"))
    assert (draft.operation_count, draft.stored_bytes) == (3, 1 + len("it broke") + 2)
    progress = draft.finish(DONE).progress
    assert (progress.operation_count, progress.stored_bytes) == (3, 11)


def test_what_is_pending_is_what_others_will_change() -> None:
    execution = an_execution(
        an_operation(WAIT, operation_id="wait", due_at_ms=NOW_MS + 5),
        an_operation(CALLBACK, operation_id="callback"),
        an_operation(STEP, operation_id="running"),
    )
    draft = Draft(execution, NOW_MS)
    draft.move(execution.operations["wait"], Trigger.WAKE, due_at_ms=None)
    draft.put(an_operation(STEP, OperationStatus.PENDING, "retrying", due_at_ms=NOW_MS + 9))
    assert dict(draft.pending()) == {"callback": None, "retrying": NOW_MS + 9}


def test_what_was_touched_wakes_when_it_now_would() -> None:
    """E4."""
    execution = an_execution(
        an_operation(WAIT, operation_id="first", due_at_ms=NOW_MS + 5),
        an_operation(WAIT, operation_id="second", due_at_ms=NOW_MS + 6),
        an_operation(CALLBACK, operation_id="callback"),
    )
    draft = Draft(execution, NOW_MS)
    assert draft.wakes_at_ms() == NOW_MS + 5
    draft.put(execution.operations["first"], due_at_ms=NOW_MS + 9)
    assert draft.wakes_at_ms() == NOW_MS + 6
    draft.put(execution.operations["second"], status=OperationStatus.CANCELLED)
    assert draft.wakes_at_ms() == NOW_MS + 9
    draft.move(draft.operations["first"], Trigger.WAKE, due_at_ms=None)
    assert draft.wakes_at_ms() is None


def test_what_happens_is_numbered_on_and_dated() -> None:
    """E6."""
    draft = Draft(an_execution(event_count=3), NOW_MS)
    draft.record(EventType.STEP_STARTED, "op")
    draft.record(EventType.STEP_SUCCEEDED, "op", attempt=1)
    draft.send(AnnounceEnd(status=ExecutionStatus.SUCCEEDED))
    draft.hint(CancelInvocation(epoch=1))
    outcome = draft.finish(DONE)
    assert outcome.events == (
        Event(4, EventType.STEP_STARTED, NOW_MS, "op"),
        Event(5, EventType.STEP_SUCCEEDED, NOW_MS, "op", {"attempt": 1}),
    )
    assert outcome.progress.event_count == 5
    assert outcome.messages == (AnnounceEnd(status=ExecutionStatus.SUCCEEDED),)
    assert outcome.effects == (CancelInvocation(epoch=1),)


@pytest.mark.parametrize(
    ("timeout_at_ms", "wake_at_ms"),
    [(NOW_MS + 3, NOW_MS + 3), (NOW_MS + 9, NOW_MS + 4), (None, NOW_MS + 4)],
    ids=["the timeout", "an operation", "no timeout"],
)
def test_the_wake_is_the_least_due_time_of_all(timeout_at_ms: int | None, wake_at_ms: int) -> None:
    """E4."""
    draft = Draft(an_execution(an_operation(WAIT, due_at_ms=NOW_MS + 7)), NOW_MS)
    draft.put(
        an_operation(
            CALLBACK, operation_id="c", due_at_ms=NOW_MS + 8, heartbeat_due_at_ms=NOW_MS + 4
        )
    )
    draft.update(timeout_at_ms=timeout_at_ms)
    assert draft.finish(DONE).progress.wake_at_ms == wake_at_ms


def test_what_was_not_told_is_delivered_once_in_the_order_of_change() -> None:
    """S7."""
    execution = an_execution(
        an_operation(operation_id="a"), an_operation(operation_id="b"), seen_sequence=1
    )
    draft = Draft(execution, NOW_MS)
    again = draft.put(execution.operations["a"], attempt=1)
    assert draft.has_unseen()
    assert draft.deliver() == (execution.operations["b"], again)
    outcome = draft.finish(DONE)
    assert (outcome.is_delivery, outcome.progress.seen_sequence) == (True, 4)
    told = Draft(execution.after(outcome), NOW_MS)
    assert (told.has_unseen(), told.deliver(), told.finish(DONE).is_change) == (False, (), False)


def test_what_changes_when_all_was_told_is_new() -> None:
    """S7."""
    draft = Draft(an_execution(an_operation(), seen_sequence=2), NOW_MS)
    assert not draft.has_unseen()
    put = draft.put(draft.base.operations["op"], attempt=1)
    assert (draft.has_unseen(), draft.deliver()) == (True, (put,))


def test_what_is_told_counts_as_heard_only_as_far_as_it_was_seen() -> None:
    """S7, X8."""
    operations = [an_operation(operation_id=name) for name in "abc"]
    execution = an_execution(*operations, seen_sequence=1)
    b, c = (execution.operations[name] for name in "bc")
    draft = Draft(execution, NOW_MS)
    sequence = draft.sequence
    assert draft.news(after_sequence=sequence) == ()
    assert draft.news(after_sequence=b.sequence) == (c,)
    draft.see(b.sequence)
    draft.see(1)
    outcome = draft.finish(DONE)
    assert (outcome.is_delivery, outcome.progress.seen_sequence) == (True, b.sequence)
    assert execution.after(outcome).unseen == {"c": None}
    assert Draft(execution.after(outcome), NOW_MS).deliver() == (c,)


def test_an_illegal_move_of_ours_is_a_violation_and_no_refusal() -> None:
    """E2."""
    draft = Draft(an_execution(an_operation(STEP)), NOW_MS)
    with pytest.raises(AssertionError, match="E2 violated: STEP STARTED WAKE"):
        draft.move(draft.base.operations["op"], Trigger.WAKE)


@pytest.mark.parametrize("kind", ExecutionKind)
def test_a_draft_knows_what_kind_of_function_runs(kind: ExecutionKind) -> None:
    draft = Draft(an_execution(identity=an_identity(kind=kind)), NOW_MS)
    assert draft.is_durable == (kind is ExecutionKind.DURABLE)
    assert draft.operation(ROOT_ID) is draft.base.operations[ROOT_ID]
