"""What is not HTTP as we read it is refused and cut off; the server goes on (B2, SR-16)."""

import asyncio
import gc
import socket
import threading
from urllib.parse import urlsplit

import pytest

from perdure.api import connections
from perdure.api.exchange import Exchange, Head, Headers
from perdure.api.guards import Guards
from perdure.api.heads import KnownHead, KnownHeads

from .fakes import EXECUTION_ARN, Behind, served

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
FUNCTIONS = b"GET /2015-03-31/functions HTTP/1.1\r\nHost: localhost\r\n"
INVOKE = b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: localhost\r\n"


def say(url: str, *parts: bytes, seconds: float = 5.0) -> bytes:
    """Send bytes to a server; return what it says until it has nothing more to say."""
    place = urlsplit(url)
    said = b""
    with socket.create_connection((place.hostname, place.port or 0), timeout=seconds) as line:
        try:
            for part in parts:
                line.sendall(part)
            while more := line.recv(65_536):
                said += more
        except (TimeoutError, ConnectionError):
            pass
    return said


def line_to(url: str) -> socket.socket:
    """Return a connection to a server."""
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port or 0), timeout=20)


@pytest.mark.parametrize(
    "request_bytes",
    [
        INVOKE + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        INVOKE + b"Content-Length: -1\r\n\r\n",
        INVOKE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        INVOKE + b"Content-Length: 2, 2\r\n\r\n{}",
        INVOKE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        INVOKE + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
        FUNCTIONS + b"X: a\x00b\r\n\r\n",
        FUNCTIONS + b"X: a\r\n folded\r\n\r\n",
        FUNCTIONS + b"X : y\r\n\r\n",
        FUNCTIONS + b"X: \x01\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X" * 90_000,
        b"GET /" + b"x" * 90_000,
        FUNCTIONS + b"X-Long: y\r\n" * 9_000,
    ],
)
def test_malformed_requests_are_refused_and_cut_off(url: str, request_bytes: bytes) -> None:
    said = say(url, request_bytes)
    assert said.startswith(b"HTTP/1.1 4")
    assert b"Traceback" not in said
    assert say(url, HEALTH, seconds=0.2).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /2015-03-31/functions/..%2F..%2Fetc HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /2015-03-31/functions/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /2015-03-31/functions/%FF HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        (b"GET http://localhost/healthz HTTP/1.1\r\nHost: evil.test\r\n\r\n", b"403"),
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"403"),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", b"4"),
        (b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"4"),
        (b"TRACE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        (
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            b"200",
        ),
        (INVOKE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"200"),
        (INVOKE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", b"100"),
    ],
)
def test_odd_requests_are_answered(url: str, request_bytes: bytes, status: bytes) -> None:
    said = say(url, request_bytes, seconds=0.3)
    assert said.startswith(b"HTTP/1.1 " + status)


def test_requests_one_after_the_other_are_answered_in_order(url: str) -> None:
    said = say(url, HEALTH + FUNCTIONS + b"\r\n" + HEALTH, seconds=0.3)
    assert said.count(b"HTTP/1.1 200") == 3


def test_a_large_body_is_refused_before_it_is_sent(url: str) -> None:
    said = say(url, INVOKE + b"Content-Length: 99999999\r\n\r\n{")
    assert said.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"GET /heal",),
        (HEALTH[:-2],),
        (INVOKE + b"Content-Length: 9\r\n\r\n{",),
    ],
)
def test_a_client_that_is_too_slow_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...]
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.1)
    monkeypatch.setattr(connections, "BODY_SECONDS_MAX", 0.1)
    with served(Behind()) as url:
        said = say(url, *parts)
    assert b"200 OK" not in said


def test_a_client_that_waits_for_its_answer_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.1)
    monkeypatch.setattr(connections, "BODY_SECONDS_MAX", 0.1)
    behind = Behind()
    behind.executions.wait = lambda: asyncio.sleep(0.4)
    with served(behind) as url:
        said = say(url, INVOKE + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
    assert said.startswith(b"HTTP/1.1 200")


def test_a_client_that_comes_back_is_given_no_more_time_than_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.3)
    with served(Behind()) as url, line_to(url) as line:
        line.sendall(HEALTH)
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        line.sendall(HEALTH[:-2])
        assert line.recv(65_536) == b"", "cut off, long before an idle connection would be"


