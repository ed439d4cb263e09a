"""A loop whose place other threads take while it sleeps."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from perdure.runtime.crossing import ClosedError, Crossing
from perdure.runtime.visited_loop import VisitedLoop


class There:
    """A loop that is visited, in a thread of its own."""

    def __init__(self) -> None:
        self.loop = VisitedLoop()
        self.crossing = Crossing(self.loop)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def visit(self, function: Any, *arguments: Any) -> Any:
        """Visit the loop as soon as it sleeps."""
        while True:
            visit = self.loop.visit(function, arguments, follow)
            if visit is not None:
                return visit

    def end(self) -> None:
        """Have the loop end, and close it."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
        self.loop.close()

    def _run(self) -> None:
        self.loop.run_forever()
        self.crossing.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))


def follow(task: asyncio.Task[Any]) -> Future[Any]:
    """Return a future for what a task comes to."""
    future: Future[Any] = Future()

    def end(task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            future.cancel()
        elif (error := task.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(task.result())

    task.add_done_callback(end)
    future.task = task  # type: ignore[attr-defined]
    return future


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
    assert (visit.result, visit.follower) == (threading.current_thread(), None)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_what_it_raises_is_raised(there: There) -> None:
    async def fail() -> None:
        raise KeyError("it")

    with pytest.raises(KeyError):
        there.visit(fail)
    assert there.visit(whose).follower is None


def test_what_waits_for_others_goes_on_on_the_loop(there: There) -> None:
    others: list[asyncio.Future[None]] = []

    async def work() -> tuple[threading.Thread, threading.Thread]:
        before = threading.current_thread()
        others.append(asyncio.get_running_loop().create_future())
        await others[0]
        return before, threading.current_thread()

    visit = there.visit(work)
    there.crossing.post(lambda: others[0].set_result(None))
    assert visit.follower.result(30) == (threading.current_thread(), there.thread)


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

    followed = there.visit(work).follower
    there.crossing.post(followed.task.cancel)
    assert followed.result(30) == "put away"
    assert heard == ["cancelled"]


def test_what_was_put_off_until_the_loop_rests_is_done_by_the_visitor(there: There) -> None:
    async def work() -> threading.Thread:
        loop = there.loop
        future: asyncio.Future[threading.Thread] = loop.create_future()
        loop.call_at_rest(lambda: future.set_result(threading.current_thread()))
        return await future

    visit = there.visit(work)
    assert (visit.result, visit.follower) == (threading.current_thread(), None)


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
    assert there.loop.visit(whose, (), follow) is None
    go.set()


def test_nobody_visits_a_loop_that_does_not_run() -> None:
    loop = VisitedLoop()
    assert loop.visit(whose, (), follow) is None
    loop.close()


def test_nobody_visits_from_a_loop_of_his_own(there: There) -> None:
    async def here() -> None:
        assert there.loop.visit(whose, (), follow) is None
        assert there.crossing.visit(whose) is there.thread

    asyncio.run(here())


def test_a_caller_visits_and_company_meets_on_the_loop(there: There) -> None:
    while there.crossing.visit(whose) is there.thread:
        continue
    entered, go = threading.Event(), threading.Event()

    async def hold() -> None:
        entered.set()
        assert go.wait(30)

    visitor = threading.Thread(target=there.crossing.visit, args=(hold,))
    visitor.start()
    assert entered.wait(30)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(there.crossing.visit, whose)
        while not there.loop._door.is_awake:
            continue
        go.set()
        assert second.result(30) is there.thread
    visitor.join()


def test_a_visitor_does_what_follows_from_its_work(there: There) -> None:
    did: list[threading.Thread] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        task = asyncio.ensure_future(whose())
        await future
        did.append(await task)

    visit = there.visit(work)
    assert visit.follower.result(0) is None
    assert did == [threading.current_thread()]


def test_work_is_done_with_what_follows_from_it(there: There) -> None:
    did: list[threading.Thread] = []

    def note() -> None:
        did.append(threading.current_thread())

    while not there.loop.visit_with(lambda: there.loop.call_soon(note) and note()):
        continue
    while not there.loop.visit_with(note):  # whoever comes next finds all of it done
        continue
    assert did == [threading.current_thread()] * 3


def test_the_loop_does_what_a_visitor_would_have_to_wait_for(there: There) -> None:
    ready, did = threading.Event(), []

    def late() -> None:
        did.append(threading.current_thread())
        ready.set()

    while not there.loop.visit_with(lambda: there.loop.call_later(0.01, late) and None):
        continue
    assert ready.wait(30)
    assert did == [there.thread]


def test_a_loop_that_keeps_to_its_thread_does_what_visitors_leave(there: There) -> None:
    there.crossing.keep_to_thread()
    done, did = threading.Event(), []

    async def later() -> None:
        did.append(threading.current_thread())
        done.set()

    async def work() -> None:
        did.append(threading.current_thread())
        there.loop.create_task(later())

    assert there.visit(work).follower is None
    assert done.wait(30)
    assert did == [threading.current_thread(), there.thread]


def test_a_visitor_leaves_the_rest_to_the_loop_once_that_is_awake(there: There) -> None:
    ended, did = threading.Event(), []

    def again(left: int) -> None:
        did.append(threading.current_thread())
        if left:
            there.loop.call_soon(again, left - 1)
        else:
            ended.set()
        if left == 5:
            there.loop.call_soon_threadsafe(lambda: None)
            while not there.loop._door.is_awake:
                continue

    while not there.loop.visit_with(lambda: again(9)):
        continue
    assert ended.wait(30)
    assert did == [threading.current_thread()] * 5 + [there.thread] * 5


def test_what_is_left_is_cancelled_with_all_that_runs_on_the_loop(there: There) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.stop()  # it ends before it can go on with what is left here
        await loop.create_future()

    heard: list[str] = []

    async def noted() -> None:
        try:
            await work()
        finally:
            heard.append(threading.current_thread().name)

    while (visit := there.loop.visit(noted, (), follow)) is None:
        continue
    assert visit.follower is not None
    with pytest.raises(CancelledError):
        visit.follower.result(30)
    assert heard == [there.thread.name]


def test_what_is_left_may_wait_for_what_others_wait_for(there: There) -> None:
    shared: list[asyncio.Future[str]] = []

    async def make() -> None:
        shared.append(asyncio.get_running_loop().create_future())

    async def wait() -> str:
        return await shared[0]

    there.crossing.call(make)

    async def begin() -> str:
        # Another task comes to wait for it before the loop goes on with this one.
        other = asyncio.ensure_future(wait())
        there.loop.call_later(0.01, shared[0].set_result, "answer")
        assert await shared[0] == await other
        return "both"

    assert there.visit(begin).follower.result(30) == "both"


def test_what_a_visitor_has_bound_it_may_unbind_on_the_loop(there: There) -> None:
    name: ContextVar[str] = ContextVar("name", default="nobody")

    async def work() -> str:
        token = name.set("visitor")
        await asyncio.sleep(0)
        mine = name.get()
        name.reset(token)
        return mine

    async def read() -> str:
        return name.get()

    assert there.visit(work).follower.result(30) == "visitor"
    assert there.visit(read).result == "nobody"


def test_what_a_visitor_has_put_off_and_left_is_done_by_the_loop(there: There) -> None:
    done = threading.Event()

    async def leave() -> None:
        there.loop.call_at_rest(done.set)

    assert there.visit(leave).follower is None
    assert done.wait(30)


def test_a_visitor_that_fails_wakes_the_loop_for_what_it_has_begun(there: There) -> None:
    done = threading.Event()

    async def fail() -> None:
        there.loop.call_soon(done.set)
        raise KeyError("it")

    with pytest.raises(KeyError):
        there.visit(fail)
    assert done.wait(30)


def test_the_loop_goes_before_the_next_visitor(there: There) -> None:
    did: list[str] = []

    async def wake() -> None:
        there.loop.call_soon_threadsafe(did.append, "the loop")
        pause = threading.Event()
        while not there.loop._door.is_awake:
            pause.wait(0.001)

    async def come() -> None:
        did.append("the next")

    there.visit(wake)
    there.visit(come)
    assert did == ["the loop", "the next"]


def test_nobody_visits_a_loop_in_debug_mode(there: There) -> None:
    there.loop.set_debug(True)
    assert there.loop.visit(whose, (), follow) is None
    assert there.crossing.visit(whose) is there.thread


def test_nobody_visits_a_loop_whose_crossing_is_closed(there: There) -> None:
    closed = threading.Event()

    def close() -> None:
        there.crossing.close()
        closed.set()

    there.crossing.post(close)
    assert closed.wait(30)
    assert there.loop.visit(whose, (), follow) is None
    with pytest.raises(ClosedError):
        there.crossing.visit(whose)


def test_a_loop_that_ends_takes_nothing_from_a_visitors_result(there: There) -> None:
    class Baton:
        """The loop ends, and is closed, the moment that a visitor leaves it."""

        def __init__(self, lock: Any) -> None:
            self._lock = lock

        def acquire(self, *, blocking: bool) -> bool:
            return self._lock.acquire(blocking=blocking)

        def release(self) -> None:
            self._lock.release()
            if is_done:
                there.end()

        def __enter__(self) -> None:
            self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._lock.release()

    async def touch() -> str:
        there.loop.call_soon(there.loop.stop)
        there.loop.call_soon_threadsafe(there.loop.stop)
        is_done.append(True)
        return "result"

    is_done: list[bool] = []
    there.loop._baton = Baton(there.loop._baton)  # type: ignore[assignment]
    assert there.visit(touch).result == "result"
    assert there.loop.is_closed()
