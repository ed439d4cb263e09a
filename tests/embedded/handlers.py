"""Functions of the stories: what is run in process, by tests and by the programs they kill."""

from pathlib import Path
from typing import Any

from perdure import AsyncDurableContext, DurableContext, StepContext, durable_execution

__all__ = [
    "append",
    "approve",
    "approve_async",
    "double",
    "nap",
    "note",
    "note_async",
    "order",
    "order_async",
    "quote",
    "ship",
]


@durable_execution
def order(event: Any, context: DurableContext) -> Any:
    """Two steps with a minute between them."""
    taken = context.step(lambda _: {"id": event["id"], "state": "taken"}, name="take")
    context.wait(60, name="let it settle")
    return context.step(lambda _: {**taken, "state": "shipped"}, name="ship")


@durable_execution
async def order_async(event: Any, context: AsyncDurableContext) -> Any:
    """The same, awaited."""

    async def take(_: StepContext) -> Any:
        return {"id": event["id"], "state": "taken"}

    taken = await context.step(take, name="take")
    await context.wait(60, name="let it settle")
    return await context.step(lambda _: {**taken, "state": "shipped"}, name="ship")


@durable_execution
def approve(event: Any, context: DurableContext) -> Any:
    """Wait for somebody's answer."""
    callback = context.create_callback(name="approval")
    return [event, callback.result()]


@durable_execution
async def approve_async(event: Any, context: AsyncDurableContext) -> Any:
    """The same, awaited."""
    callback = await context.create_callback(name="approval")
    return [event, await callback.result()]


@durable_execution
def ship(event: Any, context: DurableContext) -> Any:
    """Ask two other functions."""
    price = context.invoke("quote", event, name="quote")
    return context.invoke("double", price, name="double")


def quote(event: Any, context: Any) -> Any:
    """Be an ordinary function."""
    if event["weight"] < 0:
        raise ValueError("nothing weighs less than nothing")
    return event["weight"] * 3


async def double(event: Any, context: Any) -> Any:
    """Be an ordinary coroutine function."""
    return event * 2


@durable_execution
def note(event: Any, context: DurableContext) -> int:
    """Leave a line in a file for each step."""
    path = Path(event["path"])
    for number in range(event["steps"]):
        line = f"{event['id']}/{number}"
        context.step(lambda _, line=line: append(path, line), name=f"{number}")
    return event["steps"]


@durable_execution
async def note_async(event: Any, context: AsyncDurableContext) -> int:
    """The same, awaited."""
    path = Path(event["path"])
    for number in range(event["steps"]):
        line = f"{event['id']}/{number}"

        async def step(_: StepContext, line: str = line) -> None:
            append(path, line)

        await context.step(step, name=f"{number}")
    return event["steps"]


@durable_execution
def nap(event: Any, context: DurableContext) -> str:
    """Do nothing for a while."""
    context.wait(event)
    return "rested"


def append(path: Path, line: str) -> None:
    """Write a line at the end of a file."""
    with path.open("a") as file:
        file.write(f"{line}\n")