def test_a_connection_may_be_idle_for_longer_than_a_head_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.1)
    with served(Behind()) as url, line_to(url) as line:
        for _ in range(3):
            line.sendall(HEALTH)
            assert line.recv(65_536).startswith(b"HTTP/1.1 200")
            threading.Event().wait(0.15)


def test_an_answer_comes_as_a_whole(url: str) -> None:
    with line_to(url) as line:
        for _ in range(20):
            line.sendall(INVOKE + b"Content-Length: 2\r\n\r\n{}")
            head, _, body = line.recv(65_536).partition(b"\r\n\r\n")
            assert b"content-length: %d" % len(body) in head


def test_the_answer_to_head_has_no_body(url: str) -> None:
    with line_to(url) as line:
        line.sendall(HEALTH.replace(b"GET", b"HEAD"))
        assert line.recv(65_536).endswith(b"\r\n\r\n")
        line.sendall(HEALTH)
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")


def test_an_idle_connection_holds_no_body() -> None:
    def held() -> list[int]:
        found = [thing for thing in gc.get_objects() if type(thing) is connections._Cycle]
        return [len(cycle.body) for cycle in found]

    body = b'{"CheckpointToken": "%s"}' % (b"A" * 2_000)
    request = CHECKPOINT + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with served(Behind()) as url, line_to(url) as line:
        for _ in range(2):  # the second one's head is known
            line.sendall(request)
            assert line.recv(65_536).startswith(b"HTTP/1.1 200")
            assert max(held()) == 0


def test_the_head_after_an_answer_must_come_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.2)
    behind = Behind()
    behind.executions.wait = lambda: asyncio.sleep(0.1)
    with served(behind) as url, line_to(url) as line:
        line.sendall(_checkpoint(b"AAAA") + b"GET /heal")
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        assert line.recv(65_536) == b"", "cut off, long before an idle connection would be"


