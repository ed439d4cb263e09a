"""An event loop that other threads may take the place of while it sleeps.

Waking a loop's thread to do a little work, and being woken by it, costs more than the work. So a
thread that has something to be done on the loop does it itself if the loop is asleep: it holds the
loop's baton, without which the loop's own thread does not go on, and is to all that runs meanwhile
the loop's thread. What becomes ready by it is done in the same thread, round by round, until the
loop would sleep again, or its own thread has been woken and wants to go on.
"""

import asyncio
import contextvars
import math
import selectors
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, Generic, TypeVar

from perdure.sdk.loop import DurableLoop, WatchedSelector

__all__ = ["Visit", "VisitedLoop"]

T = TypeVar("T")
R = TypeVar("R")
_NOTHING: Final = object()
_ROUNDS_MAX: Final = 64  #: of the loop, in one visit: a visitor has work of its own
_NEVER: Final = math.inf


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
        self.wakes_at = _NEVER  #: when it wakes by itself, by ``time.monotonic``
        self.is_visited = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; a visitor does not, and leaves them to the loop's own thread."""
        if not self.is_visited:
            return super().select(timeout)
        if self.before_poll is not None:
            self.before_poll(timeout is None or timeout > 0)
        return []

    def sleep(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        self.wakes_at = _NEVER if timeout is None else time.monotonic() + timeout
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
        self._is_stopped = False
        self._keeps_to_thread = False
        self._is_visited = False
        self._is_touched = False
        self._timer_at = _NEVER  #: the earliest that was set by the visitor

    def run_forever(self) -> None:
        """As any loop does."""
        with self._baton:
            self._is_stopped = False
            super().run_forever()

    def stop(self) -> None:
        """As any loop does: nothing more is done in this run, by whomever."""
        self._is_stopped = True
        super().stop()

    def refuse_visitors(self) -> None:
        """Let nobody in any more; on the loop, or while it does not run."""
        self._is_open = False

    def keep_to_thread(self) -> None:
        """Have visitors do no more than their own from now on, and what is left to the loop's own
        thread: there is code on the loop that expects to be in one thread.
        """
        self._keeps_to_thread = True

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
        if not self._enter():
            return None
        try:
            return self._be_visited(self._run_coroutine, function(*arguments), follow)
        finally:
            self._baton.release()

    def visit_with(self, work: Callable[[], None]) -> bool:
        """Do ``work`` in this thread, as the loop would; return False, with nothing done, if the
        loop is awake or takes no visitors.
        """
        if not self._enter():
            return False
        try:
            self._be_visited(work)
        finally:
            self._baton.release()
        return True

    def call_soon(self, *arguments: Any, **options: Any) -> asyncio.Handle:
        """As any loop's."""
        if self._is_visited:
            self._is_touched = True
        return super().call_soon(*arguments, **options)

    def call_at(self, when: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        """As any loop's."""
        if self._is_visited and when < self._timer_at:
            self._timer_at = when
        return super().call_at(when, *arguments, **options)

    def _enter(self) -> bool:
        """Take the baton, if a visitor may."""
        # The loop's own thread goes first: a lock is not fair, and its timers must not starve.
        if self._door.is_awake or not self._baton.acquire(blocking=False):
            return False
        # A thread that runs a loop of its own must not run another's tasks. In debug mode a loop
        # takes calls from no thread but its own.
        is_elsewhere = asyncio._get_running_loop() is not None  # pyright: ignore[reportPrivateUsage]
        if self._is_open and self.is_running() and not is_elsewhere and not self.get_debug():
            return True
        self._baton.release()
        return False

    def _be_visited(self, work: Callable[..., T], *arguments: Any) -> T:
        asyncio._set_running_loop(self)  # pyright: ignore[reportPrivateUsage]
        self._is_visited = True
        try:
            result = work(*arguments)
            self._do_ready()
            return result
        finally:
            asyncio._set_running_loop(None)  # pyright: ignore[reportPrivateUsage]
            self._is_visited = False
            is_touched, self._is_touched = self._is_touched, False
            timer_at, self._timer_at = self._timer_at, _NEVER
            if is_touched or self._put_off or timer_at < self._door.wakes_at:
                # There is something to do before what the loop sleeps for. It is told while the
                # baton keeps it from ending.
                self.call_soon_threadsafe(_nothing)

    def _do_ready(self) -> None:
        """Do what is ready, as the loop's own thread would."""
        door = self._door
        door.is_visited = True
        try:
            for _ in range(_ROUNDS_MAX):
                is_due = self._is_touched or self._put_off
                is_own = self._keeps_to_thread or self._is_stopped or door.is_awake
                if is_own or not is_due:
                    return
                self._is_touched = False
                self._run_once()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
        finally:
            door.is_visited = False

    def _run_coroutine(
        self, coroutine: Coroutine[Any, Any, T], follow: Callable[[asyncio.Task[T]], R]
    ) -> Visit[T, R]:
        context = contextvars.Context()
        return context.run(self._advance, coroutine, context, follow)

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
