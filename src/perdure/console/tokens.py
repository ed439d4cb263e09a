"""The token that a page of ours shows when it changes something (SR-17, SR-18).

A page of another site can make a browser send requests here, but cannot read what is answered: who
knows the token has read it on this origin. It is derived from the key that all nodes share, so that
any of them takes it, and changes with the day: yesterday's is taken, too, for pages left open.
"""

import hmac
from typing import Final

from perdure.clock import Clock
from perdure.engine.seals import Seals

__all__ = ["PageTokens"]

_PURPOSE: Final = "console token"
_DAY_MS: Final = 86_400_000


class PageTokens:
    """Makes and checks tokens."""

    def __init__(self, seals: Seals, clock: Clock) -> None:
        """Derive them with the key of ``seals``."""
        self._seals = seals
        self._clock = clock

    def current(self) -> str:
        """Return today's token."""
        return self._of_day(self._today()).decode()

    def is_token(self, given: bytes) -> bool:
        """Tell whether ``given`` is today's token or yesterday's, in constant time."""
        today = self._today()
        is_todays = hmac.compare_digest(given, self._of_day(today))
        return hmac.compare_digest(given, self._of_day(today - 1)) or is_todays

    def _today(self) -> int:
        return self._clock.now_ms() // _DAY_MS

    def _of_day(self, day: int) -> bytes:
        return self._seals.derive(_PURPOSE, str(day)).hex().encode()
