"""Waits: requirements 2-1 to 2-5."""

from .sdk import DurableContext, Duration, durable_execution


@durable_execution
def basic(event: None, context: DurableContext) -> str:
    context.wait(Duration.from_seconds(2))
    return "waited"


@durable_execution
def named(event: None, context: DurableContext) -> str:
    context.wait(Duration.from_seconds(2), name="custom_wait_name")
    return "waited"


@durable_execution
def sequential(event: None, context: DurableContext) -> dict[str, int]:
    names = ["wait-1", "wait-2"]
    for name in names:
        context.wait(Duration.from_seconds(2), name=name)
    return {"completedWaits": len(names)}


@durable_execution
def one_minute(event: None, context: DurableContext) -> str:
    context.wait(Duration.from_minutes(1))
    return "waited"


@durable_execution
def one_hour(event: None, context: DurableContext) -> str:
    context.wait(Duration.from_hours(1))
    return "waited"
