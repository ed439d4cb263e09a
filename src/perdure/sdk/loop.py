"""The event loop that async handlers run on.

It is asyncio's, with two things added: its selector tells when the loop is about to sleep, which is
when work that was put off is done, and a handler may be at rest; and its task factory gives each
task of a handler its place, so that operations under ``asyncio.gather`` have the same ids at every
replay.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
import threading
from typing import TYPE_CHECKING, Any, Final

from perdure.sdk.scopes import ACTIVE, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from perdure.sdk.loop_driver import LoopDriver

__all__ = ["DurableLoop", "WatchedSelector", "new_event_loop", "shared_loop"]


_TURNS_MAX: Final = 16  #: of a busy loop, until what waits for its rest is done anyhow


class WatchedSelector(selectors.DefaultSelector):
    """Says when the loop is about to sleep."""

    before_poll: Callable[[bool], bool] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events, unless something has come up that the loop has to do first."""
        is_sleep = timeout is None or timeout > 0
        if self.before_poll is not None and self.before_poll(is_sleep):
            is_sleep = False
        return self.sleep(timeout) if is_sleep else super().select(0)

    def sleep(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; nothing else is left to do."""
        return super().select(timeout)


class DurableLoop(asyncio.SelectorEventLoop):
    """An event loop for async handlers; everything else runs on it as on any other."""

    def __init__(self, selector: WatchedSelector | None = None) -> None:
        """Watch over no handler yet."""
        selector = selector or WatchedSelector()
        super().__init__(selector)
        selector.before_poll = self._before_poll
        self._put_off: list[Callable[[], None]] = []
        self._turns = 0
        self._drivers: set[LoopDriver] = set()
        factory: Any = _make_task  # typeshed's TaskFactory has no context yet
        self.set_task_factory(factory)

    def call_at_rest(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once nothing else is left to do, or after some turns all the same."""
        self._put_off.append(callback)

    def do_put_off(self) -> None:
        """Do what waits for the loop's rest."""
        self._turns = 0
        callbacks, self._put_off = self._put_off, []
        for callback in callbacks:
            callback()

    def watch(self, driver: LoopDriver) -> None:
        """Tell ``driver`` when its handler is at rest, once."""
        self._drivers.add(driver)

    def unwatch(self, driver: LoopDriver) -> None:
        """Tell ``driver`` no more."""
        self._drivers.discard(driver)

    def _before_poll(self, is_sleep: bool) -> bool:
        if not self._put_off:
            return is_sleep and self._look_for_rest()
        self._turns += 1
        if not is_sleep and self._turns < _TURNS_MAX:
            return False
        self.do_put_off()
        return True

    def _look_for_rest(self) -> bool:
        resting = [driver for driver in self._drivers if driver.is_at_rest]
        for driver in resting:
            self._drivers.discard(driver)
            driver.at_rest()
        return bool(resting)


def new_event_loop() -> DurableLoop:
    """Return a loop that async handlers can run on."""
    return DurableLoop()


_shared: list[DurableLoop] = []
_shared_lock = threading.Lock()


def shared_loop() -> DurableLoop:
    """Return the process's loop for async handlers, running in a thread of its own."""
    with _shared_lock:
        if not _shared:
            loop = DurableLoop()
            thread = threading.Thread(target=loop.run_forever, name="perdure-loop", daemon=True)
            thread.start()
            _shared.append(loop)
    return _shared[0]


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    *,
    context: contextvars.Context | None = None,
    **options: Any,
) -> asyncio.Task[Any]:
    context = contextvars.copy_context() if context is None else context
    place = context.get(ACTIVE)
    if place is None or place.scope.is_work or place.tasks is None:
        return asyncio.Task(coroutine, loop=loop, context=context, **options)
    context = context.copy()
    fork = Place(place.scope, place.scope.fork(place.path), place.tasks)
    context.run(ACTIVE.set, fork)
    task = asyncio.Task(coroutine, loop=loop, context=context, **options)
    place.tasks[task] = place.scope
    task.add_done_callback(place.tasks.pop)
    return task
