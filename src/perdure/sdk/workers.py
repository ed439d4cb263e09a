"""Threads for handlers and their branches: made when needed, used again, let go when idle.

They are daemons: a parked handler must not keep the process from ending. The standard library's
pools join their threads at exit, and have a fixed bound.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WORKERS", "Workers"]

_IDLE_SECONDS: Final = 10.0


class _Worker:
    """One thread, and what it is to run next."""

    __slots__ = ("ready", "work")

    def __init__(self) -> None:
        self.ready = threading.Lock()
        self.ready.acquire()
        self.work: Callable[[], None] | None = None


class Workers:
    """An unbounded set of threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._idle: deque[_Worker] = deque()

    def run(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread, now; it must not raise."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is None:
            worker = _Worker()
            worker.work = work
            threading.Thread(target=self._live, args=(worker,), name="perdure", daemon=True).start()
        else:
            worker.work = work
            worker.ready.release()

    def _live(self, worker: _Worker) -> None:
        current = worker.work
        while current is not None:
            current()
            worker.work = current = None
            with self._lock:
                self._idle.append(worker)
            if not worker.ready.acquire(timeout=_IDLE_SECONDS):
                with self._lock:
                    if worker in self._idle:
                        self._idle.remove(worker)
                        return
                worker.ready.acquire()
            current = worker.work


WORKERS: Final = Workers()
