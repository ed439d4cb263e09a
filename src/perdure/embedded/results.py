"""Callers that wait for an execution to end."""

import asyncio
from collections.abc import Callable

from perdure.core.operation import Operation
from perdure.core.outcome import Outcome
from perdure.embedded.errors import EmbeddedError
from perdure.engine.engine import Engine
from perdure.store.change import Change

__all__ = ["Results"]


class Results:
    """Tells those who wait how an execution ended: by its EXECUTION operation."""

    def __init__(self, engine: Engine) -> None:
        """Watch the executions of ``engine``."""
        self._engine = engine
        self._waiting: dict[str, list[asyncio.Future[Operation]]] = {}
        self._failure: Callable[[], EmbeddedError] | None = None
        engine.listen(self._hear)

    def expect(self, execution_id: str) -> "asyncio.Future[Operation]":
        """Return what is answered when the execution ends; the caller knows that it has not.

        Raises:
            EmbeddedError: nothing will be answered any more.
        """
        if self._failure is not None:
            raise self._failure()
        future: asyncio.Future[Operation] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(execution_id, []).append(future)
        future.add_done_callback(lambda _: self._forget(execution_id, future))
        return future

    async def ended(self, execution_id: str) -> Operation:
        """Return how the execution ended, once it has.

        Raises:
            ResourceNotFound: there is no such execution.
            EmbeddedError: nothing will be answered any more.
        """
        future = self.expect(execution_id)
        try:
            async with self._engine.reading(execution_id) as execution:
                if execution.is_closed:
                    return execution.operations[execution_id]
            return await future
        finally:
            future.cancel()

    def fail(self, failure: Callable[[], EmbeddedError]) -> None:
        """Let go of everybody, now and from now on."""
        self._failure = failure
        for waiting in list(self._waiting.values()):
            for future in list(waiting):
                if not future.done():
                    future.set_exception(failure())

    def _hear(self, outcome: Outcome, change: Change) -> None:
        waiting = self._waiting.get(change.execution_id)
        if waiting is None or outcome.progress.ended_at_ms is None:
            return
        root = outcome.operations.get(change.execution_id)
        if root is not None:
            for future in waiting:
                if not future.done():
                    future.set_result(root)

    def _forget(self, execution_id: str, future: "asyncio.Future[Operation]") -> None:
        waiting = self._waiting.get(execution_id)
        if waiting is not None and future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._waiting[execution_id]
