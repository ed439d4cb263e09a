"""HTTP connections: uvicorn's, with bounds on the size of a head and a request's time (SR-16).

Give ``HttpConnection`` to uvicorn as its ``http`` protocol. A client that sends its head or body
too slowly, or a head without end, is cut off; nobody else waits for it.

What uvicorn does once for each request, and a checkpoint cannot spare, is done otherwise: an answer
that is known as a whole is one write, which wakes its reader once; one timer serves all that a
connection waits for; a path that was decoded once is remembered, and so is a head that came before.
"""

import asyncio
import functools
import re
from typing import Any, Final, NamedTuple, cast
from urllib.parse import unquote

import httptools
from uvicorn._types import HTTPScope
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from perdure.api.exchange import LINE_EXTENSION, App, Head, Headers
from perdure.api.heads import KnownHead, KnownHeads
from perdure.protocol.limits import HEADER_BYTES_MAX, TARGET_BYTES_MAX

__all__ = ["BODY_SECONDS_MAX", "HEAD_SECONDS_MAX", "HttpConnection", "uvicorn_settings"]

HEAD_SECONDS_MAX: Final = 10.0  #: from the first byte of a request to the end of its headers
BODY_SECONDS_MAX: Final = 60.0  #: from there to the end of its body
_HEAD_BYTES_MAX: Final = 2 * HEADER_BYTES_MAX + TARGET_BYTES_MAX  #: the guards say no before that
#: An end that is found before is none: it is that of a blank line, or not there.
_SHORTEST_HEAD_BYTES: Final = len(b"GET / HTTP/1.1\r\n\r\n")
_KNOWN_PATHS_MAX: Final = 1_024
_NOT_IN_A_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_unquoted = functools.lru_cache(_KNOWN_PATHS_MAX)(unquote)


class _Origin(NamedTuple):
    """Where a request may be remembered, and as what."""

    heads: KnownHeads
    text: bytes
    body_bytes: int


class _Cycle(RequestResponseCycle):
    """A request and its answer."""

    known: Head | None = None
    _origin: _Origin | None = None

    def offering(self, app: App) -> Any:
        """Return ``app``, offered a line of its own.

        The offer is not kept, since it refers to us: whole collections of garbage cost one request
        in a hundred ten milliseconds.
        """

        def offered(scope: Any, receive: Any, send: Any) -> Any:
            return app({**scope, "extensions": {LINE_EXTENSION: self}}, receive, send)

        return offered

    def came_with(self, data: bytes, head_bytes: int, heads: KnownHeads) -> None:
        """Allow to remember the head in ``heads``, if ``data`` is it and the body and no more."""
        is_whole = not self.more_body and head_bytes + len(self.body) == len(data)
        if is_whole and self.keep_alive and not self.waiting_for_100_continue:
            self._origin = _Origin(heads, data[:head_bytes], len(self.body))

    def remember(self, head: Head) -> None:
        """Know this head, if it comes again."""
        if self._origin is not None:
            heads, text, body_bytes = self._origin
            scope: HTTPScope = {**self.scope, "client": None, "server": None}
            heads.add(text, KnownHead(body_bytes, scope, head))

    def whole_body(self) -> bytes | None:
        """Return the body if it is here as a whole."""
        if self.more_body or self.disconnected or self.waiting_for_100_continue:
            return None
        self.flow.resume_reading()
        body, self.body = bytes(self.body), bytearray()  # an idle connection holds none
        return body

    def answer(self, status: int, fields: bytes, headers: Headers, body: bytes) -> bool:
        """Write the whole answer, whose fields tell its length; return False if it has to be sent
        part by part: it may not be written now, or not as it is.
        """
        is_odd = self.response_started or self.scope["method"] == "HEAD" or not self.keep_alive
        if is_odd or self.disconnected or self.flow.write_paused:
            return False
        lines = [STATUS_LINE[status]]
        for name, value in self.default_headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(fields)
        for name, value in headers:
            if name == b"connection" or _NOT_IN_A_VALUE.search(value):
                return False
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n", body)
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.expected_content_length = 0
        self.message_event.set()
        self.transport.write(b"".join(lines))
        self.on_response()
        return True


