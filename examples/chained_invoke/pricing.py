"""The function that ``checkout`` invokes: an execution of its own, with operations of its own."""

from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import Duration

PRICES = {"lamp": 40, "bulb": 3}


@durable_step
def look_up(step: StepContext, items: list[str]) -> int:
    return sum(PRICES[item] for item in items)


@durable_execution
def handler(cart: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    if unknown := [item for item in cart["items"] if item not in PRICES]:
        raise ValueError(f"nobody sells {unknown[0]}")
    subtotal = context.step(look_up(cart["items"]))
    context.wait(Duration.from_seconds(30), name="ask the tax office")
    return {"total": subtotal * 120 // 100}
