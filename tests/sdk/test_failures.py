"""Failures are raised again as they are recorded, on the first run as on every replay."""

from typing import Any

import pytest

from perdure.protocol.operations import ErrorObject
from perdure.sdk.exceptions import (
    BackgroundThreadError,
    ChildContextError,
    DurableOperationError,
    ExecutionError,
    InvocationError,
    SerDesError,
    StepError,
    SuspendExecution,
)
from perdure.sdk.failures import failure_of, record_of, unwrapped

_AWS = "aws_durable_execution_sdk_python.exceptions"


class OwnError(Exception):
    """One of the author's."""


@pytest.mark.parametrize(
    ("error", "record"),
    [
        (ValueError("no"), ErrorObject(error_type="ValueError", error_message="no")),
        (
            OwnError("no"),
            ErrorObject(error_type=f"{__name__}.OwnError", error_message="no"),
        ),
        (
            StepError("no", "ValueError", "data", ["line 1"]),
            ErrorObject(
                error_type=f"{_AWS}.StepError",
                error_message="no",
                error_data="data",
                stack_trace=("line 1",),
            ),
        ),
        (
            SerDesError("no"),
            ErrorObject(error_type=f"{_AWS}.SerDesError", error_message="no"),
        ),
    ],
    ids=["builtin", "the author's", "an operation's", "a value's"],
)
def test_what_is_recorded_of_an_exception(error: Exception, record: ErrorObject) -> None:
    assert record_of(error) == record


def test_a_failure_is_of_its_operation_and_its_cause_is_what_was_recorded() -> None:
    record = ErrorObject(
        error_type=f"{_AWS}.StepError",
        error_message="no",
        error_data="data",
        stack_trace=("line 1",),
    )

    failure = failure_of(record, ChildContextError)

    assert type(failure) is ChildContextError
    assert (failure.message, failure.error_type) == ("no", record.error_type)
    assert (failure.data, failure.stack_trace) == ("data", ["line 1"])
    assert type(failure.__cause__) is StepError
    assert failure.__cause__.stack_trace == ["line 1"]


def test_a_foreign_error_is_the_cause_as_an_operations_error() -> None:
    failure = failure_of(ErrorObject(error_type="ValueError", error_message="no"), StepError)

    assert type(failure.__cause__) is DurableOperationError
    assert failure.__cause__.error_type == "ValueError"


def test_a_value_that_cannot_be_read_is_told_as_that_whatever_the_operation() -> None:
    failure = failure_of(record_of(SerDesError("no")), StepError)

    assert type(failure) is SerDesError
    assert failure.message == "no"


@pytest.mark.parametrize(
    ("default", "message"),
    [(None, "the operation failed, and no error is recorded"), ("it failed", "it failed")],
)
def test_a_failure_without_a_record_says_so(default: str | None, message: str) -> None:
    failure = failure_of(None, StepError, default)

    assert (type(failure), failure.message) == (StepError, message)


_SUSPENSION = SuspendExecution("later")
_FAULT = BackgroundThreadError("no service", OSError("gone"))
_END = ExecutionError("the end")
_AGAIN = InvocationError("again")


@pytest.mark.parametrize(
    ("errors", "first"),
    [
        ([ValueError("no"), _SUSPENSION], _SUSPENSION),
        ([_SUSPENSION, _FAULT], _FAULT),
        ([BaseExceptionGroup("inner", [ValueError("no"), _SUSPENSION])], _SUSPENSION),
        ([ValueError("no"), _END], _END),
        ([_AGAIN, _SUSPENSION], _SUSPENSION),
    ],
    ids=["suspended", "a fault first", "in a group in the group", "the end", "suspended first"],
)
def test_what_ends_the_invocation_is_taken_out_of_its_group(errors: Any, first: Any) -> None:
    assert unwrapped(BaseExceptionGroup("group", errors)) is first


def test_a_group_of_the_authors_own_errors_stays_one() -> None:
    group = ExceptionGroup("group", [ValueError("no"), OwnError("neither")])

    assert unwrapped(group) is group
