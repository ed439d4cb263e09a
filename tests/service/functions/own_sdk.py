"""Durable handlers of our own SDK, sync and async, which do the same."""

import asyncio

from perdure import DurableContext, durable_execution


@durable_execution
def handler(event: dict, context: DurableContext) -> list:
    first = context.step(lambda _: event["n"] + 1, name="add")
    context.wait(1, name="settle")
    told = context.invoke(event["asks"], first, name="ask")
    return [first, told["given"], context.step(lambda _: first * 2, name="double")]


@durable_execution
async def awaiting(event: dict, context: DurableContext) -> list:
    first = await context.step(lambda _: event["n"] + 1, name="add")
    told, _ = await asyncio.gather(
        context.invoke(event["asks"], first, name="ask"), context.wait(1, name="settle")
    )
    return [first, told["given"], await context.step(lambda _: first * 2, name="double")]
