"""Operations beside each other on an event loop: their ids follow from the code, not from time."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from perdure import (
    AsyncDurableContext,
    CompletionConfig,
    DurableContext,
    ParallelConfig,
    durable_execution,
)
from perdure.protocol.words import ExecutionStatus, OperationStatus
from perdure.sdk.exceptions import OrphanedChildException
from tests.sdk.service import Ended, Service


def ran(handler: Callable[..., Any]) -> Ended:
    end = Service(durable_execution(handler)).run()
    assert end.status is ExecutionStatus.SUCCEEDED, end.error
    return end


def ids(end: Ended) -> dict[str | None, str]:
    """Return the id of each operation by its name."""
    return {operation.name: operation.id for operation in end.operations}


class Turns:
    """Lets steps pass in one order, whoever comes first."""

    def __init__(self, order: str) -> None:
        self._passed = {name: asyncio.Event() for name in order}
        self._before = dict(zip(order[1:], order, strict=False))

    async def take(self, name: str) -> str:
        """Wait for one's turn, and let the next have his."""
        if name in self._before:
            await self._passed[self._before[name]].wait()
        self._passed[name].set()
        return name


async def by_gather(calls: list[Awaitable[str]]) -> list[str]:
    return list(await asyncio.gather(*calls))


async def by_group(calls: list[Awaitable[str]]) -> list[str]:
    async def wrapped(call: Awaitable[str]) -> str:
        return await call

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wrapped(call)) for call in calls]
    return [task.result() for task in tasks]


async def by_tasks(calls: list[Awaitable[str]]) -> list[str]:
    tasks = [asyncio.ensure_future(call) for call in calls]
    return [await task for task in reversed(tasks)][::-1]


TOGETHER = pytest.mark.parametrize("together", [by_gather, by_group, by_tasks])
Together = Callable[[list[Awaitable[str]]], Awaitable[list[str]]]


def operations_in(order: str, together: Together) -> Ended:
    """Run three steps that end in ``order``."""

    async def handler(event: Any, context: AsyncDurableContext) -> list[str]:
        turns = Turns(order)
        return await together(
            [context.step(lambda _, n=name: turns.take(n), name=name) for name in "abc"]
        )

    return ran(handler)


def coroutines_in(order: str, together: Together) -> Ended:
    """Run three coroutines of two steps each; their first steps end in ``order``."""

    async def handler(event: Any, context: AsyncDurableContext) -> list[str]:
        turns = Turns(order)

        async def two(name: str) -> str:
            first = await context.step(lambda _: turns.take(name), name=name)
            await context.wait(1, name=f"{name} waits")
            return await context.step(lambda _: first * 2, name=f"{name} again")

        return await together([two(name) for name in "abc"])

    return ran(handler)


@TOGETHER
@pytest.mark.parametrize("order", ["acb", "bca", "cba"])
def test_operations_beside_each_other_have_their_ids_by_their_order_in_the_code(
    order: str, together: Together
) -> None:
    first, second = operations_in("abc", together), operations_in(order, together)

    assert first.result == second.result == ["a", "b", "c"]
    assert ids(first) == ids(second)
    assert len(set(ids(first).values())) == 3


@TOGETHER
@pytest.mark.parametrize("order", ["acb", "bca", "cba"])
def test_operations_of_coroutines_beside_each_other_have_ids_of_their_coroutine(
    order: str, together: Together
) -> None:
    first, second = coroutines_in("abc", together), coroutines_in(order, together)

    assert first.result == second.result == ["aa", "bb", "cc"]
    assert ids(first) == ids(second)
    assert len(set(ids(first).values())) == 9


def test_operations_that_are_gathered_have_the_ids_of_operations_one_after_another() -> None:
    async def in_turn(event: Any, context: AsyncDurableContext) -> None:
        for name in "abc":
            await context.step(lambda _: 1, name=name)

    assert ids(ran(in_turn)) == ids(operations_in("cba", by_gather))


def test_coroutines_inside_coroutines_have_ids_of_their_own() -> None:
    async def handler(event: Any, context: AsyncDurableContext) -> Any:
        async def leaf(name: str) -> str:
            await context.wait(1, name=f"{name} waits")
            return await context.step(lambda _: name, name=name)

        async def branch(name: str) -> list[str]:
            return list(await asyncio.gather(leaf(f"{name}1"), leaf(f"{name}2")))

        return await asyncio.gather(branch("a"), branch("b"))

    end = ran(handler)

    assert end.result == [["a1", "a2"], ["b1", "b2"]]
    assert len(ids(end)) == len(set(ids(end).values())) == 8


