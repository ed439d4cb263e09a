"""What an invocation brings and is answered with, as it travels."""

from typing import Any

import pytest

from perdure.protocol.operations import ErrorObject, ExecutionDetails, Operation
from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.envelopes import PENDING, Answer, Opening, input_of, open_envelope
from perdure.sdk.exceptions import ExecutionError
from perdure.sdk.words import InvocationStatus

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/order-1/abc"
#: As Lambda sends it. Source: AWS's developer guide, durable execution invocation payload.
ENVELOPE: dict[str, Any] = {
    "DurableExecutionArn": ARN,
    "CheckpointToken": "token",
    "InitialExecutionState": {
        "Operations": [
            {
                "Id": "execution",
                "Type": "EXECUTION",
                "Status": "STARTED",
                "StartTimestamp": 1_700_000_000_123,
                "ExecutionDetails": {"InputPayload": '{"n":1}'},
            }
        ],
        "NextMarker": "",
    },
}
EXECUTION = Operation(
    id="execution",
    type=OperationType.EXECUTION,
    status=OperationStatus.STARTED,
    start_timestamp=1_700_000_000_123,
    execution_details=ExecutionDetails(input_payload='{"n":1}'),
)


def an_opening(**members: Any) -> Opening:
    opening = Opening(ARN, "token", [EXECUTION], None, ())
    return opening._replace(**members)


def an_execution(text: str | None) -> Operation:
    return Operation(
        id="execution",
        type=OperationType.EXECUTION,
        status=OperationStatus.STARTED,
        start_timestamp=0,
        execution_details=None if text == "none" else ExecutionDetails(input_payload=text),
    )


def test_aws_s_envelope_is_opened() -> None:
    assert open_envelope(ENVELOPE) == an_opening()


def test_what_else_an_envelope_may_say_is_read() -> None:
    envelope = {
        **ENVELOPE,
        "InitialExecutionState": {**ENVELOPE["InitialExecutionState"], "NextMarker": "more"},
        "UpdatedOperationIds": ["step"],
        "ChangesOnly": True,
    }

    opening = open_envelope(envelope)

    assert opening == an_opening(marker="more", updated_ids=["step"], changes_only=True)


def test_an_envelope_without_a_state_has_no_operations() -> None:
    envelope = {**ENVELOPE, "InitialExecutionState": None}

    assert open_envelope(envelope) == an_opening(operations=[])


@pytest.mark.parametrize(
    "payload",
    [
        None,
        "text",
        ["list"],
        {"n": 1},
        {"DurableExecutionArn": "arn"},
        {**ENVELOPE, "InitialExecutionState": {"Operations": [{"Id": "no type"}]}},
        {**ENVELOPE, "InitialExecutionState": {"Operations": ["no operation"]}},
    ],
    ids=["nothing", "text", "list", "event", "no token", "no operation's members", "no operation"],
)
def test_what_is_no_envelope_is_told_so(payload: Any) -> None:
    with pytest.raises(ExecutionError, match="Unexpected payload provided to start the durable"):
        open_envelope(payload)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"n":1}', {"n": 1}),
        ("0", 0),
        ("null", None),
        ("", {}),
        ("  ", {}),
        (None, {}),
        ("none", {}),
    ],
    ids=["object", "zero", "null", "empty", "blank", "absent", "no details"],
)
def test_the_input_is_the_executions(text: str | None, value: Any) -> None:
    step = Operation(
        id="step",
        type=OperationType.STEP,
        status=OperationStatus.STARTED,
        start_timestamp=0,
    )

    assert input_of([step, an_execution(text)]) == value


def test_without_an_execution_the_input_is_an_empty_object() -> None:
    assert input_of([]) == {}


ERROR = ErrorObject(error_type="ValueError", error_message="no")


@pytest.mark.parametrize(
    ("answer", "members", "travels"),
    [
        (PENDING, {}, {"Status": "PENDING"}),
        (PENDING, {"is_kept": True}, {"Status": "PENDING", "Kept": True}),
        (PENDING, {"dropped": ["a", "b"]}, {"Status": "PENDING", "Dropped": ["a", "b"]}),
        (
            Answer(InvocationStatus.SUCCEEDED, result=""),
            {},
            {"Status": "SUCCEEDED", "Result": ""},
        ),
        (
            Answer(InvocationStatus.FAILED, error=ERROR),
            {},
            {"Status": "FAILED", "Error": {"ErrorType": "ValueError", "ErrorMessage": "no"}},
        ),
    ],
    ids=["pending", "kept", "dropped", "empty result", "failed"],
)
def test_an_answer_says_no_more_than_there_is(
    answer: Answer, members: dict[str, Any], travels: dict[str, Any]
) -> None:
    assert answer.to_dict(**members) == travels