def test_a_request_leaves_nothing_for_the_garbage_collector(url: str) -> None:
    def cycles() -> int:
        return sum(type(thing) is connections._Cycle for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = cycles()
        with line_to(url) as line:
            for _ in range(20):
                line.sendall(HEALTH)
                assert line.recv(65_536).startswith(b"HTTP/1.1 200")
            assert cycles() <= before + 2  # this connection's last one, and who asks now
    finally:
        gc.enable()


CHECKPOINT = (
    b"POST /2025-12-01/durable-executions/%s/checkpoint HTTP/1.1\r\nHost: localhost\r\n"
    % EXECUTION_ARN.replace("/", "%2F").replace(":", "%3A").encode()
)


def _checkpoint(token: bytes, *more: bytes) -> bytes:
    body = b'{"CheckpointToken": "%s"}' % token
    return CHECKPOINT + b"".join(more) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _count_checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the list of the paths for which the guards are asked from now on."""
    checked: list[bytes] = []
    check = Guards.check

    def counting(self: Guards, exchange: Exchange, header_lines: Headers) -> None:
        checked.append(exchange.path)
        check(self, exchange, header_lines)

    monkeypatch.setattr(Guards, "check", counting)
    return checked


def _tokens(behind: Behind) -> list[str]:
    return [request.checkpoint_token for request in behind.executions.asked]


def test_a_head_that_came_before_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = _count_checks(monkeypatch)
    behind = Behind()
    with served(behind) as url:
        for tokens in ((b"AAAA", b"BBBB"), (b"CCCC", b"DDDD")):
            with line_to(url) as line:
                for token in tokens:
                    line.sendall(_checkpoint(token))
                    assert line.recv(65_536).startswith(b"HTTP/1.1 200")
    assert _tokens(behind) == ["AAAA", "BBBB", "CCCC", "DDDD"]
    assert len(checked) == 1


def test_a_known_head_may_come_in_parts_or_with_others() -> None:
    behind = Behind()
    with served(behind) as url, line_to(url) as line:
        line.sendall(_checkpoint(b"AAAA"))
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        whole = _checkpoint(b"BBBB")
        for size in (1, 30, len(whole) - 3):
            line.sendall(whole[:size])
            threading.Event().wait(0.05)
            line.sendall(whole[size:])
            assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        said = say(url, _checkpoint(b"CCCC") + _checkpoint(b"DDDD") + HEALTH, seconds=0.3)
    assert said.count(b"HTTP/1.1 200") == 3
    assert _tokens(behind) == ["AAAA", "BBBB", "BBBB", "BBBB", "CCCC", "DDDD"]


def test_a_known_head_waits_for_the_answer_before() -> None:
    behind = Behind()
    behind.executions.wait = lambda: asyncio.sleep(0.1)
    with served(behind) as url, line_to(url) as line:
        for token in (b"AAAA", b"BBBB", b"CCCC"):
            line.sendall(_checkpoint(token))
            threading.Event().wait(0.02)
        said = b""
        while said.count(b"HTTP/1.1 200") < 3:
            said += line.recv(65_536)
    assert _tokens(behind) == ["AAAA", "BBBB", "CCCC"]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (_checkpoint(b"AAAA", b"Authorization: AWS4-HMAC-SHA256 x\r\n"), b"200"),
        (_checkpoint(b"AAAA", b"Cookie: a=b\r\n"), b"200"),
        (_checkpoint(b"AAAA", b"X-Amz-Security-Token: t\r\n"), b"200"),
        (_checkpoint(b"AAAA", b"Traceparent: 00-1-2-01\r\n"), b"200"),
        (_checkpoint(b"AAAA", b"Origin: http://localhost\r\n"), b"200"),
        (_checkpoint(b"AAAA", b"Expect: 100-continue\r\n"), b"100"),
        (_checkpoint(b"AAAA", b"Connection: close\r\n"), b"200"),
        (HEALTH.replace(b"/healthz", b"/healthz?X-Amz-Signature=1"), b"200"),
        (HEALTH.replace(b"1.1", b"1.0"), b"200"),
        (_checkpoint(b"AAAA", b"Origin: http://evil.test\r\n"), b"403"),
        (_checkpoint(b"AAAA", b"X-Long: %s\r\n" % (b"x" * 2_048)), b"200"),
        (HEALTH.replace(b"/healthz", b"/nobody-knows"), b"404"),
    ],
    ids=[
        *("signed", "cookie", "session", "traced", "browser", "expecting", "closing"),
        *("presigned", "old", "refused", "long", "unknown"),
    ],
)
def test_some_heads_are_looked_at_each_time(
    monkeypatch: pytest.MonkeyPatch, request_bytes: bytes, status: bytes
) -> None:
    checked = _count_checks(monkeypatch)
    with served(Behind()) as url:
        for _ in range(2):
            said = say(url, request_bytes, seconds=0.2)
            assert said.startswith(b"HTTP/1.1 " + status)
    assert len(checked) == 2


def test_what_comes_after_a_request_is_not_its_head() -> None:
    behind = Behind()
    behind.executions.wait = lambda: asyncio.sleep(0.1)
    nothing = INVOKE + b"Content-Length: 0\r\n\r\n"
    with served(behind) as url, line_to(url) as line:
        line.sendall(nothing)
        threading.Event().wait(0.02)
        line.sendall(b"\r\n" * 20)
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        assert say(url, b"\r\n" * 20, seconds=0.2) == b""


def test_only_so_many_heads_are_known() -> None:
    heads = KnownHeads()
    known = KnownHead(2, {}, Head("GET", b"/", b"", {}, 2))  # type: ignore[typeddict-item]
    for number in range(2_000):
        heads.add(b"%d" % number, known)
    assert heads.find(b"1999", 2) is known
    assert heads.find(b"1999", 3) is None
    assert sum(heads.find(b"%d" % number, 2) is known for number in range(2_000)) <= 1_024
