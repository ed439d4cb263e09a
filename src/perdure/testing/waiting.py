"""Tests that wait for something in the service: what for, and whether it has come."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Waiter", "Waiters", "is_alone"]


class Waiter:
    """One wait; ``find`` returns what is waited for, None as long as it is not there."""

    def __init__(self, find: Callable[[], Any]) -> None:
        """Wait for what ``find`` returns; what it raises ends the wait too."""
        self._find = find
        self.value: Any = None
        self.error: Exception | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has come, or never will."""
        return self.value is not None or self.error is not None

    def look(self) -> None:
        """Look again."""
        try:
            self.value = self._find()
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self.error = error


class Waiters:
    """All that wait now. Not safe by itself: the service's lock is held."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiters: list[Waiter] = []

    def add(self, waiter: Waiter) -> None:
        """Look for it too."""
        self._waiters.append(waiter)

    def discard(self, waiter: Waiter) -> None:
        """Look for it no more."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def look(self) -> bool:
        """Look for all; tell whether some still wait."""
        for waiter in self._waiters:
            waiter.look()
        self._waiters = [waiter for waiter in self._waiters if not waiter.is_over]
        return bool(self._waiters)


def is_alone() -> bool:
    """Tell whether no thread is left that could answer for the one that waits."""
    return all(
        thread is threading.current_thread() or thread.name.startswith("perdure")
        for thread in threading.enumerate()
    )
