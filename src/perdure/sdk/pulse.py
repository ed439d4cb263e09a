"""A slow pulse for running handlers: every twenty milliseconds they are asked whether an update has
waited long enough for company, and whether a wait is over while another branch still runs.

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
_BEAT_SECONDS: Final = 0.02


class Beating(Protocol):
    """Something to be asked."""

    def tick(self, now_ms: int) -> None:
        """Look whether something is to be done, and have it done elsewhere: never block."""
        ...


class Pulse:
    """Asks every member at every beat."""

    def __init__(self) -> None:
        """Begin with no member, and without a thread."""
        self._members: set[Beating] = set()
        self._lock = threading.Lock()
        self._is_needed = threading.Event()
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

    def _beat(self) -> None:
        rest = threading.Event()
        while True:
            self._is_needed.wait()
            rest.wait(_BEAT_SECONDS)
            with self._lock:
                members = list(self._members)
                if not members:
                    self._is_needed.clear()
            at_ms = now_ms()
            for member in members:
                try:
                    member.tick(at_ms)
                except Exception:  # noqa: BLE001 - as when its event loop is closed
                    _log.exception("a running handler cannot be looked after")
                    self.discard(member)


PULSE: Final = Pulse()
