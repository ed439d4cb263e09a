"""Exceptions have AWS's tree, members and names on the wire."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import exceptions as aws

from perdure import exceptions as door
from perdure.clock import SystemClock
from perdure.sdk import exceptions as ours

OPERATION_ERRORS = [
    "DurableOperationError",
    "StepError",
    "InvokeError",
    "ChildContextError",
    "WaitForConditionError",
    "CallbackError",
    "CallbackExternalError",
    "CallbackTimeoutError",
    "CallbackSubmitterError",
]
EXCEPTIONS = [
    name
    for name in vars(aws)
    if isinstance(getattr(aws, name), type) and issubclass(getattr(aws, name), BaseException)
]


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_the_tree_is_awss(name: str) -> None:
    theirs, mine = getattr(aws, name), getattr(door, name)
    assert [base.__name__ for base in mine.__mro__] == [base.__name__ for base in theirs.__mro__]


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_errors_are_recorded_under_awss_names(name: str) -> None:
    theirs: type[BaseException] = getattr(aws, name)
    assert ours.error_type_of(getattr(door, name)) == f"{theirs.__module__}.{theirs.__qualname__}"


def test_other_errors_are_recorded_under_their_own_names() -> None:
    class Local(ours.StepError):
        pass

    assert ours.error_type_of(ValueError) == "ValueError"
    assert ours.error_type_of(Local) == f"{__name__}.{Local.__qualname__}"
    assert ours.error_type_of(door.WrongContextError) == "perdure.exceptions.WrongContextError"
    assert ours.error_type_of(door.ReplayMismatchError) == "perdure.exceptions.ReplayMismatchError"


@pytest.mark.parametrize("name", [*OPERATION_ERRORS, "SerDesError"])
@pytest.mark.parametrize("values", [(), ("m", "t", "d", ["a", "b"]), ("m", None, "", [])])
def test_operation_errors_hold_what_awss_hold(name: str, values: tuple[Any, ...]) -> None:
    theirs, mine = getattr(aws, name)(*values), getattr(ours, name)(*values)
    assert vars(mine) == vars(theirs)
    assert (str(mine), mine.args) == (str(theirs), theirs.args)


@pytest.mark.parametrize("name", OPERATION_ERRORS)
def test_a_recorded_error_is_read_as_the_class_it_was(name: str) -> None:
    recorded = ours.error_type_of(getattr(ours, name))
    read = ours.DurableOperationError.from_error_fields(recorded, "m", "d", ["s"])
    assert type(read) is getattr(ours, name)
    assert (read.error_type, read.message, read.data, read.stack_trace) == (
        recorded,
        "m",
        "d",
        ["s"],
    )


@pytest.mark.parametrize("recorded", [None, "", "ValueError", "perdure.sdk.exceptions.StepError"])
def test_an_unknown_error_is_read_as_the_root(recorded: str | None) -> None:
    read = ours.DurableOperationError.from_error_fields(recorded, None, None, None)
    assert type(read) is ours.DurableOperationError


def test_an_error_of_ones_own_may_be_registered() -> None:
    class Registered(ours.DurableOperationError):
        pass

    ours.register_operation_error(Registered)
    recorded = ours.error_type_of(Registered)
    read = ours.DurableOperationError.from_error_fields(recorded, None, None, None)
    assert type(read) is Registered


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ours.ExecutionError("m"), "EXECUTION_ERROR"),
        (ours.InvocationError("m"), "INVOCATION_ERROR"),
        (ours.NonDeterministicExecutionError("m", "1"), "NON_DETERMINISTIC_EXECUTION"),
        (ours.StepInterruptedError("m", "1"), "STEP_INTERRUPTED"),
        (ours.RetryableSerDesError("m"), "SERIALIZATION_ERROR"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_unrecoverable_say_why(error: ours.UnrecoverableError, reason: str) -> None:
    assert error.termination_reason is ours.TerminationReason(reason)
    assert getattr(error, "step_id", "1") == "1"
    if isinstance(error, ours.InvocationError):
        assert error.is_retryable()


@pytest.mark.parametrize(
    "error",
    [
        ours.SuspendExecution("m"),
        ours.TimedSuspendExecution("m", 5.0),
        ours.BackgroundThreadError("m", ValueError()),
        ours.OrphanedChildException("m", "id"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_engine_raises_passes_by_except_exception(error: BaseException) -> None:
    assert not isinstance(error, Exception)
    assert str(error) == "m"


def test_the_engines_signals_carry_what_they_are_about() -> None:
    fault = ValueError("x")
    assert ours.BackgroundThreadError("m", fault).source_exception is fault
    assert ours.OrphanedChildException("m", "id").operation_id == "id"


def test_a_suspension_may_end_at_an_instant() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    timed = ours.TimedSuspendExecution.from_datetime("m", at)
    assert timed.scheduled_timestamp == at.timestamp()


def test_a_suspension_may_end_after_a_delay() -> None:
    clock = SystemClock()
    before_ms = clock.now_ms()
    timed = ours.TimedSuspendExecution.from_delay("m", 30)
    after_ms = clock.now_ms()
    assert before_ms <= (timed.scheduled_timestamp - 30) * 1000 < after_ms + 1


@pytest.mark.parametrize("source", [None, ValueError("x")])
def test_a_broken_lock_says_what_broke_it(source: Exception | None) -> None:
    theirs, mine = aws.OrderedLockError("m", source), ours.OrderedLockError("m", source)
    assert (str(mine), mine.source_exception) == (str(theirs), source)
