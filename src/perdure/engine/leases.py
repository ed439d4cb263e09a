"""Keeps the leases of this node's invocations while they run; one that has lost its lease is ended.

One look at all of them now and then, instead of a timer for each. A lease is lost when another has
it, and believed to be lost when the store could not be told for as long as it lasts.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from perdure.core.commands import RenewLease
from perdure.core.errors import Refusal, TooManyRequests, Unavailable
from perdure.engine.engine import Engine
from perdure.engine.loops import Loop
from perdure.engine.runs import Run

__all__ = ["Leases"]

_log = logging.getLogger(__name__)

#: How long, at most, until a lease is renewed again that the store would not take.
_AGAIN_SECONDS: Final = 0.5


class Leases:
    """Renews leases."""

    def __init__(self, engine: Engine, runs: Mapping[str, Run], *, lease_ms: int) -> None:
        """Keep those of ``runs``, by their executions' ids, while they are invoking."""
        self._engine = engine
        self._runs = runs
        self._lease_ms = lease_ms
        #: Between two looks: a lease is renewed when a third of it is over, or before.
        self._seconds = lease_ms / 6000
        self._loop = Loop("leases", self.run_once)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Renew what was not renewed lately; return the seconds until the next look."""
        now = asyncio.get_running_loop().time()
        old = [
            (execution_id, run)
            for execution_id, run in self._runs.items()
            if run.invoking is not None and now - run.kept_at >= self._seconds
        ]
        kept = await asyncio.gather(*(self._renew(execution_id, run) for execution_id, run in old))
        return self._seconds if all(kept) else min(self._seconds, _AGAIN_SECONDS)

    async def _renew(self, execution_id: str, run: Run) -> bool:
        """Renew a lease; return False if the store would not take it, and it may still last."""
        now = asyncio.get_running_loop().time()
        command = RenewLease(epoch=run.epoch, lease_ms=self._lease_ms)
        try:
            await self._engine.carry_out(execution_id, command)
        except (Unavailable, TooManyRequests) as refusal:
            if now - run.kept_at < self._lease_ms / 1000:
                return False
            self._end(execution_id, run, refusal)
        except Refusal as refusal:
            self._end(execution_id, run, refusal)
        else:
            run.kept_at = now
        return True

    def _end(self, execution_id: str, run: Run, refusal: Refusal) -> None:
        if run.invoking is not None and not run.invoking.done():
            _log.warning("the lease of execution %s is lost: %s", execution_id, refusal)
            run.invoking.cancel()
