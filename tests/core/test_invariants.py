"""Each assertion of ``check`` can fail: outcomes made wrong by hand (E1-E8, H2)."""

import dataclasses
from typing import Any

import pytest

from perdure.core.commands import Command, Stop, Wake
from perdure.core.event import Event
from perdure.core.execution import Execution
from perdure.core.invariants import check
from perdure.core.machine import apply
from perdure.core.outcome import AnnounceEnd, Outcome
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationStatus,
    OperationType,
)

from .builders import (
    NOW_MS,
    ROOT_ID,
    Story,
    a_begin,
    a_checkpoint,
    a_closed_story,
    a_start,
    a_step,
    an_execution,
    an_operation,
)

STEP, WAIT = OperationType.STEP, OperationType.WAIT
STARTED, PENDING = OperationStatus.STARTED, OperationStatus.PENDING


def spoilt(outcome: Outcome, **changes: Any) -> Outcome:
    """Return ``outcome`` with members changed; those of its progress begin with ``progress_``."""
    progress = {
        name.removeprefix("progress_"): value
        for name, value in changes.items()
        if name.startswith("progress_")
    }
    others = {name: value for name, value in changes.items() if not name.startswith("progress_")}
    return dataclasses.replace(outcome, progress=outcome.progress._replace(**progress), **others)


def violation(base: Execution | None, command: Command, outcome: Outcome) -> str:
    with pytest.raises(AssertionError) as caught:
        check(base, command, outcome)
    return str(caught.value).split("\n")[0]


def a_step_outcome() -> tuple[Execution, Command, Outcome]:
    """Return a good checkpoint: one step is stored, beside a wait that is under way."""
    execution = an_execution(
        an_operation(WAIT, operation_id="wait", due_at_ms=NOW_MS + 5_000), an_operation(STEP)
    )
    command = a_checkpoint(execution, a_step(operation_id="new"))
    return execution, command, apply(execution, command, NOW_MS)


