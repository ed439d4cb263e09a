"""Child contexts in child contexts: a trip of legs, each of which books what it is made of.

A child context that fails takes its own back and fails; the one around it decides what that means.
"""

from typing import Any

from perdure import (
    ChildContextError,
    DurableContext,
    StepContext,
    StepError,
    durable_execution,
    durable_step,
    durable_with_child_context,
)
from perdure.config import StepConfig
from perdure.retries import RetryPresets

Leg = dict[str, Any]


@durable_step
def book(step: StepContext, what: str, city: str, sold_out: list[str]) -> str:
    if f"{what} in {city}" in sold_out:
        raise LookupError(f"no {what} in {city}")
    print(f"book {what} in {city}")
    return f"{what}@{city}"


@durable_step
def cancel(step: StepContext, booking: str) -> None:
    print(f"cancel {booking}")


@durable_with_child_context
def stay(context: DurableContext, city: str, sold_out: list[str]) -> list[str]:
    """A room, and a table for the evening: both or neither."""
    once = StepConfig(retry_strategy=RetryPresets.none())
    room = context.step(book("room", city, sold_out), name="room", config=once)
    try:
        table = context.step(book("table", city, sold_out), name="table", config=once)
    except StepError:
        context.step(cancel(room), name="give the room back")
        raise
    return [room, table]


@durable_with_child_context
def leg(context: DurableContext, leg: Leg, sold_out: list[str]) -> list[str]:
    """A way there, and a stay; if there is no stay, there is a tent."""
    train = context.step(book("train", leg["city"], sold_out), name="train")
    try:
        return [train, *context.run_in_child_context(stay(leg["city"], sold_out), name="stay")]
    except ChildContextError as error:
        context.logger.warning("%s: a tent it is", error.message)
        return [train, context.step(book("tent", leg["city"], sold_out), name="tent")]


@durable_execution
def handler(trip: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    return {
        stop["city"]: context.run_in_child_context(
            leg(stop, trip["sold_out"]), name=f"leg to {stop['city']}"
        )
        for stop in trip["legs"]
    }
