"""What is ready, and has no room where it became so: nodes that share the store tell each other of
it, and take it from there.

What is taken is claimed, so that two nodes do not take the same. A claim on what its node cannot
run keeps it from those who can, again and again if they look a moment later each time: it is given
back at once.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from perdure.engine.engine import Engine
from perdure.engine.hearsay import Topic
from perdure.store.protocol import Agenda, Claim

__all__ = ["Left"]

_AFTER_MS: Final = 500  #: what is ready for so long, its node has left, unless it said so
_CLAIM_MS: Final = 1_000
_CLAIM_OVER_MS: Final = -1_000  #: ends one's own claim, also for a node whose clock lags
_TELL_EVERY_SECONDS: Final = 0.1


class Left:
    """What a node has left to the others, and they to it."""

    def __init__(self, engine: Engine, on_told: Callable[[], None]) -> None:
        """Take from the store of ``engine``; call ``on_told`` when another node tells of more."""
        self.is_wanted = False  #: there is more than was taken, as far as is known
        self._engine = engine
        self._on_told = on_told
        self._before_ms = self._limit = 0
        self._is_claimed = False
        self._told_at = -_TELL_EVERY_SECONDS
        self._telling: asyncio.TimerHandle | None = None
        engine.hearsay.listen(Topic.READY, self._hear)

    def tell(self) -> None:
        """Tell the others that there is more than fits here: now, or in a moment."""
        if self._engine.is_shared and self._telling is None:
            at = max(self._now(), self._told_at + _TELL_EVERY_SECONDS)
            self._telling = asyncio.get_running_loop().call_at(at, self._tell)

    async def take(self, limit: int, *, is_claimed: bool) -> list[str]:
        """Return the executions that have been ready longest."""
        waited_ms = 0 if self.is_wanted else _AFTER_MS
        self.is_wanted = False
        self._before_ms, self._limit = self._engine.clock.now_ms() + 1 - waited_ms, limit
        self._is_claimed = is_claimed
        return await self._find(self._engine.claim(_CLAIM_MS) if is_claimed else None)

    async def give_back(self) -> None:
        """Let the others have what was taken last, as far as it is ready still."""
        if self._is_claimed:
            await self._find(self._engine.claim(_CLAIM_OVER_MS))
        self.tell()

    async def _find(self, claim: Claim | None) -> list[str]:
        found = await self._engine.store.upcoming(
            Agenda.READY, before_ms=self._before_ms, limit=self._limit, claim=claim
        )
        return [execution_id for _, execution_id in found]

    def _tell(self) -> None:
        self._telling, self._told_at = None, self._now()
        self._engine.hearsay.tell(Topic.READY)

    def _hear(self, _keys: tuple[str, ...]) -> None:
        self.is_wanted = True
        self._on_told()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
