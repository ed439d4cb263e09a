"""Wakes executions when their time has come.

Timers are rows. Those due soon are in a heap: put there by the commits of this node, and by reading
the store ahead from time to time, which finds those of other nodes and of the time before a
restart.

Where nodes share the store, each reads a little ahead, often, and claims what it finds, so that one
of them wakes it. What is due within a second was begun within that second, or is overdue: its own
node has it in its heap, and is given a moment to wake it first.
"""

import asyncio
import heapq
import logging
from typing import Final

from perdure.core.commands import Wake
from perdure.core.errors import Refusal, ResourceNotFound
from perdure.core.outcome import Outcome
from perdure.engine.engine import Engine
from perdure.engine.loops import Loop
from perdure.store.change import Change
from perdure.store.protocol import Agenda

__all__ = ["Ticker"]

_log = logging.getLogger(__name__)

_HORIZON_MS: Final = 30_000
_READ_EVERY_MS: Final = 10_000
_READ_MAX: Final = 5_000
_AT_ONCE_MAX: Final = 64

_SHARED_HORIZON_MS: Final = 2_000
_SHARED_READ_EVERY_MS: Final = 1_000
_SHARED_READ_MAX: Final = 500
_SHARED_GRACE_MS: Final = 250
_CLAIM_MS: Final = 4_000  #: beyond the horizon: a node that dies meanwhile delays it by so much


class Ticker:
    """Carries out ``Wake`` on whatever is due."""

    def __init__(self, engine: Engine) -> None:
        """Keep time for ``engine``."""
        self._engine = engine
        self._heap: list[tuple[int, str]] = []
        self._known: dict[str, int] = {}
        self._read_at_ms = 0
        self._horizon_ms = 0
        self._loop = Loop("ticker", self.run_once)
        engine.listen(self._hear)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Wake what is due; return the seconds until something may be due again."""
        now_ms = self._engine.clock.now_ms()
        if now_ms >= self._read_at_ms:
            await self._read_ahead(now_ms)
        due: list[str] = []
        while self._heap and self._heap[0][0] <= now_ms and len(due) < _READ_MAX:
            at_ms, execution_id = heapq.heappop(self._heap)
            if self._known.get(execution_id) == at_ms:
                del self._known[execution_id]
                due.append(execution_id)
        if due:
            gate = asyncio.Semaphore(_AT_ONCE_MAX)
            await asyncio.gather(*(self._wake(execution_id, gate) for execution_id in due))
        now_ms = self._engine.clock.now_ms()
        next_ms = min(self._read_at_ms, self._heap[0][0] if self._heap else self._read_at_ms)
        return max(0, next_ms - now_ms) / 1000

    async def _read_ahead(self, now_ms: int) -> None:
        if self._engine.is_shared:
            return await self._claim_ahead(now_ms)
        horizon_ms = now_ms + _HORIZON_MS
        found = await self._engine.store.upcoming(
            Agenda.WAKE, before_ms=horizon_ms, limit=_READ_MAX
        )
        is_all = len(found) < _READ_MAX
        self._horizon_ms = horizon_ms if is_all else found[-1].at_ms
        self._read_at_ms = now_ms + _READ_EVERY_MS if is_all else self._horizon_ms
        for at_ms, execution_id in found:
            self._note(execution_id, at_ms)
        return None

    async def _claim_ahead(self, now_ms: int) -> None:
        self._horizon_ms = now_ms + _SHARED_HORIZON_MS
        found = await self._engine.store.upcoming(
            Agenda.WAKE,
            before_ms=self._horizon_ms,
            limit=_SHARED_READ_MAX,
            claim=self._engine.claim(_CLAIM_MS),
        )
        is_all = len(found) < _SHARED_READ_MAX
        self._read_at_ms = now_ms + (_SHARED_READ_EVERY_MS if is_all else _SHARED_GRACE_MS)
        for at_ms, execution_id in found:
            if execution_id not in self._known:
                is_left = at_ms <= now_ms + _SHARED_READ_EVERY_MS
                self._note(
                    execution_id, max(at_ms, now_ms) + _SHARED_GRACE_MS if is_left else at_ms
                )

    def _note(self, execution_id: str, at_ms: int) -> None:
        if self._known.get(execution_id) != at_ms:
            self._known[execution_id] = at_ms
            heapq.heappush(self._heap, (at_ms, execution_id))

    def _hear(self, outcome: Outcome, change: Change) -> None:
        at_ms = outcome.progress.wake_at_ms
        execution_id = change.execution_id
        if at_ms is None or at_ms > self._horizon_ms:
            self._known.pop(execution_id, None)
            return
        is_sooner = not self._heap or at_ms < self._heap[0][0]
        self._note(execution_id, at_ms)
        if is_sooner:
            self._loop.nudge()

    async def _wake(self, execution_id: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                await self._engine.carry_out(execution_id, Wake())
            except Refusal as refusal:
                level = logging.DEBUG if isinstance(refusal, ResourceNotFound) else logging.WARNING
                _log.log(level, "execution %s could not be woken: %s", execution_id, refusal)
