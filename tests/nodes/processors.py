"""How long something takes by the time that the processors have for it.

A bound in seconds says nothing on a machine whose processors others use as well: of two that want a
processor all the time, each gets half. Time counts here as far as nobody else had the processors:
on a quiet machine a second is a second, and where others take half of it, it is half of one. It is
a third at least: others may also take what nobody else would have, and whoever wants a processor
gets a share of it.
"""

import os
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import psutil

__all__ = ["Reading", "Stopwatch", "a_stopwatch", "reader"]

_LEAST: Final = 1 / 3
_BUSY: Final = ("user", "nice", "system", "irq", "softirq", "steal")


class Reading(NamedTuple):
    """Seconds by some clock, and those that the processors have worked by then."""

    at: float
    busy: float  #: for whomever
    own: float


class Stopwatch:
    """Counts the seconds since it was made, less those that others had the processors for."""

    def __init__(self, read: Callable[[], Reading], *, processors: int) -> None:
        """Begin."""
        self.seconds = 0.0
        self.elapsed = 0.0
        self._read = read
        self._processors = processors
        self._last = read()

    def look(self) -> float:
        """Return the seconds until now; who looks often misses little of what comes and goes."""
        last, now = self._last, self._read()
        elapsed = now.at - last.at
        # What a process had done that has ended since is nobody's any more.
        others = max(0.0, now.busy - last.busy - max(0.0, now.own - last.own))
        self.elapsed += elapsed
        self.seconds += max(elapsed * _LEAST, elapsed - others / self._processors)
        self._last = now
        return self.seconds


def reader(roots: Callable[[], Iterable[int]]) -> Callable[[], Reading]:
    """Return what reads this machine's processors; ``roots`` are processes that are no others, nor
    are those that they have begun.
    """

    def read() -> Reading:
        times = psutil.cpu_times()
        busy = sum(getattr(times, kind, 0.0) for kind in _BUSY)
        return Reading(time.monotonic(), busy, sum(map(_used, roots())))

    return read


def a_stopwatch(roots: Callable[[], Iterable[int]]) -> Stopwatch:
    """Return a stopwatch for this machine."""
    return Stopwatch(reader(roots), processors=os.cpu_count() or 1)


def _used(root: int) -> float:
    """Return the processor time of a process and its descendants, the ended ones included."""
    total = 0.0
    try:
        process = psutil.Process(root)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for one in family:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
