"""What ends an invocation or an execution does so from inside a TaskGroup, too."""

import asyncio
from typing import Any

from perdure import (
    AsyncDurableContext,
    RetryableSerDesError,
    StepConfig,
    durable_execution,
)
from perdure.protocol.words import ExecutionStatus
from perdure.sdk.client import ServiceError
from perdure.serdes import JsonSerDes, SerDesContext
from tests.sdk.service import Service


class Away(JsonSerDes):
    """A serdes whose store is away at the first call."""

    calls = 0

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        self.calls += 1
        if self.calls == 1:
            raise RetryableSerDesError("the store is away")
        return super().serialize(value, serdes_context)


def test_a_service_that_is_away_fails_the_invocation_and_not_the_execution() -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> int:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(context.step(lambda _, n=n: n)) for n in (1, 2)]
        return sum(each.result() for each in asked)

    def refuse_once(number: int) -> None:
        if number == 0 and service.invocations == 1:
            raise ServiceError("away", code="Away", status=503)

    service = Service(handler)
    service.before_checkpoint = refuse_once
    ended = service.run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, 3)
    assert ended.invocations == 2


def test_a_replay_that_differs_says_so() -> None:
    runs: list[int] = []

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> None:
        runs.append(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(context.step(lambda _: 1, name=f"run {len(runs)}"))
        await context.wait(1)

    ended = Service(handler).run()

    assert ended.status is ExecutionStatus.FAILED
    assert ended.error is not None
    assert (ended.error.error_type or "").endswith("ReplayMismatchError")
    assert "'run 1'" in (ended.error.error_message or "")


def test_a_value_that_cannot_be_written_now_is_written_by_the_next_invocation() -> None:
    serdes = Away()

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> int:
        async def one(context: AsyncDurableContext) -> int:
            async with asyncio.TaskGroup() as group:
                asked = group.create_task(
                    context.step(lambda _: 7, config=StepConfig(serdes=serdes))
                )
            return asked.result()

        return (await context.parallel([one])).get_results()[0]

    ended = Service(handler).run()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, 7)
    assert ended.invocations == 2
