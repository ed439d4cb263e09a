"""How an execution ends, once, whatever ends it (X1, E8)."""

import pytest

from perdure.core.closing import close
from perdure.core.draft import Draft
from perdure.core.event import Event
from perdure.core.execution import ExecutionKind, ParentLink
from perdure.core.outcome import (
    Accepted,
    AnnounceEnd,
    CancelInvocation,
    Closed,
    NotifyParent,
    Outcome,
)
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import EventType, ExecutionStatus, OperationStatus

from .builders import BOOM, LEASE_MS, NOW_MS, ROOT_ID, an_execution, an_identity

PARENT = ParentLink("f" * 32, "invoke")
DAY_MS = 86_400_000


def closed(status: ExecutionStatus, **changes: object) -> Outcome:
    """Close an execution one second after it was invoked."""
    outcome_of = {"payload": changes.pop("payload", None), "error": changes.pop("error", None)}
    identity = an_identity(**changes)
    draft = Draft(an_execution(identity=identity), NOW_MS + 1_000)
    close(draft, status, **outcome_of)  # type: ignore[arg-type]
    return draft.finish(Accepted(at_ms=draft.now_ms))


@pytest.mark.parametrize(
    ("status", "operation_status", "event"),
    [
        (
            ExecutionStatus.SUCCEEDED,
            OperationStatus.SUCCEEDED,
            EventType.EXECUTION_SUCCEEDED,
        ),
        (ExecutionStatus.FAILED, OperationStatus.FAILED, EventType.EXECUTION_FAILED),
        (ExecutionStatus.TIMED_OUT, OperationStatus.TIMED_OUT, EventType.EXECUTION_TIMED_OUT),
        (ExecutionStatus.STOPPED, OperationStatus.STOPPED, EventType.EXECUTION_STOPPED),
    ],
)
def test_status_history_and_operation_agree_on_the_end(
    status: ExecutionStatus, operation_status: OperationStatus, event: EventType
) -> None:
    """H2, X1."""
    outcome = closed(status, payload="1")
    at_ms = NOW_MS + 1_000
    root = outcome.operations[ROOT_ID]
    assert (outcome.progress.status, outcome.progress.ended_at_ms) == (status, at_ms)
    assert (root.status, root.ended_at_ms, root.payload) == (operation_status, at_ms, "1")
    assert outcome.events[-1] == Event(3, event, at_ms)
    assert outcome.effects == (CancelInvocation(epoch=1), Closed(status=status))


def test_the_running_invocation_is_recorded_as_ended_before_the_execution_is() -> None:
    """H1: history closes with the execution."""
    outcome = closed(ExecutionStatus.STOPPED)
    assert outcome.events[0] == Event(
        2,
        EventType.INVOCATION_COMPLETED,
        NOW_MS + 1_000,
        None,
        {
            "request_id": "request-1",
            "started_at_ms": NOW_MS,
            "ended_at_ms": NOW_MS + 1_000,
        },
    )


def test_an_ended_execution_keeps_no_lease_token_timer_or_wish() -> None:
    """E8."""
    before = an_execution().progress
    after = closed(ExecutionStatus.FAILED, error=BOOM).progress
    assert before.lease_until_ms == NOW_MS + LEASE_MS
    assert after == before._replace(
        status=ExecutionStatus.FAILED,
        version=before.version + 1,
        updated_at_ms=NOW_MS + 1_000,
        nonce_sha256=b"",
        lease_owner=None,
        lease_until_ms=None,
        request_id=None,
        invoked_at_ms=None,
        timeout_at_ms=None,
        wake_at_ms=None,
        sequence=2,
        event_count=3,
        stored_bytes=before.stored_bytes + len("it broke"),
        ended_at_ms=NOW_MS + 1_000,
        expires_at_ms=NOW_MS + 1_000 + 14 * DAY_MS,
    )


@pytest.mark.parametrize(("days", "kept_ms"), [(0, 60_000), (1, DAY_MS), (90, 90 * DAY_MS)])
def test_an_ended_execution_is_kept_as_configured_and_long_enough_for_its_messages(
    days: int, kept_ms: int
) -> None:
    """R1."""
    kind = ExecutionKind.DURABLE if days else ExecutionKind.PLAIN
    progress = closed(ExecutionStatus.SUCCEEDED, retention_days=days, kind=kind).progress
    assert progress.expires_at_ms == NOW_MS + 1_000 + kept_ms


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (ExecutionStatus.SUCCEEDED, OperationStatus.SUCCEEDED),
        (ExecutionStatus.FAILED, OperationStatus.FAILED),
        (ExecutionStatus.STOPPED, OperationStatus.STOPPED),
    ],
)
def test_a_child_tells_its_parent_how_it_ended(
    status: ExecutionStatus, told: OperationStatus
) -> None:
    """I4, D3: with the change."""
    outcome = closed(status, parent=PARENT, payload="1", error=BOOM)
    assert outcome.messages == (NotifyParent(parent=PARENT, status=told, payload="1", error=BOOM),)


def test_a_child_that_timed_out_says_so_in_the_parents_words() -> None:
    """I4."""
    outcome = closed(ExecutionStatus.TIMED_OUT, parent=PARENT, error=BOOM)
    error = ErrorObject(
        error_type="ChainedInvoke.Timeout",
        error_message="CHAINED_INVOKE timed out after 3600 seconds.",
    )
    assert outcome.messages == (
        NotifyParent(parent=PARENT, status=OperationStatus.TIMED_OUT, payload=None, error=error),
    )
    assert outcome.operations[ROOT_ID].error == BOOM


def test_an_announced_execution_announces_its_end() -> None:
    """D3."""
    outcome = closed(ExecutionStatus.STOPPED, is_announced=True)
    assert outcome.messages == (AnnounceEnd(status=ExecutionStatus.STOPPED),)
