"""The application answers in the model's forms, in time, and never with what is inside."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import botocore.session
import pytest

from perdure.api import ApiSettings, LogCalls, create_app
from perdure.api.errors import ERRORS, error_body
from perdure.core.errors import Unavailable
from perdure.protocol.calls import CALLS

from .fakes import EXECUTION_ARN, TOKEN, Behind, FakeExecutions, Reply, ask

CHECKPOINT = f"/2025-12-01/durable-executions/{EXECUTION_ARN}/checkpoint"
MODEL: Any = botocore.session.get_session().get_service_model("lambda")
OURS = {"AccessDeniedException", "UnknownOperationException"}


@pytest.mark.parametrize("code", sorted(ERRORS.keys() - OURS))
def test_an_error_has_the_models_form(code: str) -> None:
    shape = MODEL.shape_for(code)
    assert ERRORS[code].status == shape.metadata["error"]["httpStatusCode"]
    assert {"Type", ERRORS[code].message_member} <= set(shape.members)
    document = json.loads(error_body(code, "m"))
    assert document[ERRORS[code].message_member] == "m"


def test_every_error_of_every_call_has_a_form() -> None:
    assert {code for call in CALLS for code in call.errors} <= ERRORS.keys()


def test_every_answer_has_its_own_request_id() -> None:
    app = Behind().app()
    ids = {
        ask(app, "GET", path).headers["x-amzn-requestid"]
        for path in ("/healthz", "/2015-03-31/functions", "/nothing", "/2018-10-31/layers")
    }
    assert len(ids) == 4
    assert all(len(request_id) == 36 for request_id in ids)


def test_health_is_answered() -> None:
    reply = ask(Behind().app(), "GET", "/healthz")
    assert (reply.status, json.loads(reply.body)) == (200, {"status": "ok"})


def test_health_says_that_rows_of_the_store_cannot_be_read() -> None:
    """D6: the server goes on without them."""
    behind = Behind(unreadable_rows=2)
    reply = ask(behind.app(), "GET", "/healthz")
    assert (reply.status, json.loads(reply.body)) == (
        200,
        {"status": "damaged", "unreadableRows": 2},
    )


def test_a_node_that_drains_is_alive_and_not_ready() -> None:
    behind = Behind()
    app = behind.app()
    ready = ask(app, "GET", "/readyz")
    behind.is_ready = False
    draining = ask(app, "GET", "/readyz")
    assert [
        (ready.status, json.loads(ready.body)),
        (draining.status, json.loads(draining.body)),
    ] == [
        (200, {"status": "ready"}),
        (503, {"status": "draining"}),
    ]
    assert ask(app, "GET", "/healthz").status == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/2015-03-31/nothing", "*", "/code/f.zip"])
def test_what_nobody_knows_is_said_in_json(path: str) -> None:
    reply = ask(Behind().app(), "GET", path)
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-amzn-errortype"] in (
        "UnknownOperationException",
        "ResourceNotFoundException",
    )


def test_other_paths_go_to_the_fallback() -> None:
    async def console(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async def no_code(code_sha256: str) -> bytes | None:
        return None

    behind = Behind()
    logs = LogCalls(behind.logs, region="r", account_id="a")
    handlers = (_Everything(), logs)
    app = create_app(handlers, ApiSettings(), read_code=no_code, fallback=console)
    assert ask(app, "GET", "/console").body == b"/console"
    assert ask(app, "GET", "/console", headers={"Host": "evil.test"}).status == 403
    assert ask(app, "GET", "/2099-01-01/unknown").status == 404


class _Everything:
    """Has a method for every call."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        async def method(request: object) -> None:
            return None

        return method


def test_a_missing_handler_is_noticed_at_the_start() -> None:
    async def no_code(code_sha256: str) -> bytes | None:
        return None

    logs = LogCalls(Behind().logs, region="r", account_id="a")
    with pytest.raises(LookupError, match="no handler has a method create_function"):
        create_app([FakeExecutions(), logs], ApiSettings(), read_code=no_code)


def test_a_slow_checkpoint_is_told_to_try_again() -> None:
    behind = Behind()
    behind.executions.wait = lambda: asyncio.sleep(30)
    body = json.dumps({"CheckpointToken": TOKEN}).encode()
    reply = ask(behind.app(checkpoint_seconds_max=0.01), "POST", CHECKPOINT, body=body)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert json.loads(reply.body)["Type"] == "Service"


