"""Callers that wait for an execution to end, whichever node ends it."""

import asyncio
from typing import Final

from perdure.core.outcome import Closed, Outcome
from perdure.engine.engine import Engine
from perdure.engine.hearsay import Topic
from perdure.store.change import Change

__all__ = ["Waiting"]

_LOOK_EVERY_SECONDS: Final = 5.0


class Waiting:
    """Answers those who wait."""

    def __init__(self, engine: Engine) -> None:
        """Watch the executions of ``engine``."""
        self._engine = engine
        self._events: dict[str, list[asyncio.Event]] = {}
        engine.listen(self._hear)
        engine.hearsay.listen(Topic.ENDED, self._hear_others)

    @property
    def callers(self) -> int:
        """How many wait."""
        return sum(map(len, self._events.values()))

    async def closed(
        self, execution_id: str, *, timeout_seconds: float, since_version: int | None = None
    ) -> bool:
        """Return True once the execution has ended, False when the time is over first.

        With ``since_version``, what was so at some instant after it had that version will do for
        the first look: for whoever has just committed it.

        Raises:
            ResourceNotFound: there is no such execution, or it was removed meanwhile.
        """
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        waiting = self._events.setdefault(execution_id, [])
        waiting.append(event)
        try:
            async with asyncio.timeout(timeout_seconds):
                while not await self._is_closed(execution_id, since_version):
                    since_version = None
                    look = loop.call_later(_LOOK_EVERY_SECONDS, event.set)
                    try:
                        await event.wait()
                    finally:
                        look.cancel()
                    # Before the look: what is told meanwhile is looked at again.
                    event.clear()
        except TimeoutError:
            return False
        finally:
            waiting.remove(event)
            if not waiting:
                self._events.pop(execution_id, None)
        return True

    async def _is_closed(self, execution_id: str, since_version: int | None) -> bool:
        # What has ended stays so (E1): of that, the store need not be asked.
        known = self._engine.known(execution_id, since_version=since_version or 0)
        if known is not None and (known.is_closed or since_version is not None):
            return known.is_closed
        async with self._engine.reading(execution_id) as execution:
            return execution.is_closed

    def _hear(self, outcome: Outcome, change: Change) -> None:
        if outcome.progress.ended_at_ms is not None:
            self._wake(change.execution_id)
            if any(isinstance(effect, Closed) for effect in outcome.effects):
                self._engine.hearsay.tell(Topic.ENDED, [change.execution_id])

    def _hear_others(self, execution_ids: tuple[str, ...]) -> None:
        for execution_id in execution_ids or tuple(self._events):
            self._wake(execution_id)

    def _wake(self, execution_id: str) -> None:
        for event in self._events.get(execution_id, ()):
            event.set()
