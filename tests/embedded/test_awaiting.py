"""The side that is awaited, and handlers that are coroutine functions."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from perdure import AsyncDurableContext, durable_execution
from perdure.clock import ManualClock
from perdure.embedded import (
    AsyncDurableService,
    CallbackNotFound,
    DurableService,
    ExecutionFailed,
    ExecutionStopped,
    ServiceClosed,
)
from tests.embedded.handlers import approve_async, double, order_async, quote
from tests.embedded.stages import EPOCH_MS, suspended


def test_a_service_is_awaited(tmp_path: Path) -> None:
    async def story() -> Any:
        clock = ManualClock(EPOCH_MS)
        async with DurableService(tmp_path / "state.db", clock=clock) as service:
            await service.register("order", order_async)
            handle = await service.start("order", {"id": 1}, execution_name="one")
            while "InvocationCompleted" not in [e.event_type for e in await handle.history()]:  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert await handle.status() == "RUNNING"
            clock.advance(60)
            result = await handle
            assert await handle.result() == result
            assert (await service.get("one")).arn == handle.arn
            assert [info.name async for info in service.executions()] == ["one"]
            return result

    assert asyncio.run(story()) == {"id": 1, "state": "shipped"}


def test_many_are_awaited_at_once() -> None:
    async def story() -> list[Any]:
        async with DurableService(":memory:") as service:
            await service.register("double", double)
            await service.register("quote", quote)
            calls = [service.call("double", number) for number in range(50)]
            calls += [service.call("quote", {"weight": number}) for number in range(50)]
            return await asyncio.gather(*calls)

    assert asyncio.run(story()) == [n * 2 for n in range(50)] + [n * 3 for n in range(50)]


def test_callbacks_are_answered_on_a_loop() -> None:
    async def story() -> Any:
        async with DurableService(":memory:") as service:
            await service.register("approve", approve_async)
            handle = await service.start("approve", "a letter")
            pending = await _first_callback(service)
            assert (pending.name, pending.execution_arn) == ("approval", handle.arn)
            await service.send_callback_heartbeat(pending.callback_id)
            await service.send_callback_success(pending.callback_id, "yes")
            with pytest.raises(CallbackNotFound):
                await service.send_callback_failure("nonsense", "no")
            refused = await service.start("approve", "another")
            await service.send_callback_failure(
                (await _first_callback(service)).callback_id, ValueError("no")
            )
            with pytest.raises(ExecutionFailed, match="no"):
                await refused
            return await handle

    assert asyncio.run(story()) == ["a letter", "yes"]


async def _first_callback(service: AsyncDurableService) -> Any:
    while True:
        async for callback in service.list_callbacks("approve"):
            return callback
        await asyncio.sleep(0)


def test_waiting_can_be_given_up() -> None:
    async def story() -> None:
        async with DurableService(":memory:") as service:
            await service.register("approve", approve_async)
            handle = await service.start("approve")
            with pytest.raises(TimeoutError):
                await handle.result(0.05)
            waiting = asyncio.ensure_future(_result(handle))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await handle.pause()
            await handle.resume()
            await handle.stop("enough")
            with pytest.raises(ExecutionStopped, match="enough"):
                await handle
            await handle.delete()

    asyncio.run(story())


async def _result(handle: Any) -> Any:
    return await handle


def test_a_closed_service_lets_those_who_await_go() -> None:
    async def story() -> None:
        async with DurableService(":memory:") as service:
            await service.register("approve", approve_async)
            handle = await service.start("approve")
            waiting = asyncio.ensure_future(_result(handle))
            assert await handle.status() == "RUNNING"
        with pytest.raises(ServiceClosed):
            await waiting
        with pytest.raises(ServiceClosed):
            await handle.info()

    asyncio.run(story())


def test_an_async_handler_may_use_the_service() -> None:
    with DurableService(":memory:") as service:

        @durable_execution
        async def outer(event: Any, context: AsyncDurableContext) -> Any:
            async def ask(_: Any) -> Any:
                return await service.asynchronous.call("double", event)

            return await context.step(ask, name="ask")

        @durable_execution
        async def blocking(event: Any, context: AsyncDurableContext) -> Any:
            service.start("double", event)

        for name, handler in (("double", double), ("outer", outer), ("blocking", blocking)):
            service.register(name, handler)
        assert service.call("outer", 4) == 8
        with pytest.raises(ExecutionFailed, match="would block the loop"):
            service.call("blocking", 4)


def test_async_handlers_share_the_engines_thread() -> None:
    threads: set[str] = set()

    @durable_execution
    async def where(event: Any, context: AsyncDurableContext) -> None:
        threads.add(threading.current_thread().name)
        await context.wait(60)
        threads.add(threading.current_thread().name)

    clock = ManualClock(EPOCH_MS)
    with DurableService(":memory:", clock=clock) as service:
        service.register("where", where)
        handle = suspended(service.start("where"))
        clock.advance(60)
        handle.result()
    assert threads == {"perdure-engine"}
