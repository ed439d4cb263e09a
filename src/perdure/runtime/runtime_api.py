"""The Lambda Runtime API over HTTP/1.1, for one worker on a loopback port of its own.

Its duty is the wire: paths, headers, statuses and error bodies as AWS documents them. What a call
means is its ``RuntimeApiHandler``'s business. Source:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.

A runtime may ask for the next event together with the result of the one before, as ours does. Then
both are answered together: to hear that its result has arrived would only wake it.
"""

import asyncio
import enum
import json
import select
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

import httptools

from perdure.protocol.quick import quick

__all__ = [
    "RESPONSE_BYTES_MAX",
    "NextReply",
    "RuntimeApiConnection",
    "RuntimeApiHandler",
    "Verdict",
    "serve_runtime_api",
]

#: 6 MB and 100 bytes. Source: the limit AWS's error message names
RESPONSE_BYTES_MAX: Final = 6_291_556

_VERSION: Final = "/2018-06-01/runtime/"
_NEXT: Final = _VERSION + "invocation/next"
_INIT_ERROR: Final = _VERSION + "init/error"
_INVOCATION: Final = _VERSION + "invocation/"
_ERROR_TYPE_HEADER: Final = b"lambda-runtime-function-error-type"
_ERROR_TYPE_LENGTH_MAX: Final = 256
_URL_BYTES_MAX: Final = 4_096
#: official clients send an X-Ray cause of up to 1 MB in a header
_HEADER_BYTES_MAX: Final = 2_097_152


class Verdict(enum.Enum):
    """What the handler thinks of a call."""

    ACCEPTED = enum.auto()
    WRONG_ID = enum.auto()  #: the request id is not the current run's
    WRONG_STATE = enum.auto()  #: the call is not one that may come now


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class NextReply:
    """The answer to ``next``: headers by their name on the wire, and the event."""

    headers: Mapping[str, str]
    payload: bytes


class RuntimeApiHandler(Protocol):
    """What a worker does when its process calls."""

    def on_connect(self, connection: "RuntimeApiConnection") -> None:
        """Take note of a new connection."""
        ...

    def on_next(self, connection: "RuntimeApiConnection") -> Verdict:
        """Take note that the process is ready; ``connection.send_next`` answers, now or later."""
        ...

    def on_response(self, request_id: str, payload: bytes) -> Verdict:
        """Take the handler's result."""
        ...

    def on_oversize(self, request_id: str) -> Verdict:
        """Take note that the result was larger than it may be."""
        ...

    def on_error(self, request_id: str, error_type: str, payload: bytes) -> Verdict:
        """Take the handler's error."""
        ...

    def on_init_error(self, error_type: str, payload: bytes) -> Verdict:
        """Take the error that kept the process from starting."""
        ...

    def on_disconnect(self, connection: "RuntimeApiConnection") -> None:
        """Take note that a connection is gone."""
        ...


