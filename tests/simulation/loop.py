"""An event loop without a clock and without input: time stands still while anything can run, then
jumps to the next timer.

What runs at one instant runs in the order it was scheduled in, or in an order drawn from the seed.
"""

import asyncio
import contextvars
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

__all__ = ["Crew", "StuckError", "VirtualLoop", "crew_of"]

Value = TypeVar("Value")

_STEPS_MAX: Final = 3_000_000
_STEPS_AT_ONE_INSTANT_MAX: Final = 60_000


class StuckError(Exception):
    """Nothing is left to run and no timer to wait for, or something runs without an end."""


class Crew:
    """Everything that runs for one server: killed together, in the order it was begun."""

    def __init__(self) -> None:
        """Begin empty."""
        self.is_dead = False
        self._runs: list[asyncio.Task[Any]] = []
        self._prune_at = 64

    def add(self, run: "asyncio.Task[Any]") -> None:
        """Count ``run`` in."""
        self._runs.append(run)
        if len(self._runs) > self._prune_at:
            self._runs = [each for each in self._runs if not each.done()]
            self._prune_at = 2 * len(self._runs) + 64

    def kill(self) -> int:
        """Cancel whatever runs; return how much that was."""
        self.is_dead = True
        alive = [run for run in self._runs if not run.done()]
        for run in alive:
            run.cancel()
        return len(alive)


_crew: contextvars.ContextVar[Crew | None] = contextvars.ContextVar("crew", default=None)


def crew_of(crew: Crew | None) -> contextvars.Context:
    """Return a fresh context in which everything that is begun belongs to ``crew``."""
    context = contextvars.copy_context()
    context.run(_crew.set, crew)
    return context


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks and timers; ``order`` picks which of so many ready ones is next (None: the
    first).
    """

    def __init__(self, order: Callable[[int], int] | None = None) -> None:
        """Begin at the instant 0."""
        self._now = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._number = 0
        self._order = order
        self._is_closed = False
        self.problems: list[dict[str, Any]] = []
        self.steps = 0

    def run_until_complete(self, future: Coroutine[Any, Any, Value]) -> Value:  # type: ignore[override]
        """Return what the coroutine returns.

        Raises:
            StuckError: it cannot go on, or does not come to an end.
        """
        events._set_running_loop(self)
        try:
            run = self.create_task(future)
            self._run_until(run)
            return run.result()
        finally:
            events._set_running_loop(None)

    def drain(self) -> None:
        """Cancel everything that is left, and let it end."""
        events._set_running_loop(self)
        try:
            for _ in range(100):
                left = sorted(asyncio.all_tasks(self), key=lambda run: run.get_name())
                if not left:
                    break
                for run in left:
                    run.cancel()
                for _ in range(100):
                    if not self._ready:
                        break
                    self._step()
        finally:
            events._set_running_loop(None)
            self._ready.clear()
            self._timers.clear()
            self._is_closed = True

    def _run_until(self, run: "asyncio.Task[Any]") -> None:
        at_this_instant = 0
        while not run.done():
            if not self._ready:
                if not self._advance():
                    raise StuckError("nothing is left to run")
                at_this_instant = 0
            self._step()
            at_this_instant += 1
            if at_this_instant > _STEPS_AT_ONE_INSTANT_MAX or self.steps > _STEPS_MAX:
                raise StuckError(f"no end after {self.steps} steps, at {self._now:.3f} s")

    def _step(self) -> None:
        self.steps += 1
        ready = self._ready
        if self._order is not None and len(ready) > 1:
            ready.rotate(-self._order(len(ready)))
        handle = ready.popleft()
        if not handle._cancelled:
            handle._run()

    def _advance(self) -> bool:
        timers = self._timers
        while timers:
            when, _, handle = heapq.heappop(timers)
            if handle._cancelled:
                continue
            self._now = max(self._now, when)
            self._ready.append(handle)
            while timers and timers[0][0] <= self._now:
                self._ready.append(heapq.heappop(timers)[2])
            return True
        return False

    def time(self) -> float:
        """Return the instant, in seconds."""
        return self._now

    def call_soon(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Run ``callback`` at this instant."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` after ``delay`` seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` at the instant ``when``."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, handle))
        return handle

    def create_future(self) -> "asyncio.Future[Any]":
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, Value],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> "asyncio.Task[Value]":
        """Begin to run ``coro``, for the crew of its context."""
        self._number += 1
        run = asyncio.Task(coro, loop=self, name=name or f"run-{self._number:08d}", context=context)
        crew = _crew.get() if context is None else context.get(_crew)
        if crew is not None:
            crew.add(run)
            if crew.is_dead:
                run.cancel()
        return run

    def get_debug(self) -> bool:
        """Return False."""
        return False

    def is_running(self) -> bool:
        """Return True: whoever asks is run by it."""
        return True

    def is_closed(self) -> bool:
        """Tell whether ``drain`` has ended it."""
        return self._is_closed

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody else took."""
        self.problems.append(context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it where it is: it is passed over when its time comes."""
