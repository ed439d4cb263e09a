"""An event loop that other threads may take the place of while it sleeps.

Waking a loop's thread to do a little work, and being woken by it, costs more than the work. So a
thread that has something to be done on the loop does it itself if the loop is asleep: it holds the
loop's baton, without which the loop's own thread does not go on, and is to all that runs meanwhile
the loop's thread. What it begins and cannot end at once goes on on the loop.
"""

import asyncio
import contextvars
import selectors
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from perdure.sdk.loop import DurableLoop, WatchedSelector

__all__ = ["Rest", "Visit", "VisitedLoop"]

T = TypeVar("T")


class Rest(Generic[T]):
    """What is left of a visitor's coroutine: to be awaited, once, on the loop."""

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: Any) -> None:
        """``awaited`` is what the coroutine has just asked its driver to wait for."""
        self._coroutine = coroutine
        self._awaited = awaited

    async def finish(self) -> T:
        """Go on, and return the coroutine's result."""
        return await self

    def __await__(self) -> Generator[Any, Any, T]:
        """Go on from where the visitor left."""
        awaited = self._awaited
        try:
            while True:
                try:
                    yield awaited
                except BaseException as error:  # noqa: BLE001 - the coroutine's to handle
                    awaited = self._coroutine.throw(error)
                else:
                    awaited = self._coroutine.send(None)
        except StopIteration as stop:
            return stop.value


class Visit(Generic[T]):
    """A visit that has taken place: what came of it, or what is left to do."""

    __slots__ = ("rest", "result")

    def __init__(self, result: Any, rest: Rest[T] | None = None) -> None:
        """Either has ended with ``result``, or has left ``rest``."""
        self.result = result
        self.rest = rest


class _Selector(WatchedSelector):
    """Lets visitors in while the loop sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.baton = threading.Lock()

    def sleep(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        self.baton.release()
        try:
            return super().sleep(timeout)
        finally:
            self.baton.acquire()


class VisitedLoop(DurableLoop):
    """A loop with a baton: its thread has it while it is awake, a visitor while it visits."""

    def __init__(self) -> None:
        """Be asleep."""
        selector = _Selector()
        super().__init__(selector)
        self._baton = selector.baton
        self._blank = contextvars.Context()
        self._is_visited = False
        self._is_touched = False

    def run_forever(self) -> None:
        """As any loop does."""
        with self._baton:
            super().run_forever()

    def visit(
        self, function: Callable[..., Coroutine[Any, Any, T]], arguments: tuple[Any, ...]
    ) -> Visit[T] | None:
        """Run a coroutine function in this thread, as far as it goes without waiting for others;
        return None, with nothing done, if the loop is awake or does not run.

        What the coroutine raises is raised.
        """
        if not self._baton.acquire(blocking=False):
            return None
        before = asyncio._get_running_loop()  # pyright: ignore[reportPrivateUsage]
        try:
            if not self.is_running():
                return None
            asyncio._set_running_loop(self)  # pyright: ignore[reportPrivateUsage]
            self._is_visited = True
            return self._blank.run(self._advance, function(*arguments))
        finally:
            asyncio._set_running_loop(before)  # pyright: ignore[reportPrivateUsage]
            self._is_visited = False
            is_touched, self._is_touched = self._is_touched, False
            self._baton.release()
            if is_touched:  # there is something to do before what the loop sleeps for
                self.call_soon_threadsafe(_nothing)

    def call_soon(self, *arguments: Any, **options: Any) -> asyncio.Handle:
        """As any loop's."""
        if self._is_visited:
            self._is_touched = True
        return super().call_soon(*arguments, **options)

    def call_at(self, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        """As any loop's."""
        if self._is_visited:
            self._is_touched = True
        return super().call_at(*arguments, **options)

    def _advance(self, coroutine: Coroutine[Any, Any, T]) -> Visit[T]:
        try:
            while True:
                awaited = coroutine.send(None)
                self.do_put_off()
                if not (isinstance(awaited, asyncio.Future) and awaited.done()):
                    return Visit(None, Rest(coroutine, awaited))
        except StopIteration as stop:
            return Visit(stop.value)


def _nothing() -> None:
    """Wake the loop."""
