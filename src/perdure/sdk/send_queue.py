"""Whose turn it is to send: one thread does, for all that wait, and then lets them go at once.

Threads that went on together tend to come back together. So whoever sends next waits for them, a
moment at most; one that was alone waits for nobody.
"""

from __future__ import annotations

import threading
from typing import Final

__all__ = ["SendQueue"]

_COMPANY_SECONDS: Final = 0.001


class SendQueue:
    """The threads of one handler that have something to be stored."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: list[threading.Lock] = []
        self._expected = 0  #: how many were let go together, and have not come back
        self._company = threading.Event()

    @property
    def waiting(self) -> int:
        """How many wait until somebody has sent."""
        return len(self._waiting)

    def enter(self) -> bool:
        """Return True if the caller is to send, False when somebody has, perhaps for it as well."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                is_alone = self._expected <= 1
                self._expected -= 1
                self._company.clear()
                turn = None
            else:
                self._expected -= 1
                if self._expected <= 0:
                    self._company.set()
                turn = threading.Lock()
                turn.acquire()
                self._waiting.append(turn)
                is_alone = False
        if turn is not None:
            turn.acquire()
            return False
        if not is_alone:
            self._company.wait(_COMPANY_SECONDS)
        return True

    def leave(self) -> None:
        """Let everybody go; whoever still has something to send enters again."""
        with self._lock:
            self._is_taken = False
            waiting, self._waiting = self._waiting, []
            self._expected = 1 + len(waiting)
        for turn in waiting:
            turn.release()
