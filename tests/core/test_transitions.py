"""The one table: every type, happening and status, written down a second time (S2)."""

from itertools import product

import pytest

from perdure.core.transitions import Happening, Trigger, next_status
from perdure.protocol.words import OperationAction, OperationStatus, OperationType

STARTED, PENDING, READY = OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY
SUCCEEDED, FAILED = OperationStatus.SUCCEEDED, OperationStatus.FAILED
CANCELLED, TIMED_OUT = OperationStatus.CANCELLED, OperationStatus.TIMED_OUT
STOPPED = OperationStatus.STOPPED

#: SERVICE.md section 3: from -> happening -> to.
LEGAL = {
    OperationType.STEP: {
        None: "START STARTED, SUCCEED SUCCEEDED, FAIL FAILED, RETRY PENDING",
        STARTED: "SUCCEED SUCCEEDED, FAIL FAILED, RETRY PENDING",
        PENDING: "WAKE READY",
        READY: "START STARTED, SUCCEED SUCCEEDED, FAIL FAILED, RETRY PENDING",
    },
    OperationType.WAIT: {
        None: "START STARTED",
        STARTED: "WAKE SUCCEEDED, CANCEL CANCELLED",
    },
    OperationType.CALLBACK: {
        None: "START STARTED",
        STARTED: "COMPLETE SUCCEEDED, REJECT FAILED, EXPIRE TIMED_OUT",
    },
    OperationType.CHAINED_INVOKE: {
        None: "START STARTED",
        STARTED: "COMPLETE SUCCEEDED, REJECT FAILED, EXPIRE TIMED_OUT, HALT STOPPED",
    },
    OperationType.CONTEXT: {
        None: "START STARTED, SUCCEED SUCCEEDED, FAIL FAILED",
        STARTED: "SUCCEED SUCCEEDED, FAIL FAILED",
    },
    OperationType.EXECUTION: {
        STARTED: "SUCCEED SUCCEEDED, FAIL FAILED, EXPIRE TIMED_OUT, HALT STOPPED",
    },
}
HAPPENINGS: list[Happening] = [*OperationAction, *Trigger]
STATUSES: list[OperationStatus | None] = [None, *OperationStatus]


def expected(
    kind: OperationType, status: OperationStatus | None, happening: Happening
) -> OperationStatus | None:
    rules = dict(rule.split() for rule in LEGAL[kind].get(status, "").split(", ") if rule)
    return OperationStatus(rules[happening]) if happening in rules else None


@pytest.mark.parametrize(
    ("kind", "happening", "status"),
    [*product(OperationType, HAPPENINGS, STATUSES)],
    ids=lambda value: str(value),
)
def test_a_status_moves_only_where_the_table_says(
    kind: OperationType, happening: Happening, status: OperationStatus | None
) -> None:
    assert next_status(kind, status, happening) == expected(kind, status, happening)


@pytest.mark.parametrize("kind", OperationType)
def test_nothing_leads_out_of_a_finished_status(kind: OperationType) -> None:
    finished = [SUCCEEDED, FAILED, CANCELLED, TIMED_OUT, STOPPED]
    assert not [pair for pair in product(finished, HAPPENINGS) if next_status(kind, *pair)]
