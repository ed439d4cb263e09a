"""What must hold after every command, asserted always, in production too (RELIABILITY.md section
1).

E1  A finished execution never changes; only its deletion is recorded. (X1)
E2  A status moves only along TRANSITIONS. A finished operation never changes. (S1, S2)
E3  At most one invocation holds a live lease; each has an epoch of its own, one above the last.
(F5)
E4  ``wake_at_ms`` is the least due time of the open operations and of the execution itself.
E5  The same commands at the same instants give the same execution. (Shown by tests, not here.)
E6  Events are numbered on without a gap, and their instants never go backward. (H1)
E7  A change raises the version by one; what is no change carries nothing to commit. (D3)
E8  An ended execution holds no lease, no valid token, no timer, and wants no invocation.

What an outsider can break is a refusal, never an assertion. A violation is ours: the engine
quarantines the execution.
"""

from typing import TYPE_CHECKING

from perdure.core.commands import BeginInvocation, Command
from perdure.core.execution import NOTHING, Execution, Progress
from perdure.core.operation import Operation
from perdure.core.outcome import Outcome
from perdure.core.transitions import TRANSITIONS
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check"]


def check(base: Execution | None, command: Command, outcome: Outcome) -> None:
    """Assert E1 to E8 of an outcome; costs its batch and the open operations."""
    before = base.progress if base is not None else NOTHING
    after = outcome.progress
    if not outcome.is_change:
        assert after is before, "E7 violated: progress differs, but the version does not"
        carried = (outcome.operations, outcome.events, outcome.messages)
        assert not any(carried), "E7 violated: no change, but something to commit"
        return
    assert after.version == before.version + 1, "E7 violated: the version skips"
    _check_end(before, outcome)
    _check_operations(base, outcome)
    _check_lease(before, after, command)
    _check_events(before, outcome)
    if base is not None and after.ended_at_ms is None:
        _check_wake(base, outcome)


def _check_end(before: Progress, outcome: Outcome) -> None:
    after = outcome.progress
    if before.ended_at_ms is not None:
        assert after.status is ExecutionStatus.DELETING, "E1 violated: an end changed"
        assert not any((outcome.operations, outcome.events)), "E1 violated: an end was added to"
        assert after.ended_at_ms == before.ended_at_ms, "E1 violated: the end moved"
    is_closed = after.status in CLOSED_EXECUTION_STATUSES
    assert is_closed == (after.ended_at_ms is not None), "H2 violated: status and end disagree"
    if is_closed:
        kept = (after.lease_until_ms, after.wake_at_ms, after.ready_at_ms, after.timeout_at_ms)
        assert kept == (None, None, None, None), "E8 violated: an ended execution has a timer"
        assert not after.nonce_sha256, "E8 violated: an ended execution has a valid token"


def _check_operations(base: Execution | None, outcome: Outcome) -> None:
    operations: Mapping[str, Operation] = {} if base is None else base.operations
    for operation in outcome.operations.values():
        before = operations.get(operation.id)
        if before is None:
            continue
        assert not before.is_finished, f"E2 violated: {before.id} was finished"
        assert operation.sequence > before.sequence, f"E2 violated: {before.id} goes back"
        if operation.status is not before.status:
            assert _is_reachable(before, operation), (
                f"E2 violated: {before.type} from {before.status} to {operation.status}"
            )


def _is_reachable(before: Operation, after: Operation) -> bool:
    rules = TRANSITIONS[before.type]
    reached = {before.status}
    # One batch may find that an operation is due, start it, and end it.
    for _ in range(3):
        reached = {to for (status, _), to in rules.items() if status in reached}
        if after.status in reached:
            return True
    return False


def _check_lease(before: Progress, after: Progress, command: Command) -> None:
    if isinstance(command, BeginInvocation):
        assert before.lease_until_ms is None, "E3 violated: two invocations"
        assert after.epoch == before.epoch + 1, "E3 violated: the epoch skips"
    else:
        assert after.epoch == before.epoch, "E3 violated: an epoch without an invocation"
    has_lease = after.lease_until_ms is not None
    assert has_lease == (after.lease_owner is not None), "E3 violated: a lease without an owner"
    assert has_lease or not after.nonce_sha256, "E3 violated: a token outlives its lease"
    assert not (has_lease and after.ready_at_ms is not None), "E3 violated: leased and ready"


def _check_events(before: Progress, outcome: Outcome) -> None:
    number = before.event_count
    for event in outcome.events:
        number += 1
        assert event.id == number, "E6 violated: an event id skips"
        assert event.at_ms >= before.updated_at_ms, "E6 violated: an event before the last"
    assert outcome.progress.event_count == number, "E6 violated: events are miscounted"


def _check_wake(base: Execution, outcome: Outcome) -> None:
    due = [] if outcome.progress.timeout_at_ms is None else [outcome.progress.timeout_at_ms]
    for operation_id, wakes_at_ms in base.pending.items():
        if wakes_at_ms is not None and operation_id not in outcome.operations:
            due.append(wakes_at_ms)
    for operation in outcome.operations.values():
        wakes_at_ms = operation.wakes_at_ms
        if wakes_at_ms is not None and not operation.is_finished:
            due.append(wakes_at_ms)
    assert outcome.progress.wake_at_ms == min(due, default=None), "E4 violated: the wake is wrong"