@pytest.mark.parametrize("is_blocking", [False, True], ids=["async", "blocking"])
def test_tasks_that_a_step_starts_do_not_shift_ids(is_blocking: bool) -> None:
    def a_handler(count: int) -> Callable[..., Any]:
        async def nothing() -> None: ...

        async def work(_: Any) -> None:
            await asyncio.gather(*(nothing() for _ in range(count)))

        def blocking_work(_: Any) -> None:
            asyncio.run(work(_))

        async def handler(event: Any, context: AsyncDurableContext) -> None:
            async def inside() -> None:
                await context.step(lambda _: 1, name="inside")

            await context.step(blocking_work if is_blocking else work, name="busy")
            await asyncio.create_task(inside())
            await context.step(lambda _: 1, name="after")

        return handler

    assert ids(ran(a_handler(0))) == ids(ran(a_handler(5)))


def test_tasks_outside_of_a_handler_are_left_alone() -> None:
    places: list[str] = []

    async def handler(event: Any, context: AsyncDurableContext) -> None:
        def called_back() -> None:
            places.append("called back")

        asyncio.get_running_loop().call_soon(called_back)
        await context.wait(1)

    ran(handler)

    assert set(places) == {"called back"}


def test_a_timeout_around_a_step_cancels_it() -> None:
    seen: list[str] = []

    async def handler(event: Any, context: AsyncDurableContext) -> str:
        async def never(_: Any) -> None:
            seen.append("begun")
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cancelled")

        try:
            async with asyncio.timeout(0):
                await context.step(never, name="slow")
        except TimeoutError:
            return await context.step(lambda _: "too late", name="after")
        return "in time"

    end = ran(handler)

    assert end.result == "too late"
    assert seen in ([], ["begun", "cancelled"])
    assert [o.name for o in end.operations if o.status is OperationStatus.SUCCEEDED] == ["after"]


def test_a_step_that_is_cancelled_while_it_runs_is_unwound() -> None:
    seen: list[str] = []

    async def handler(event: Any, context: AsyncDurableContext) -> str:
        has_begun = asyncio.Event()

        async def never(_: Any) -> None:
            has_begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cancelled")

        step = asyncio.ensure_future(context.step(never, name="slow"))
        await has_begun.wait()
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        return await context.step(lambda _: "after", name="after")

    end = ran(handler)

    assert end.result == "after"
    assert seen == ["cancelled"]


def test_an_async_branch_that_is_left_behind_is_cancelled() -> None:
    seen: list[str] = []

    async def handler(event: Any, context: AsyncDurableContext) -> list[str]:
        has_begun = asyncio.Event()

        async def slow(_: Any) -> None:
            has_begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cancelled")

        async def quick(_: Any) -> str:
            await has_begun.wait()
            return "quick"

        batch = await context.parallel(
            [lambda c: c.step(slow, name="slow"), lambda c: c.step(quick, name="quick")],
            config=ParallelConfig(completion_config=CompletionConfig(min_successful=1)),
        )
        return batch.get_results()

    end = ran(handler)

    assert end.result == ["quick"]
    assert seen == ["cancelled"]


def test_a_blocking_branch_that_is_left_behind_is_joined() -> None:
    may_end = threading.Event()
    seen: list[str] = []

    def handler(event: Any, context: DurableContext) -> list[str]:
        has_begun = threading.Event()

        def slow(_: Any) -> None:
            has_begun.set()
            assert may_end.wait(10)
            seen.append("ended")

        def slowly(inner: DurableContext) -> None:
            try:
                inner.step(slow, name="slow")
            except OrphanedChildException:
                seen.append("orphaned")
                raise

        def quickly(inner: DurableContext) -> str:
            assert has_begun.wait(10)
            return inner.step(lambda _: "quick", name="quick")

        batch = context.parallel(
            [slowly, quickly],
            config=ParallelConfig(completion_config=CompletionConfig(min_successful=1)),
        )
        may_end.set()
        return batch.get_results()

    end = ran(handler)

    assert end.result == ["quick"]
    assert seen == ["ended", "orphaned"]  # before the invocation was answered
    assert {o.name: o.status for o in end.operations}["slow"] is not OperationStatus.SUCCEEDED
