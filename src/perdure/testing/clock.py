"""The time that executions under test see.

Skipped time stands still while code runs, and jumps to the instant at which something is due when
nothing else can happen: a test sees the same instants every time.
"""

from __future__ import annotations

import datetime
from typing import Final, Protocol

from perdure.clock import SystemClock

__all__ = ["START", "RealClock", "SkipClock", "TestClock", "instant_ms", "instant_of"]

#: Where skipped time begins. It lies in the past on purpose: to a handler that compares what is due
#: with the machine's clock, everything is, so that it asks, and is told by this clock.
START: Final = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)


class TestClock(Protocol):
    """Tells the time."""

    __test__ = False  # no test for pytest to collect

    is_skipping: bool  #: whether it may be moved

    def now_ms(self) -> int:
        """Return the current instant."""
        ...

    def move_to(self, at_ms: int) -> None:
        """Show ``at_ms``, unless it is later already."""
        ...


class SkipClock:
    """Time that is skipped: it moves only when it is told to."""

    is_skipping = True

    def __init__(self, start: datetime.datetime = START) -> None:
        """Show ``start``."""
        self._now_ms = instant_ms(start)

    def now_ms(self) -> int:
        """Return what it shows."""
        return self._now_ms

    def move_to(self, at_ms: int) -> None:
        """Show ``at_ms``, unless it is later already."""
        self._now_ms = max(self._now_ms, at_ms)


class RealClock:
    """The machine's time."""

    is_skipping = False

    def __init__(self) -> None:
        """Begin now."""
        self._clock = SystemClock()

    def now_ms(self) -> int:
        """Return the current instant."""
        return self._clock.now_ms()

    def move_to(self, at_ms: int) -> None:
        """Nothing can move it."""
        raise AssertionError("real time passes by itself")


def instant_ms(instant: datetime.datetime) -> int:
    """Return an instant as epoch milliseconds; without a zone it is UTC."""
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=datetime.UTC)
    return round(instant.timestamp() * 1000)


def instant_of(at_ms: int) -> datetime.datetime:
    """Return epoch milliseconds as an instant, in UTC."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.UTC)
