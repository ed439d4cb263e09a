"""Who in a handler is blocked, on what, and whether anything of it still runs.

Colourless: a waiter is released by calling it, be that a thread's lock or a task's future. When
nothing runs any more, only the service can move the handler on: it is at rest, and may be
suspended.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perdure.sdk.exceptions import OrphanedChildException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from perdure.protocol.operations import Operation
    from perdure.sdk.journal import Journal
    from perdure.sdk.scopes import Scope

__all__ = ["Mailbox", "Switchboard", "Waiter"]


class Waiter:
    """Somebody who is blocked; ``error`` is what he is to raise when he is released."""

    __slots__ = ("error", "operation_id", "release", "scope", "until_ms")

    def __init__(self, release: Callable[[], None], scope: Scope) -> None:
        """Be released by ``release``, once."""
        self.release = release
        self.scope = scope
        self.operation_id: str | None = None
        self.until_ms: int | None = None
        self.error: BaseException | None = None


class Mailbox:
    """Where the branches of a batch say how they ended; one reader."""

    __slots__ = ("messages", "waiter")

    def __init__(self) -> None:
        """Begin empty."""
        self.messages: deque[object] = deque()
        self.waiter: Waiter | None = None


class Switchboard:
    """The blocked of one handler. Its methods take the lock, but ``check_locked``."""

    def __init__(
        self,
        lock: AbstractContextManager[object],
        journal: Journal,
        *,
        weight: int,
    ) -> None:
        """Count each running thread as ``weight`` of what is busy (0: the driver counts itself)."""
        self._lock = lock
        self._journal = journal
        self._weight = weight
        self._waiters: set[Waiter] = set()
        self._stop: Callable[[], BaseException] | None = None
        self.busy = 0

    @property
    def is_at_rest(self) -> bool:
        """Whether somebody waits, and nobody runs."""
        return self.busy == 0 and bool(self._waiters)

    @property
    def earliest_ms(self) -> int | None:
        """The earliest instant at which time alone releases somebody."""
        with self._lock:
            # Copied at one go: an event loop's is asked from another thread, with no lock.
            waiters = tuple(self._waiters)
        return min((w.until_ms for w in waiters if w.until_ms is not None), default=None)

    def add(self, count: int) -> None:
        """Count ``count`` more (or fewer) as busy."""
        with self._lock:
            self.busy += count

    def block_on(self, seen: Operation, until_ms: int | None, waiter: Waiter) -> bool:
        """Register a waiter for a change of ``seen``; return False if it has changed already."""
        with self._lock:
            self.check_locked(waiter.scope)
            if self._journal.find(seen.id) is not seen:
                return False
            waiter.operation_id, waiter.until_ms = seen.id, until_ms
            self._waiters.add(waiter)
            self.busy -= self._weight
            return True

    def block_on_mail(self, mailbox: Mailbox, waiter: Waiter) -> bool:
        """Register a waiter for the next message; return False if there is one."""
        with self._lock:
            if mailbox.messages:
                return False
            self.check_locked(waiter.scope)
            mailbox.waiter = waiter
            self._waiters.add(waiter)
            self.busy -= self._weight
            return True

    def deliver(self, mailbox: Mailbox, message: object, *, is_last_word: bool) -> None:
        """Leave a message; with ``is_last_word`` its sender runs no more."""
        with self._lock:
            mailbox.messages.append(message)
            if is_last_word:
                self.busy -= self._weight
            if mailbox.waiter is not None:
                self._wake(mailbox.waiter)
                mailbox.waiter = None

    def merge(self, operations: Iterable[Operation]) -> None:
        """Take changes into the journal, and release who waited for one."""
        with self._lock:
            changed: set[str] = set()
            for operation in operations:
                changed.add(operation.id)
            self._journal.merge(operations)
            if changed:
                self._wake_all(w for w in self._waiters if w.operation_id in changed)

    def close(self, scope: Scope) -> None:
        """Close a scope; whoever is blocked under it leaves."""
        with self._lock:
            scope.close()
            self._wake_all((w for w in self._waiters if w.scope.is_closed), _orphaned)

    def stop(self, error: Callable[[], BaseException]) -> None:
        """Have everybody raise ``error``: who is blocked now, and who comes later."""
        with self._lock:
            self._stop = error
            self._wake_all(self._waiters, error)

    def check(self, scope: Scope) -> None:
        """Raise if the handler is stopped, or ``scope`` closed."""
        with self._lock:
            self.check_locked(scope)

    def check_locked(self, scope: Scope) -> None:
        """As ``check``, by whoever has the lock."""
        if self._stop is not None:
            raise self._stop()
        if scope.is_closed:
            raise _orphaned()

    def withdraw(self, waiter: Waiter) -> None:
        """Forget a waiter that was cancelled."""
        with self._lock:
            if waiter in self._waiters:
                self._waiters.discard(waiter)
                self.busy += self._weight

    def _wake_all(
        self, waiters: Iterable[Waiter], error: Callable[[], BaseException] | None = None
    ) -> None:
        for waiter in list(waiters):
            if error is not None:
                waiter.error = error()
            self._wake(waiter)

    def _wake(self, waiter: Waiter) -> None:
        if waiter in self._waiters:
            self._waiters.discard(waiter)
            self.busy += self._weight
            waiter.release()


def _orphaned() -> OrphanedChildException:
    return OrphanedChildException("the context has ended", operation_id="")
