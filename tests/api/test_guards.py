"""Only known hosts are answered, and no page of another site (SR-15, SR-16, SR-17)."""

import json

import pytest

from perdure.api import OwnPages

from .fakes import EXECUTION_ARN, TOKEN, Behind, ask

INVOKE = "/2015-03-31/functions/f/invocations"
CHECKPOINT = f"/2025-12-01/durable-executions/{EXECUTION_ARN}/checkpoint"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:9070", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:9070", 200),
        ("[::1]", 200),
        ("[::1]:9070", 200),
        ("perdure.internal", 200),
        ("perdure.internal:80", 200),
        ("exact.internal:81", 200),
        ("exact.internal:82", 403),
        ("", 403),
        ("evil.test", 403),
        ("evil.test:9070", 403),
        ("localhost.evil.test", 403),
        ("evil.test#localhost", 403),
        ("localhost:9070:1", 403),
        ("localhost:x", 403),
        ("127.0.0.1.evil.test", 403),
        ("::1", 403),
    ],
)
def test_only_known_hosts_are_answered(host: str, status: int) -> None:
    app = Behind().app(allowed_hosts=("perdure.internal", "exact.internal:81"))
    for path in ("/healthz", INVOKE):
        method = "GET" if path == "/healthz" else "POST"
        assert ask(app, method, path, headers={"Host": host}).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Type": "application/octet-stream"}, 200),
        ({"Content-Type": "application/x-amz-json-1.0"}, 200),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "Text/Plain;charset=UTF-8"}, 403),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 403),
        ({"Content-Type": "application/xml"}, 415),
        ({"Content-Type": "application/jsonx"}, 415),
        ({"Origin": "http://localhost:9070"}, 200),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str], status: int) -> None:
    behind = Behind()
    reply = ask(behind.app(), "POST", INVOKE, body=b"{}", headers=headers)
    assert reply.status == status
    assert len(behind.executions.asked) == (status == 200)
    assert not any(name.startswith("access-control") for name in reply.headers)


def test_a_link_from_elsewhere_may_be_read_without_credentials() -> None:
    app = Behind().app()
    cross_site = {"Sec-Fetch-Site": "cross-site"}
    assert ask(app, "GET", "/healthz", headers=cross_site).status == 200
    for name in ("Authorization", "Cookie"):
        assert ask(app, "GET", "/healthz", headers={**cross_site, name: "x"}).status == 403


def test_a_preflight_is_refused() -> None:
    headers = {
        "Origin": "http://evil.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
    }
    for origin in (headers, {"Access-Control-Request-Method": "POST"}):
        reply = ask(Behind().app(), "OPTIONS", INVOKE, headers=origin)
        assert reply.status in (403, 404)
        assert not any(name.startswith("access-control") for name in reply.headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(f"X-{number}", "v") for number in range(99)], 200),
        ([(f"X-{number}", "v") for number in range(100)], 413),
        ([("X", "v")] * 100, 413),
        ([("X", "v" * 32_000)], 200),
        ([("X", "v" * 33_000)], 413),
        ([("X", "v" * 17_000), ("X", "v" * 17_000)], 413),
        ([("Host", "localhost"), ("Host", "localhost")], 400),
        ([("Content-Length", "2"), ("Content-Length", "3")], 400),
        ([("Content-Type", "application/json"), ("Content-Type", "text/plain")], 400),
    ],
)
def test_heads_are_bounded_and_unambiguous(headers: list[tuple[str, str]], status: int) -> None:
    assert ask(Behind().app(), "GET", "/healthz", headers=headers).status == status


def test_targets_are_bounded() -> None:
    app = Behind().app()
    assert ask(app, "GET", "/healthz", query="x" * 16_384).status == 413
    assert ask(app, "GET", "/2015-03-31/functions/" + "f" * 17_000).status == 413


