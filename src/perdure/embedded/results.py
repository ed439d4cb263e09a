"""Callers that wait for an execution to end: on the engine's loop, or in threads of their own."""

import asyncio
import threading
from collections.abc import Callable
from weakref import WeakValueDictionary

from perdure.core.operation import Operation
from perdure.core.outcome import Outcome
from perdure.embedded.errors import EmbeddedError
from perdure.engine.engine import Engine
from perdure.store.change import Change

__all__ = ["Ending", "Results"]


class Ending:
    """How one execution ends, for threads that wait for it without asking the loop."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._is_over = threading.Lock()
        self._is_over.acquire()
        self._operation: Operation | None = None
        self._failure: Callable[[], EmbeddedError] | None = None

    def wait(self, timeout: float | None) -> Operation:
        """Block until it has ended; return its EXECUTION operation.

        Raises:
            TimeoutError: it has not after ``timeout`` seconds.
            EmbeddedError: nothing will be answered any more.
        """
        if not self._is_over.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise TimeoutError(f"it has not ended after {timeout} seconds")
        self._is_over.release()  # for whoever else waits, or asks again
        if self._failure is not None:
            raise self._failure()
        assert self._operation is not None, "it is told one of the two"
        return self._operation

    def tell(self, operation: Operation) -> None:
        """Let everybody go on with this; once."""
        self._operation = operation
        self._is_over.release()

    def fail(self, failure: Callable[[], EmbeddedError]) -> None:
        """Let everybody go on with an error; instead of ``tell``."""
        self._failure = failure
        self._is_over.release()


class Results:
    """Tells those who wait how an execution ended: by its EXECUTION operation."""

    def __init__(self, engine: Engine) -> None:
        """Watch the executions of ``engine``."""
        self._engine = engine
        self._waiting: dict[str, list[asyncio.Future[Operation]]] = {}
        self._endings: WeakValueDictionary[str, Ending] = WeakValueDictionary()
        self._failure: Callable[[], EmbeddedError] | None = None
        engine.listen(self._hear)

    def watch(self, execution_id: str) -> Ending:
        """Return the ending of an execution that is about to be started; it is told for as long as
        somebody holds it.
        """
        ending = self._endings[execution_id] = Ending()
        return ending

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
        while self._endings:
            self._endings.popitem()[1].fail(failure)

    def _hear(self, outcome: Outcome, change: Change) -> None:
        if outcome.progress.ended_at_ms is None:
            return
        root = outcome.operations.get(change.execution_id)
        if root is None:
            return
        ending = self._endings.pop(change.execution_id, None)
        if ending is not None:
            ending.tell(root)
        for future in self._waiting.get(change.execution_id, ()):
            if not future.done():
                future.set_result(root)

    def _forget(self, execution_id: str, future: "asyncio.Future[Operation]") -> None:
        waiting = self._waiting.get(execution_id)
        if waiting is not None and future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._waiting[execution_id]
