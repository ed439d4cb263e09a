"""The async side of a service in process: for code on an event loop, the caller's or the engine's.

The calls are those of ``DurableService``; only how one waits for them differs.
"""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from perdure.embedded.calls import Calls, ExecutionFilter
from perdure.embedded.engine_thread import EngineThread
from perdure.embedded.handles import AsyncExecutionHandle
from perdure.embedded.parts import OPEN
from perdure.embedded.settings import EmbeddedSettings, registration
from perdure.embedded.shapes import ExecutionInfo, PendingCallback
from perdure.embedded.values import error_of, text_of
from perdure.protocol.words import ExecutionStatus
from perdure.sdk.duration import DurationLike

if TYPE_CHECKING:
    from perdure.runtime.in_process import Handler

__all__ = ["AsyncDurableService"]


class AsyncDurableService:
    """A ``DurableService`` whose calls are awaited. ``async with DurableService(...)`` gives it."""

    def __init__(self, thread: EngineThread, calls: Calls, settings: EmbeddedSettings) -> None:
        """Be the async side of an open service."""
        self._thread = thread
        self._calls = calls
        self._settings = settings

    async def register(
        self,
        name: str,
        handler: "Handler",
        *,
        execution_timeout: DurationLike | None = None,
        retention: DurationLike | None = None,
    ) -> None:
        """As ``DurableService.register``."""
        registered = registration(
            self._settings, name, handler, execution_timeout=execution_timeout, retention=retention
        )
        await self._thread.hop(self._calls.register, registered)

    async def start(
        self, function: str, event: Any = None, *, execution_name: str | None = None
    ) -> AsyncExecutionHandle:
        """As ``DurableService.start``."""
        started = await self._thread.hop(
            self._calls.start, function, json.dumps(event), execution_name
        )
        return AsyncExecutionHandle(self._thread, self._calls, started.reference)

    async def call(
        self,
        function: str,
        event: Any = None,
        *,
        execution_name: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as the side that blocks
    ) -> Any:
        """As ``DurableService.call``."""
        handle = await self.start(function, event, execution_name=execution_name)
        return await handle.result(timeout)

    async def get(self, execution: str, *, function: str | None = None) -> AsyncExecutionHandle:
        """As ``DurableService.get``."""
        reference = await self._thread.hop(self._calls.find, execution, function)
        return AsyncExecutionHandle(self._thread, self._calls, reference)

    async def executions(
        self,
        function: str | None = None,
        *,
        name: str | None = None,
        status: ExecutionStatus | str | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        newest_first: bool = False,
    ) -> AsyncIterator[ExecutionInfo]:
        """As ``DurableService.executions``."""
        asked = ExecutionFilter(
            function=function,
            name=name,
            statuses=None if status is None else frozenset({ExecutionStatus(status)}),
            started_after=started_after,
            started_before=started_before,
            newest_first=newest_first,
        )
        page = await self._thread.hop(self._calls.page, asked, None)
        while True:
            for execution in page.executions:
                yield execution
            if page.after is None:
                return
            page = await self._thread.hop(self._calls.page, asked, page.after)

    async def list_callbacks(self, function: str | None = None) -> AsyncIterator[PendingCallback]:
        """As ``DurableService.list_callbacks``."""
        asked = ExecutionFilter(function=function, statuses=OPEN)
        page = await self._thread.hop(self._calls.callback_page, asked, None)
        while True:
            for callback in page.callbacks:
                yield callback
            if page.after is None:
                return
            page = await self._thread.hop(self._calls.callback_page, asked, page.after)

    async def send_callback_success(self, callback_id: str, result: Any = None) -> None:
        """As ``DurableService.send_callback_success``."""
        await self._thread.hop(self._calls.answer_callback, callback_id, text_of(result), None)

    async def send_callback_failure(self, callback_id: str, error: Exception | str) -> None:
        """As ``DurableService.send_callback_failure``."""
        await self._thread.hop(self._calls.answer_callback, callback_id, None, error_of(error))

    async def send_callback_heartbeat(self, callback_id: str) -> None:
        """As ``DurableService.send_callback_heartbeat``."""
        await self._thread.hop(self._calls.heartbeat, callback_id)
