"""The service on AWS, through boto3: what it is asked, and what its answers come to."""

import datetime
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from perdure.protocol.operations import Operation, OperationUpdate, StepDetails
from perdure.protocol.words import OperationAction, OperationStatus, OperationType
from perdure.sdk.boto import BotoClient
from perdure.sdk.client import Progress
from perdure.sdk.service_errors import CheckpointError

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/order-1/" + "e" * 32
AT = datetime.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=datetime.UTC)
AT_MS = round(AT.timestamp() * 1000)
STEP_ON_AWS = {
    "Id": "step",
    "Type": "STEP",
    "StartTimestamp": AT,
    "Status": "PENDING",
    "StepDetails": {"Attempt": 1, "NextAttemptTimestamp": AT},
}
STEP = Operation(
    id="step",
    type=OperationType.STEP,
    start_timestamp=AT_MS,
    status=OperationStatus.PENDING,
    step_details=StepDetails(attempt=1, next_attempt_timestamp=AT_MS),
)
START = OperationUpdate(id="step", type=OperationType.STEP, action=OperationAction.START)


@pytest.fixture
def aws() -> Any:
    """A client for Lambda that sends nothing."""
    return boto3.client(
        "lambda",
        region_name="us-east-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
    )


@pytest.fixture
def stub(aws: Any) -> Iterator[Stubber]:
    """What ``aws`` answers; everything that was prepared has to be asked for."""
    with Stubber(aws) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_checkpoint_is_sent_and_its_answer_read(aws: Any, stub: Stubber) -> None:
    stub.add_response(
        "checkpoint_durable_execution",
        {
            "CheckpointToken": "token-2",
            "NewExecutionState": {"Operations": [STEP_ON_AWS], "NextMarker": "more"},
        },
        {
            "DurableExecutionArn": ARN,
            "CheckpointToken": "token-1",
            "Updates": [{"Id": "step", "Type": "STEP", "Action": "START"}],
            "ClientToken": "once",
        },
    )

    progress = BotoClient(aws).checkpoint(ARN, "token-1", [START], "once")

    assert progress == Progress("token-2", [STEP], "more")


def test_an_answer_without_a_token_or_a_state_has_neither(aws: Any, stub: Stubber) -> None:
    stub.add_response("checkpoint_durable_execution", {"NewExecutionState": {}})

    assert BotoClient(aws).checkpoint(ARN, "token-1", [], "once") == Progress(None, [], None)


@pytest.mark.parametrize("marker", [None, "more"], ids=["the first", "another"])
def test_a_page_of_the_state_is_read(aws: Any, stub: Stubber, marker: str | None) -> None:
    asked = {"DurableExecutionArn": ARN, "CheckpointToken": "token-1", "MaxItems": 1000}
    stub.add_response(
        "get_durable_execution_state",
        {"Operations": [STEP_ON_AWS]},
        asked | ({"Marker": marker} if marker else {}),
    )

    progress = BotoClient(aws).read_state(ARN, "token-1", marker)

    assert progress == Progress(None, [STEP], None)


def test_a_refusal_says_what_aws_says(aws: Any, stub: Stubber) -> None:
    stub.add_client_error(
        "checkpoint_durable_execution",
        "InvalidParameterValueException",
        "Invalid checkpoint token",
        http_status_code=400,
    )

    with pytest.raises(ClientError) as raised:
        BotoClient(aws).checkpoint(ARN, "token-1", [START], "once")
    error = CheckpointError.from_exception(raised.value)
    # A token that is out of date is the one refusal that another invocation may mend.
    assert error.is_retryable()
    assert error.error == {
        "Code": "InvalidParameterValueException",
        "Message": "Invalid checkpoint token",
    }


def test_without_a_client_one_is_made_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")

    made: Any = BotoClient()._client

    assert made.meta.region_name == "eu-west-1"
    assert made.meta.config.connect_timeout == 5
    assert made.meta.config.read_timeout == 50
    assert "perdure-sdk-python" in made.meta.config.user_agent
