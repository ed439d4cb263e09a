"""The service by HTTP, for handlers on an event loop: the same calls as ``http``'s, awaited.

Written on asyncio's transports: a checkpoint wakes nobody but the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

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
    from collections.abc import Sequence

    from perdure.protocol.operations import OperationUpdate
    from perdure.sdk.client import Progress
    from perdure.sdk.http_calls import HttpCall
    from perdure.sdk.http_messages import Endpoint, HttpAnswer

__all__ = ["LoopHttpClient"]


class LoopHttpClient:
    """The service at an endpoint; all calls are made on one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect when somebody calls."""
        self._endpoint = endpoint
        self._idle: list[_Connection] = []

    async def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """See ``AsyncServiceClient``."""
        return await self._make(checkpoint_call(arn, token, updates, client_token))

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """See ``AsyncServiceClient``."""
        return await self._make(state_call(arn, token, marker))

    def close(self) -> None:
        """Hang up every connection that is idle; may be called from any thread."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close_soon()

    async def _make(self, call: HttpCall) -> Progress:
        try:
            request = next(call)
            while True:
                if not isinstance(request, HttpRequest):
                    await asyncio.sleep(request)
                    request = call.send(None)
                    continue
                try:
                    answer = await self._exchange(request)
                except OSError as error:
                    request = call.throw(error)
                else:
                    request = call.send(answer)
        except StopIteration as end:
            return end.value

    async def _exchange(self, request: HttpRequest) -> HttpAnswer:
        message = self._endpoint.message(request)
        if self._idle:
            # If it was closed while it was idle, a new one tells whether the service is there.
            with contextlib.suppress(OSError):
                return await self._ask(self._idle.pop(), message)
        return await self._ask(await self._connect(), message)

    async def _ask(self, connection: _Connection, message: bytes) -> HttpAnswer:
        try:
            answer = await connection.ask(message)
        except BaseException:
            connection.close()
            raise
        if answer.is_last:
            connection.close()
        else:
            self._idle.append(connection)
        return answer

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


class _Connection(asyncio.BufferedProtocol):
    """One connection; one call at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._room = memoryview(bytearray(RECEIVE_BYTES))
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[HttpAnswer] | None = None
        self._due_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, message: bytes) -> HttpAnswer:
        """Send one request; return the answer."""
        if self._transport is None:
            raise HttpError("the service hung up")
        answer = self._answer = self._loop.create_future()
        self._due_at = self._loop.time() + ANSWER_SECONDS
        if self._timer is None:
            self._timer = self._loop.call_at(self._due_at, self._check_time)
        self._transport.write(message)
        return await answer

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
        self._fail(exc if isinstance(exc, OSError) else HttpError("the service hung up"))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to put what comes."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what has come."""
        try:
            answer = self._reader.feed(self._room[:nbytes])
        except HttpError as error:
            self._fail(error)
            return
        waiting = self._answer
        if answer is not None and waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _check_time(self) -> None:
        """Give up an answer that is late; else look again when it would be.

        One timer serves all calls of a connection: it is cheaper to look than to set it anew.
        """
        self._timer = None
        if self._answer is None or self._answer.done():
            return
        if self._due_at <= self._loop.time():
            self._fail(TimeoutError("timed out"))
        else:
            self._timer = self._loop.call_at(self._due_at, self._check_time)
