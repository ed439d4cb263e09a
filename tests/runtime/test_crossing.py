"""From threads onto a loop, and back."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from perdure.runtime.crossing import ClosedError, Crossing


class _Loop:
    """A loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.crossing = Crossing(self.loop)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.loop.run_forever()
        self.crossing.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def end(self) -> None:
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()


@pytest.fixture
def there() -> Iterator[_Loop]:
    loop = _Loop()
    yield loop
    loop.end()


async def _echo(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


async def _fail(message: str) -> None:
    raise LookupError(message)


async def _stay(begun: threading.Event, ended: threading.Event) -> None:
    try:
        begun.set()
        await asyncio.Event().wait()
    finally:
        ended.set()


def test_a_call_returns_what_the_coroutine_does(there: _Loop) -> None:
    assert [there.crossing.call(_echo, n) for n in range(100)] == list(range(100))


def test_an_error_is_raised_where_the_call_was_made(there: _Loop) -> None:
    with pytest.raises(LookupError, match="not here"):
        there.crossing.call(_fail, "not here")


def test_many_threads_cross_at_once(there: _Loop) -> None:
    answers: list[int] = []

    def ask(number: int) -> None:
        mine = range(number * 50, number * 50 + 50)
        answers.extend(there.crossing.call(_echo, value) for value in mine)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(800))


def test_a_call_that_takes_too_long_is_cancelled(there: _Loop) -> None:
    begun, ended = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError, match=r"0\.05 seconds"):
        there.crossing.call(_stay, begun, ended, timeout=0.05)
    assert ended.wait(10)


def test_who_waits_when_the_loop_ends_is_let_go(there: _Loop) -> None:
    begun, ended = threading.Event(), threading.Event()
    heard: list[str] = []

    def wait() -> None:
        try:
            there.crossing.call(_stay, begun, ended)
        except ClosedError as error:
            heard.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait(10)
    there.end()
    thread.join(10)
    assert heard == ["the service was closed meanwhile"]
    for cross in (lambda: there.crossing.call(_echo, 1), lambda: there.crossing.post(ended.set)):
        with pytest.raises(ClosedError):
            cross()


def test_who_is_heard_by_a_loop_that_ends_is_not_told_that_it_has_ended(there: _Loop) -> None:
    did: list[str] = []

    class Slow(deque[Any]):
        """The loop takes what is left here, and ends, before who has left it looks on."""

        def append(self, work: Any, /) -> None:
            super().append(work)
            there.end()

    there.crossing._posted = Slow()
    there.crossing.post(lambda: did.append("it"))
    assert did == ["it"]


def test_what_comes_after_the_last_look_is_refused_and_not_done(there: _Loop) -> None:
    did: list[str] = []

    class Late(deque[Any]):
        """The loop takes its last look, and ends, before something is left here."""

        def append(self, work: Any, /) -> None:
            there.end()
            super().append(work)

    there.crossing._posted = Late()
    with pytest.raises(ClosedError):
        there.crossing.post(lambda: did.append("it"))
    assert did == []
    assert not there.crossing._posted


def test_a_loop_that_is_woken_after_its_last_look_takes_no_more(there: _Loop) -> None:
    did: list[str] = []

    class Slow(deque[Any]):
        """Something is left here after the last look, while the loop still puts away."""

        def append(self, work: Any, /) -> None:
            asked = threading.Event()
            there.loop.call_soon_threadsafe(lambda: (there.crossing.close(), asked.set()))
            assert asked.wait(30)
            super().append(work)

        def remove(self, work: Any, /) -> None:
            asked = threading.Event()
            there.loop.call_soon_threadsafe(asked.set)  # it comes after what has woken the loop
            assert asked.wait(30)
            super().remove(work)

    there.crossing._posted = Slow()
    with pytest.raises(ClosedError):
        there.crossing.post(lambda: did.append("it"))
    assert did == []
