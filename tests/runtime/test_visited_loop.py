"""A loop whose place other threads take while it sleeps."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from perdure.runtime.crossing import Crossing
from perdure.runtime.visited_loop import VisitedLoop


class There:
    """A loop that is visited, in a thread of its own."""

    def __init__(self) -> None:
        self.loop = VisitedLoop()
        self.crossing = Crossing(self.loop)
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def visit(self, function: Any, *arguments: Any) -> Any:
        """Visit the loop as soon as it sleeps."""
        while True:
            visit = self.loop.visit(function, arguments)
            if visit is not None:
                return visit

    def settle(self) -> None:
        """Have the crossing know that its callers are alone."""
        for _ in range(10):
            self.crossing.call(asyncio.sleep, 0)

    def end(self) -> None:
        if self.thread.is_alive():
            self.crossing.close()
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
        self.loop.close()


@pytest.fixture
def there() -> Iterator[There]:
    there = There()
    yield there
    there.end()


async def whose() -> threading.Thread:
    """Return the thread this runs in, which is the loop's to all that asks."""
    assert asyncio.get_running_loop().is_running()
    return threading.current_thread()


def test_a_visitor_does_its_work_itself(there: There) -> None:
    visit = there.visit(whose)
    assert (visit.result, visit.rest) == (threading.current_thread(), None)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_what_it_raises_is_raised(there: There) -> None:
    async def fail() -> None:
        raise KeyError("it")

    with pytest.raises(KeyError):
        there.visit(fail)
    assert there.visit(whose).rest is None


def test_what_waits_for_others_goes_on_on_the_loop(there: There) -> None:
    async def work() -> tuple[threading.Thread, threading.Thread]:
        before = threading.current_thread()
        await asyncio.sleep(0.001)
        return before, threading.current_thread()

    visit = there.visit(work)
    assert visit.rest is not None
    result = there.crossing.call(visit.rest.finish)
    assert result == (threading.current_thread(), there.thread)


def test_a_cancellation_reaches_what_goes_on_on_the_loop(there: There) -> None:
    heard: list[str] = []

    async def work() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            heard.append("cancelled")
            await asyncio.sleep(0)
            return "put away"
        raise AssertionError("nobody answers")

    async def finish_and_cancel(rest: Any) -> str:
        task = asyncio.ensure_future(rest.finish())
        await asyncio.sleep(0)
        task.cancel()
        return await task

    rest = there.visit(work).rest
    assert there.crossing.call(finish_and_cancel, rest) == "put away"
    assert heard == ["cancelled"]


def test_what_was_put_off_until_the_loop_rests_is_done_by_the_visitor(there: There) -> None:
    async def work() -> threading.Thread:
        loop = there.loop
        future: asyncio.Future[threading.Thread] = loop.create_future()
        loop.call_at_rest(lambda: future.set_result(threading.current_thread()))
        return await future

    visit = there.visit(work)
    assert (visit.result, visit.rest) == (threading.current_thread(), None)


def test_a_visitor_that_has_begun_something_wakes_the_loop(there: There) -> None:
    done = threading.Event()
    later = threading.Event()

    async def begin() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(done.set)
        loop.call_later(0.001, later.set)

    there.visit(begin)
    assert done.wait(30)
    assert later.wait(30)


def test_nobody_visits_a_loop_that_is_awake(there: There) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert go.wait(30)

    there.crossing.post(hold)
    assert entered.wait(30)
    assert there.loop.visit(whose, ()) is None
    go.set()


def test_nobody_visits_a_loop_that_does_not_run() -> None:
    loop = VisitedLoop()
    assert loop.visit(whose, ()) is None
    loop.close()


def test_a_visitor_in_a_loop_of_its_own_comes_back_to_it(there: There) -> None:
    async def here() -> None:
        before = asyncio.get_running_loop()
        await asyncio.to_thread(there.settle)
        there.crossing.visit(whose)
        assert asyncio.get_running_loop() is before

    asyncio.run(here())


def test_a_lone_caller_visits_and_company_meets_on_the_loop(there: There) -> None:
    assert there.crossing.visit(whose) is there.thread
    there.settle()
    while there.crossing.visit(whose) is there.thread:
        continue
    entered, go = threading.Event(), threading.Event()

    async def hold() -> None:
        entered.set()
        assert go.wait(30)

    visitor = threading.Thread(target=there.crossing.visit, args=(hold,))
    visitor.start()
    assert entered.wait(30)
    posted = threading.Event()
    there.crossing.post(posted.set)
    go.set()
    visitor.join()
    assert posted.wait(30)
    assert there.crossing.visit(whose) is there.thread
