"""Live streams: no event is lost or repeated, whatever comes between (H1)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from perdure.core.commands import AnswerCallback, Delete, Pause, Resume, Stop
from perdure.engine.engine import Engine
from tests.service.in_process import Call

from .rig import Rig, a_console, callback, doing, step

STEPS = 30


async def answer(rig: Rig, arn: str, operation_id: str = "callback") -> None:
    """Answer a callback."""
    await rig.service.engine.carry_out(
        arn.rpartition("/")[2], AnswerCallback(operation_id=operation_id, payload="x")
    )


def test_an_execution_is_followed_to_its_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start('{"a": 1}')
            async with rig.stream("stream", arn=arn) as stream:
                events = (await stream.until("history"))["data"]
                state = (await stream.until("execution"))["data"]
                assert (state["status"], state["explain"]["kind"]) == ("RUNNING", "waiting")
                assert state == await rig.get("execution", arn=arn) | {"left_out": []}

                await answer(rig, arn)
                message: dict[str, Any] = {"event": "", "data": None}
                while message["event"] != "end":
                    message = await stream.message()
                    if message["event"] == "history":
                        events += message["data"]
                    elif message["event"] == "execution":
                        state = message["data"]
                assert message["data"] == {"is_deleted": False}
                await stream.ended.wait()
            assert events == await rig.service.history(arn)
            assert (state["status"], state["result"]) == ("SUCCEEDED", '"done"')

    asyncio.run(story())


@pytest.mark.parametrize("by", ["header", "query"])
def test_a_client_that_comes_back_misses_nothing(tmp_path: Path, by: str) -> None:
    """The stream is cut after every message while the handler goes on writing."""
    told = asyncio.Event()

    async def handler(call: Call) -> dict[str, Any]:
        for number in range(STEPS):
            await call.checkpoint(step(operation_id=f"s{number}"))
            await call.checkpoint(step("SUCCEED", f"s{number}", Payload=str(number)))
            async with asyncio.timeout(10):
                await told.wait()
            told.clear()
        return {"Status": "SUCCEEDED", "Result": "1"}

    async def story() -> None:
        async with a_console(tmp_path, handler) as rig:
            arn = await rig.service.start()
            events: list[Any] = []
            last, is_over = "", False
            while not is_over:
                headers = {"last-event-id": last} if by == "header" and last else None
                query = {"after": last} if by == "query" and last else {}
                async with rig.stream("stream", headers, arn=arn, **query) as stream:
                    message = await stream.message()
                    if message["event"] == "history":
                        events += message["data"]
                        last = message["id"]
                        assert message["data"][-1]["EventId"] == int(last)
                    is_over = message["event"] == "end" or (
                        message["event"] == "execution" and message["data"]["status"] != "RUNNING"
                    )
                    told.set()
            assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
            assert events == await rig.service.history(arn)
            assert len(events) == 2 * STEPS + 3

    asyncio.run(story())


def test_what_another_node_commits_is_found(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start()
            rig.store.is_exclusive = False  # nobody's reading may be from memory, as with nodes
            rig.service.engine.forget(arn.rpartition("/")[2])
            other = Engine(rig.store, rig.service.clock)
            async with rig.stream("stream", arn=arn) as stream:
                await stream.until("execution")
                await other.carry_out(arn.rpartition("/")[2], Pause(reason="elsewhere"))
                events = (await stream.until("history"))["data"]
                assert [event["EventType"] for event in events] == ["ExecutionPaused"]
                state = (await stream.until("execution"))["data"]
                assert state["pause"]["reason"] == "elsewhere"

    asyncio.run(story())


def test_payloads_can_be_left_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start('"secret"')
            async with rig.stream("stream", arn=arn, data="false") as stream:
                first = (await stream.until("history"))["data"][0]
                assert first["ExecutionStartedDetails"]["Input"] == {"Truncated": True}

    asyncio.run(story())


def test_long_payloads_are_not_sent_with_every_change(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start('"' + "x" * 70_000 + '"')
            async with rig.stream("stream", arn=arn) as stream:
                state = (await stream.until("execution"))["data"]
                assert (state["input"], state["left_out"]) == (None, ["input"])
            assert len((await rig.get("execution", arn=arn))["input"]) == 70_002

    asyncio.run(story())


def test_a_large_history_comes_in_several_messages(tmp_path: Path) -> None:
    async def handler(call: Call) -> dict[str, Any]:
        for number in range(5):
            await call.checkpoint(step(operation_id=f"s{number}"))
            await call.checkpoint(step("SUCCEED", f"s{number}", Payload="x" * 700_000))
        return {"Status": "SUCCEEDED", "Result": "1"}

    async def story() -> None:
        async with a_console(tmp_path, handler) as rig:
            arn = await rig.start()
            events: list[Any] = []
            messages = 0
            async with rig.stream("stream", arn=arn) as stream:
                while (message := await stream.message())["event"] != "end":
                    if message["event"] == "history":
                        events += message["data"]
                        messages += 1
            assert 5 <= messages <= 10
            assert events == await rig.service.history(arn)

    asyncio.run(story())


def test_a_deleted_execution_ends_its_stream(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start()
            execution_id = arn.rpartition("/")[2]
            async with rig.stream("stream", arn=arn) as stream:
                await stream.until("execution")
                await rig.service.engine.carry_out(execution_id, Stop())
                await rig.service.engine.carry_out(execution_id, Delete())
                await rig.store.erase(execution_id)
                rig.service.engine.forget(execution_id)
                end = await stream.until("end")
                assert end["data"] == {"is_deleted": True}

    asyncio.run(story())


def test_counts_are_told_when_they_change(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_console(tmp_path, doing(callback())) as rig,
            rig.stream("stream/overview") as stream,
        ):
            first = (await stream.until("counts"))["data"]
            assert first == {"by_status": {}, "by_function": {}, "is_capped": False}
            arn = await rig.start()
            assert (await stream.until("counts"))["data"]["by_status"] == {"RUNNING": 1}
            await answer(rig, arn)
            await rig.service.settle()
            while (await stream.until("counts"))["data"]["by_function"] != {"f": {"SUCCEEDED": 1}}:
                continue

    asyncio.run(story())


def test_streams_are_so_many_and_leave_nothing_behind(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start()
            async with asyncio.TaskGroup() as group:
                full = asyncio.Event()
                opened = [0]

                async def follow() -> None:
                    async with rig.stream("stream", arn=arn) as stream:
                        await stream.until("history")
                        opened[0] += 1
                        if opened[0] == 128:
                            full.set()
                        await over.wait()

                over = asyncio.Event()
                for _ in range(128):
                    group.create_task(follow())
                await full.wait()
                for path, query in (("stream", {"arn": arn}), ("stream/overview", {})):
                    refused = await rig.ask("GET", f"/console/api/{path}", query=query)
                    assert refused.status == 429
                over.set()
            async with rig.stream("stream", arn=arn) as stream:
                await stream.until("history")

    asyncio.run(story())


def test_a_console_that_closes_ends_its_streams(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start()
            async with rig.stream("stream", arn=arn) as one, rig.stream("stream/overview") as two:
                await one.until("history")
                await two.until("counts")
                await rig.console.aclose()
                async with asyncio.timeout(1):
                    await one.ended.wait()
                    await two.ended.wait()

    asyncio.run(story())


@pytest.mark.parametrize("last", ["x", "-1", "1" * 10, "\xb2"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, last: str) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start()
            refused = await rig.ask(
                "GET", "/console/api/stream", query={"arn": arn}, headers={"last-event-id": last}
            )
            assert refused.status == 400
            assert (await rig.ask("GET", "/console/api/stream", query={"arn": "x"})).status == 404

    asyncio.run(story())


def test_a_pause_and_its_end_are_seen(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start()
            execution_id = arn.rpartition("/")[2]
            async with rig.stream("stream", arn=arn) as stream:
                await stream.until("execution")
                await rig.service.engine.carry_out(execution_id, Pause())
                assert (await stream.until("execution"))["data"]["explain"]["kind"] == "paused"
                await rig.service.engine.carry_out(execution_id, Resume())
                assert (await stream.until("execution"))["data"]["explain"]["kind"] == "waiting"

    asyncio.run(story())