class HttpConnection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *parameters: Any, heads: KnownHeads, **named: Any) -> None:
        """Share ``heads`` with the server's other connections."""
        super().__init__(*parameters, **named)
        self._heads = heads

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._app = cast("App", self.app)  # pyright: ignore[reportUnknownMemberType] - whatever uvicorn made of it
        self._is_between = True  # what comes next is the beginning of a request
        self._head_bytes: int | None = 0  # None: the head is complete
        self._due_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._expect(HEAD_SECONDS_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Begin to answer a request that is known and here as a whole; else take in a part of a
        request, if its head is not too large already.
        """
        before = self.cycle
        head_bytes = data.find(b"\r\n\r\n") + 4 if self._is_between else 0
        if head_bytes >= _SHORTEST_HEAD_BYTES:
            known = self._heads.find(data[:head_bytes], len(data) - head_bytes)
            if known is not None and self._is_free():
                self._take_known(known, data[head_bytes:])
                return
        super().data_received(data)
        if head_bytes >= _SHORTEST_HEAD_BYTES and self.cycle is not before:
            cast("_Cycle", self.cycle).came_with(data, head_bytes, self._heads)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The request's headers are too large.")

    def on_message_begin(self) -> None:
        """Expect a head."""
        super().on_message_begin()
        self._is_between = False
        self._head_bytes = 0
        self._expect(HEAD_SECONDS_MAX)

    def on_headers_complete(self) -> None:
        """Begin to answer, or, after a request that is not answered yet, wait for one's turn; and
        expect a body.
        """
        self._head_bytes = None
        self._expect(BODY_SECONDS_MAX)
        parser = self.parser
        assert parser is not None, "it is the parser that calls"
        version = parser.get_http_version()
        url = httptools.parse_url(self.url)
        scope, path = self.scope, url.path.decode("ascii")
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = _unquoted(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        is_lasting = version != "1.0" and parser.should_keep_alive()
        is_free = self._is_free()
        cycle = self.cycle = self._cycle(scope, is_lasting=is_lasting)
        if is_free:
            self._begin(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, cast("Any", self._app)))

    def on_message_complete(self) -> None:
        """Expect nothing more: the answer takes as long as it takes."""
        self._is_between = True
        if self.cycle.response_complete:
            self._expect(self.timeout_keep_alive)
        else:
            self._due_at = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Turn to the next request, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._begin(cast("_Cycle", self.pipeline.pop()[0]))
        elif self._is_between:
            self._expect(self.timeout_keep_alive)

    def _is_free(self) -> bool:
        """Return whether no request waits for its answer."""
        before = cast("_Cycle | None", self.cycle)
        return before is None or before.response_complete

    def _take_known(self, known: KnownHead, body: bytes) -> None:
        """Begin to answer a request whose head is known and whose body is complete."""
        self._due_at = None
        self.expect_100_continue = False
        cycle = self.cycle = self._cycle(known.scope, is_lasting=True)
        cycle.known = known.head
        cycle.body += body
        cycle.more_body = False
        cycle.message_event.set()
        self._begin(cycle)

    def _cycle(self, scope: HTTPScope, *, is_lasting: bool) -> _Cycle:
        return _Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=is_lasting,
            on_response=self.on_response_complete,
        )

    def _begin(self, cycle: _Cycle) -> None:
        task = self.loop.create_task(cycle.run_asgi(cycle.offering(self._app)))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _expect(self, seconds: float) -> None:
        """Cut the client off unless what is expected comes within ``seconds``."""
        self._due_at = due_at = self.loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= due_at:
                return
            self._timer.cancel()
        self._timer = self.loop.call_at(due_at, self._check_time)

    def _check_time(self) -> None:
        """Cut the client off if it is late; else look again when it would be.

        One timer serves all requests of a connection: it is cheaper to look than to set it anew.
        """
        self._timer = None
        if self._due_at is None or self.transport.is_closing():
            return
        left = self._due_at - self.loop.time()
        if self.flow.read_paused:
            left = HEAD_SECONDS_MAX  # It is us who do not read, for an earlier request's sake.
        if left <= 0:
            self.transport.close()
        else:
            self._timer = self.loop.call_later(left, self._check_time)


def uvicorn_settings() -> dict[str, Any]:
    """Return what a uvicorn server of the API is configured with, beside its address.

    For one server: what it knows of heads, its guards have let pass.
    """
    return {
        "http": functools.partial(HttpConnection, heads=KnownHeads()),
        "interface": "asgi3",
        "loop": "uvloop",
        "ws": "none",
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "proxy_headers": False,
    }
