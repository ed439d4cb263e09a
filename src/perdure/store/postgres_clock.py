"""Time as the database has it: the one clock that all nodes share.

What is shown is a lower bound of the database's clock: its last answer, plus the time that has gone
by since that answer arrived. So nothing fires before its instant, whatever the clocks of the nodes
do (T1); it never goes backward, and a jump forward is noticed (T5).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from perdure.store.protocol import StoreUnavailableError

__all__ = ["PostgresClock"]

_log = logging.getLogger(__name__)

_JUMP_MS: Final = 60_000
_DOUBT_MS: Final = 300_000
_BEHIND_MS: Final = 1_000
_READ_SECONDS: Final = 1.0
#: Clocks of two machines run at most this much apart; the bound stays one while nothing is read.
_PACE: Final = 0.999


def _monotonic_ms() -> float:
    return time.monotonic_ns() / 1_000_000


class PostgresClock:
    """Shows the database's time; fed with every answer to a commit, and read when there is none."""

    def __init__(self, *, monotonic_ms: Callable[[], float] = _monotonic_ms) -> None:
        """Show 0 until the first reading."""
        self._monotonic_ms = monotonic_ms
        self._base_ms = 0.0
        self._base_at_ms = self._read_at_ms = monotonic_ms()
        self._has_reading = False
        self._high_ms = 0
        self._doubt_until_ms = 0.0
        self._is_behind = False

    def now_ms(self) -> int:
        """Return the current instant."""
        now_ms = int(self._estimate_ms())
        if now_ms > self._high_ms:
            self._high_ms = now_ms
        return self._high_ms

    def is_in_doubt(self) -> bool:
        """Tell whether the database's clock has jumped forward lately."""
        return self._monotonic_ms() < self._doubt_until_ms

    def raise_floor(self, floor_ms: int) -> None:
        """Never return less than ``floor_ms``: the highest instant that was ever stored."""
        if floor_ms > self._estimate_ms():
            self._base_ms, self._base_at_ms = float(floor_ms), self._monotonic_ms()

    def hear(self, database_ms: int) -> None:
        """Take a reading of the database's clock, at the moment it arrives."""
        now_ms = self._read_at_ms = self._monotonic_ms()
        ahead_ms = database_ms - self._estimate_ms()
        if self._has_reading and ahead_ms > _JUMP_MS:
            _log.warning("the database's clock has jumped forward by %d ms", ahead_ms)
            self._doubt_until_ms = now_ms + _DOUBT_MS
        is_behind = self._has_reading and ahead_ms < -_BEHIND_MS
        if is_behind and not self._is_behind:
            _log.warning("the database's clock lies %d ms behind what it was", -ahead_ms)
        self._is_behind, self._has_reading = is_behind, True
        if ahead_ms > 0:
            self._base_ms, self._base_at_ms = float(database_ms), now_ms

    async def keep_reading(
        self, read: Callable[[], Awaitable[int]], *, every_seconds: float = _READ_SECONDS
    ) -> None:
        """Read the database's clock again and again, as long as commits do not bring it along."""
        while True:
            if self._monotonic_ms() - self._read_at_ms >= every_seconds * 900:
                try:
                    self.hear(await read())
                except StoreUnavailableError as error:
                    _log.warning("the database's clock cannot be read: %s", error)
            await asyncio.sleep(every_seconds)

    def _estimate_ms(self) -> float:
        return self._base_ms + (self._monotonic_ms() - self._base_at_ms) * _PACE
