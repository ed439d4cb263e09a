"""A slow pulse for running handlers: ten times a second they are asked whether an update has waited
long enough for company, and whether a wait is over while another branch still runs; when a wait
is over sooner, then.

One thread for all, that sleeps while no handler runs. The clock is the wall's: what it decides is
only when the service is asked.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, Protocol

from perdure.sdk.wall_time import now_ms

__all__ = ["PULSE", "Pulse"]

_log: Final = logging.getLogger(__name__)
#: Each beat wakes a thread that competes with the handlers.
_BEAT_MS: Final = 100
_AGAIN_MS: Final = 20  #: after something was due, and the service may not have said so yet


class Beating(Protocol):
    """Something to be asked."""

    def tick(self, now_ms: int) -> int | None:
        """Look whether something is to be done, and have it done elsewhere: never block. Return
        the next instant to look at, if it is known.
        """
        ...


class Pulse:
    """Asks every member at every beat."""

    def __init__(self) -> None:
        """Begin with no member, and without a thread."""
        self._members: set[Beating] = set()
        self._lock = threading.Lock()
        self._is_needed = threading.Event()
        self._is_hurried = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, member: Beating) -> None:
        """Ask ``member`` from now on."""
        with self._lock:
            self._members.add(member)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._beat, name="perdure-pulse", daemon=True
                )
                self._thread.start()
        if not self._is_needed.is_set():
            self._is_needed.set()

    def discard(self, member: Beating) -> None:
        """Ask ``member`` no more."""
        with self._lock:
            self._members.discard(member)

    def hurry(self, at_ms: int) -> None:
        """Ask at this instant, if that is before the next beat."""
        if at_ms < now_ms() + _BEAT_MS:
            self._is_hurried.set()

    def _beat(self) -> None:
        rest_ms = _BEAT_MS
        while True:
            self._is_needed.wait()
            self._is_hurried.wait(rest_ms / 1_000)
            self._is_hurried.clear()
            with self._lock:
                members = list(self._members)
                if not members:
                    self._is_needed.clear()
            at_ms = now_ms()
            rest_ms = _BEAT_MS
            for member in members:
                try:
                    due_ms = member.tick(at_ms)
                    if due_ms is not None:
                        left_ms = due_ms - at_ms
                        rest_ms = min(rest_ms, left_ms if left_ms > 0 else _AGAIN_MS)
                except Exception:  # noqa: BLE001 - as when its event loop is closed
                    _log.exception("a running handler cannot be looked after")
                    self.discard(member)


PULSE: Final = Pulse()
