"""Handlers that the tests of the testing library run: each as a function, and as a coroutine."""

from typing import Any

from perdure import (
    AsyncDurableContext,
    CallbackConfig,
    DurableContext,
    Duration,
    RetryDecision,
    StepConfig,
    durable_execution,
)

__all__ = ["BOTH_APPROVALS", "BOTH_ORDERS", "approval", "approval_async", "order", "order_async"]


def reserve(item: str) -> str:
    """Return the reservation's id."""
    return f"r-{item}"


@durable_execution
def order(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """Reserve each item, wait, charge at the second attempt."""
    items = context.map(
        event["items"],
        lambda child, item, _, __: child.step(lambda _: reserve(item), name="reserve"),
        name="items",
    )
    context.wait(Duration.from_hours(1), name="cooling-off")
    charge = context.step(pay, name="charge", config=TWICE)
    return {"items": items.get_results(), "charge": charge}


@durable_execution
async def order_async(event: dict[str, Any], context: AsyncDurableContext) -> dict[str, Any]:
    """Do as ``order``."""

    async def each(child: AsyncDurableContext, item: str, _: int, __: Any) -> str:
        return await child.step(lambda _: reserve(item), name="reserve")

    items = await context.map(event["items"], each, name="items")
    await context.wait(Duration.from_hours(1), name="cooling-off")
    charge = await context.step(pay, name="charge", config=TWICE)
    return {"items": items.get_results(), "charge": charge}


def pay(step: Any) -> str:
    """Fail the first time."""
    if step.attempt == 1:
        raise ValueError("the gateway is away")
    return f"paid at attempt {step.attempt}"


TWICE = StepConfig(
    retry_strategy=lambda error, attempt: (
        RetryDecision.retry(Duration.from_seconds(30)) if attempt < 2 else RetryDecision.no_retry()
    )
)
ASKED = CallbackConfig(timeout=Duration.from_days(1), heartbeat_timeout=Duration.from_hours(2))


@durable_execution
def approval(event: Any, context: DurableContext) -> Any:
    """Wait for two approvals, the second one under its own name."""
    first = context.create_callback(name="first", config=ASKED)
    answer = first.result()
    second = context.wait_for_callback(lambda _, __: None, name="second")
    return [answer, second]


@durable_execution
async def approval_async(event: Any, context: AsyncDurableContext) -> Any:
    """Do as ``approval``."""
    first = await context.create_callback(name="first", config=ASKED)
    answer = await first.result()
    second = await context.wait_for_callback(lambda _, __: None, name="second")
    return [answer, second]


BOTH_ORDERS = [order, order_async]
BOTH_APPROVALS = [approval, approval_async]
