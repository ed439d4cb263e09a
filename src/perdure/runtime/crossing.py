"""Between the threads of handlers and the engine's loop, and back.

A thread leaves its call in a queue and waits for a lock; the loop is woken once for all calls that
came while it was busy. While it sleeps, a thread does its call itself, if the loop is a
``VisitedLoop``. Nothing here knows what is called.
"""

import asyncio
import contextlib
import functools
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from perdure.runtime.visited_loop import VisitedLoop

__all__ = ["ClosedError", "Crossing"]

T = TypeVar("T")


class ClosedError(Exception):
    """The loop takes no more calls."""


class Crossing:
    """The way onto one event loop; every method may be called from any thread but the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lead to ``loop``."""
        self._loop = loop
        self._posted: deque[Callable[[], None]] = deque()
        self._is_woken = False
        self._is_closed = False
        self._visited = loop if isinstance(loop, VisitedLoop) else None

    def post(self, work: Callable[[], None]) -> None:
        """Have the loop do ``work``, which must not raise, and do not wait for it.

        Raises:
            ClosedError: the loop has ended.
        """
        if self._is_closed:
            raise ClosedError("the service is closed")
        self._posted.append(work)
        if not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(RuntimeError):  # the loop was closed just now
                self._loop.call_soon_threadsafe(self._drain)
        if self._is_closed:
            # If the loop's last look at the queue was before, it is still there.
            with contextlib.suppress(ValueError):
                self._posted.remove(work)
                raise ClosedError("the service is closed")

    def call(
        self,
        function: Callable[..., Coroutine[Any, Any, T]],
        *arguments: Any,
        timeout: float | None = None,
    ) -> T:
        """Run a coroutine function on the loop; return its result to the thread that waits here.

        Raises:
            ClosedError: the loop has ended, or ends meanwhile.
            TimeoutError: the result is not there after ``timeout`` seconds; the call is cancelled.
        """
        call = _Call[T]()
        self.post(functools.partial(call.begin, self._loop, function, arguments))
        if not call.ready.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            self.post(call.cancel)
            raise TimeoutError(f"it is not there after {timeout} seconds")
        return call.outcome()

    def visit(self, function: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """As ``call``; done in this thread if the loop is asleep.

        Raises:
            ClosedError: the loop has ended, or ends meanwhile.
        """
        loop = self._visited
        visit = None if loop is None else loop.visit(function, arguments, _follow)
        if visit is None:
            return self.call(function, *arguments)
        if visit.follower is None:
            return visit.result
        visit.follower.ready.acquire()
        return visit.follower.outcome()

    def do(self, work: Callable[[], None]) -> None:
        """As ``post``; done in this thread if the loop is asleep, with all that follows from it.

        Raises:
            ClosedError: the loop has ended.
        """
        if self._visited is None or not self._visited.visit_with(work):
            self.post(work)

    def keep_to_thread(self) -> None:
        """Have nobody but the loop's own thread do what is ready on it, from now on."""
        if self._visited is not None:
            self._visited.keep_to_thread()

    def close(self) -> None:
        """Take no more calls; on the loop, before it ends. Those that wait are let go."""
        if self._visited is not None:
            self._visited.refuse_visitors()
        self._is_closed = True
        self._take()

    def _drain(self) -> None:
        if not self._is_closed:
            self._take()

    def _take(self) -> None:
        self._is_woken = False
        posted = self._posted
        while posted:
            posted.popleft()()


class _Call(Generic[T]):
    """One call, and the thread that waits for it."""

    __slots__ = ("_error", "_result", "_task", "ready")

    def __init__(self) -> None:
        self.ready = threading.Lock()
        self.ready.acquire()
        self._task: asyncio.Task[T] | None = None
        self._result: T | None = None
        self._error: BaseException | None = None

    def begin(
        self,
        loop: asyncio.AbstractEventLoop,
        function: Callable[..., Coroutine[Any, Any, T]],
        arguments: tuple[Any, ...],
    ) -> None:
        self.follow(loop.create_task(function(*arguments)))

    def follow(self, task: "asyncio.Task[T]") -> None:
        self._task = task
        task.add_done_callback(self._end)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def outcome(self) -> T:
        error = self._error
        if error is not None:
            try:
                raise error
            finally:
                del error  # an exception must not refer to the frame it was raised in
                self._error = None
        return self._result  # pyright: ignore[reportReturnType] - it has ended, and not in an error

    def _end(self, task: "asyncio.Task[T]") -> None:
        if task.cancelled():
            self._error = ClosedError("the service was closed meanwhile")
        else:
            self._error = task.exception()
            if self._error is None:
                self._result = task.result()
        self.ready.release()


def _follow(task: "asyncio.Task[T]") -> _Call[T]:
    call = _Call[T]()
    call.follow(task)
    return call
