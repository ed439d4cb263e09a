"""A TaskGroup of whole conversations, each with its own time-out; one failure ends them all."""

import asyncio
from typing import Any

from perdure import (
    AsyncDurableContext,
    CallbackConfig,
    CallbackExternalError,
    CallbackTimeoutError,
    StepContext,
    durable_execution,
    durable_step,
)
from perdure.serdes import JsonSerDes


@durable_step
async def request(step: StepContext, supplier: str, callback_id: str) -> None:
    print(f"ask {supplier} for an offer")


async def offer(context: AsyncDurableContext, supplier: str, hours: float) -> int | None:
    """Ask one supplier; one that is silent for too long makes no offer."""
    # A time-out that is part of the operation is recorded with it. asyncio.timeout is not: it
    # counts this process's time, which stops when the function is suspended.
    config = CallbackConfig(timeout=hours * 3600, serdes=JsonSerDes())
    callback = await context.create_callback(name=f"offer of {supplier}", config=config)
    await context.step(request(supplier, callback.callback_id), name=f"ask {supplier}")
    try:
        return (await callback.result())["price"]
    except CallbackTimeoutError:
        return None


@durable_execution
async def handler(event: dict[str, Any], context: AsyncDurableContext) -> dict[str, Any]:
    failures: list[BaseException] = []
    try:
        async with asyncio.TaskGroup() as group:
            asked = {
                supplier: group.create_task(offer(context, supplier, hours))
                for supplier, hours in event["suppliers"].items()
            }
    except* CallbackExternalError as group_error:
        # The group has cancelled the others: what they wait for is not waited for any more.
        failures += group_error.exceptions
    if failures:
        return {"best": None, "because": str(failures[0])}
    offers = {name: each.result() for name, each in asked.items() if each.result() is not None}
    return {"best": min(offers, key=offers.__getitem__), "offers": offers}
