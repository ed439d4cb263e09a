"""The cloud runner: the same results, of functions that run on a server."""

import datetime
import http.server
import io
import threading
from typing import Any

import pytest

from perdure.lambda_service import ErrorObject, InvocationStatus, OperationStatus
from perdure.protocol.words import EventType, ExecutionStatus
from perdure.testing import DurableFunctionCloudTestRunner, DurableFunctionsTestError
from perdure.testing.exceptions import (
    AwsApiException,
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from perdure.testing.lambda_api import BotoApi, HttpApi, is_awss
from perdure.testing.trials import watching
from tests.service.deployment import deploy
from tests.serving import ServerProcess, client

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

SOURCE = """
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration

@durable_execution
def handler(event, context):
    greeting = context.step(lambda _: f"hello {event['name']}", name="greet")
    context.wait(Duration.from_seconds(1), name="rest")
    if event["name"] == "nobody":
        raise LookupError("nobody is there")
    if event["name"] != "Ada":
        return greeting
    first = context.create_callback(name="first").result()
    second = context.wait_for_callback(lambda _, __: None, name="second")
    return [greeting, first, second]
"""
PLAIN = """
def handler(event, context):
    return event
"""


@pytest.fixture(scope="module")
def api(shared_server: ServerProcess) -> Any:
    """A Lambda client of the shared server, with two functions."""
    api = client("lambda", shared_server.url)
    deploy(api, "cloud-greeter", SOURCE)
    deploy(api, "cloud-plain", PLAIN, is_durable=False)
    return api


@pytest.fixture(params=["http", "boto"])
def make(request: pytest.FixtureRequest, shared_server: ServerProcess, api: Any) -> Any:
    """Make a runner, by each way to the server."""

    def make(function: str = "cloud-greeter:$LATEST") -> DurableFunctionCloudTestRunner:
        way = (
            {"lambda_endpoint": shared_server.url}
            if request.param == "http"
            else {"lambda_client": api}
        )
        return DurableFunctionCloudTestRunner(
            function, region="us-east-1", poll_interval=0.02, **way
        )

    return make


def test_a_function_is_run_to_its_end(make: Any) -> None:
    with make() as runner:
        result = runner.run({"name": "Bob"})

    assert result.status is InvocationStatus.SUCCEEDED
    assert result.value == "hello Bob"
    assert result.get_step("greet").value == "hello Bob"
    wait = result.get_wait("rest")
    assert wait.status is OperationStatus.SUCCEEDED
    assert wait.duration >= datetime.timedelta(seconds=1)
    assert len(result.invocations) == 2
    assert result.tree().startswith(f"{result.execution_name}  SUCCEEDED  2 invocations")


def test_a_failure_is_told(make: Any) -> None:
    result = make().run({"name": "nobody"}, timeout=30)

    assert result.execution_status is ExecutionStatus.FAILED
    assert result.error.message == "nobody is there"


def test_callbacks_are_answered(make: Any) -> None:
    with watching() as seen:
        runner = make()
        arn = runner.run_async({"name": "Ada"})
        first = runner.wait_for_callback(arn)
        runner.send_callback_heartbeat(first)
        runner.send_callback_success(first, b"one")
        second = runner.wait_for_callback(arn, name="second")
        runner.send_callback_success(second, {"two": 2})
        result = runner.wait_for_result(arn)

    assert result.value == ["hello Ada", "one", '{"two": 2}']
    assert result.get_callback("first").result == "one"
    assert result.get_context("second").children[0].callback_id == second
    assert [tree for trees in seen for tree in trees()] == [result.tree()]
    with pytest.raises(DurableFunctionsTestError, match=r"with no callback\n.*SUCCEEDED"):
        runner.wait_for_callback(arn)
    with pytest.raises(AwsApiException):
        runner.send_callback_success(first, b"other")
    with pytest.raises(AwsApiException):
        runner.send_callback_heartbeat(first)


def test_a_callback_fails(make: Any) -> None:
    runner = make()
    arn = runner.run_async({"name": "Ada"})
    runner.send_callback_failure(
        runner.wait_for_callback(arn, "first"), ErrorObject("no", "Refused", None, None)
    )
    assert runner.wait_for_result(arn).error.message == "no"


def test_a_callback_may_fail_without_a_word(make: Any) -> None:
    runner = make()
    arn = runner.run_async({"name": "Ada"})
    runner.send_callback_failure(runner.wait_for_callback(arn, "first"))
    assert runner.wait_for_result(arn).execution_status is ExecutionStatus.FAILED


def test_an_answer_may_be_nothing(make: Any) -> None:
    runner = make()
    arn = runner.run_async({"name": "Ada"})
    for name in ("first", "second"):
        runner.send_callback_success(runner.wait_for_callback(arn, name))
    assert runner.wait_for_result(arn).value[0] == "hello Ada"


def test_an_execution_is_paused_resumed_and_stopped(make: Any) -> None:
    runner = make()
    arn = runner.run_async({"name": "Ada"})
    runner.wait_for_callback(arn)
    runner.pause_execution(arn)
    assert runner.get_result(arn).execution_status is ExecutionStatus.PAUSED
    assert runner.get_result(arn).status is InvocationStatus.PENDING
    runner.resume_execution(arn)
    runner.stop_execution(arn, ErrorObject("enough", None, None, None))
    assert runner.wait_for_result(arn).error.message == "enough"
    history = runner.get_execution_history(arn)
    assert history.events[-1].event_type is EventType.EXECUTION_STOPPED
    assert history.events[-1].details.error.truncated is True


def test_what_takes_too_long_is_drawn(make: Any) -> None:
    runner = make()
    arn = runner.run_async({"name": "Ada"})
    runner.wait_for_callback(arn)
    with pytest.raises(TimeoutError, match=r"did not end within 0 s\n[\s\S]*Callback first"):
        runner.wait_for_result(arn, timeout=0)
    runner.stop_execution(arn)


def test_what_is_not_durable_is_told_so(make: Any) -> None:
    with pytest.raises(DurableFunctionsTestError, match="cloud-plain is not durable"):
        make("cloud-plain").run("x")


def test_what_is_not_there_is_told_so(make: Any) -> None:
    runner = make("cloud-nothing")
    with pytest.raises(ResourceNotFoundException, match="cloud-nothing"):
        runner.run()
    with pytest.raises(InvalidParameterValueException):
        runner.get_result("arn:aws:lambda:us-east-1:000000000000:nothing")


class _Refusing:
    """A boto3 client that fails as told."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_durable_execution(self, **_: Any) -> Any:
        raise self.error

    def invoke(self, **_: Any) -> Any:
        return {"Payload": io.BytesIO(b"{}")}


def test_other_failures_are_passed_on() -> None:
    runner = DurableFunctionCloudTestRunner("f", lambda_client=_Refusing(OSError("no net")))
    with pytest.raises(OSError, match="no net"):
        runner.get_result("arn")
    with pytest.raises(DurableFunctionsTestError):
        runner.run()


def test_an_execution_may_be_seen_a_moment_later() -> None:
    class Late(_Refusing):
        """Shows the execution at the second look."""

        looks = 0

        def get_durable_execution(self, **_: Any) -> Any:
            self.looks += 1
            if self.looks == 1:
                raise self.error
            return {"Status": "SUCCEEDED", "Result": "1"}

        def get_durable_execution_history(self, **_: Any) -> Any:
            return {"Events": []}

    missing = Exception("not yet")
    missing.response = {"Error": {"Code": "ResourceNotFoundException"}}  # type: ignore[attr-defined]
    runner = DurableFunctionCloudTestRunner("f", poll_interval=0.01, lambda_client=Late(missing))
    assert runner.wait_for_result("arn").value == 1


def test_an_error_may_come_without_a_reason() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers as a proxy does whose server is away; keeps what it was asked."""

        asked: list[tuple[str, bytes]] = []

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self.asked.append((self.path, self.rfile.read(length)))
            self.send_response(502)
            self.end_headers()
            self.wfile.write(b"<html>Bad Gateway</html>")

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        api = HttpApi(f"http://127.0.0.1:{server.server_port}/")
        with pytest.raises(AwsApiException, match="502"):
            api.call("PauseDurableExecution", DurableExecutionArn="a/b", Reason="lunch")
        thread.join()
    ((path, body),) = Handler.asked
    assert path.startswith("/2025-12-01/durable-executions/a%2Fb/")
    assert b"lunch" in body


def test_the_way_follows_from_the_endpoint() -> None:
    local = DurableFunctionCloudTestRunner("f", lambda_endpoint="http://127.0.0.1:1")
    assert isinstance(local._api, HttpApi)
    assert isinstance(DurableFunctionCloudTestRunner("f")._api, BotoApi)
    assert is_awss("https://lambda.us-east-1.amazonaws.com")
    assert not is_awss("https://amazonaws.com.example.org")