@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize(
    ("path", "limit"),
    [
        (INVOKE, 6_291_456),
        (CHECKPOINT, 16 * 1024 * 1024),
        (CHECKPOINT.replace("checkpoint", "stop"), 1_048_576),
        ("/2015-03-31/functions", 70_167_211),
    ],
)
def test_bodies_are_bounded_by_route(path: str, limit: int, *, is_declared: bool) -> None:
    behind = Behind()
    headers = {"Content-Length": str(limit + 1)} if is_declared else {}
    half = bytes(limit // 2)
    # A declared body is refused before it is read: the parts here would not come.
    parts = [] if is_declared else [half, half, b"xx"]
    reply = ask(behind.app(), "POST", path, body=parts, headers=headers)
    assert reply.status == 413
    assert reply.headers["x-amzn-errortype"] == "RequestTooLargeException"
    assert reply.headers["connection"] == "close"
    assert f"{limit:,} bytes" in json.loads(reply.body)["message"]


def test_a_payload_of_the_limit_passes() -> None:
    behind = Behind()
    payload = b'"' + b"x" * (6_291_456 - 2) + b'"'
    reply = ask(behind.app(), "POST", INVOKE, body=[payload[:100], payload[100:]])
    assert (reply.status, reply.body) == (200, payload)
    assert ask(behind.app(), "POST", INVOKE, body=[payload, b"x"]).status == 413


@pytest.mark.parametrize("parts", [[], [b"{", None]], ids=["at once", "half way"])
def test_a_client_that_goes_away_is_no_fault(parts: list[bytes | None]) -> None:
    behind = Behind()
    reply = ask(behind.app(), "POST", INVOKE, body=parts)
    assert reply.status == 400
    assert behind.executions.asked == []


def test_a_length_that_is_no_number_says_nothing() -> None:
    headers = {"Content-Length": "many"}
    assert ask(Behind().app(), "POST", INVOKE, body=b"{}", headers=headers).status == 200


def test_many_hosts_are_not_all_remembered() -> None:
    app = Behind().app()
    for port in range(100):
        assert ask(app, "GET", "/healthz", headers={"Host": f"localhost:{port}"}).status == 200


def test_too_much_at_once_is_told_to_try_again() -> None:
    behind = Behind()
    body = json.dumps({"CheckpointToken": TOKEN}).encode()
    reply = ask(behind.app(requests_max=0), "POST", CHECKPOINT, body=body)
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    headers = {"Content-Length": str(len(body))}
    reply = ask(behind.app(body_bytes_max=9), "POST", CHECKPOINT, body=body, headers=headers)
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (429, "TooManyRequestsException")
    assert behind.executions.asked == []


OWN = {"Origin": "http://localhost:9070"}
SHOWN = {"X-Perdure-Token": "right"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def own_pages() -> OwnPages:
    """Return pages whose token is known, and which have forms."""
    return OwnPages(is_token=lambda token: token == b"right", form_prefix=b"/forms/")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"X-Perdure-Token": "wrong"}, 200),
        (OWN, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({**OWN, "X-Perdure-Token": "wrong"}, 403),
        ({**OWN, "X-Perdure-Token": ""}, 403),
        ({**OWN, **SHOWN}, 200),
        ({"Sec-Fetch-Site": "same-origin", **SHOWN}, 200),
        ({"Origin": "http://evil.test", **SHOWN}, 403),
        ({"Sec-Fetch-Site": "cross-site", **SHOWN}, 403),
        ({**OWN, **SHOWN, **FORM}, 403),
        (FORM, 403),
    ],
)
def test_a_browser_shows_a_token_to_change_something(headers: dict[str, str], status: int) -> None:
    behind = Behind()
    reply = ask(behind.app(own_pages=own_pages()), "POST", INVOKE, body=b"{}", headers=headers)
    assert reply.status == status
    assert len(behind.executions.asked) == (status == 200)


def test_a_browser_needs_no_token_to_read() -> None:
    app = Behind().app(own_pages=own_pages())
    for headers in (OWN, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}):
        assert ask(app, "GET", "/healthz", headers=headers).status == 200


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/forms/x", {**OWN, **FORM}, 404),
        ("/forms/x", {"Origin": "http://evil.test", **FORM}, 403),
        ("/forms/x", {"Origin": "null", **FORM}, 403),
        ("/forms/x", {**OWN, "Sec-Fetch-Site": "cross-site", **FORM}, 403),
        ("/forms/x", {**OWN, "Content-Type": "text/plain"}, 403),
        ("/forms/x", {**OWN, "Content-Type": "multipart/form-data"}, 403),
        ("/form", {**OWN, **FORM}, 403),
    ],
)
def test_forms_are_taken_where_they_belong(path: str, headers: dict[str, str], status: int) -> None:
    reply = ask(Behind().app(own_pages=own_pages()), "POST", path, body=b"a=b", headers=headers)
    assert reply.status == status


def test_where_there_are_no_pages_no_browser_changes_anything() -> None:
    nobody = OwnPages(is_token=lambda _: False)
    reply = ask(
        Behind().app(own_pages=nobody), "POST", INVOKE, body=b"{}", headers={**OWN, **SHOWN}
    )
    assert reply.status == 403
