"""Time, as everything above the pure parts receives it.

Instants are integer epoch milliseconds. The wall clock decides what is due; it never goes backward
here, whatever the machine's does, and a jump forward is noticed (T5).
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

__all__ = ["Clock", "ManualClock", "SystemClock", "wall_ms"]

_JUMP_MS: Final = 60_000
_DOUBT_MS: Final = 300_000


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Return the current instant; never less than one returned before."""
        ...

    def is_in_doubt(self) -> bool:
        """Tell whether the clock has jumped forward lately: what cannot be undone should wait."""
        ...


class SystemClock:
    """The machine's wall clock; the monotonic one goes on where that lies behind."""

    def __init__(self) -> None:
        """Begin with the wall clock's instant."""
        self._offset_ms = wall_ms() - _monotonic_ms()
        self._high_ms = wall_ms()
        self._high_at_ms = _monotonic_ms()
        self._doubt_until_ms = 0

    def raise_floor(self, floor_ms: int) -> None:
        """Never return less than ``floor_ms``: the highest instant that was ever stored."""
        if floor_ms > self.now_ms():
            self._high_ms, self._high_at_ms = floor_ms, _monotonic_ms()

    def now_ms(self) -> int:
        """Return the current instant."""
        monotonic_ms = _monotonic_ms()
        now_ms = max(wall_ms(), self._high_ms + monotonic_ms - self._high_at_ms)
        self._high_ms, self._high_at_ms = now_ms, monotonic_ms
        return now_ms

    def is_in_doubt(self) -> bool:
        """Tell whether the wall clock has gained more than a minute on the monotonic one lately."""
        monotonic_ms = _monotonic_ms()
        offset_ms = wall_ms() - monotonic_ms
        if offset_ms - self._offset_ms > _JUMP_MS:
            self._doubt_until_ms = monotonic_ms + _DOUBT_MS
        self._offset_ms = offset_ms
        return monotonic_ms < self._doubt_until_ms


def wall_ms() -> int:
    """Return the machine's wall clock, which may be set backward, as other processes see it."""
    return time.time_ns() // 1_000_000


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is moved: for tests, and for what must be repeatable."""

    def __init__(self, at_ms: int = 0) -> None:
        """Show ``at_ms``."""
        self._now_ms = at_ms
        self._watchers: list[Callable[[], None]] = []

    def now_ms(self) -> int:
        """Return what it shows."""
        return self._now_ms

    def is_in_doubt(self) -> bool:
        """Return False: it is only ever moved on purpose."""
        return False

    def advance(self, span: timedelta | float) -> None:
        """Move forward by ``span``, a number of seconds or a ``timedelta``; tell who watches."""
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        if seconds < 0:
            raise ValueError(f"a clock never goes backward (value: {seconds} s)")
        self._now_ms += round(seconds * 1000)
        for watcher in list(self._watchers):
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` after every move, in the thread that moves the clock."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` no more."""
        self._watchers.remove(watcher)
