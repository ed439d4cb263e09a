"""Errors that an event keeps of its own: nothing is lost on the way."""

import json

import pytest

from perdure.core.event import error_details, error_of
from perdure.protocol.operations import ErrorObject


@pytest.mark.parametrize(
    ("error", "details"),
    [
        (ErrorObject(), {}),
        (
            ErrorObject(error_message="", error_type="", error_data="", stack_trace=()),
            {"message": "", "type": "", "data": "", "stack": []},
        ),
        (
            ErrorObject(
                error_message="m", error_type="t", error_data="d", stack_trace=("one", "two")
            ),
            {"message": "m", "type": "t", "data": "d", "stack": ["one", "two"]},
        ),
    ],
    ids=["nothing", "all empty", "all"],
)
def test_an_error_survives_being_made_plain(error: ErrorObject, details: object) -> None:
    plain = error_details(error)
    assert plain == details
    assert error_of(json.loads(json.dumps(plain))) == error
