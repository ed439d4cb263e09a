"""Removes executions whose retention is over, or whose deletion was asked for, and nothing else
(R1, R2).

Removing cannot be undone. After the clock has jumped forward it is held for a while (T5).
"""

import logging
from typing import Final

from perdure.core.commands import Delete
from perdure.core.errors import Refusal
from perdure.engine.engine import Engine
from perdure.engine.loops import Loop
from perdure.store.protocol import Agenda

__all__ = ["Pruner"]

_log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 5.0
_READ_MAX: Final = 500
_CLAIM_MS: Final = 30_000


class Pruner:
    """Erases what has expired."""

    def __init__(self, engine: Engine) -> None:
        """Prune the store of ``engine``."""
        self._engine = engine
        self._loop = Loop("pruner", self.run_once)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Erase what has expired; return the seconds until the next look."""
        engine = self._engine
        if engine.clock.is_in_doubt():
            return _EVERY_SECONDS
        found = await engine.store.upcoming(
            Agenda.EXPIRY,
            before_ms=engine.clock.now_ms() + 1,
            limit=_READ_MAX,
            claim=engine.claim(_CLAIM_MS),
        )
        for _, execution_id in found:
            try:
                await engine.carry_out(execution_id, Delete())
                await engine.store.erase(execution_id)
                engine.forget(execution_id)
            except Refusal as refusal:
                _log.warning("execution %s could not be removed: %s", execution_id, refusal)
        return 0 if len(found) == _READ_MAX else _EVERY_SECONDS
