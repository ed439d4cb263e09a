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
from typing import Any, Final, Generic, TypeVar

from perdure.sdk.loop import DurableLoop, WatchedSelector

__all__ = ["Visit", "VisitedLoop"]

T = TypeVar("T")
R = TypeVar("R")
_NOTHING: Final = object()


class _Rest(Coroutine[Any, Any, T]):
    """What is left of a visitor's coroutine, which stands at something that it waits for."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: Any) -> None:
        """``awaited`` is what the coroutine has just asked its driver to wait for."""
        self._coroutine = coroutine
        self._awaited = awaited

    def send(self, value: Any) -> Any:
        """Ask for that once more, and go on when it is there."""
        awaited, self._awaited = self._awaited, _NOTHING
        if awaited is _NOTHING:
            return self._coroutine.send(value)
        if asyncio.isfuture(awaited):
            # So it tells its task that it is properly awaited.
            awaited._asyncio_future_blocking = True
        return awaited

    def throw(self, *error: Any) -> Any:
        """Raise an error where the coroutine stands."""
        self._awaited = _NOTHING
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """End the coroutine where it stands."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, T]:
        """Have it awaited by another coroutine."""
        raise TypeError("what a visitor has left is the loop's to drive")


class Visit(Generic[T, R]):
    """A visit that has taken place: what came of it, or who follows what is left to do."""

    __slots__ = ("follower", "result")

    def __init__(self, result: Any, follower: R | None = None) -> None:
        """Either has ended with ``result``, or goes on on the loop."""
        self.result = result
        self.follower = follower


class _Selector(WatchedSelector):
    """Lets visitors in while the loop sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.baton = threading.Lock()
        self.is_awake = False  #: the loop's own thread wants the baton, or has it

    def sleep(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        self.is_awake = False
        self.baton.release()
        try:
            return super().sleep(timeout)
        finally:
            self.is_awake = True
            self.baton.acquire()


class VisitedLoop(DurableLoop):
    """A loop with a baton: its thread has it while it is awake, a visitor while it visits."""

    def __init__(self) -> None:
        """Be asleep."""
        selector = _Selector()
        super().__init__(selector)
        self._door = selector
        self._baton = selector.baton
        self._is_open = True
        self._is_visited = False
        self._is_touched = False

    def run_forever(self) -> None:
        """As any loop does."""
        with self._baton:
            super().run_forever()

    def refuse_visitors(self) -> None:
        """Let nobody in any more; on the loop, or while it does not run."""
        self._is_open = False

    def visit(
        self,
        function: Callable[..., Coroutine[Any, Any, T]],
        arguments: tuple[Any, ...],
        follow: Callable[[asyncio.Task[T]], R],
    ) -> Visit[T, R] | None:
        """Run a coroutine function in this thread, as far as it goes without waiting for others;
        return None, with nothing done, if the loop is awake or takes no visitors.

        Until it first waits it is no task: ``asyncio.timeout`` and groups of tasks are not for it.
        What is left then is a task of the loop, passed to ``follow`` before it goes on. What the
        coroutine raises in this thread is raised.
        """
        # The loop's own thread goes first: a lock is not fair, and its timers must not starve.
        if self._door.is_awake or not self._baton.acquire(blocking=False):
            return None
        try:
            # In debug mode a loop takes calls from no thread but the one that runs it.
            if not (self._is_open and self.is_running()) or self.get_debug():
                return None
            return self._be_visited(function(*arguments), follow)
        finally:
            self._baton.release()

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

    def _be_visited(
        self, coroutine: Coroutine[Any, Any, T], follow: Callable[[asyncio.Task[T]], R]
    ) -> Visit[T, R]:
        before = asyncio._get_running_loop()  # pyright: ignore[reportPrivateUsage]
        asyncio._set_running_loop(self)  # pyright: ignore[reportPrivateUsage]
        self._is_visited = True
        context = contextvars.Context()
        try:
            return context.run(self._advance, coroutine, context, follow)
        finally:
            asyncio._set_running_loop(before)  # pyright: ignore[reportPrivateUsage]
            self._is_visited = False
            is_touched, self._is_touched = self._is_touched, False
            if is_touched or self._put_off:
                # There is something to do before what the loop sleeps for. It is told while the
                # baton keeps it from ending.
                self.call_soon_threadsafe(_nothing)

    def _advance(
        self,
        coroutine: Coroutine[Any, Any, T],
        context: contextvars.Context,
        follow: Callable[[asyncio.Task[T]], R],
    ) -> Visit[T, R]:
        try:
            while True:
                awaited = coroutine.send(None)
                if asyncio.isfuture(awaited):
                    awaited._asyncio_future_blocking = False  # as a task does: it is taken up
                self.do_put_off()
                if not (isinstance(awaited, asyncio.Future) and awaited.done()):
                    rest = _Rest(coroutine, awaited)
                    return Visit(None, follow(self.create_task(rest, context=context)))
        except StopIteration as stop:
            return Visit(stop.value)


def _nothing() -> None:
    """Wake the loop."""
