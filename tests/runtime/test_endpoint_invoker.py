"""Functions at endpoints: what is posted, and what whatever an endpoint may do comes to."""

import asyncio
import base64
import json
from collections.abc import Sequence

import pytest

from perdure.clock import wall_ms
from perdure.engine.invoker import Crashed, FailureKind, LogFormat, Raised, Returned
from perdure.protocol.endpoint_signatures import SignatureError, function_key, verify
from tests.runtime.endpoint_rig import KEY, NOW_MS, Rig, Taken, an_http_answer, with_rig

PATH = "/2015-03-31/functions/function/invocations"


def test_what_an_endpoint_is_sent() -> None:
    async def story(rig: Rig) -> Taken:
        endpoint = await rig.serve(an_http_answer(b'{"a":1}'))
        report = await rig.invoke(
            endpoint.url,
            {"n": 1},
            client_context='{"custom":{"k":"太"}}',
            tenant_id="t1",
            trace_id="Root=1-2-3",
        )
        assert report.outcome == Returned(payload=b'{"a":1}')
        assert report.worker_id is None  # K2: nobody there is believed to keep a handler
        return endpoint.taken[0]

    sent_from_ms = wall_ms()
    taken = with_rig(story)
    assert taken.line == f"POST {PATH} HTTP/1.1"
    assert taken.body == b'{"n": 1}'
    headers = taken.headers
    expected = {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": "r-1",
        "lambda-runtime-invoked-function-arn": (
            "arn:aws:lambda:us-east-1:000000000000:function:shop:live"
        ),
        "lambda-runtime-trace-id": "Root=1-2-3",
        "x-amzn-trace-id": "Root=1-2-3",
        "lambda-runtime-aws-tenant-id": "t1",
        "x-amz-log-type": "Tail",
        "x-perdure-function-version": "7",
        "x-perdure-timestamp": str(NOW_MS // 1000),
        "accept-encoding": "identity",
        "user-agent": "perdure",
    }
    assert {name: headers[name] for name in expected} == expected
    deadline_ms = int(headers["lambda-runtime-deadline-ms"])
    assert sent_from_ms <= deadline_ms - 5_000 <= wall_ms()
    context = json.loads(base64.b64decode(headers["x-amz-client-context"]))
    assert context == json.loads(headers["lambda-runtime-client-context"])
    assert context == {"custom": {"k": "太"}}
    assert "cookie" not in headers


def test_the_receiver_can_verify_who_sent_it() -> None:
    async def story(rig: Rig) -> Taken:
        endpoint = await rig.serve(an_http_answer())
        await rig.invoke(f"{endpoint.url}/some%2Fprefix")
        return endpoint.taken[0]

    taken = with_rig(story)
    target = taken.line.split()[1]
    assert target == f"/some%2Fprefix{PATH}"

    def check(name: str, body: bytes) -> None:
        verify(
            [function_key(KEY, name)],
            method="POST",
            target=target,
            headers=taken.headers,
            body=body,
            now_seconds=NOW_MS / 1000,
        )

    check("shop", taken.body)
    with pytest.raises(SignatureError):
        check("another", taken.body)
    with pytest.raises(SignatureError):
        check("shop", taken.body + b" ")


def test_connections_are_used_again() -> None:
    async def story(rig: Rig) -> tuple[int, int]:
        endpoint = await rig.serve(an_http_answer())
        for _ in range(5):
            await rig.invoke(endpoint.url)
        return endpoint.connections, len(endpoint.taken)

    assert with_rig(story) == (1, 5)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (an_http_answer(b"", "500 Oh"), FailureKind.UNAVAILABLE, "answered 500"),
        (an_http_answer(b"later", "503 Busy"), FailureKind.UNAVAILABLE, "answered 503: later"),
        (an_http_answer(b"", "403 No"), FailureKind.UNAVAILABLE, "answered 403"),
        (an_http_answer(b"<p>"), FailureKind.UNREADABLE, "is no JSON"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", FailureKind.EXITED, "hung up"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", FailureKind.EXITED, "hung up"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, FailureKind.EXITED, "hung up"),
    ],
    ids=["500", "503", "403", "no JSON", "no HTTP", "a bad length", "a head without end"],
)
def test_what_an_endpoint_may_answer(answer: bytes, kind: FailureKind, words: str) -> None:
    async def story(rig: Rig) -> Crashed:
        endpoint = await rig.serve(answer)
        return await rig.crash(endpoint.url)

    crash = with_rig(story)
    assert (crash.kind, crash.error_type) == (kind, kind.value)
    assert words in crash.message
    assert crash.retry_after_ms == (1_000 if kind is FailureKind.UNAVAILABLE else 0)


