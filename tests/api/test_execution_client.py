"""boto3's calls on executions arrive as their shapes, and the answers as boto3 expects them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from perdure.core.errors import (
    CallbackTimedOut,
    ExecutionAlreadyStarted,
    InvalidCheckpointToken,
    Refusal,
    ResourceConflict,
    ResourceNotFound,
    TooManyRequests,
    Unavailable,
)
from perdure.protocol import executions as shapes
from perdure.protocol.callbacks import (
    SendDurableExecutionCallbackFailureRequest,
    SendDurableExecutionCallbackHeartbeatRequest,
    SendDurableExecutionCallbackSuccessRequest,
)
from perdure.protocol.invocations import InvocationType, InvokeRequest, LogType
from perdure.protocol.operations import ErrorObject, OperationUpdate
from perdure.protocol.words import ExecutionStatus, OperationAction, OperationType

from .fakes import AT_MS, CALLBACK_ID, EXECUTION_ARN, TOKEN, Behind

AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
ARN = {"DurableExecutionArn": EXECUTION_ARN}


@pytest.fixture(autouse=True)
def _fresh(behind: Behind) -> None:
    behind.executions.asked.clear()
    behind.executions.failure = None


CASES: list[tuple[str, dict[str, Any], object, int]] = [
    (
        "checkpoint_durable_execution",
        ARN
        | {
            "CheckpointToken": TOKEN,
            "ClientToken": "c",
            "Updates": [
                {
                    "Id": "o",
                    "Type": "STEP",
                    "Action": "SUCCEED",
                    "Payload": "",
                    "Error": {"StackTrace": []},
                }
            ],
        },
        shapes.CheckpointDurableExecutionRequest(
            durable_execution_arn=EXECUTION_ARN,
            checkpoint_token=TOKEN,
            client_token="c",
            updates=(
                OperationUpdate(
                    id="o",
                    type=OperationType.STEP,
                    action=OperationAction.SUCCEED,
                    payload="",
                    error=ErrorObject(stack_trace=()),
                ),
            ),
        ),
        200,
    ),
    (
        "get_durable_execution_state",
        ARN | {"CheckpointToken": TOKEN, "Marker": "m/+ =", "MaxItems": 7},
        shapes.GetDurableExecutionStateRequest(
            durable_execution_arn=EXECUTION_ARN,
            checkpoint_token=TOKEN,
            marker="m/+ =",
            max_items=7,
        ),
        200,
    ),
    (
        "get_durable_execution",
        ARN | {"IncludeExecutionData": False},
        shapes.GetDurableExecutionRequest(
            durable_execution_arn=EXECUTION_ARN, include_execution_data=False
        ),
        200,
    ),
    (
        "get_durable_execution_history",
        ARN | {"IncludeExecutionData": True, "ReverseOrder": True, "MaxItems": 0},
        shapes.GetDurableExecutionHistoryRequest(
            durable_execution_arn=EXECUTION_ARN,
            include_execution_data=True,
            reverse_order=True,
            max_items=0,
        ),
        200,
    ),
    (
        "list_durable_executions_by_function",
        {
            "FunctionName": "f:live",
            "Statuses": ["RUNNING", "PAUSED"],
            "StartedAfter": AT.replace(microsecond=0),
            "StartedBefore": AT.replace(microsecond=0),
            "DurableExecutionName": "n",
        },
        shapes.ListDurableExecutionsByFunctionRequest(
            function_name="f:live",
            statuses=(ExecutionStatus.RUNNING, ExecutionStatus.PAUSED),
            started_after=AT_MS - AT_MS % 1000,
            started_before=AT_MS - AT_MS % 1000,
            durable_execution_name="n",
        ),
        200,
    ),
    (
        "stop_durable_execution",
        ARN | {"Error": {"ErrorType": "T"}},
        shapes.StopDurableExecutionRequest(
            durable_execution_arn=EXECUTION_ARN, error=ErrorObject(error_type="T")
        ),
        200,
    ),
    (
        "stop_durable_execution",
        ARN,
        # botocore writes an empty document for a payload that is not there.
        shapes.StopDurableExecutionRequest(
            durable_execution_arn=EXECUTION_ARN, error=ErrorObject()
        ),
        200,
    ),
    (
        "pause_durable_execution",
        ARN | {"ClientToken": "c", "Reason": "r", "ExecutionTimeoutPaused": False},
        shapes.PauseDurableExecutionRequest(
            durable_execution_arn=EXECUTION_ARN,
            client_token="c",
            reason="r",
            execution_timeout_paused=False,
        ),
        202,
    ),
    (
        "resume_durable_execution",
        ARN | {"ClientToken": "c"},
        shapes.ResumeDurableExecutionRequest(durable_execution_arn=EXECUTION_ARN, client_token="c"),
        202,
    ),
    (
        "delete_durable_execution",
        ARN,
        shapes.DeleteDurableExecutionRequest(durable_execution_arn=EXECUTION_ARN),
        202,
    ),
    (
        "send_durable_execution_callback_success",
        {"CallbackId": CALLBACK_ID, "Result": b'{"status": "approved"}'},
        SendDurableExecutionCallbackSuccessRequest(
            callback_id=CALLBACK_ID, result=b'{"status": "approved"}'
        ),
        200,
    ),
    (
        "send_durable_execution_callback_failure",
        {"CallbackId": CALLBACK_ID, "Error": {"ErrorMessage": "no"}},
        SendDurableExecutionCallbackFailureRequest(
            callback_id=CALLBACK_ID, error=ErrorObject(error_message="no")
        ),
        200,
    ),
    (
        "send_durable_execution_callback_heartbeat",
        {"CallbackId": CALLBACK_ID},
        SendDurableExecutionCallbackHeartbeatRequest(callback_id=CALLBACK_ID),
        200,
    ),
    (
        "invoke",
        {
            "FunctionName": "f",
            "Qualifier": "$LATEST",
            "Payload": b"{}",
            "InvocationType": "Event",
            "LogType": "Tail",
            "ClientContext": "Y29udGV4dA==",
            "DurableExecutionName": "n",
            "TenantId": "t",
        },
        InvokeRequest(
            function_name="f",
            qualifier="$LATEST",
            payload=b"{}",
            invocation_type=InvocationType.EVENT,
            log_type=LogType.TAIL,
            client_context="Y29udGV4dA==",
            durable_execution_name="n",
            tenant_id="t",
        ),
        202,
    ),
]


@pytest.mark.parametrize(("name", "arguments", "request_shape", "status"), CASES)
def test_a_call_arrives_as_its_shape(
    behind: Behind,
    functions: Any,
    name: str,
    arguments: dict[str, Any],
    request_shape: object,
    status: int,
) -> None:
    answer = getattr(functions, name)(**arguments)
    assert behind.executions.asked == [request_shape]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


def test_answers_are_as_boto3_expects_them(functions: Any) -> None:
    answer = functions.checkpoint_durable_execution(**ARN, CheckpointToken=TOKEN)
    assert answer["CheckpointToken"] == TOKEN
    assert answer["NewExecutionState"]["Operations"] == [
        {"Id": "o", "Type": "STEP", "StartTimestamp": AT.astimezone(), "Status": "STARTED"}
    ]
    pages = functions.get_paginator("get_durable_execution_history").paginate(**ARN)
    events = [event for page in pages for event in page["Events"]]
    assert events[0]["ExecutionStartedDetails"] == {
        "Input": {"Payload": "{}", "Truncated": False},
        "ExecutionTimeout": 60,
    }
    assert functions.stop_durable_execution(**ARN)["StopTimestamp"] == AT


@pytest.mark.parametrize("payload", [b'{"a": 1}', b'"fail"'])
def test_an_invocation_is_answered_with_its_payload(functions: Any, payload: bytes) -> None:
    answer = functions.invoke(FunctionName="f", Payload=payload)
    assert answer["StatusCode"] == 200
    assert answer["Payload"].read() == payload
    assert answer["ExecutedVersion"] == "$LATEST"
    assert answer["DurableExecutionArn"] == EXECUTION_ARN
    assert answer["LogResult"] == "bG9n"
    assert ("FunctionError" in answer) == (payload == b'"fail"')


def test_a_dry_run_has_no_content(functions: Any) -> None:
    answer = functions.invoke(FunctionName="f", InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"].read()) == (204, b"")


@pytest.mark.parametrize(
    ("name", "failure", "code", "status"),
    [
        ("get_durable_execution", ResourceNotFound("m"), "ResourceNotFoundException", 404),
        ("pause_durable_execution", ResourceConflict("m"), "ResourceConflictException", 409),
        ("get_durable_execution", TooManyRequests("m"), "TooManyRequestsException", 429),
        ("get_durable_execution", Unavailable("m"), "ServiceException", 503),
        (
            "checkpoint_durable_execution",
            InvalidCheckpointToken("m"),
            "InvalidParameterValueException",
            400,
        ),
        # The model has no such error there: a handler's SDK would not know what to do with it.
        (
            "checkpoint_durable_execution",
            ResourceNotFound("m"),
            "InvalidParameterValueException",
            400,
        ),
        ("checkpoint_durable_execution", Unavailable("m"), "ServiceException", 503),
        ("checkpoint_durable_execution", RuntimeError("secret"), "ServiceException", 503),
        ("get_durable_execution", RuntimeError("secret"), "ServiceException", 500),
    ],
)
def test_a_refusal_is_the_models_error(
    behind: Behind, functions: Any, name: str, failure: Refusal, code: str, status: int
) -> None:
    behind.executions.failure = failure
    token = {"CheckpointToken": TOKEN} if "checkpoint" in name else {}
    with pytest.raises(ClientError) as error:
        getattr(functions, name)(**ARN, **token)
    response = error.value.response
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert "secret" not in str(response)
    retry_after = response["ResponseMetadata"]["HTTPHeaders"].get("retry-after")
    assert retry_after == ("1" if status in (429, 503) else None)


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (ExecutionAlreadyStarted("m"), "DurableExecutionAlreadyStartedException", 409),
        (CallbackTimedOut("m"), "InvalidParameterValueException", 400),
    ],
)
def test_an_invocations_refusal_is_one_of_its_own(
    behind: Behind, functions: Any, failure: Refusal, code: str, status: int
) -> None:
    behind.executions.failure = failure
    with pytest.raises(ClientError) as error:
        functions.invoke(FunctionName="f")
    response = error.value.response
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
