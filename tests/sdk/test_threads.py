"""The drivers' corners: what is stored meanwhile, who is unwound, and what a replay logs."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from perdure import AsyncDurableContext, DurableContext, StepContext, durable_execution
from perdure.protocol.words import ExecutionStatus, OperationAction
from perdure.sdk import threads
from perdure.sdk.parking import Parking
from perdure.sdk.pulse import Pulse
from tests.sdk.service import Service

SUCCEEDED = ExecutionStatus.SUCCEEDED


def until(is_so: Callable[[], bool]) -> None:
    """Return when something is so; it must become so in another thread."""
    rest = threading.Event()
    while not is_so():
        rest.wait(0.001)


def wait_for_it(event: threading.Event) -> Callable[[StepContext], bool]:
    return lambda _: event.wait(10)


def test_the_start_of_a_step_is_stored_while_it_runs() -> None:
    stored = threading.Event()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> bool:
        return context.step(wait_for_it(stored))

    service = Service(handler, after_checkpoint=lambda _: stored.set())
    ended = service.run()

    assert (ended.status, ended.result) == (SUCCEEDED, True)
    assert [update.action for update in service.batches[0]] == [OperationAction.START]


def test_the_start_of_an_async_step_is_stored_while_it_runs() -> None:
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> bool:
        stored = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stored))

        async def work(_: StepContext) -> bool:
            return await asyncio.wait_for(stored.wait(), 10)

        return await context.step(work)

    def tell(_: int) -> None:
        loop, stored = loops[0]
        loop.call_soon_threadsafe(stored.set)

    ended = Service(handler, after_checkpoint=tell).run()

    assert (ended.status, ended.result) == (SUCCEEDED, True)


@pytest.mark.parametrize("places", [0, 1], ids=["replayed", "kept"])
def test_a_branch_too_many_is_unwound_and_replayed(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_BLOCKED_MAX", 2)
    released: list[str] = []

    @durable_execution
    def handler(event: Any, context: DurableContext) -> list[Any]:
        def answered(inner: DurableContext) -> Any:
            return inner.create_callback().result()

        def releasing(inner: DurableContext) -> None:
            inner.step(lambda _: until(lambda: inner._driver._blocked == 2))
            inner.wait(1)  # there are too many: the batch itself, and the callback's branch
            inner.step(lambda _: released.append("released"))

        return context.parallel([answered, releasing]).get_results()

    parking = Parking(places) if places else None
    service = Service(
        handler, keep=parking, answer=lambda _: ("answer", None) if released else None
    )
    ended = service.run()

    assert (ended.status, ended.result) == (SUCCEEDED, ["answer", None])


class Lines(logging.Handler):
    """Notes what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note a line."""
        self.lines.append(record.getMessage())


def a_logger() -> tuple[logging.Logger, list[str]]:
    logger = logging.Logger("handler")  # noqa: LOG001 - it belongs to this test alone
    lines = Lines()
    logger.addHandler(lines)
    return logger, lines.lines


async def gathered(context: AsyncDurableContext) -> None:
    await asyncio.gather(context.step(lambda _: 1), context.step(lambda _: 2))


async def grouped(context: AsyncDurableContext) -> None:
    async def two() -> None:
        await context.step(lambda _: 1)
        await context.step(lambda _: 2)

    async with asyncio.TaskGroup() as group:
        group.create_task(two())
        group.create_task(two())


async def one_after_another(context: AsyncDurableContext) -> None:
    await context.step(lambda _: 1)
    await context.step(lambda _: 2)


@pytest.mark.parametrize("work", [one_after_another, gathered, grouped])
def test_a_replay_logs_nothing_again(work: Any) -> None:
    logger, lines = a_logger()

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> None:
        context.set_logger(logger)
        await work(context)
        context.logger.info("worked")
        await context.step(lambda _: 3)
        context.logger.info("stepped")
        await context.wait(1)
        context.logger.info("waited")

    ended = Service(handler).run()

    assert (ended.status, ended.invocations) == (SUCCEEDED, 2)
    assert lines == ["worked", "stepped", "waited"]


class Member:
    """Something that beats; ``broken``: it cannot be asked."""

    def __init__(self, *, broken: bool = False) -> None:
        self.is_asked = threading.Event()
        self._broken = broken

    def tick(self, now_ms: int) -> None:
        """Note that it was asked."""
        self.is_asked.set()
        if self._broken:
            raise RuntimeError("Event loop is closed")


def test_a_member_that_cannot_be_asked_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    pulse, broken, sound = Pulse(), Member(broken=True), Member()

    pulse.add(broken)
    assert broken.is_asked.wait(10)
    pulse.add(sound)
    assert sound.is_asked.wait(10)
    pulse.discard(sound)

    assert [record.message for record in caplog.records] == [
        "a running handler cannot be looked after"
    ]
