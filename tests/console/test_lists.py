"""Lists of executions and callbacks: filters, pages, and a bounded amount of work each (Q3)."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from perdure.core.commands import AnswerCallback, Pause, Stop
from perdure.core.execution import Execution, Identity, Progress
from perdure.core.machine import apply
from perdure.engine.starting import Origin
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Change
from perdure.store.protocol import ExecutionQuery
from perdure.store.sqlite import SqliteStore
from tests.service.in_process import ARN, EPOCH_MS, Clock

from .rig import Rig, a_console, callback, context, doing, step, wait

MANY = 10_000
SCANNED_MAX = 2_000


async def names(rig: Rig, **query: Any) -> list[str]:
    """Return the names of what all pages list."""
    return [one["name"] for one in await rig.every("executions", "executions", **query)]


async def begin(rig: Rig, name: str, payload: str = "{}") -> str:
    """Start an execution with a name; return its ARN."""
    service = rig.service
    function = await service.functions.resolve("f", None, draw=lambda: 0.0)
    command = service.starter.start(
        function,
        payload,
        Origin(invoked_arn=f"{ARN}:$LATEST", name=name),
        now_ms=service.clock.now_ms(),
    )
    arn = (await service.engine.start(command)).identity.arn
    await service.settle()
    return arn


async def fill(rig: Rig, count: int, *, status_of: Any = lambda number: None) -> None:
    """Store executions as they are once they wait, a millisecond apart."""
    service = rig.service
    function = await service.functions.resolve("f", None, draw=lambda: 0.0)
    changes: list[Change] = []
    for number in range(count):
        at_ms = EPOCH_MS - count + number
        start = service.starter.start(
            function,
            json.dumps({"number": number}),
            Origin(invoked_arn=f"{ARN}:$LATEST", name=f"n{number:05}"),
            now_ms=at_ms,
        )
        outcome = apply(None, start, at_ms)
        change = Change.of(outcome)
        status = status_of(number)
        if status is not None:
            execution = Execution.of(
                outcome.identity, outcome.progress, outcome.operations.values()
            )
            ended = apply(execution, Stop(), at_ms)
            progress = ended.progress._replace(version=1, status=ExecutionStatus(status))
            change = Change(
                execution_id=outcome.identity.id,
                expected_version=0,
                identity=outcome.identity,
                progress=progress,
                operations=tuple({**outcome.operations, **ended.operations}.values()),
                events=(*outcome.events, *ended.events),
            )
        else:  # suspended: nobody is to invoke it
            change = Change(
                execution_id=change.execution_id,
                expected_version=0,
                identity=change.identity,
                progress=change.progress._replace(ready_at_ms=None),
                operations=change.operations,
                events=change.events,
            )
        changes.append(change)
    for first in range(0, count, 1_000):
        await asyncio.gather(*(rig.store.commit(one) for one in changes[first : first + 1_000]))


class Watched(SqliteStore):
    """A store that counts what it is asked for."""

    rows = 0
    loads = 0

    async def list(self, query: ExecutionQuery) -> Sequence[tuple[Identity, Progress]]:
        found = await super().list(query)
        self.rows += len(found)
        return found

    async def load(self, execution_id: str) -> Execution | None:
        self.loads += 1
        return await super().load(execution_id)


def watch(rig: Rig) -> Watched:
    """Have the store count from now on."""
    store: Any = rig.store
    store.__class__ = Watched
    return store


def test_filters_find_what_they_say(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            clock: Any = rig.service.clock
            arns: dict[str, str] = {}
            for number, name in enumerate(("order-1", "order-10", "order-2", "invoice-1")):
                clock.at_ms = EPOCH_MS + number * 1_000
                arns[name] = await begin(rig, name, json.dumps({"who": f"Ada {number}"}))
            engine = rig.service.engine
            await engine.carry_out(
                arns["order-2"].rpartition("/")[2],
                AnswerCallback(operation_id="callback", payload="x"),
            )
            await rig.service.settle()
            await engine.carry_out(arns["invoice-1"].rpartition("/")[2], Pause())

            everything = ["invoice-1", "order-2", "order-10", "order-1"]
            assert await names(rig) == everything
            assert await names(rig, newest_first="false") == everything[::-1]
            assert await names(rig, limit=1) == everything
            assert await names(rig, function="f") == everything
            assert await names(rig, function="g") == []
            assert await names(rig, version="$LATEST") == everything
            assert await names(rig, version="1") == []
            assert await names(rig, status="SUCCEEDED") == ["order-2"]
            assert await names(rig, status="PAUSED,SUCCEEDED") == ["invoice-1", "order-2"]
            assert await names(rig, status="FAILED") == []
            assert await names(rig, name="order-") == ["order-2", "order-10", "order-1"]
            assert await names(rig, name="order-1") == ["order-1", "order-10"]
            assert await names(rig, name="order-1", limit=1) == ["order-1", "order-10"]
            assert await names(rig, text="ADA 1") == ["order-10"]
            assert await names(rig, text="DONE") == ["order-2"]
            assert await names(rig, text="nothing like it") == []
            assert await names(
                rig, started_after_ms=EPOCH_MS, started_before_ms=EPOCH_MS + 3_000
            ) == ["order-2", "order-10"]
            assert await names(rig, status="RUNNING", text="ada", name="order", limit=1) == [
                "order-10",
                "order-1",
            ]

    asyncio.run(story())


def test_a_list_says_what_executions_wait_for(tmp_path: Path) -> None:
    async def story() -> None:
        updates = (
            context(Name="manager", SubType="WaitForCallback"),
            callback(ParentId="context"),
        )
        async with a_console(tmp_path, doing(*updates)) as rig:
            arn = await begin(rig, "one")
            (one,) = (await rig.get("executions"))["executions"]
            assert one["waits_for"] == "callback 'manager'"
            assert (one["arn"], one["is_paused"], one["ended_at_ms"]) == (arn, False, None)
            await rig.service.engine.carry_out(arn.rpartition("/")[2], Pause())
            (one,) = (await rig.get("executions"))["executions"]
            assert (one["waits_for"], one["status"], one["is_paused"]) == ("paused", "PAUSED", True)
            await rig.service.engine.carry_out(arn.rpartition("/")[2], Stop())
            (one,) = (await rig.get("executions"))["executions"]
            assert (one["waits_for"], one["status"]) == (None, "STOPPED")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "0"}, 400),
        ({"limit": "1001"}, 400),
        ({"limit": "x"}, 400),
        ({"status": "GONE"}, 400),
        ({"started_after_ms": "-1"}, 400),
        ({"started_after_ms": "9" * 17}, 400),
        ({"text": "x" * 1_025}, 400),
        ({"marker": "00"}, 400),
        ({"marker": "zz"}, 400),
        ({f"m{number}": "x" for number in range(60)}, 400),
    ],
)
def test_what_is_out_of_bounds_is_refused(
    tmp_path: Path, query: dict[str, str], status: int
) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            answer = await rig.ask("GET", "/console/api/executions", query=query)
            assert (answer.status, set(answer.json)) == (status, {"type", "message"})

    asyncio.run(story())


def test_a_marker_is_of_its_list_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            await fill(rig, 3)
            marker = (await rig.get("executions", limit=1))["next_marker"]
            for query in ({"status": "RUNNING"}, {"name": "n"}, {"newest_first": "false"}):
                answer = await rig.ask(
                    "GET", "/console/api/executions", query={"marker": marker, **query}
                )
                assert answer.status == 400

    asyncio.run(story())


@pytest.mark.timeout(180)
def test_no_request_looks_at_all_there_is(tmp_path: Path) -> None:
    """Of 10,000 executions one has failed, long ago: it is found, a bounded piece at a time."""

    def status_of(number: int) -> str | None:
        return {7: "FAILED"}.get(number, "STOPPED" if number % 2 else None)

    async def story() -> None:
        async with a_console(tmp_path, clock=Clock()) as rig:
            await fill(rig, MANY, status_of=status_of)
            store = watch(rig)
            for query, expected in (
                ({"status": "FAILED"}, ["n00007"]),
                ({"name": "n00007"}, ["n00007"]),
                ({"name": "n0000", "status": "STOPPED"}, [f"n0000{n}" for n in (9, 5, 3, 1)]),
                ({"text": '{"number": 7}'}, ["n00007"]),
            ):
                found: list[str] = []
                marker, requests = "", 0
                while marker is not None:
                    store.rows = store.loads = 0
                    page = await rig.get("executions", **query, marker=marker)
                    assert store.rows <= SCANNED_MAX + 500
                    assert store.loads <= 600
                    assert page["scanned"] <= SCANNED_MAX
                    found += [one["name"] for one in page["executions"]]
                    marker, requests = page["next_marker"], requests + 1
                assert found == expected, query
                assert requests <= MANY // 100

            store.rows = store.loads = 0
            page = await rig.get("executions", limit=1_000)
            assert len(page["executions"]) == 1_000
            assert store.rows <= 1_500

            store.rows = 0
            counts = await rig.get("counts")
            assert counts == {
                "by_status": {"RUNNING": 5_000, "STOPPED": 4_999, "FAILED": 1},
                "by_function": {"f": {"RUNNING": 5_000, "STOPPED": 4_999, "FAILED": 1}},
                "is_capped": False,
            }
            assert store.rows == 0

            callbacks, marker = [], ""
            while marker is not None:
                store.loads = 0
                page = await rig.get("callbacks", marker=marker)
                assert store.loads <= SCANNED_MAX
                callbacks += page["callbacks"]
                marker = page["next_marker"]
            assert callbacks == []

    asyncio.run(story())


@pytest.mark.parametrize("newest_first", ["true", "false"])
@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("status", ["", "STOPPED", "RUNNING,STOPPED"])
def test_pages_hold_everything_once_and_in_order(
    tmp_path: Path, newest_first: str, limit: int, status: str
) -> None:
    async def story() -> None:
        async with a_console(tmp_path) as rig:
            await fill(rig, 60, status_of=lambda number: "STOPPED" if number % 3 else None)
            found = await names(rig, newest_first=newest_first, limit=limit, status=status)
            wanted = [f"n{n:05}" for n in range(60) if status != "STOPPED" or n % 3]
            assert found == (wanted[::-1] if newest_first == "true" else wanted)

    asyncio.run(story())


def test_executions_years_apart_are_found_by_status(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            clock: Any = rig.service.clock
            for year in range(4):
                clock.at_ms = EPOCH_MS + year * 365 * 86_400_000
                await begin(rig, f"year-{year}")
            expected = [f"year-{year}" for year in (3, 2, 1, 0)]
            assert await names(rig, status="RUNNING,TIMED_OUT") == expected
            assert (
                await names(rig, status="RUNNING,TIMED_OUT", newest_first="false") == expected[::-1]
            )
            assert await names(rig, status="RUNNING", started_after_ms=clock.at_ms - 1) == [
                "year-3"
            ]

    asyncio.run(story())


def test_the_inbox_holds_every_open_callback_once(tmp_path: Path) -> None:
    async def story() -> None:
        updates = [callback(f"c{number}", Name=f"ask {number}") for number in range(5)]
        async with a_console(tmp_path, doing(*updates, wait())) as rig:
            for number in range(3):
                await begin(rig, f"order-{number}")
            for limit in (1, 2, 3, 5, 100):
                found = await rig.every("callbacks", "callbacks", limit=limit)
                keys = [(one["execution_name"], one["name"]) for one in found]
                assert len(keys) == len(set(keys)) == 15, limit
            assert len(await rig.every("callbacks", "callbacks", name="ask 1", limit=2)) == 3
            assert await rig.every("callbacks", "callbacks", function="g") == []
            one = found[0]
            execution_id, _ = rig.seals.open_callback(one["callback_id"])
            assert one["execution_arn"].endswith(execution_id)
            assert (one["function_name"], one["submitter"]) == ("f", None)
            assert one["started_at_ms"] == EPOCH_MS
            assert (one["timeout_at_ms"], one["heartbeat_timeout_at_ms"]) == (None, None)

            await rig.service.engine.carry_out(
                execution_id, AnswerCallback(operation_id=one["operation_id"], payload="x")
            )
            left = await rig.every("callbacks", "callbacks", limit=4)
            assert one["callback_id"] not in [other["callback_id"] for other in left]

    asyncio.run(story())


def test_the_inbox_tells_what_the_submitter_said(tmp_path: Path) -> None:
    async def story() -> None:
        updates = (
            context(Name="manager", SubType="WaitForCallback"),
            callback(ParentId="context", CallbackOptions={"TimeoutSeconds": 60}),
            step(ParentId="context", Name="manager submitter"),
            step("SUCCEED", ParentId="context", Name="manager submitter", Payload='"mailed"'),
        )
        async with a_console(tmp_path, doing(*updates)) as rig:
            await begin(rig, "order")
            (one,) = (await rig.get("callbacks"))["callbacks"]
            assert one["name"] == "manager"
            assert one["timeout_at_ms"] == EPOCH_MS + 60_000
            assert one["submitter"] == {
                "name": "manager submitter",
                "status": "SUCCEEDED",
                "result": '"mailed"',
            }

    asyncio.run(story())


def test_an_execution_is_told_in_full(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            clock: Any = rig.service.clock
            arn = await begin(rig, "order", '{"a": 1}')
            clock.at_ms += 5_000
            view = await rig.get("execution", arn=arn)
            assert (view["input"], view["result"], view["error"]) == ('{"a": 1}', None, None)
            assert (view["billed_ms"], view["waiting_ms"]) == (0, 5_000)
            assert (view["operation_count"], view["invocation_count"]) == (2, 1)
            assert view["last_event_id"] == len(await rig.service.history(arn))
            await rig.service.engine.carry_out(arn.rpartition("/")[2], Stop())
            view = await rig.get("execution", arn=arn)
            assert view["status"] == "STOPPED"
            assert view["error"] == {"ErrorMessage": "Execution stopped by user request"}
            for wrong in ("", "x", arn[:-1], arn.replace("order", "other"), arn[:-32] + "0" * 32):
                for path in ("execution", "explain", "stream"):
                    answer = await rig.ask("GET", f"/console/api/{path}", query={"arn": wrong})
                    assert answer.status == 404

    asyncio.run(story())


def test_billed_time_is_the_sum_of_invocations(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Clock()

        async def handler(call: Any) -> dict[str, Any]:
            clock.at_ms += 300
            if len(call.operations) == 1:
                await call.checkpoint(wait(60))
                return {"Status": "PENDING"}
            return {"Status": "SUCCEEDED", "Result": "1"}

        async with a_console(tmp_path, handler, clock=clock) as rig:
            arn = await begin(rig, "order")
            assert (await rig.get("execution", arn=arn))["billed_ms"] == 300
            await rig.service.advance(EPOCH_MS + 61_000)
            view = await rig.get("execution", arn=arn)
            assert (view["status"], view["billed_ms"]) == ("SUCCEEDED", 600)
            assert view["waiting_ms"] == view["ended_at_ms"] - view["started_at_ms"] - 600

    asyncio.run(story())
