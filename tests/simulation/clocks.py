"""The wall clocks of the simulated machines: each may jump, and the Clock built on it may not go
back (T5).
"""

import asyncio
from typing import Final

__all__ = ["EPOCH_MS", "ServerClock", "WallClock"]

EPOCH_MS: Final = 1_800_000_000_000
_JUMP_MS: Final = 60_000
_DOUBT_SECONDS: Final = 300.0


class WallClock:
    """One machine's: the virtual instant, and what it is wrong by."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin right."""
        self._loop = loop
        self.wrong_ms = 0
        self.doubt_until = 0.0

    def elapsed_ms(self) -> int:
        """Return the monotonic clock."""
        return round(self._loop.time() * 1000)

    def wall_ms(self) -> int:
        """Return what it shows."""
        return EPOCH_MS + self.elapsed_ms() + self.wrong_ms

    def jump(self, by_ms: int) -> None:
        """Move it."""
        self.wrong_ms += by_ms
        if by_ms > _JUMP_MS:
            self.doubt_until = self._loop.time() + _DOUBT_SECONDS

    def is_in_doubt(self) -> bool:
        """Tell whether it has jumped forward lately."""
        return self._loop.time() < self.doubt_until


class ServerClock:
    """What a server tells its parts: never less than before, as ``SystemClock`` does it."""

    def __init__(self, wall: WallClock) -> None:
        """Read ``wall``."""
        self._wall = wall
        self._high_ms = wall.wall_ms()
        self._high_at_ms = wall.elapsed_ms()

    def raise_floor(self, floor_ms: int) -> None:
        """Never return less than ``floor_ms``."""
        if floor_ms > self.now_ms():
            self._high_ms, self._high_at_ms = floor_ms, self._wall.elapsed_ms()

    def now_ms(self) -> int:
        """Return the current instant."""
        elapsed_ms = self._wall.elapsed_ms()
        now_ms = max(self._wall.wall_ms(), self._high_ms + elapsed_ms - self._high_at_ms)
        self._high_ms, self._high_at_ms = now_ms, elapsed_ms
        return now_ms

    def is_in_doubt(self) -> bool:
        """Tell whether the wall clock has jumped forward lately."""
        return self._wall.is_in_doubt()
