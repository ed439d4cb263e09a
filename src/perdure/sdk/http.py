"""The service by HTTP: one keep-alive connection for each call that is under way.

Written on a socket: ``http.client`` costs a quarter of a cold start to import and half of a
checkpoint to use. Handlers on an event loop have ``http_loop``.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

from perdure.sdk.http_calls import checkpoint_call, state_call
from perdure.sdk.http_messages import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    RECEIVE_BYTES,
    AnswerReader,
    Endpoint,
    HttpError,
    HttpRequest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perdure.protocol.operations import OperationUpdate
    from perdure.sdk.client import Progress
    from perdure.sdk.http_calls import HttpCall
    from perdure.sdk.http_loop import LoopHttpClient
    from perdure.sdk.http_messages import HttpAnswer

__all__ = ["HttpClient"]


class HttpClient:
    """The service at a URL; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Speak to the service at ``url``, ``http`` or ``https``."""
        self._endpoint = Endpoint(url)
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self._rest = threading.Event()
        self._for_loop: LoopHttpClient | None = None

    def for_loop(self) -> LoopHttpClient:
        """Return the client for handlers on an event loop: always the same, for one loop."""
        if self._for_loop is None:
            from perdure.sdk.http_loop import LoopHttpClient

            self._for_loop = LoopHttpClient(self._endpoint)
        return self._for_loop

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """See ``ServiceClient``."""
        return self._make(checkpoint_call(arn, token, updates, client_token))

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """See ``ServiceClient``."""
        return self._make(state_call(arn, token, marker))

    def close(self) -> None:
        """Hang up every connection that is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        if self._for_loop is not None:
            self._for_loop.close()

    def _make(self, call: HttpCall) -> Progress:
        try:
            request = next(call)
            while True:
                if not isinstance(request, HttpRequest):
                    self._rest.wait(request)
                    request = call.send(None)
                    continue
                try:
                    answer = self._exchange(request)
                except OSError as error:
                    request = call.throw(error)
                else:
                    request = call.send(answer)
        except StopIteration as end:
            return end.value

    def _exchange(self, request: HttpRequest) -> HttpAnswer:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        message = self._endpoint.message(request)
        if connection is not None:
            # If it was closed while it was idle, a new one tells whether the service is there.
            with contextlib.suppress(OSError):
                return self._ask(connection, message)
        return self._ask(_Connection(self._endpoint), message)

    def _ask(self, connection: _Connection, message: bytes) -> HttpAnswer:
        try:
            answer = connection.ask(message)
        except BaseException:
            connection.close()
            raise
        if answer.is_last:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return answer


class _Connection:
    """One connection; one call at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        plain = socket.create_connection((endpoint.host, endpoint.port), CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: socket.socket = plain
        if endpoint.is_secure:
            import ssl

            plain.settimeout(ANSWER_SECONDS)
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(plain, server_hostname=endpoint.host)
        else:
            _bound_waiting(plain)
        self._reader = AnswerReader()

    def ask(self, message: bytes) -> HttpAnswer:
        """Send one request; return the answer."""
        try:
            self._socket.sendall(message)
            while True:
                data = self._socket.recv(RECEIVE_BYTES)
                if not data:
                    raise HttpError("the service hung up")
                answer = self._reader.feed(data)
                if answer is not None:
                    return answer
        except BlockingIOError:
            raise TimeoutError("timed out") from None

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _bound_waiting(plain: socket.socket) -> None:
    """Have the kernel keep the time for which ``plain`` waits.

    Python would ask it first whether there is something, and let another thread go on, each time.
    """
    seconds, rest = divmod(ANSWER_SECONDS, 1)
    span = struct.pack("@ll", int(seconds), int(rest * 1_000_000))
    try:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, span)
        plain.settimeout(None)
    except (AttributeError, OSError):  # a system where this is said otherwise
        plain.settimeout(ANSWER_SECONDS)
