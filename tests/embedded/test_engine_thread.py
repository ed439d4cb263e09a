"""The engine's thread ends: whoever has handed something over is answered, on that thread."""

import asyncio
import threading
from typing import Any

import pytest

from perdure.embedded.engine_thread import EngineThread
from perdure.embedded.errors import ServiceClosed


class Held:
    """An engine's thread whose loop is held up until ``go`` is set."""

    def __init__(self) -> None:
        self.thread = EngineThread()
        self.go = threading.Event()
        entered = threading.Event()

        def hold() -> None:
            entered.set()
            assert self.go.wait(30), "the test lets it go"

        self.thread.crossing.post(hold)
        assert entered.wait(30)

    def end(self) -> threading.Thread:
        """Begin to end it, from another thread."""
        ender = threading.Thread(target=self.thread.end)
        ender.start()
        return ender


async def never() -> None:
    """Wait for what does not come."""
    await asyncio.get_running_loop().create_future()


def test_what_was_posted_before_the_end_is_done_on_the_engines_thread() -> None:
    held = Held()
    done_by: list[str] = []
    done = threading.Event()

    def work() -> None:
        done_by.append(threading.current_thread().name)
        done.set()

    held.thread.crossing.post(work)
    ender = held.end()
    assert not done.wait(0.1)  # not by the one who ends it
    held.go.set()
    ender.join()
    assert done_by == ["perdure-engine"]


def test_who_blocks_at_the_end_is_let_go() -> None:
    held = Held()
    heard: list[BaseException] = []

    def ask() -> None:
        try:
            held.thread.call(never)
        except ServiceClosed as error:
            heard.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    ender = held.end()
    held.go.set()
    ender.join()
    asker.join(10)
    assert [type(error) for error in heard] == [ServiceClosed]


def test_who_awaits_at_the_end_is_let_go() -> None:
    async def story() -> Any:
        held = Held()
        asked = asyncio.create_task(held.thread.hop(never))
        await asyncio.sleep(0)  # it is handed over
        ender = held.end()
        held.go.set()
        with pytest.raises(ServiceClosed, match="closed meanwhile"):
            await asked
        ender.join()
        with pytest.raises(ServiceClosed, match="is closed"):
            await held.thread.hop(never)

    asyncio.run(asyncio.wait_for(story(), 20))


def test_who_gives_up_waiting_is_told_what_they_did() -> None:
    async def story() -> None:
        thread = EngineThread()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await thread.hop(never)
        thread.end()

    asyncio.run(story())
