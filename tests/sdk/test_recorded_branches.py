"""A branch that has ended in an earlier invocation counts, whoever else is quicker at replay."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from perdure import (
    AsyncDurableContext,
    BatchItemStatus,
    DurableContext,
    MapConfig,
    durable_execution,
)
from perdure.protocol.words import OperationAction
from perdure.serdes import JsonSerDes, SerDesContext
from tests.sdk.service import Service


class SlowToRead(JsonSerDes):
    """A serdes that reads what is recorded only after the other branch has failed for good."""

    def __init__(self) -> None:
        self.has_failed = threading.Event()
        self.is_second = False

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        if self.is_second:
            assert self.has_failed.wait(10)
        return super().deserialize(data, serdes_context)


@pytest.mark.parametrize("max_concurrency", [None, 2])
def test_a_recorded_success_is_counted_before_a_failure_ends_the_batch(
    max_concurrency: int | None,
) -> None:
    serdes = SlowToRead()

    def branch(context: DurableContext, seconds: int, index: int, items: Sequence[int]) -> int:
        if seconds:
            context.wait(seconds)
            raise ValueError("too late")
        return 7

    @durable_execution
    def handler(event: Any, context: DurableContext) -> list[str]:
        serdes.is_second = context.is_replaying()
        config = MapConfig[int](max_concurrency=max_concurrency, item_serdes=serdes)
        batch = context.map([0, 60], branch, config=config)
        return [item.status.value for item in batch.all]

    def look(number: int) -> None:
        if any(update.action is OperationAction.FAIL for update in service.batches[number]):
            serdes.has_failed.set()

    service = Service(handler, after_checkpoint=look)
    ended = service.run()

    assert ended.result == [BatchItemStatus.SUCCEEDED.value, BatchItemStatus.FAILED.value]
    assert ended.invocations == 2


def test_so_it_is_in_an_async_handler() -> None:
    async def branch(
        context: AsyncDurableContext, seconds: int, index: int, items: Sequence[int]
    ) -> int:
        if seconds:
            await context.wait(seconds)
            raise ValueError("too late")
        return 7

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> list[str]:
        batch = await context.map([60, 0, 0], branch)
        return [item.status.value for item in batch.all]

    assert Service(handler).run().result == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
