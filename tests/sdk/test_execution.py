"""``durable_execution``: what it makes of a function, and which service that then speaks to."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.stub import Stubber

from perdure import AsyncDurableContext, DurableContext, DurableFunction, durable_execution
from perdure.sdk import execution, parking
from perdure.sdk.boto import BotoClient
from perdure.sdk.exceptions import ExecutionError
from perdure.sdk.http import HttpClient
from tests.sdk.test_boto import aws  # noqa: F401 - a fixture

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/order-1/abc"
ENVELOPE = {
    "DurableExecutionArn": ARN,
    "CheckpointToken": "token-0",
    "InitialExecutionState": {
        "Operations": [
            {
                "Id": "execution",
                "Type": "EXECUTION",
                "Status": "STARTED",
                "StartTimestamp": 1_700_000_000_000,
                "ExecutionDetails": {"InputPayload": '{"n": 1}'},
            }
        ]
    },
}
ENDPOINTS = ("AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL")
LAMBDA_CONTEXT: Any = None


class Checkpoints(BaseHTTPRequestHandler):
    """A service that takes every checkpoint, and notes what it was sent."""

    protocol_version = "HTTP/1.1"
    bodies: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        """Answer with the next token."""
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        answer = json.dumps({"CheckpointToken": f"token-{len(self.bodies)}"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The URL of a service that takes every checkpoint."""
    Checkpoints.bodies = []
    with HTTPServer(("127.0.0.1", 0), Checkpoints) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        for client in execution._clients.values():
            client.close()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment that names no service and keeps no handler."""
    monkeypatch.setattr(execution, "_clients", {})
    monkeypatch.setattr(parking, "_process", [])
    for name in (*ENDPOINTS, "PERDURE_KEEP_HANDLERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    return monkeypatch


def double(event: Any, context: DurableContext) -> int:
    """Return twice the number."""
    return context.step(lambda _: event["n"] * 2)


async def double_later(event: Any, context: AsyncDurableContext) -> int:
    return await context.step(lambda _: event["n"] * 2)


@pytest.mark.parametrize("function", [double, double_later], ids=["sync", "async"])
@pytest.mark.parametrize("places", ["", "2", "none"], ids=["replayed", "kept", "not a number"])
def test_lambda_s_runtime_calls_it_with_an_envelope(
    function: Any, places: str, endpoint: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("AWS_ENDPOINT_URL_LAMBDA", endpoint)
    environment.setenv("PERDURE_KEEP_HANDLERS", places)

    answer = durable_execution(function)(ENVELOPE, LAMBDA_CONTEXT)

    assert answer == {"Status": "SUCCEEDED", "Result": "2"}
    (sent,) = Checkpoints.bodies
    assert sent["CheckpointToken"] == "token-0"
    assert [update["Action"] for update in sent["Updates"]] == ["START", "SUCCEED"]


def test_a_client_that_is_given_is_used(aws: Any) -> None:  # noqa: F811
    stub = Stubber(aws)
    stub.add_response(
        "checkpoint_durable_execution", {"CheckpointToken": "next", "NewExecutionState": {}}
    )

    with stub:
        answer = durable_execution(double, boto3_client=aws)(ENVELOPE, LAMBDA_CONTEXT)

    assert answer == {"Status": "SUCCEEDED", "Result": "2"}
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({}, BotoClient),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, HttpClient),
        ({"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9"}, HttpClient),
        ({"AWS_ENDPOINT_URL": "https://lambda.us-east-1.amazonaws.com"}, BotoClient),
        ({"AWS_ENDPOINT_URL": "https://lambda.cn-north-1.amazonaws.com.cn"}, BotoClient),
        ({"AWS_ENDPOINT_URL": "https://amazonaws.com.example.org"}, HttpClient),
        (
            {
                "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
                "AWS_ENDPOINT_URL": "https://lambda.us-east-1.amazonaws.com",
            },
            HttpClient,
        ),
    ],
    ids=["none", "any", "lambda", "AWS", "AWS in China", "not AWS", "lambda's before any"],
)
def test_the_service_is_where_the_environment_says(
    variables: dict[str, str], kind: type, environment: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)

    client = execution._client(None)

    assert type(client) is kind
    assert execution._client(None) is client


def test_what_is_no_envelope_is_refused(endpoint: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ENDPOINT_URL", endpoint)

    with pytest.raises(ExecutionError, match="Unexpected payload"):
        durable_execution(double)({"n": 1}, LAMBDA_CONTEXT)


def test_the_function_is_recognised_in_its_wrapper() -> None:
    made = durable_execution(double)

    assert isinstance(made, DurableFunction)
    assert (made.__name__, made.__doc__) == ("double", "Return twice the number.")
    assert made.__wrapped__ is double  # pyright: ignore[reportAttributeAccessIssue]
    assert not made.is_async
    assert durable_execution(double_later).is_async


def test_it_decorates_with_and_without_options(aws: Any) -> None:  # noqa: F811
    @durable_execution
    def plain(event: Any, context: DurableContext) -> None: ...

    @durable_execution()
    def called(event: Any, context: DurableContext) -> None: ...

    @durable_execution(boto3_client=aws, plugins=[])
    def with_options(event: Any, context: DurableContext) -> None: ...

    assert [made.function.__name__ for made in (plain, called, with_options)] == [
        "plain",
        "called",
        "with_options",
    ]
