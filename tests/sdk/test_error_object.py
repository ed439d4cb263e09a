"""Errors are recorded as AWS's SDK records them, and raised as it raises them."""

from typing import Any

import pytest
from aws_durable_execution_sdk_python import exceptions as aws_exceptions
from aws_durable_execution_sdk_python.lambda_service import ErrorObject as AwsErrorObject
from hypothesis import given
from hypothesis import strategies as st

from perdure import exceptions as our_exceptions
from perdure.protocol.wire import decode, encode
from perdure.sdk.error_object import ErrorObject, WireError

TEXT = st.none() | st.text(max_size=5)
FIELDS = st.tuples(TEXT, TEXT, TEXT, st.none() | st.lists(st.text(max_size=5), max_size=3))
NAMES = ["DurableOperationError", "StepError", "CallbackTimeoutError", "SerDesError"]
RECORDED = st.sampled_from(
    [None, "", "ValueError", *(f"{aws_exceptions.__name__}.{name}" for name in NAMES)]
)


class _OurSerDesError(our_exceptions.SerDesError):
    pass


class _AwsSerDesError(aws_exceptions.SerDesError):
    pass


def _made(module: Any) -> list[BaseException]:
    made = [getattr(module, name)("m", "t", "d", ["s"]) for name in NAMES]
    return [*made, module.ValidationError("m"), module.SuspendExecution("m"), module.StepError()]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        *zip(_made(our_exceptions), _made(aws_exceptions), strict=True),
        (_OurSerDesError("m"), _AwsSerDesError("m")),
        (ValueError("m"), ValueError("m")),
        (KeyError("m"), KeyError("m")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_exceptions_are_recorded_as_in_aws(ours: BaseException, theirs: BaseException) -> None:
    recorded = AwsErrorObject.from_exception(theirs).to_dict()
    assert ErrorObject.from_exception(ours).to_dict() == recorded


@given(FIELDS)
def test_an_error_survives_every_form(fields: tuple[Any, ...]) -> None:
    error = ErrorObject(*fields)
    assert error.to_dict() == AwsErrorObject(*fields).to_dict()
    assert ErrorObject.from_dict(error.to_dict()) == error
    assert ErrorObject.of(error.to_wire()) == error
    assert encode(error.to_wire()) == error.to_dict()
    assert decode(WireError, error.to_dict()) == error.to_wire()


def test_nothing_recorded_is_no_error() -> None:
    assert ErrorObject.of(None) is None


def test_an_error_may_say_only_a_message() -> None:
    assert ErrorObject.from_message("m").to_dict() == {"ErrorMessage": "m"}


@given(FIELDS, RECORDED, st.sampled_from(["StepError", "ChildContextError"]))
def test_errors_are_raised_as_in_aws(
    fields: tuple[Any, ...], recorded: str | None, kind: str
) -> None:
    values = (fields[0], recorded, *fields[2:])
    theirs = _raised(AwsErrorObject(*values), getattr(aws_exceptions, kind))
    mine = _raised(ErrorObject(*values), getattr(our_exceptions, kind))
    for ours, awss in ((mine, theirs), (mine.__cause__, theirs.__cause__)):
        assert type(ours).__name__ == type(awss).__name__
        assert vars(ours) == vars(awss)
    assert vars(ErrorObject(*values).to_durable_operation_error()) == vars(theirs.__cause__)


def _raised(error: Any, kind: type[Exception]) -> Exception:
    roots = (our_exceptions.DurableExecutionsError, aws_exceptions.DurableExecutionsError)
    with pytest.raises(roots) as raised:
        error.raise_as_operation_error(kind)
    return raised.value


@pytest.mark.parametrize(
    ("exception", "recorded"),
    [
        (our_exceptions.ChildContextError("m", "ValueError", "d", ["s"]), "ValueError"),
        (ValueError("m"), "ValueError"),
        (our_exceptions.SerDesError("m", "x"), f"{aws_exceptions.__name__}.SerDesError"),
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_a_branch_fails_with_what_left_it(exception: Exception, recorded: str) -> None:
    error = ErrorObject.from_branch(exception)
    assert (error.message, error.type) == ("m", recorded)
