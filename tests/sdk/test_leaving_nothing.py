"""What is left of a run at its end: nothing that only a collection of garbage would free."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from perdure import AsyncDurableContext, DurableContext, durable_execution
from perdure.sdk.client import Progress
from perdure.sdk.envelopes import Opening
from perdure.sdk.loop import new_event_loop
from perdure.sdk.parking import Parking
from perdure.sdk.run import Run

ARN = "arn:aws:lambda:us-east-1:0:function:f:1/durable-execution/e/1"
OPENING = Opening(ARN, "0", [], None, ())
FREED = threading.Event()


class Service:
    """Takes every checkpoint; changes nothing."""

    def checkpoint(self, arn: str, token: str, updates: Any, client_token: str) -> Progress:
        """Answer with the next token."""
        return Progress(f"{int(token) + 1}", [], None)

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """Answer that there is nothing."""
        return Progress(token, [], None)


class AsyncService:
    """The same, awaited."""

    async def checkpoint(self, arn: str, token: str, updates: Any, client_token: str) -> Progress:
        """As the service's."""
        await asyncio.sleep(0)
        return Service().checkpoint(arn, token, updates, client_token)

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """As the service's."""
        return Service().read_state(arn, token, marker)


def watch(run: Run) -> None:
    """Hear when a run is freed."""
    weakref.finalize(run, FREED.set)


@durable_execution
def blocking(event: Any, context: DurableContext) -> Any:
    """Use a step, and a child context with another."""
    watch(context.run)
    context.step(lambda _: 1)
    return context.run_in_child_context(lambda inner: inner.step(lambda _: 2))


@durable_execution
async def awaiting(event: Any, context: AsyncDurableContext) -> Any:
    """The same, awaited."""

    async def work(_: Any) -> int:
        return 2

    async def child(inner: AsyncDurableContext) -> int:
        return await inner.step(work)

    watch(context.run)
    await context.step(work)
    return await context.run_in_child_context(child)


def run_blocking(keep: Parking | None) -> Any:
    return blocking.invoke(OPENING, None, Service(), keep=keep)


def run_awaiting(keep: Parking | None) -> Any:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(awaiting.invoke_async(OPENING, None, AsyncService(), keep=keep))


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Nothing is freed but what nobody refers to."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("keep", [None, Parking(1)], ids=["unwound at rest", "kept at rest"])
@pytest.mark.parametrize("run", [run_blocking, run_awaiting], ids=["sync", "async"])
@pytest.mark.usefixtures("no_collection")
def test_a_run_is_freed_when_it_has_ended(
    run: Callable[[Parking | None], Any], keep: Parking | None
) -> None:
    FREED.clear()

    answer = run(keep)

    assert answer == {"Status": "SUCCEEDED", "Result": "2"}
    assert FREED.wait(10), "the thread that has answered is done as well"
