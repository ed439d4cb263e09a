"""Takes leases from invocations nobody serves any more, so that others follow."""

import logging
from typing import Final

from perdure.core.commands import ReleaseLease
from perdure.core.errors import Refusal
from perdure.engine.engine import Engine
from perdure.engine.loops import Loop
from perdure.store.protocol import Agenda

__all__ = ["Reaper"]

_log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 5.0
_READ_MAX: Final = 1_000
_END_OF_TIME_MS: Final = 1 << 62


class Reaper:
    """Releases leases that have run out."""

    def __init__(self, engine: Engine, *, owner: str) -> None:
        """Reap for ``engine``; leases of ``owner`` are this node's own."""
        self._engine = engine
        self._owner = owner
        self._loop = Loop("reaper", self.run_once)

    async def start(self) -> None:
        """Begin; where no other node can be, what is leased to others is dead, and is freed at
        once.
        """
        if self._engine.store.is_exclusive:
            while await self._release(_END_OF_TIME_MS, is_dead=True) == _READ_MAX:
                continue
        self._loop.start()

    async def stop(self) -> None:
        """End."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Release what has run out; return the seconds until the next look."""
        found = await self._release(self._engine.clock.now_ms() + 1, is_dead=False)
        return 0 if found == _READ_MAX else _EVERY_SECONDS

    async def _release(self, before_ms: int, *, is_dead: bool) -> int:
        found = await self._engine.store.upcoming(
            Agenda.LEASE, before_ms=before_ms, limit=_READ_MAX
        )
        for _, execution_id in found:
            try:
                async with self._engine.reading(execution_id) as execution:
                    progress = execution.progress
                if is_dead and progress.lease_owner == self._owner:
                    continue
                epoch = progress.epoch if is_dead else None
                await self._engine.carry_out(execution_id, ReleaseLease(epoch=epoch))
            except Refusal as refusal:
                _log.warning("lease of %s could not be released: %s", execution_id, refusal)
        return len(found)
