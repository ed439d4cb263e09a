"""A task that is cancelled leaves its operation where it stands, and the handler goes on."""

import asyncio
from typing import Any

import pytest

from perdure import AsyncDurableContext, StepContext, durable_execution
from perdure.protocol.words import ExecutionStatus, OperationStatus
from perdure.sdk.parking import Parking
from tests.sdk.service import LOOP, Service

PARKINGS = pytest.mark.parametrize("places", [0, 1], ids=["replayed", "kept"])


def a_service(function: Any, places: int = 0) -> Service:
    return Service(function, keep=Parking(places) if places else None)


@PARKINGS
def test_a_step_that_takes_too_long_is_left(places: int) -> None:
    cancelled: list[str] = []

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> str:
        async def for_ever(_: StepContext) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.append("it")

        try:
            async with asyncio.timeout(0):
                await context.step(for_ever, name="slow")
        except TimeoutError:
            return await context.step(lambda _: "without", name="next")
        return "with"

    ended = a_service(handler, places).run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, "without")
    assert cancelled == ["it"]
    assert {o.name: o.status for o in ended.operations} == {
        "slow": OperationStatus.STARTED,
        "next": OperationStatus.SUCCEEDED,
    }


@PARKINGS
def test_a_step_that_blocks_is_left_in_its_thread(places: int) -> None:
    release = asyncio.Event()

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> str:
        loop = asyncio.get_running_loop()
        begun, thread_done = asyncio.Event(), asyncio.Event()

        def blocking(_: StepContext) -> None:
            asyncio.run_coroutine_threadsafe(begin(), loop).result()
            loop.call_soon_threadsafe(thread_done.set)

        async def begin() -> None:
            begun.set()
            await release.wait()

        slow = asyncio.create_task(context.step(blocking))
        await begun.wait()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        answer = await context.step(lambda _: "without")
        release.set()
        await thread_done.wait()
        return answer

    ended = a_service(handler, places).run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, "without")


@PARKINGS
def test_a_timer_of_the_process_does_not_run_while_the_handler_is_suspended(places: int) -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> str:
        async with asyncio.timeout(60):
            await context.wait(3_000)
        return "waited"

    ended = a_service(handler, places).run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, "waited")


@PARKINGS
def test_a_wait_that_is_cancelled_holds_nobody_up(places: int) -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> str:
        long_wait = asyncio.create_task(context.wait(3_000))
        await context.step(lambda _: None)
        long_wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long_wait
        await context.wait(1)
        return "done"

    service = a_service(handler, places)
    begun_ms = service.now_ms()
    ended = service.run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, "done")
    assert service.now_ms() - begun_ms == 1_000


@PARKINGS
def test_the_first_failure_of_a_task_group_cancels_the_rest(places: int) -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> list[str]:
        async def refuse() -> None:
            await context.step(lambda _: None)
            raise ValueError("no")

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(context.wait(3_000))
                group.create_task(refuse())
        except* ValueError as refusals:
            told = [str(error) for error in refusals.exceptions]
        await context.wait(1)
        return told

    service = a_service(handler, places)
    begun_ms = service.now_ms()
    ended = service.run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, ["no"])
    assert service.now_ms() - begun_ms == 1_000


def test_a_parked_handler_that_is_moved_from_outside_is_replayed() -> None:
    doorbell = asyncio.Event()
    runs: list[str] = []

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> str:
        runs.append("begun")

        async def when_it_rings() -> str:
            await doorbell.wait()
            return await context.step(lambda _: runs.append("step") or "rung")

        rung, _ = await asyncio.gather(when_it_rings(), context.wait(10))
        return rung

    parking = Parking(1)
    service = Service(handler, keep=parking)
    service.go_on()
    assert len(parking) == 1

    async def ring() -> None:
        doorbell.set()
        for _ in range(5):
            await asyncio.sleep(0)

    LOOP.run(ring())
    assert runs == ["begun"], "nothing durable is done outside an invocation"
    ended = service.run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, "rung")
    assert runs == ["begun", "begun", "step"]


def test_a_parked_handler_whose_wait_is_cancelled_from_outside_is_replayed() -> None:
    doorbell = asyncio.Event()

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> str:
        waiting = asyncio.create_task(context.wait(10))
        watching = asyncio.create_task(doorbell.wait())
        await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return "waited"
        waiting.cancel()
        return "rung"

    service = Service(handler, keep=Parking(1))
    service.go_on()

    async def ring() -> None:
        doorbell.set()
        for _ in range(5):
            await asyncio.sleep(0)
        doorbell.clear()

    LOOP.run(ring())
    ended = service.run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, "waited")
    assert ended.invocations == 2
