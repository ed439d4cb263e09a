"""Suspended handlers that are kept alive, so that they go on from where they stand.

Bounded: the one that was parked first leaves first. It is an optimisation only; a handler that is
not here any more is replayed.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Protocol

__all__ = ["Parkable", "Parking", "process_parking"]


class Parkable(Protocol):
    """A handler at rest."""

    def discard(self) -> None:
        """Let it go: have its threads or tasks leave. It is never resumed."""
        ...


class Parking:
    """The kept handlers of one process, or of one service in it, by their executions' ARNs."""

    def __init__(self, places: int) -> None:
        """Keep up to ``places`` handlers."""
        self._places = places
        self._lock = threading.Lock()
        self._handlers: OrderedDict[str, Parkable] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._handlers)

    def take(self, arn: str) -> Parkable | None:
        """Return an execution's handler, which is kept no longer."""
        with self._lock:
            return self._handlers.pop(arn, None)

    def put(self, arn: str, handler: Parkable) -> list[tuple[str, Parkable]]:
        """Keep a handler; return those that leave for it, the caller to discard them.

        If its execution has one here already, one of the two is of an invocation that the service
        has given up, and nobody here can tell which: both leave.
        """
        with self._lock:
            if arn in self._handlers:
                return [(arn, self._handlers.pop(arn)), (arn, handler)]
            self._handlers[arn] = handler
            return [
                self._handlers.popitem(last=False)
                for _ in range(len(self._handlers) - self._places)
            ]

    def clear(self) -> None:
        """Let every handler go."""
        with self._lock:
            handlers, self._handlers = self._handlers, OrderedDict()
        for handler in handlers.values():
            handler.discard()


_process: list[Parking | None] = []


def process_parking() -> Parking | None:
    """Return the process's parking, None unless its environment has places for it."""
    if not _process:
        text = os.environ.get("PERDURE_KEEP_HANDLERS", "")
        _process.append(Parking(int(text)) if text.isdigit() and int(text) > 0 else None)
    return _process[0]
