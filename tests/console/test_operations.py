"""How the service does: counters, quantiles, health, and small records beside functions."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.console.latencies import Histogram, TimedCheckpoints
from perdure.console.operations import StoreFacts, problems_of
from perdure.console.series import POINTS_MAX
from perdure.console.templates import TEMPLATES
from perdure.core.commands import AnswerCallback, Stop
from perdure.engine.functions import FunctionCatalog
from perdure.engine.functions.registry import Account
from perdure.protocol.functions import CreateFunctionRequest
from perdure.protocol.runtimes import Runtime

from .rig import Answer, Rig, a_console, callback, doing

SOUND = StoreFacts(kind="sqlite", size_bytes=1, free_bytes=1 << 40, unreadable_rows=0)
CALM: dict[str, Any] = {"next_due_at_ms": None, "ready_since_ms": None}


def test_a_point_counts_what_happened_since_the_one_before(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            series = rig.parts.series
            await series.run_once()
            first = await rig.start()
            second = await rig.start()
            series.histogram.note(2_000)
            await series.run_once()
            for arn, command in (
                (first, AnswerCallback(operation_id="callback", payload="x")),
                (second, Stop()),
            ):
                await rig.service.engine.carry_out(arn.rpartition("/")[2], command)
            await rig.service.settle()
            await series.run_once()

            operations = await rig.get("operations")
            empty, begun, ended = operations["series"]["points"]
            assert operations["series"]["interval_ms"] == 5_000
            counted = ("starts", "invocations", "checkpoints", "completions", "errors", "suspended")
            assert [empty[name] for name in counted] == [0, 0, 0, 0, 0, 0]
            assert [begun[name] for name in counted] == [2, 2, 2, 0, 0, 2]
            assert [ended[name] for name in counted] == [0, 1, 0, 2, 0, 0]
            assert empty["checkpoint_p50_ms"] is None
            assert 2.0 <= begun["checkpoint_p99_ms"] <= 2.5
            assert operations["queues"]["next_due_at_ms"] is None
            assert operations["health"] == {"status": "ok", "problems": []}
            assert operations["nodes"][0]["is_self"]

    asyncio.run(story())


def test_half_an_hour_is_kept(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            for _ in range(POINTS_MAX + 5):
                await rig.parts.series.run_once()
            points = (await rig.get("operations"))["series"]["points"]
            assert len(points) == POINTS_MAX == 360

    asyncio.run(story())


def test_a_failed_execution_is_an_error(tmp_path: Path) -> None:
    async def handler(call: Any) -> dict[str, Any]:
        return {"Status": "FAILED", "Error": {"ErrorMessage": "no"}}

    async def story() -> None:
        async with a_console(tmp_path, handler) as rig:
            await rig.start()
            await rig.parts.series.run_once()
            (point,) = rig.parts.series.points
            assert (point["completions"], point["errors"]) == (1, 1)

    asyncio.run(story())


@given(st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_quantile_is_told_to_within_a_quarter(durations: list[int], fraction: float) -> None:
    histogram = Histogram()
    for microseconds in durations:
        histogram.note(microseconds)
    rank = max(0, -(-int(fraction * 1e9) * len(durations) // 10**9) - 1)
    exact_ms = sorted(durations)[min(rank, len(durations) - 1)] / 1_000
    told_ms = histogram.quantile_ms(fraction)
    assert told_ms is not None
    assert exact_ms * 0.999 <= told_ms <= exact_ms * 1.26 + 0.001


def test_what_is_longer_than_any_bucket_is_in_the_last() -> None:
    histogram = Histogram()
    assert histogram.quantile_ms(0.5) is None
    histogram.note(1 << 60)
    assert (histogram.quantile_ms(0.5) or 0) > 2_000_000
    histogram.clear()
    assert histogram.quantile_ms(0.5) is None


def test_a_refused_checkpoint_is_timed_too() -> None:
    class Refusing:
        async def checkpoint_durable_execution(self, request: Any, prepare: Any = None) -> Any:
            raise KeyError

    histogram = Histogram()
    timed = TimedCheckpoints(Refusing(), histogram)
    with pytest.raises(KeyError):
        asyncio.run(timed.checkpoint_durable_execution(None))  # type: ignore[arg-type]
    assert histogram.quantile_ms(1.0) is not None


@pytest.mark.parametrize(
    ("store", "queues", "is_draining", "said"),
    [
        (SOUND, CALM, False, []),
        (SOUND, {**CALM, "next_due_at_ms": 95_000}, False, []),
        (SOUND, {**CALM, "next_due_at_ms": 200_000}, False, []),
        (SOUND, {**CALM, "next_due_at_ms": 80_000}, False, ["timers are 20 s late"]),
        (SOUND, {**CALM, "ready_since_ms": 80_000}, False, ["waited for a worker for 20 s"]),
        (SOUND, CALM, True, ["shutting down"]),
        (
            StoreFacts(kind="sqlite", size_bytes=1, free_bytes=5, unreadable_rows=2),
            CALM,
            False,
            ["2 stored rows cannot be read", "5 bytes are free"],
        ),
    ],
)
def test_health_says_what_to_look_at(
    store: StoreFacts, queues: dict[str, Any], is_draining: bool, said: list[str]
) -> None:
    problems = problems_of(store, queues, 100_000, is_draining=is_draining)
    assert len(problems) == len(said)
    assert all(part in problem for part, problem in zip(said, problems, strict=True))


async def create(rig: Rig, name: str) -> None:
    """Create a function without code."""
    catalog = FunctionCatalog(
        rig.store,
        clock=rig.service.clock,
        entropy=rig.parts.registry._entropy,
        check_archive=lambda _: None,
        code_url=lambda name, sha256: "",
        account=Account(),
    )
    await catalog.declare_function(
        CreateFunctionRequest(
            function_name=name,
            role="arn:aws:iam::000000000000:role/r",
            runtime=Runtime.PYTHON3_11,
            handler="index.handler",
            code=None,  # type: ignore[arg-type]
        )
    )


async def put(rig: Rig, function: str, event: str, payload: str) -> Answer:
    """Keep a test event."""
    return await rig.ask(
        "PUT",
        f"/console/api/functions/{function}/test-events/{event}",
        body=json.dumps({"payload": payload}).encode(),
    )


def test_functions_are_listed_with_how_they_do(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            for name in ("f", "g", "h"):
                await create(rig, name)
            arns = [await rig.start() for _ in range(3)]
            await rig.service.engine.carry_out(arns[0].rpartition("/")[2], Stop())
            found = await rig.every("functions", "functions", limit=2)
            assert [one["name"] for one in found] == ["f", "g", "h"]
            first, second, _ = found
            assert first["recent"] == {"RUNNING": 2, "STOPPED": 1}
            assert first["last_execution"]["arn"] in arns
            assert (second["recent"], second["last_execution"]) == ({}, None)
            assert (first["runtime"], first["is_durable"]) == ("python3.11", False)

    asyncio.run(story())


def test_test_events_are_kept_by_name(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            await create(rig, "f")
            await create(rig, "ff")
            for event in ("a b", "c-1_.", "a b"):
                assert (await put(rig, "f", event, '{"n": 1}')).status == 200
            assert (await put(rig, "ff", "other", "null")).status == 200
            events = (await rig.get("functions/f/test-events"))["events"]
            assert events == [
                {"name": "a b", "payload": '{"n": 1}'},
                {"name": "c-1_.", "payload": '{"n": 1}'},
            ]
            path = "/console/api/functions/f/test-events/a b"
            assert (await rig.ask("DELETE", path)).status == 204
            assert (await rig.ask("DELETE", path)).status == 404
            assert len((await rig.get("functions/f/test-events"))["events"]) == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("function", "event", "payload", "status"),
    [
        ("none", "e", "{}", 404),
        ("f", "e%2Ff", "{}", 400),
        ("f", "x" * 101, "{}", 400),
        ("f", "%C3%A9", "{}", 400),
        ("f", "%00", "{}", 400),
        ("f", "e", "{", 400),
        ("f", "e", '"' + "x" * 262_143 + '"', 413),
        ("f", "e", '"' + "x" * 262_142 + '"', 200),
    ],
)
def test_test_events_have_bounds(
    tmp_path: Path, function: str, event: str, payload: str, status: int
) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            await create(rig, "f")
            assert (await put(rig, function, event, payload)).status == status

    asyncio.run(story())


def test_a_function_has_fifty_test_events(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            await create(rig, "f")
            for number in range(50):
                assert (await put(rig, "f", f"e{number}", "1")).status == 200
            assert (await put(rig, "f", "one-more", "1")).status == 400
            assert (await put(rig, "f", "e7", "2")).status == 200
            for body in (b"", b"{}", b"[]", b"{", b'{"payload": 1}', b'{"payload":"1","x":1}'):
                answer = await rig.ask("PUT", "/console/api/functions/f/test-events/e7", body=body)
                assert answer.status == 400

    asyncio.run(story())


def test_templates_are_what_they_are_called(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            found = (await rig.get("templates"))["templates"]
            assert [one["id"] for one in found] == [template.id for template in TEMPLATES]
            for one in found:
                (file,) = one["files"]
                module, _, name = one["handler"].partition(".")
                assert file["path"].partition(".")[0] == module
                assert name in file["text"]

    asyncio.run(story())
