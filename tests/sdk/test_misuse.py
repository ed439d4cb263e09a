"""What is wrong with a handler is shown with its place."""

import pytest

from perdure.protocol.operations import Operation
from perdure.protocol.wire import Instant
from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.exceptions import (
    ExecutionError,
    NonDeterministicExecutionError,
    TerminationReason,
    ValidationError,
)
from perdure.sdk.journal import Identity
from perdure.sdk.misuse import ReplayMismatchError, WrongContextError

RECORDED = Operation(
    id="1a",
    type=OperationType.STEP,
    start_timestamp=Instant(0),
    status=OperationStatus.SUCCEEDED,
    sub_type="Step",
    name="charge",
)
REQUESTED = Identity("1a", OperationType.WAIT, "", "9f", None)


@pytest.mark.parametrize(("location", "end"), [(None, []), ("orders.py:12", ["  at orders.py:12"])])
def test_both_operations_are_shown_side_by_side(location: str | None, end: list[str]) -> None:
    error = ReplayMismatchError.between(
        RECORDED,
        REQUESTED,
        ("type checkpoint='STEP' current='WAIT'", "name checkpoint='charge' current=None"),
        location=location,
    )
    assert str(error).splitlines() == [
        "Non-deterministic operation identity at id='1a': type checkpoint='STEP' current='WAIT', "
        "name checkpoint='charge' current=None",
        '  recorded:  STEP (Step) "charge"',
        "  requested: WAIT without a name in 9f",
        *end,
    ]
    assert (error.recorded, error.requested, error.location) == (RECORDED, REQUESTED, location)
    assert error.step_id == "1a"


def test_a_mismatch_fails_the_execution() -> None:
    error = ReplayMismatchError("m")
    assert isinstance(error, NonDeterministicExecutionError | ExecutionError)
    assert error.termination_reason is TerminationReason.NON_DETERMINISTIC_EXECUTION
    assert (error.recorded, error.requested, error.location) == (None, None, None)


def test_a_wrong_context_is_a_wrong_argument() -> None:
    assert issubclass(WrongContextError, ValidationError)
