"""Many at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from perdure import AsyncDurableContext, DurableContext, durable_execution
from perdure.embedded import DurableService
from tests.embedded.stages import opened

_EXECUTIONS = 1_000


@durable_execution
def _sum(event: Any, context: DurableContext) -> int:
    total = 0
    for number in range(3):
        total += context.step(lambda _, n=number: event + n, name=f"{number}")
    return total


@durable_execution
async def _sum_async(event: Any, context: AsyncDurableContext) -> int:
    async def add(number: int) -> int:
        async def step(_: Any) -> int:
            return event + number

        return await context.step(step, name=f"{number}")

    return sum(await asyncio.gather(*(add(number) for number in range(3))))


@pytest.mark.parametrize("handler", [_sum, _sum_async], ids=["sync", "async"])
def test_a_thousand_executions_at_once(tmp_path: Path, handler: Any) -> None:
    async def story() -> list[int]:
        async with DurableService(tmp_path / "state.db", concurrency=1_000) as service:
            await service.register("sum", handler)
            return await asyncio.gather(*(service.call("sum", n) for n in range(_EXECUTIONS)))

    assert asyncio.run(story()) == [3 * n + 3 for n in range(_EXECUTIONS)]


def test_no_more_run_at_once_than_is_said() -> None:
    running: list[int] = []
    at_once: list[int] = []

    @durable_execution
    def count(event: Any, context: DurableContext) -> None:
        running.append(event)
        at_once.append(len(running))
        context.step(lambda _: None, name="step")
        running.remove(event)

    with DurableService(":memory:", concurrency=3) as service:
        service.register("count", count)
        for handle in [service.start("count", number) for number in range(50)]:
            handle.result()
    assert len(at_once) == 50
    assert max(at_once) <= 3


def test_suspended_executions_hold_no_place(tmp_path: Path) -> None:
    @durable_execution
    def ask(event: Any, context: DurableContext) -> Any:
        return context.create_callback(name="ask").result()

    with DurableService(tmp_path / "state.db", concurrency=2) as service:
        service.register("ask", ask)
        handles = [service.start("ask", number) for number in range(400)]
        answered = 0
        while answered < len(handles):
            for callback in service.list_callbacks("ask"):
                service.send_callback_success(callback.callback_id, callback.execution_arn)
                answered += 1
        assert [handle.result() for handle in handles] == [handle.arn for handle in handles]


def test_a_branch_for_each_of_many() -> None:
    @durable_execution
    def fan_out(event: Any, context: DurableContext) -> int:
        batch = context.map(
            list(range(event)), lambda inner, n, i, all_: inner.step(lambda _: n * 2, name="double")
        )
        return sum(batch.get_results())

    with opened(":memory:", fan_out=fan_out) as service:
        assert service.call("fan_out", 200) == 200 * 199