def test_redirects_are_not_followed() -> None:
    async def story(rig: Rig) -> tuple[Crashed, int]:
        inside = await rig.serve(an_http_answer(b'"secret"'))
        endpoint = await rig.serve(an_http_answer(b"", "307 Go", Location=inside.url))
        return await rig.crash(endpoint.url), len(inside.taken)

    crash, reached = with_rig(story)
    assert (crash.kind, reached) == (FailureKind.UNAVAILABLE, 0)
    assert "a redirect, 307: redirects are not followed" in crash.message


def test_a_compressed_bomb_is_not_opened() -> None:
    async def story(rig: Rig) -> Crashed:
        packed = b"\x1f\x8b\x08\x00" + b"\0" * 100
        endpoint = await rig.serve(an_http_answer(packed, Content_Encoding="gzip"))
        return await rig.crash(endpoint.url)

    assert with_rig(story).kind is FailureKind.UNREADABLE


@pytest.mark.parametrize("is_declared", [True, False])
def test_an_answer_without_end_is_not_read_to_its_end(is_declared: bool) -> None:
    async def story(rig: Rig) -> tuple[Crashed, int]:
        sent = 0

        async def pour(_taken: Taken, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            length = b"Content-Length: 9999999999\r\n\r\n" if is_declared else b"\r\n"
            writer.write(b"HTTP/1.1 200 OK\r\n" + length)
            while True:
                writer.write(b"1" * 65_536)
                sent += 65_536
                await writer.drain()

        endpoint = await rig.serve(pour)
        crash = await rig.crash(endpoint.url)
        return crash, sent

    crash, sent = with_rig(story)
    assert crash.kind is FailureKind.RESPONSE_TOO_LARGE
    assert "6291556 bytes" in crash.message
    assert sent < 40_000_000  # what the buffers of both sides hold beside it


def test_the_largest_answer_there_may_be() -> None:
    body = b'"' + b"x" * (6_291_556 - 2) + b'"'

    async def story(rig: Rig) -> tuple[object, object]:
        fits = await rig.serve(an_http_answer(body))
        too_large = await rig.serve(an_http_answer(body + b" "))
        return (await rig.invoke(fits.url)).outcome, (await rig.crash(too_large.url)).kind

    outcome, kind = with_rig(story)
    assert outcome == Returned(payload=body)
    assert kind is FailureKind.RESPONSE_TOO_LARGE


def test_one_that_hangs_is_left_at_the_timeout() -> None:
    async def story(rig: Rig) -> Crashed:
        async def hang(_taken: Taken, _writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        endpoint = await rig.serve(hang)
        crash = await rig.crash(endpoint.url, timeout_seconds=1)
        await endpoint.hung_up.wait()
        return crash

    crash = with_rig(story)
    assert crash.kind is FailureKind.TIMED_OUT
    assert crash.message == "RequestId: r-1 Error: Task timed out after 1.00 seconds"


def test_one_that_answers_drop_by_drop_is_left_at_the_timeout() -> None:
    async def story(rig: Rig) -> Crashed:
        async def drip(_taken: Taken, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                writer.write(b"1")
                await asyncio.sleep(0.05)

        endpoint = await rig.serve(drip)
        return await rig.crash(endpoint.url, timeout_seconds=1)

    assert with_rig(story).kind is FailureKind.TIMED_OUT


def test_cancelling_hangs_up() -> None:
    async def story(rig: Rig) -> None:
        reached = asyncio.Event()

        async def hang(_taken: Taken, _writer: asyncio.StreamWriter) -> None:
            reached.set()
            await asyncio.Event().wait()

        endpoint = await rig.serve(hang)
        running = asyncio.ensure_future(rig.invoke(endpoint.url))
        await reached.wait()
        running.cancel()
        async with asyncio.timeout(5):
            await endpoint.hung_up.wait()
        with pytest.raises(asyncio.CancelledError):
            await running

    with_rig(story)


def test_one_that_is_killed_under_an_invocation() -> None:
    async def story(rig: Rig) -> Crashed:
        reached = asyncio.Event()

        async def hang(_taken: Taken, _writer: asyncio.StreamWriter) -> None:
            reached.set()
            await asyncio.Event().wait()

        endpoint = await rig.serve(hang)
        running = asyncio.ensure_future(rig.crash(endpoint.url))
        await reached.wait()
        await endpoint.stop()
        return await running

    crash = with_rig(story)
    assert crash.kind is FailureKind.EXITED
    assert "the endpoint hung up" in crash.message


def test_one_that_is_away_is_left_alone_longer_and_longer_until_it_is_back() -> None:
    async def story(rig: Rig) -> list[int]:
        endpoint = await rig.serve(an_http_answer())
        await endpoint.stop()
        waits: list[int] = []
        for seconds in (0, 3, 30, 600):
            rig.clock.advance(seconds)
            crash = await rig.crash(endpoint.url)
            assert crash.kind is FailureKind.UNAVAILABLE
            assert "cannot be reached: no connection" in crash.message
            waits.append(crash.retry_after_ms)
        await endpoint.start()
        assert isinstance((await rig.invoke(endpoint.url)).outcome, Returned)
        await rig.invoker.aclose()  # or the kept connection might be tried: that is a hang-up
        await endpoint.stop()
        waits.append((await rig.crash(endpoint.url)).retry_after_ms)
        return waits

    assert with_rig(story) == [1_000, 3_000, 33_000, 60_000, 1_000]


def test_an_endpoint_may_ask_for_a_longer_pause() -> None:
    async def story(rig: Rig) -> int:
        busy = an_http_answer(b"", "429 Too Many Requests", Retry_After="120")
        endpoint = await rig.serve(busy)
        return (await rig.crash(endpoint.url)).retry_after_ms

    assert with_rig(story) == 120_000


# SR-20.


def a_resolver(*answers: Sequence[str]) -> tuple[list[str], object]:
    """Return the names that were asked for, and a resolver that answers so, one after another."""
    asked: list[str] = []

    async def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return asked, resolve


@pytest.mark.parametrize("allowed", [(), ("other.test",), ("orders.test:1",)])
def test_a_host_that_is_not_listed_is_not_looked_up(allowed: tuple[str, ...]) -> None:
    asked, resolve = a_resolver(["127.0.0.1"])

    async def story(rig: Rig) -> Crashed:
        return await rig.crash("http://orders.test:8080")

    crash = with_rig(story, allowed=allowed, resolve=resolve)  # type: ignore[arg-type]
    assert crash.kind is FailureKind.UNAVAILABLE
    assert "not allowed on this service" in crash.message
    assert asked == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["169.254.169.254"]]
)
def test_a_listed_name_that_leads_inside_is_not_followed(addresses: list[str]) -> None:
    _, resolve = a_resolver(addresses)

    async def story(rig: Rig) -> tuple[Crashed, int]:
        inside = await rig.serve(an_http_answer(b'"secret"'))
        crash = await rig.crash(f"http://orders.test:{inside.port}")
        return crash, inside.connections

    crash, connections = with_rig(story, allowed=("orders.test",), resolve=resolve)  # type: ignore[arg-type]
    assert crash.kind is FailureKind.UNAVAILABLE
    assert "which is no public address" in crash.message
    assert connections == 0


def test_a_name_that_changes_its_address_is_not_followed_inside() -> None:
    """DNS rebinding: what was checked is what is connected to, and each connection is checked."""
    asked, resolve = a_resolver(["127.0.0.2"], ["127.0.0.1"])

    async def story(rig: Rig) -> tuple[object, Crashed, int]:
        inside = await rig.serve(an_http_answer(b'"secret"'))
        outside = await asyncio.start_server(_once, "127.0.0.2", inside.port)
        async with outside:
            first = (await rig.invoke(f"http://orders.test:{inside.port}")).outcome
            second = await rig.crash(f"http://orders.test:{inside.port}")
        return first, second, inside.connections

    first, second, connections = with_rig(
        story,
        allowed=("orders.test", "127.0.0.2"),
        resolve=resolve,  # type: ignore[arg-type]
    )
    assert first == Returned(payload=b'"outside"')
    assert second.kind is FailureKind.UNAVAILABLE
    assert "127.0.0.1, which is no public address" in second.message
    assert (connections, len(asked)) == (0, 2)


async def _once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(an_http_answer(b'"outside"', Connection="close"))
    await writer.drain()
    writer.close()


def test_a_name_that_is_not_there_is_nobodys_failure() -> None:
    async def resolve(host: str) -> Sequence[str]:
        raise OSError(f"no such name: {host}")

    async def story(rig: Rig) -> Crashed:
        return await rig.crash("http://orders.test")

    crash = with_rig(story, allowed=("orders.test",), resolve=resolve)
    assert crash.kind is FailureKind.UNAVAILABLE
    assert "its name is not found" in crash.message


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(rig: Rig) -> tuple[object, int]:
        proxy = await rig.serve(an_http_answer(b'"proxy"'))
        endpoint = await rig.serve(an_http_answer(b'"endpoint"'))
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        return (await rig.invoke(endpoint.url)).outcome, proxy.connections

    assert with_rig(story) == (Returned(payload=b'"endpoint"'), 0)


def test_a_certificate_that_nobody_vouches_for_is_no_connection() -> None:
    async def story(rig: Rig) -> Crashed:
        endpoint = await rig.serve(an_http_answer())
        return await rig.crash(endpoint.url.replace("http:", "https:"), timeout_seconds=5)

    crash = with_rig(story)
    assert crash.kind in (FailureKind.UNAVAILABLE, FailureKind.TIMED_OUT)


# How many at once, and the log.


def test_a_functions_concurrency_bounds_what_runs_at_its_endpoint() -> None:
    async def story(rig: Rig) -> int:
        running, highest = 0, 0

        async def count(_taken: Taken, writer: asyncio.StreamWriter) -> None:
            nonlocal running, highest
            running += 1
            highest = max(highest, running)
            await asyncio.sleep(0.01)
            running -= 1
            writer.write(an_http_answer())

        endpoint = await rig.serve(count)
        await asyncio.gather(
            *(rig.invoke(endpoint.url, concurrency_max=3) for _ in range(20)),
        )
        return highest

    assert with_rig(story) == 3


def test_what_the_endpoint_logged_is_in_the_functions_log() -> None:
    tail = base64.b64encode(b"hello\nTraceback:\r  line 1\n").decode()

    async def story(rig: Rig) -> tuple[list[str], bytes]:
        endpoint = await rig.serve(an_http_answer(b"1", X_Amz_Log_Result=tail))
        report = await rig.invoke(endpoint.url)
        return await rig.lines(), report.log_tail

    lines, log_tail = with_rig(story)
    assert log_tail == b"hello\nTraceback:\r  line 1\n"
    assert lines[:4] == [
        "START RequestId: r-1 Version: 7\n",
        "hello\n",
        "Traceback:\n  line 1\n",
        "END RequestId: r-1\n",
    ]
    assert lines[4].startswith("REPORT RequestId: r-1\tDuration: ")
    assert len(lines) == 5


def test_what_went_wrong_is_in_the_functions_log() -> None:
    async def story(rig: Rig) -> list[str]:
        endpoint = await rig.serve(an_http_answer(b"", "503 Busy"))
        await rig.invoke(endpoint.url)
        return await rig.lines()

    lines = with_rig(story)
    assert lines[1] == "RequestId: r-1 Error: the endpoint answered 503\n"
    assert "Status: error\tError Type: Runtime.Unavailable" in lines[3]


def test_a_json_log_has_json_lines() -> None:
    async def story(rig: Rig) -> list[str]:
        endpoint = await rig.serve(an_http_answer(b'{"errorType":"E","errorMessage":"m"}'))
        report = await rig.invoke(endpoint.url, log_format=LogFormat.JSON)
        assert isinstance(report.outcome, Raised)
        return await rig.lines()

    start, end = map(json.loads, with_rig(story))
    assert (start["type"], end["type"]) == ("platform.start", "platform.report")
    assert end["record"]["errorType"] == "E"