def test_the_body_does_not_say_what_the_path_says() -> None:
    behind = Behind()
    body = {"CheckpointToken": TOKEN, "DurableExecutionArn": "arn:other"}
    reply = ask(behind.app(), "POST", CHECKPOINT, body=json.dumps(body).encode())
    assert reply.status == 200
    assert behind.executions.asked[0].durable_execution_arn == EXECUTION_ARN


def test_of_a_repeated_key_the_last_counts() -> None:
    behind = Behind()
    body = b'{"CheckpointToken": "YQ==", "CheckpointToken": "Yg=="}'
    assert ask(behind.app(), "POST", CHECKPOINT, body=body).status == 200
    assert behind.executions.asked[0].checkpoint_token == "Yg=="


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("MaxItems=x", "MaxItems must be a whole number (value: 'x')"),
        ("MaxItems=1001", "MaxItems is above the limit, 1,000 (value: 1001)"),
        ("MaxItems=", "MaxItems must be a whole number (value: '')"),
        ("ReverseOrder=maybe", "ReverseOrder must be true or false (value: 'maybe')"),
        ("Statuses=NONE", "Statuses[0] must be one of RUNNING"),
        ("StartedAfter=tomorrow", "StartedAfter must be epoch seconds (value: 'tomorrow')"),
        ("StartedAfter=-1", "StartedAfter must be epoch seconds"),
        ("DurableExecutionName=%00", "DurableExecutionName does not match"),
        ("Marker=%ff", "the query cannot be read"),
        ("&".join(["a=b"] * 1_001), "the query cannot be read"),
    ],
)
def test_a_bad_query_is_named(query: str, problem: str) -> None:
    path = "/2025-12-01/functions/f/durable-executions"
    reply = ask(Behind().app(), "GET", path, query=query)
    assert reply.status == 400
    assert json.loads(reply.body)["message"].startswith(problem)


@pytest.mark.parametrize(
    ("query", "instant"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000_000),
        ("2023-11-14T23:13:20.5%2B01:00", 1_700_000_000_500),
        ("1700000000", 1_700_000_000_000),
        ("1700000000.125", 1_700_000_000_125),
    ],
)
def test_an_instant_is_written_in_several_ways(query: str, instant: int) -> None:
    behind = Behind()
    path = "/2025-12-01/functions/f/durable-executions"
    assert ask(behind.app(), "GET", path, query=f"StartedAfter={query}").status == 200
    assert behind.executions.asked[0].started_after == instant


def test_logs_need_a_known_target() -> None:
    app = Behind().app()

    def post(target: str, method: str = "POST") -> Reply:
        return ask(app, method, "/", body=b"{}", headers={"X-Amz-Target": target})

    assert post("Logs_20140328.DescribeLogGroups").status == 200
    for target in ("Logs_20140328.StartQuery", "DynamoDB_20120810.ListTables", ""):
        reply = post(target)
        assert json.loads(reply.body)["__type"] == "UnknownOperationException"
    assert post("Logs_20140328.DescribeLogGroups", "PUT").status == 400


def test_faults_in_logs_say_nothing() -> None:
    behind = Behind()

    async def fail(prefix: str = "") -> Any:
        raise RuntimeError("secret")

    behind.logs.groups = fail  # type: ignore[method-assign]
    headers = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}
    reply = ask(behind.app(), "POST", "/", headers=headers)
    assert reply.status == 500
    assert b"secret" not in reply.body


def test_logs_that_cannot_be_read_now_are_503() -> None:
    behind = Behind()

    async def fail(prefix: str = "") -> Any:
        raise Unavailable("not now")

    behind.logs.groups = fail  # type: ignore[method-assign]
    headers = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}
    assert ask(behind.app(), "POST", "/", headers=headers).status == 503


def test_the_lifespan_is_entered_and_left() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        seen.append("begin")
        yield
        seen.append("end")

    assert _live(lifespan) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert seen == ["begin", "end"]


def test_a_server_that_cannot_start_says_so() -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        raise RuntimeError("no disk")
        yield

    with pytest.raises(RuntimeError, match="no disk"):
        _live(lifespan)


def _live(lifespan: Any) -> list[str]:
    async def no_code(code_sha256: str) -> bytes | None:
        return None

    logs = LogCalls(Behind().logs, region="r", account_id="a")
    app = create_app((_Everything(), logs), ApiSettings(), read_code=no_code, lifespan=lifespan)
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    return sent


def test_web_sockets_are_closed() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(Behind().app()({"type": "websocket"}, receive, send))
    assert sent == ["websocket.close"]
