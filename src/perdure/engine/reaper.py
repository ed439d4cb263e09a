"""Takes leases from invocations nobody serves any more, so that others follow."""

import logging
from typing import TYPE_CHECKING, Final

from perdure.core.commands import ReleaseLease
from perdure.core.errors import Refusal
from perdure.engine.engine import Engine
from perdure.engine.loops import Loop
from perdure.store.protocol import Agenda

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reaper"]

_log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 5.0
_READ_MAX: Final = 1_000
_END_OF_TIME_MS: Final = 1 << 62
_SHARED_EVERY_SECONDS: Final = 2.0
_CLAIM_MS: Final = 2_000


class Reaper:
    """Releases leases that have run out, and those of nodes that are gone."""

    def __init__(self, engine: Engine) -> None:
        """Reap for ``engine``, whose owner this node is."""
        #: Tells whether a node that shares the store lives, as far as is known.
        self.is_alive: Callable[[str], bool] = lambda _: True
        self._engine = engine
        self._are_some_gone = True
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

    def look_for_dead(self) -> None:
        """Release, soon, whatever is leased to nodes that are gone."""
        self._are_some_gone = True
        self._loop.nudge()

    async def run_once(self) -> float:
        """Release what has run out; return the seconds until the next look."""
        if self._engine.is_shared:
            return await self._run_shared()
        found = await self._release(self._engine.clock.now_ms() + 1, is_dead=False)
        return 0 if found == _READ_MAX else _EVERY_SECONDS

    async def _run_shared(self) -> float:
        are_some_gone, self._are_some_gone = self._are_some_gone, False
        try:
            if are_some_gone:
                await self._release(_END_OF_TIME_MS, is_dead=True)
            await self._release(self._engine.clock.now_ms() + 1, is_dead=False)
        except BaseException:
            self._are_some_gone = are_some_gone
            raise
        return _SHARED_EVERY_SECONDS

    async def _release(self, before_ms: int, *, is_dead: bool) -> int:
        # Of those that have not run out most are others' and stay: they are not claimed.
        claim = None if is_dead else self._engine.claim(_CLAIM_MS)
        found = await self._engine.store.upcoming(
            Agenda.LEASE, before_ms=before_ms, limit=_READ_MAX, claim=claim
        )
        for _, execution_id in found:
            try:
                async with self._engine.reading(execution_id) as execution:
                    progress = execution.progress
                if is_dead and self._lives(progress.lease_owner):
                    continue
                epoch = progress.epoch if is_dead else None
                await self._engine.carry_out(execution_id, ReleaseLease(epoch=epoch))
            except Refusal as refusal:
                _log.warning("lease of %s could not be released: %s", execution_id, refusal)
        return len(found)

    def _lives(self, owner: str | None) -> bool:
        if owner is None or owner == self._engine.owner:
            return True
        return self._engine.is_shared and self.is_alive(owner)
