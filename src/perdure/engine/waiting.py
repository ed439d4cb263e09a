"""Callers that wait for an execution to end, whichever node ends it."""

import asyncio
from typing import Final

from perdure.core.outcome import Closed, Outcome
from perdure.engine.engine import Engine
from perdure.engine.hearsay import Topic
from perdure.store.change import Change

__all__ = ["Waiting"]

_LOOK_EVERY_SECONDS: Final = 5.0
_TIMER_SECONDS: Final = 0.001  #: as exact as the loop's timers are


class Waiting:
    """Answers those who wait."""

    def __init__(self, engine: Engine) -> None:
        """Watch the executions of ``engine``."""
        self._engine = engine
        self._told: dict[str, list[asyncio.Future[None]]] = {}
        engine.listen(self._hear)
        engine.hearsay.listen(Topic.ENDED, self._hear_others)

    @property
    def callers(self) -> int:
        """How many wait."""
        return sum(map(len, self._told.values()))

    async def closed(
        self, execution_id: str, *, timeout_seconds: float, since_version: int | None = None
    ) -> bool:
        """Return True once the execution has ended, False when the time is over first.

        With ``since_version``, what was so at some instant after it had that version will do for
        the first look: for whoever has just committed it.

        Raises:
            ResourceNotFound: there is no such execution, or it was removed meanwhile.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_seconds
        try:
            while not await self._is_closed_or_told(execution_id, until, since_version):
                since_version = None
                if until - loop.time() < _TIMER_SECONDS:
                    return False
        except TimeoutError:
            return False
        return True

    async def _is_closed_or_told(
        self, execution_id: str, until: float, since_version: int | None
    ) -> bool:
        """Return True if the execution has ended; False once there is a reason to look again."""
        loop = asyncio.get_running_loop()
        told = loop.create_future()
        # Before the look: of what is told meanwhile nothing is missed.
        telling = self._told.setdefault(execution_id, [])
        telling.append(told)
        try:
            is_closed = self._is_known_to_be_closed(execution_id, since_version)
            if is_closed is None:
                async with (
                    asyncio.timeout_at(until),
                    self._engine.reading(execution_id) as execution,
                ):
                    is_closed = execution.is_closed
            if is_closed:
                return True
            look = loop.call_at(min(until, loop.time() + _LOOK_EVERY_SECONDS), _settle, told)
            try:
                await told
            finally:
                look.cancel()
        finally:
            telling.remove(told)
            if not telling:
                self._told.pop(execution_id, None)
        return False

    def _is_known_to_be_closed(self, execution_id: str, since_version: int | None) -> bool | None:
        """Tell whether it has ended, if that is in memory: what has ended stays so (E1)."""
        known = self._engine.known(execution_id, since_version=since_version or 0)
        if known is not None and (known.is_closed or since_version is not None):
            return known.is_closed
        return None

    def _hear(self, outcome: Outcome, change: Change) -> None:
        if outcome.progress.ended_at_ms is not None:
            self._wake(change.execution_id)
            if any(isinstance(effect, Closed) for effect in outcome.effects):
                self._engine.hearsay.tell(Topic.ENDED, [change.execution_id])

    def _hear_others(self, execution_ids: tuple[str, ...]) -> None:
        for execution_id in execution_ids or tuple(self._told):
            self._wake(execution_id)

    def _wake(self, execution_id: str) -> None:
        for told in self._told.get(execution_id, ()):
            _settle(told)


def _settle(told: "asyncio.Future[None]") -> None:
    if not told.done():
        told.set_result(None)