class _Refusal(Exception):
    """What is answered instead of 200 or 202."""

    def __init__(self, status: str, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()


class RuntimeApiConnection(asyncio.Protocol):
    """One connection of the worker's process."""

    def __init__(self, handler: RuntimeApiHandler) -> None:
        """Tell ``handler`` what comes in."""
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._hang_up = select.poll()
        self._keeps_alive = True
        self._parser = httptools.HttpRequestParser(self)
        self._is_parsing = False
        self._is_parked = False  #: a ``next`` waits to be answered
        self._held: list[bytes] = []  #: answers that are not written yet
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._error_type = ""
        self._header_bytes = 0
        self._body = bytearray()
        self._is_oversize = False
        self._awaits_go = False

    @property
    def is_open(self) -> bool:
        """Tell whether the process still listens, whether or not the loop has seen it hang up."""
        if self._transport is None or self._transport.is_closing():
            return False
        return not self._hang_up.poll(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name.
        self._hang_up.register(transport.get_extra_info("socket").fileno(), select.POLLRDHUP)
        self._handler.on_connect(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the handler."""
        self._transport = None
        self._handler.on_disconnect(self)

    def data_received(self, data: bytes) -> None:
        """Parse; what is not HTTP ends the connection."""
        self._is_parsing = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
        finally:
            self._is_parsing = False
        if not self._is_parked:
            self._flush()

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def send_next(self, reply: NextReply) -> None:
        """Answer the ``next`` call that waits on this connection."""
        head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
        self._is_parked = False
        self._send("200 OK", reply.payload, head)

    def on_url(self, url: bytes) -> None:
        """Collect the path."""
        self._url += url
        if len(self._url) > _URL_BYTES_MAX:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that matters."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > _HEADER_BYTES_MAX:
            self.close()
        elif name.lower() == _ERROR_TYPE_HEADER:
            self._error_type = value.decode("latin-1")[:_ERROR_TYPE_LENGTH_MAX]
        elif name.lower() == b"expect":
            self._awaits_go = True

    def on_headers_complete(self) -> None:
        """Let a client that asks first send its body."""
        if self._awaits_go and self._transport is not None:
            self._held.append(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._flush()

    def on_body(self, body: bytes) -> None:
        """Collect the body up to the limit, and forget it beyond."""
        if len(self._body) + len(body) > RESPONSE_BYTES_MAX:
            self._is_oversize = True
            self._body.clear()
        elif not self._is_oversize:
            self._body += body

    def on_message_complete(self) -> None:
        """Carry out the call."""
        method = self._parser.get_method()
        path = self._url.decode("latin-1").partition("?")[0]
        self._keeps_alive = self._parser.should_keep_alive()
        body, error_type, is_oversize = bytes(self._body), self._error_type, self._is_oversize
        self._reset()
        try:
            if is_oversize:
                self._refuse_oversize(path)
            elif method == b"GET" and path == _NEXT:
                self._next()
            elif method == b"POST":
                self._post(path, error_type, body)
            else:
                raise _Refusal("404 Not Found", "NotFound", f"no such call: {path}")
        except _Refusal as refusal:
            self._send(refusal.status, refusal.body)

    def _next(self) -> None:
        self._is_parked = True  # before the handler hears of it: it may answer at once
        verdict = self._handler.on_next(self)
        if verdict is not Verdict.ACCEPTED:
            self._is_parked = False
        self._check(verdict)

    def _post(self, path: str, error_type: str, body: bytes) -> None:
        if path == _INIT_ERROR:
            self._check(self._handler.on_init_error(error_type, body))
        else:
            request_id, call = self._split(path)
            if call == "response":
                self._check(self._handler.on_response(request_id, body))
            else:
                self._check(self._handler.on_error(request_id, error_type, body))
        self._send("202 Accepted", b'{"status":"OK"}')

    def _refuse_oversize(self, path: str) -> None:
        request_id, _call = self._split(path)
        self._check(self._handler.on_oversize(request_id))
        message = f"Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
        raise _Refusal("413 Payload Too Large", "RequestEntityTooLarge", message)

    @staticmethod
    def _split(path: str) -> tuple[str, str]:
        request_id, _slash, call = path.removeprefix(_INVOCATION).partition("/")
        if not path.startswith(_INVOCATION) or call not in ("response", "error"):
            raise _Refusal("404 Not Found", "NotFound", f"no such call: {path}")
        return request_id, call

    @staticmethod
    def _check(verdict: Verdict) -> None:
        match verdict:
            case Verdict.ACCEPTED:
                return
            case Verdict.WRONG_ID:
                raise _Refusal("400 Bad Request", "InvalidRequestID", "Invalid request ID")
            case Verdict.WRONG_STATE:
                raise _Refusal(
                    "403 Forbidden",
                    "InvalidStateTransition",
                    "the call is not allowed in this state",
                )

    def _send(self, status: str, body: bytes, head: str = "") -> None:
        if self._transport is not None:
            lines = (
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{head}"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            self._held += (lines.encode("latin-1"), body)
            if not self._is_parsing:
                self._flush()

    def _flush(self) -> None:
        if self._held and self._transport is not None:
            self._transport.write(b"".join(self._held))
            self._held.clear()
            if not self._keeps_alive:
                self._transport.close()


async def serve_runtime_api(handler: RuntimeApiHandler) -> tuple[asyncio.Server, int]:
    """Listen on a free loopback port for one worker's process; return the server and its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: RuntimeApiConnection(handler), "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]
