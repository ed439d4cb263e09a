"""An async handler: gathered steps run beside each other, with the same ids at every replay."""

import asyncio
from typing import Any

from perdure import AsyncDurableContext, StepContext, durable_execution, durable_step


@durable_step
async def fetch(step: StepContext, what: str, user: str) -> dict[str, Any]:
    """Stands for a request over an async client."""
    await asyncio.sleep(0)
    step.logger.info("%s of %s", what, user)
    return {"orders": {"open": 2}, "profile": {"name": user.title()}, "credit": {"points": 70}}[
        what
    ]


@durable_execution
async def handler(event: dict[str, str], context: AsyncDurableContext) -> dict[str, Any]:
    profile, orders, credit = await asyncio.gather(
        context.step(fetch("profile", event["user"]), name="profile"),
        context.step(fetch("orders", event["user"]), name="orders"),
        context.step(fetch("credit", event["user"]), name="credit"),
    )
    await context.wait(60, name="let caches settle")
    greeting = f"{profile['name']}: {orders['open']} open orders, {credit['points']} points"
    return {"greeting": greeting}