def test_good_outcomes_pass() -> None:
    check(*a_step_outcome())
    check(None, a_start(), apply(None, a_start(), NOW_MS))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"progress_version": 4}, "E7 violated: the version skips"),
        ({"progress_event_count": 3}, "E6 violated: events are miscounted"),
        (
            {"events": (Event(3, EventType.STEP_STARTED, NOW_MS),)},
            "E6 violated: an event id skips",
        ),
        (
            {"events": (Event(2, EventType.STEP_STARTED, NOW_MS - 1),)},
            "E6 violated: an event before the last",
        ),
        ({"progress_epoch": 2}, "E3 violated: an epoch without an invocation"),
        ({"progress_lease_owner": None}, "E3 violated: a lease without an owner"),
        (
            {"progress_lease_until_ms": None, "progress_lease_owner": None},
            "E3 violated: a token outlives its lease",
        ),
        ({"progress_ready_at_ms": NOW_MS}, "E3 violated: leased and ready"),
        ({"progress_wake_at_ms": NOW_MS + 5_001}, "E4 violated: the wake is wrong"),
        ({"progress_wake_at_ms": None}, "E4 violated: the wake is wrong"),
        ({"progress_timeout_at_ms": NOW_MS + 1}, "E4 violated: the wake is wrong"),
        (
            {"progress_status": ExecutionStatus.FAILED},
            "H2 violated: status and end disagree",
        ),
        ({"progress_ended_at_ms": NOW_MS}, "H2 violated: status and end disagree"),
        (
            {"progress_status": ExecutionStatus.FAILED, "progress_ended_at_ms": NOW_MS},
            "E8 violated: an ended execution has a timer",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_wrong_change_is_found(changes: dict[str, Any], message: str) -> None:
    execution, command, outcome = a_step_outcome()
    assert violation(execution, command, spoilt(outcome, **changes)) == message


def test_an_execution_without_a_timeout_wakes_for_its_operations() -> None:
    """E4."""
    execution, command, outcome = a_step_outcome()
    assert outcome.progress.wake_at_ms == NOW_MS + 5_000
    check(execution, command, spoilt(outcome, progress_timeout_at_ms=None))


def test_a_wake_that_forgets_an_operation_just_put_is_found() -> None:
    """E4."""
    execution, command, outcome = a_step_outcome()
    sooner = an_operation(WAIT, operation_id="new", due_at_ms=NOW_MS + 1, sequence=9)
    wrong = spoilt(outcome, operations={"new": sooner})
    assert violation(execution, command, wrong) == "E4 violated: the wake is wrong"


def test_what_is_no_change_must_be_none() -> None:
    """E7."""
    execution = an_execution()
    outcome = apply(execution, Wake(), NOW_MS)
    other = spoilt(outcome, progress_failures=5)
    message = "E7 violated: progress differs, but the version does not"
    assert violation(execution, Wake(), other) == message


@pytest.mark.parametrize(
    "changes",
    [
        {"operations": {"op": an_operation()}},
        {"events": (Event(2, EventType.STEP_STARTED, NOW_MS),)},
        {"messages": (AnnounceEnd(status=ExecutionStatus.FAILED),)},
    ],
    ids=["operations", "events", "messages"],
)
def test_what_is_no_change_carries_nothing(changes: dict[str, Any]) -> None:
    """E7, D3: it would never be committed."""
    execution = an_execution()
    outcome = dataclasses.replace(apply(execution, Wake(), NOW_MS), **changes)
    message = "E7 violated: no change, but something to commit"
    assert violation(execution, Wake(), outcome) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "E1 violated: an end changed"),
        (
            {
                "progress_status": ExecutionStatus.DELETING,
                "events": (Event(4, EventType.STEP_STARTED, NOW_MS),),
            },
            "E1 violated: an end was added to",
        ),
        (
            {
                "progress_status": ExecutionStatus.DELETING,
                "operations": {"op": an_operation()},
            },
            "E1 violated: an end was added to",
        ),
        (
            {"progress_status": ExecutionStatus.DELETING, "progress_ended_at_ms": NOW_MS + 1},
            "E1 violated: the end moved",
        ),
    ],
    ids=["touched", "an event", "an operation", "another instant"],
)
def test_an_end_that_changes_is_found(changes: dict[str, Any], message: str) -> None:
    """E1."""
    execution = a_closed_story().execution
    outcome = apply(execution, Wake(), NOW_MS)
    touched = spoilt(outcome, progress_version=outcome.progress.version + 1)
    assert violation(execution, Wake(), spoilt(touched, **changes)) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"progress_nonce_sha256": b"n"}, "E8 violated: an ended execution has a valid token"),
        ({"progress_ready_at_ms": NOW_MS}, "E8 violated: an ended execution has a timer"),
        ({"progress_wake_at_ms": NOW_MS}, "E8 violated: an ended execution has a timer"),
        ({"progress_lease_until_ms": NOW_MS}, "E8 violated: an ended execution has a timer"),
        ({"progress_timeout_at_ms": NOW_MS}, "E8 violated: an ended execution has a timer"),
    ],
    ids=["token", "ready", "wake", "lease", "timeout"],
)
def test_an_end_that_leaves_something_behind_is_found(
    changes: dict[str, Any], message: str
) -> None:
    """E8."""
    execution = an_execution()
    outcome = apply(execution, Stop(), NOW_MS)
    assert violation(execution, Stop(), spoilt(outcome, **changes)) == message


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            an_operation(STEP, OperationStatus.SUCCEEDED),
            an_operation(STEP, OperationStatus.SUCCEEDED, sequence=9, payload="other"),
            "E2 violated: op was finished",
        ),
        (an_operation(STEP), an_operation(STEP, sequence=2), "E2 violated: op goes back"),
        (
            an_operation(STEP, PENDING),
            an_operation(STEP, OperationStatus.CANCELLED, sequence=9),
            "E2 violated: STEP from PENDING to CANCELLED",
        ),
        (
            an_operation(WAIT),
            an_operation(WAIT, OperationStatus.TIMED_OUT, sequence=9),
            "E2 violated: WAIT from STARTED to TIMED_OUT",
        ),
    ],
    ids=["S1: finished", "back in sequence", "illegal", "illegal at once"],
)
def test_an_operation_that_moves_as_the_table_does_not_say_is_found(
    before: Any, after: Any, message: str
) -> None:
    """E2."""
    execution = an_execution(before)
    outcome = apply(execution, Stop(), NOW_MS)
    wrong = spoilt(outcome, operations={"op": after})
    assert violation(execution, Stop(), wrong) == message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (STARTED, STARTED),
        (STARTED, OperationStatus.SUCCEEDED),
        (OperationStatus.READY, OperationStatus.SUCCEEDED),
        (OperationStatus.READY, PENDING),
        (PENDING, STARTED),
    ],
    ids=["stays", "one move", "start and end", "start and retry", "wake and start"],
)
def test_one_batch_may_start_an_operation_and_end_it(
    before: OperationStatus, after: OperationStatus
) -> None:
    """E2."""
    execution = an_execution(an_operation(STEP, before))
    outcome = apply(execution, Stop(), NOW_MS)
    changed = an_operation(STEP, after, sequence=9)
    check(execution, Stop(), spoilt(outcome, operations={"op": changed}))


def test_a_second_invocation_is_found() -> None:
    """E3, F5."""
    story = Story(is_begun=False)
    outcome = apply(story.execution, a_begin(), NOW_MS)
    story.begin()
    leased = story.execution.progress._replace(version=1)
    base = Execution(story.execution.identity, leased, {})
    assert violation(base, a_begin(), outcome) == "E3 violated: two invocations"


@pytest.mark.parametrize("epoch", [0, 2], ids=["the same", "one too far"])
def test_an_epoch_that_does_not_rise_by_one_is_found(epoch: int) -> None:
    """E3, F5."""
    story = Story(is_begun=False)
    outcome = spoilt(apply(story.execution, a_begin(), NOW_MS), progress_epoch=epoch)
    assert violation(story.execution, a_begin(), outcome) == "E3 violated: the epoch skips"


def test_an_execution_without_its_own_operation_is_found_when_it_ends() -> None:
    """H2."""
    execution = an_execution()
    del execution.operations[ROOT_ID]
    with pytest.raises(AssertionError, match="H2 violated: the execution has no EXECUTION"):
        apply(execution, Stop(), NOW_MS)
