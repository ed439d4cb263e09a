"""The engine inside one's own process: no server, one SQLite file."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from perdure.clock import Clock, SystemClock
from perdure.embedded.calls import Calls, ExecutionFilter
from perdure.embedded.engine_thread import EngineThread
from perdure.embedded.errors import ServiceClosed
from perdure.embedded.handles import ExecutionHandle
from perdure.embedded.parts import OPEN, Parts
from perdure.embedded.settings import (
    EmbeddedSettings,
    days_of,
    file_of,
    registration,
    seconds_of,
)
from perdure.embedded.shapes import ExecutionInfo, PendingCallback
from perdure.embedded.values import error_of, text_of, value_of
from perdure.protocol.words import ExecutionStatus
from perdure.sdk.duration import DurationLike

if TYPE_CHECKING:
    from typing import Self

    from perdure.embedded.asynchronous import AsyncDurableService
    from perdure.runtime.in_process import Handler

__all__ = ["DurableService"]

_LONGEST: Final = timedelta(days=366)
_RETENTION: Final = timedelta(days=14)


class DurableService:
    """Runs durable executions in this process, and keeps them in one file.

    ``with`` opens it, and its methods block until they are answered; ``async with`` opens it and
    gives its async side, an ``AsyncDurableService``. Every method may be called from any thread.
    What was answered is on the disk: a process that dies at any moment loses nothing, and the next
    one that opens the file goes on.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        concurrency: int = 64,
        execution_timeout: DurationLike = _LONGEST,
        retention: DurationLike = _RETENTION,
        close_timeout: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        """Name the file; nothing is done before the service is opened.

        Args:
            path: the file, made if it is not there; the data folder of a ``perdure serve``, which
                must not run meanwhile; or ``":memory:"``.
            concurrency: so many handlers run at once; suspended ones do not count.
            execution_timeout: how long an execution may last, unless its function says otherwise.
            retention: how long an ended execution is kept, likewise; in whole days.
            close_timeout: so many seconds handlers may go on when the service is closed.
            clock: the time, unless it is the machine's; see ``perdure.clock.ManualClock``.

        Raises:
            ValueError: an argument is out of bounds.
        """
        if concurrency < 1:
            raise ValueError(f"concurrency is at least 1 (value: {concurrency})")
        self._settings = EmbeddedSettings(
            file=file_of(path),
            clock=clock or SystemClock(),
            concurrency=concurrency,
            execution_timeout_seconds=seconds_of(execution_timeout),
            retention_days=days_of(retention),
            close_seconds=close_timeout,
        )
        self._opened: tuple[EngineThread, Parts, Calls] | None = None

    def open(self) -> None:
        """Open the file, and go on with every execution in it whose function is registered.

        Raises:
            StoreOpenError: another process has the file open, or it is none of ours.
        """
        thread, parts = self._prepare()
        try:
            thread.call(parts.open)
        except BaseException:
            thread.end()
            raise
        self._opened = (thread, parts, Calls(parts))

    def close(self) -> None:
        """Begin nothing more, let handlers go on for a while, and let go of the file.

        A handler that is not done then is cut off; its execution goes on at the next opening.
        """
        opened, self._opened = self._opened, None
        if opened is not None:
            thread, parts, _ = opened
            try:
                thread.call(parts.aclose)
            finally:
                thread.end()

    def __enter__(self) -> "Self":
        """Open it."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> "AsyncDurableService":
        """Open it, and give its async side."""
        thread, parts = self._prepare()
        try:
            await thread.hop(parts.open)
        except BaseException:
            thread.end()
            raise
        self._opened = (thread, parts, Calls(parts))
        return self.asynchronous

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        opened, self._opened = self._opened, None
        if opened is not None:
            thread, parts, _ = opened
            try:
                await thread.hop(parts.aclose)
            finally:
                thread.end()

    @property
    def asynchronous(self) -> "AsyncDurableService":
        """The same service, for code on an event loop, be it the caller's or a handler's."""
        from perdure.embedded.asynchronous import AsyncDurableService

        thread, calls = self._open_parts()
        return AsyncDurableService(thread, calls, self._settings)

    def register(
        self,
        name: str,
        handler: "Handler",
        *,
        execution_timeout: DurationLike | None = None,
        retention: DurationLike | None = None,
    ) -> None:
        """Have ``handler`` run the executions of the function ``name``.

        ``handler`` is what ``durable_execution`` made, or an ordinary function of the event and
        the Lambda context. Executions that are open, of whatever earlier code, go on with it.

        Raises:
            RequestRefused: it is no name for a function.
        """
        thread, calls = self._open_parts()
        registered = registration(
            self._settings, name, handler, execution_timeout=execution_timeout, retention=retention
        )
        thread.call(calls.register, registered)

    def start(
        self, function: str, event: Any = None, *, execution_name: str | None = None
    ) -> ExecutionHandle:
        """Begin an execution; it is on the disk when this returns.

        An ``execution_name`` that is taken gives the execution that has it, if that was begun with
        the same event.

        Raises:
            FunctionNotFound: no function is registered under the name.
            ExecutionAlreadyStarted: the execution name is taken, with another event.
        """
        thread, calls = self._open_parts()
        started = thread.call(calls.start, function, json.dumps(event), execution_name)
        return ExecutionHandle(thread, calls, *started)

    def call(
        self,
        function: str,
        event: Any = None,
        *,
        execution_name: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Begin an execution and return its result; see ``start`` and ``ExecutionHandle.result``.

        After a ``TimeoutError`` the execution goes on.
        """
        thread, calls = self._open_parts()
        reference, ended = thread.call(
            calls.call, function, json.dumps(event), execution_name, timeout=timeout
        )
        return value_of(reference.arn, ended)

    def get(self, execution: str, *, function: str | None = None) -> ExecutionHandle:
        """Return the execution with this ARN or name; ``function`` says whose name it is.

        Raises:
            ExecutionNotFound: there is none.
            RequestRefused: several functions have one of that name.
        """
        thread, calls = self._open_parts()
        return ExecutionHandle(thread, calls, thread.call(calls.find, execution, function))

    def executions(
        self,
        function: str | None = None,
        *,
        name: str | None = None,
        status: ExecutionStatus | str | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[ExecutionInfo]:
        """Go through the executions that are like this, by their start; read page by page."""
        asked = ExecutionFilter(
            function=function,
            name=name,
            statuses=None if status is None else frozenset({ExecutionStatus(status)}),
            started_after=started_after,
            started_before=started_before,
            newest_first=newest_first,
        )
        thread, calls = self._open_parts()
        page = thread.call(calls.page, asked, None)
        yield from page.executions
        while page.after is not None:
            page = thread.call(calls.page, asked, page.after)
            yield from page.executions

    def list_callbacks(self, function: str | None = None) -> Iterator[PendingCallback]:
        """Go through the callbacks without an answer, of all open executions or a function's.

        It reads every open execution: where there are many, ``pending_callbacks`` of the one in
        question is the better call.
        """
        asked = ExecutionFilter(function=function, statuses=OPEN)
        thread, calls = self._open_parts()
        page = thread.call(calls.callback_page, asked, None)
        yield from page.callbacks
        while page.after is not None:
            page = thread.call(calls.callback_page, asked, page.after)
            yield from page.callbacks

    def send_callback_success(self, callback_id: str, result: Any = None) -> None:
        """Answer a callback. Text is sent as it is, bytes as UTF-8, anything else as JSON.

        Raises:
            CallbackNotFound: there is no such callback.
            CallbackTooLate: its time is over.
        """
        thread, calls = self._open_parts()
        thread.call(calls.answer_callback, callback_id, text_of(result), None)

    def send_callback_failure(self, callback_id: str, error: Exception | str) -> None:
        """Answer a callback with an error.

        Raises:
            CallbackNotFound: there is no such callback.
            CallbackTooLate: its time is over.
        """
        thread, calls = self._open_parts()
        thread.call(calls.answer_callback, callback_id, None, error_of(error))

    def send_callback_heartbeat(self, callback_id: str) -> None:
        """Say that a callback is still being worked on.

        Raises:
            CallbackNotFound: there is no such callback, or it was answered.
            CallbackTooLate: its time is over.
        """
        thread, calls = self._open_parts()
        thread.call(calls.heartbeat, callback_id)

    def _prepare(self) -> tuple[EngineThread, Parts]:
        if self._opened is not None:
            raise RuntimeError("the service is open already")
        thread = EngineThread()
        return thread, Parts(self._settings, thread.crossing, thread.loop.call_at_rest)

    def _open_parts(self) -> tuple[EngineThread, Calls]:
        if self._opened is None:
            raise ServiceClosed("the service is not open: use it in a with statement")
        thread, _, calls = self._opened
        return thread, calls
