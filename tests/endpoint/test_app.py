"""The endpoint as an ASGI application, asked without a server."""

import asyncio
import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from perdure.endpoint import EndpointApp
from perdure.protocol.endpoint_signatures import SignedRequest, function_key, sign

PATH = "/2015-03-31/functions/function/invocations"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders:live"
KEY = function_key(b"k" * 32, "orders")
TOLD = {
    "Lambda-Runtime-Aws-Request-Id": "r-1",
    "Lambda-Runtime-Invoked-Function-Arn": ARN,
    "Lambda-Runtime-Deadline-Ms": str(1 << 60),
    "X-Perdure-Function-Version": "7",
}


def ask(
    app: EndpointApp,
    *,
    method: str = "POST",
    path: str = PATH,
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Return the answer to one request."""

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.request(method, path, content=body, headers=headers or {})

    return asyncio.run(call())


def echo(event: Any, _context: Any) -> Any:
    """Return the event."""
    return event


def test_it_answers_as_the_emulator_does() -> None:
    answer = ask(EndpointApp(echo), body=b'{"n": "\xc3\xa4"}')
    assert (answer.status_code, answer.json()) == (200, {"n": "ä"})
    assert answer.headers["x-amz-executed-version"] == "$LATEST"
    assert len(answer.headers["x-amzn-requestid"]) == 36
    assert "x-amz-function-error" not in answer.headers
    assert "x-amz-log-result" not in answer.headers


def test_the_handler_is_told_of_its_run() -> None:
    def handler(_event: Any, context: Any) -> dict[str, Any]:
        return {
            "request": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "name": context.function_name,
            "version": context.function_version,
            "tenant": context.tenant_id,
            "custom": context.client_context.custom,
            "has time": context.get_remaining_time_in_millis() > 1_000_000,
        }

    client_context = base64.b64encode(b'{"custom":{"k":"v"}}').decode()
    headers = {
        **TOLD,
        "Lambda-Runtime-Aws-Tenant-Id": "t",
        "X-Amz-Client-Context": client_context,
    }
    answer = ask(EndpointApp(handler), headers=headers)
    assert answer.json() == {
        "request": "r-1",
        "arn": ARN,
        "name": "orders",
        "version": "7",
        "tenant": "t",
        "custom": {"k": "v"},
        "has time": True,
    }
    assert answer.headers["x-amz-executed-version"] == "7"


def test_a_run_that_names_no_deadline_has_five_minutes() -> None:
    def handler(_event: Any, context: Any) -> int:
        return context.get_remaining_time_in_millis()

    assert 290_000 < ask(EndpointApp(handler)).json() <= 300_000


def raising(error: BaseException) -> Callable[..., Any]:
    """Return a handler that raises."""

    def handler(_event: Any, _context: Any) -> Any:
        raise error

    return handler


@pytest.mark.parametrize(
    ("handler", "body", "error_type", "message"),
    [
        (raising(ValueError("no")), b"{}", "ValueError", "no"),
        (raising(SystemExit(3)), b"{}", "Runtime.ExitError", "the handler raised SystemExit: 3"),
        (raising(KeyboardInterrupt()), b"{}", "Runtime.ExitError", "raised KeyboardInterrupt"),
        (lambda e, c: object(), b"{}", "Runtime.MarshalError", "Unable to marshal response"),
        (echo, b"{", "Runtime.UnmarshalError", "Unable to unmarshal input"),
        (echo, b"", "Runtime.UnmarshalError", "Unable to unmarshal input"),
        (
            lambda e, c: "x" * 6_291_600,
            b"{}",
            "Function.ResponseSizeTooLarge",
            "(6291602 bytes) exceeded",
        ),
    ],
    ids=["raises", "exits", "interrupts", "no JSON out", "no JSON in", "nothing in", "too large"],
)
def test_what_a_handler_may_do_wrong(
    handler: Callable[..., Any], body: bytes, error_type: str, message: str
) -> None:
    answer = ask(EndpointApp(handler), body=body, headers=TOLD)
    assert answer.status_code == 200
    assert answer.headers["x-amz-function-error"] == "Unhandled"
    document = answer.json()
    assert (document["errorType"], document["requestId"]) == (error_type, "r-1")
    assert message in document["errorMessage"]


def test_a_stack_trace_has_the_users_frames_alone() -> None:
    trace = ask(EndpointApp(raising(ValueError("no")))).json()["stackTrace"]
    assert len(trace) == 1
    assert 'test_app.py", line' in trace[0]


def test_bytes_are_answered_as_they_are() -> None:
    answer = ask(EndpointApp(lambda e, c: b'"raw"'))
    assert (answer.content, answer.headers["content-type"]) == (b'"raw"', "application/unknown")


def signed(body: bytes, key: str = KEY, **changes: Any) -> dict[str, str]:
    """Return the headers of a request that ``key`` signed."""
    settings: dict[str, Any] = {
        "method": "POST",
        "target": PATH,
        "timestamp": str(time.time_ns() // 1_000_000_000),
        "request_id": "r-1",
        "body": body,
    }
    request = SignedRequest(**(settings | changes))
    return {
        **TOLD,
        "X-Perdure-Timestamp": request.timestamp,
        "X-Perdure-Signature": sign(key, request),
    }


def test_what_the_service_signed_is_taken() -> None:
    app = EndpointApp(echo, keys=["0" * 64, KEY])
    assert ask(app, body=b"1", headers=signed(b"1")).json() == 1
    target = f"{PATH}?a=%2F"
    headers = signed(b"1", target=target)
    assert ask(app, path=target, body=b"1", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "the request is not signed"),
        (signed(b"1", key="1" * 64), "does not fit"),
        (signed(b"2"), "does not fit"),
        (signed(b"1", target="/"), "does not fit"),
        (signed(b"1", timestamp="1700000000"), "the limit is 300 seconds apart"),
        (signed(b"1") | {"Lambda-Runtime-Aws-Request-Id": "r-2"}, "does not fit"),
    ],
    ids=["unsigned", "another key", "another body", "another path", "old", "another request"],
)
def test_what_it_did_not_sign_reaches_no_handler(headers: dict[str, str], message: str) -> None:
    reached: list[Any] = []
    app = EndpointApp(lambda event, context: reached.append(event), keys=[KEY])
    answer = ask(app, body=b"1", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["errorType"] == "InvalidSignatureException"
    assert message in answer.json()["errorMessage"]
    assert reached == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("POST", "/healthz", 404),
        ("GET", "/", 404),
        ("GET", PATH, 405),
        ("POST", f"{PATH}/", 404),
        ("POST", "/2015-03-31/functions/orders/invocations", 200),
        ("POST", "/2015-03-31/functions/a/b/invocations", 404),
        ("POST", "/x/2015-03-31/functions/function/invocations", 404),
    ],
)
def test_where_it_answers(method: str, path: str, status: int) -> None:
    assert ask(EndpointApp(echo), method=method, path=path).status_code == status


def test_health_needs_no_signature() -> None:
    answer = ask(EndpointApp(echo, keys=[KEY]), method="GET", path="/healthz")
    assert answer.json() == {"status": "ok", "running": 0}


def test_an_invocation_without_end_is_refused() -> None:
    body = b'"' + b"x" * 16_777_216 + b'"'
    answer = ask(EndpointApp(echo), body=body)
    assert (answer.status_code, answer.json()["errorType"]) == (413, "RequestTooLargeException")


def test_more_than_may_run_at_once_are_turned_away() -> None:
    gate = threading.Event()
    entered = threading.Semaphore(0)

    def handler(event: Any, context: Any) -> str:
        entered.release()
        gate.wait(20)
        return context.aws_request_id

    async def story() -> tuple[list[httpx.Response], list[httpx.Response]]:
        app = EndpointApp(handler, concurrency=3)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:

            def post(number: int) -> Any:
                headers = {"Lambda-Runtime-Aws-Request-Id": f"r-{number}"}
                return client.post(PATH, content=b"{}", headers=headers)

            running = [asyncio.ensure_future(post(number)) for number in range(3)]
            for _ in running:
                await asyncio.to_thread(entered.acquire)
            refused = [await post(9), await post(9)]
            assert app.running == 3
            gate.set()
            answers = await asyncio.gather(*running)
            assert app.running == 0
            return list(answers), refused

    answers, refused = asyncio.run(story())
    assert [answer.json() for answer in answers] == ["r-0", "r-1", "r-2"]
    assert [answer.status_code for answer in refused] == [429, 429]
    assert refused[0].headers["retry-after"] == "1"


def test_it_lives_as_an_asgi_application_does() -> None:
    said: list[str] = []
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, Any]:
        return {"type": next(events)}

    async def send(message: dict[str, Any]) -> None:
        said.append(message["type"])

    asyncio.run(EndpointApp(echo)({"type": "lifespan"}, receive, send))
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_caller_that_hangs_up_in_its_body_reaches_no_handler() -> None:
    sent: list[dict[str, Any]] = []
    parts = iter(
        [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, Any]:
        return next(parts)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    reached: list[Any] = []
    app = EndpointApp(lambda event, context: reached.append(event))
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": []}
    asyncio.run(app(scope, receive, send))
    assert (reached, app.running) == ([], 0)
