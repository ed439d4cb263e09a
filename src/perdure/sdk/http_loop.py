"""The service by HTTP, for handlers on an event loop: the same calls as ``http``'s, awaited.

Written on asyncio's transports: a checkpoint wakes nobody but the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from perdure.sdk.http_calls import checkpoint_call, state_call
from perdure.sdk.http_messages import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    RECEIVE_BYTES,
    AnswerReader,
    HttpError,
    HttpRequest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perdure.protocol.operations import OperationUpdate
    from perdure.sdk.client import Progress
    from perdure.sdk.http_calls import HttpCall
    from perdure.sdk.http_messages import Endpoint, HttpAnswer
    from perdure.sdk.loop_calls import Answered

__all__ = ["LoopHttpClient"]

_CALLS: Final[dict[str, Callable[..., HttpCall]]] = {
    "checkpoint": checkpoint_call,
    "read_state": state_call,
}


class LoopHttpClient:
    """The service at an endpoint; all calls are made on one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect when somebody calls."""
        self._endpoint = endpoint
        self._idle: list[_Connection] = []
        self._connecting: set[asyncio.Task[_Connection]] = set()

    async def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """See ``AsyncServiceClient``."""
        return await self._made("checkpoint", arn, token, updates, client_token)

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """See ``AsyncServiceClient``."""
        return await self._made("read_state", arn, token, marker)

    def begin(self, method: str, arguments: tuple[Any, ...], answered: Answered) -> None:
        """Begin a call of one of these, without waiting: see ``loop_calls``."""
        _Call(self, _CALLS[method](*arguments), answered).go_on(None)

    def close(self) -> None:
        """Hang up every connection that is idle; may be called from any thread."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close_soon()

    def message(self, request: HttpRequest) -> bytes:
        """Return a request as it travels."""
        return self._endpoint.message(request)

    def take_idle(self) -> _Connection | None:
        """Return a connection that nobody uses."""
        return self._idle.pop() if self._idle else None

    def give_back(self, connection: _Connection) -> None:
        """Keep a connection for the next call."""
        self._idle.append(connection)

    def connect(self, connected: Callable[[asyncio.Task[_Connection]], None]) -> None:
        """Begin to connect; ``connected`` is told when that has ended."""
        task = asyncio.get_running_loop().create_task(self._connect(), context=Context())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        task.add_done_callback(connected)

    async def _made(self, method: str, *arguments: Any) -> Progress:
        future: asyncio.Future[Progress] = asyncio.get_running_loop().create_future()
        self.begin(method, arguments, partial(_settle, future))
        return await future

    async def _connect(self) -> _Connection:
        endpoint = self._endpoint
        context = None
        if endpoint.is_secure:
            import ssl

            context = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await loop.create_connection(
                lambda: _Connection(loop), endpoint.host, endpoint.port, ssl=context
            )
        return connection


class _Call:
    """One call under way: asks as it is told to, and is told what came of it."""

    __slots__ = ("_answered", "_call", "_client", "_connection", "_is_first", "_message")

    def __init__(self, client: LoopHttpClient, call: HttpCall, answered: Answered) -> None:
        self._client = client
        self._call = call
        self._answered = answered
        self._message = b""
        self._connection: _Connection | None = None
        self._is_first = True  #: it asks by a connection that was made for it

    def go_on(self, answer: HttpAnswer | BaseException | None) -> None:
        """Take in an answer, or what has prevented it; ask what is next."""
        outcome: Any
        try:
            if isinstance(answer, BaseException):
                request = self._call.throw(answer)
            else:
                request = self._call.send(answer)
        except StopIteration as end:
            outcome = end.value
        except BaseException as error:  # noqa: BLE001 - whoever is told decides what it means
            outcome = error
        else:
            if isinstance(request, HttpRequest):
                self._ask(request)
            else:
                asyncio.get_running_loop().call_later(request, self.go_on, None)
            return
        self._answered(outcome)

    def _ask(self, request: HttpRequest) -> None:
        self._message = self._client.message(request)
        connection = self._client.take_idle()
        self._is_first = connection is None
        if connection is None:
            self._client.connect(self._connected)
        else:
            self._ask_by(connection)

    def _ask_by(self, connection: _Connection) -> None:
        self._connection = connection
        connection.ask(self._message, self._heard)

    def _connected(self, task: asyncio.Task[_Connection]) -> None:
        if task.cancelled():
            self.go_on(HttpError("the connection was given up"))
            return
        error = task.exception()
        if error is not None:
            self.go_on(error)
        else:
            self._ask_by(task.result())

    def _heard(self, answer: HttpAnswer | OSError) -> None:
        connection, self._connection = self._connection, None
        assert connection is not None, "it is asked before it answers"
        if isinstance(answer, OSError):
            connection.close()
            if not self._is_first:
                # It was closed while it was idle; a new one tells whether the service is there.
                self._is_first = True
                self._client.connect(self._connected)
                return
        elif answer.is_last:
            connection.close()
        else:
            self._client.give_back(connection)
        self.go_on(answer)


class _Connection(asyncio.BufferedProtocol):
    """One connection; one call at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._room = memoryview(bytearray(RECEIVE_BYTES))
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._answered: Callable[[HttpAnswer | OSError], None] | None = None
        self._due_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, message: bytes, answered: Callable[[HttpAnswer | OSError], None]) -> None:
        """Send one request; ``answered`` is told the answer, or why there is none."""
        if self._transport is None:
            answered(HttpError("the service hung up"))
            return
        self._answered = answered
        self._due_at = self._loop.time() + ANSWER_SECONDS
        if self._timer is None:
            self._timer = self._loop.call_at(self._due_at, self._check_time)
        self._transport.write(message)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def close_soon(self) -> None:
        """Hang up, from any thread; a loop that is closed has no connections."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.close)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; whoever waits for an answer hears that there is none."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self._tell(exc if isinstance(exc, OSError) else HttpError("the service hung up"))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to put what comes."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what has come."""
        try:
            answer = self._reader.feed(self._room[:nbytes])
        except HttpError as error:
            self._tell(error)
            return
        if answer is not None:
            self._tell(answer)

    def _tell(self, answer: HttpAnswer | OSError) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(answer)

    def _check_time(self) -> None:
        """Give up an answer that is late; else look again when it would be.

        One timer serves all calls of a connection: it is cheaper to look than to set it anew.
        """
        self._timer = None
        if self._answered is None:
            return
        if self._due_at <= self._loop.time():
            self._tell(TimeoutError("timed out"))
        else:
            self._timer = self._loop.call_at(self._due_at, self._check_time)


def _settle(future: asyncio.Future[Progress], outcome: Progress | BaseException) -> None:
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
