"""Executions, as whoever started them has them: one handle that blocks, one that is awaited."""

import asyncio
from collections.abc import Generator
from typing import Any

from perdure.embedded.calls import Calls, Reference
from perdure.embedded.engine_thread import EngineThread
from perdure.embedded.results import Ending
from perdure.embedded.shapes import ExecutionInfo, PendingCallback
from perdure.embedded.values import error_of, value_of
from perdure.protocol.events import Event
from perdure.protocol.words import ExecutionStatus

__all__ = ["AsyncExecutionHandle", "ExecutionHandle"]


class _Handle:
    """What both have: who the execution is."""

    def __init__(self, thread: EngineThread, calls: Calls, reference: Reference) -> None:
        """Be the execution that ``reference`` names."""
        self._thread = thread
        self._calls = calls
        self._reference = reference

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self._reference.arn

    @property
    def name(self) -> str:
        """Its name: the one it was given, or a random one."""
        return self._reference.name

    @property
    def function(self) -> str:
        """The name of its function."""
        return self._reference.function

    def __await__(self) -> Generator[Any, None, Any]:
        """Return its result, once it has ended; see ``result``."""
        return self._ended().__await__()

    def __repr__(self) -> str:
        """Show the ARN."""
        return f"<{type(self).__name__} {self.arn}>"

    async def _ended(self) -> Any:
        return value_of(
            self._reference.arn, await self._thread.hop(self._calls.ended, self._reference)
        )


class ExecutionHandle(_Handle):
    """One execution; every method blocks until it is answered."""

    def __init__(
        self,
        thread: EngineThread,
        calls: Calls,
        reference: Reference,
        ending: Ending | None = None,
    ) -> None:
        """Be the execution that ``reference`` names; its ``ending``, if it was begun just now."""
        super().__init__(thread, calls, reference)
        self._ending = ending

    @property
    def status(self) -> ExecutionStatus:
        """How it stands now."""
        return self.info().status

    def result(self, timeout: float | None = None) -> Any:
        """Return what its handler returned, once it has.

        Raises:
            ExecutionFailed: it failed; ``ExecutionTimedOut`` and ``ExecutionStopped`` likewise.
            ExecutionNotFound: it is not there any more.
            TimeoutError: it has not ended after ``timeout`` seconds.
        """
        ending = self._ending
        if ending is not None and not self._thread.is_here:
            ended = ending.wait(timeout)
            self._ending = None  # from now on it may have been removed
        else:
            ended = self._thread.call(self._calls.ended, self._reference, timeout=timeout)
        return value_of(self._reference.arn, ended)

    def info(self) -> ExecutionInfo:
        """Return how it stands now."""
        return self._thread.call(self._calls.info, self._reference)

    def history(self) -> list[Event]:
        """Return its events, with their data, the oldest first."""
        return self._thread.call(self._calls.history, self._reference)

    def pending_callbacks(self) -> list[PendingCallback]:
        """Return its callbacks that have no answer yet."""
        return self._thread.call(self._calls.callbacks, self._reference)

    def stop(self, error: Exception | str | None = None) -> None:
        """End it; one that has ended stays as it is."""
        self._thread.call(self._calls.stop, self._reference, error and error_of(error))

    def pause(self, reason: str | None = None) -> None:
        """Invoke its handler no more until it is resumed; its own time stands still too."""
        self._thread.call(self._calls.pause, self._reference, reason)

    def resume(self) -> None:
        """End a pause."""
        self._thread.call(self._calls.resume, self._reference)

    def delete(self) -> None:
        """Remove it before its retention is over; it has to have ended."""
        self._thread.call(self._calls.delete, self._reference)


class AsyncExecutionHandle(_Handle):
    """One execution, on an event loop; the methods are those of ``ExecutionHandle``."""

    async def result(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - as the side that blocks
        """As ``ExecutionHandle.result``."""
        async with asyncio.timeout(timeout):
            return await self._ended()

    async def status(self) -> ExecutionStatus:
        """As ``ExecutionHandle.status``."""
        return (await self.info()).status

    async def info(self) -> ExecutionInfo:
        """As ``ExecutionHandle.info``."""
        return await self._thread.hop(self._calls.info, self._reference)

    async def history(self) -> list[Event]:
        """As ``ExecutionHandle.history``."""
        return await self._thread.hop(self._calls.history, self._reference)

    async def pending_callbacks(self) -> list[PendingCallback]:
        """As ``ExecutionHandle.pending_callbacks``."""
        return await self._thread.hop(self._calls.callbacks, self._reference)

    async def stop(self, error: Exception | str | None = None) -> None:
        """As ``ExecutionHandle.stop``."""
        await self._thread.hop(self._calls.stop, self._reference, error and error_of(error))

    async def pause(self, reason: str | None = None) -> None:
        """As ``ExecutionHandle.pause``."""
        await self._thread.hop(self._calls.pause, self._reference, reason)

    async def resume(self) -> None:
        """As ``ExecutionHandle.resume``."""
        await self._thread.hop(self._calls.resume, self._reference)

    async def delete(self) -> None:
        """As ``ExecutionHandle.delete``."""
        await self._thread.hop(self._calls.delete, self._reference)
