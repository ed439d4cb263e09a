"""HTTP connections: uvicorn's, with bounds on the size of a head and a request's time (SR-16).

Give ``HttpConnection`` to uvicorn as its ``http`` protocol. A client that sends its head or body
too slowly, or a head without end, is cut off; nobody else waits for it.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from perdure.protocol.limits import HEADER_BYTES_MAX, TARGET_BYTES_MAX

__all__ = ["BODY_SECONDS_MAX", "HEAD_SECONDS_MAX", "HttpConnection", "uvicorn_settings"]

HEAD_SECONDS_MAX: Final = 10.0  #: from the first byte of a request to the end of its headers
BODY_SECONDS_MAX: Final = 60.0  #: from there to the end of its body
_HEAD_BYTES_MAX: Final = 2 * HEADER_BYTES_MAX + TARGET_BYTES_MAX  #: the guards say no before that


class HttpConnection(HttpToolsProtocol):
    """One connection of a client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
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
        """Take in a part of a request, if its head is not too large already."""
        super().data_received(data)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The request's headers are too large.")

    def on_message_begin(self) -> None:
        """Expect a head."""
        super().on_message_begin()
        self._head_bytes = 0
        self._expect(HEAD_SECONDS_MAX)

    def on_headers_complete(self) -> None:
        """Expect a body."""
        self._head_bytes = None
        self._expect(BODY_SECONDS_MAX)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing more: the answer takes as long as it takes."""
        self._due_at = None
        super().on_message_complete()

    def _expect(self, seconds: float) -> None:
        """Cut the client off unless what is expected comes within ``seconds``."""
        self._due_at = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._check_time)

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
    """Return what a uvicorn server of the API is configured with, beside its address."""
    return {
        "http": HttpConnection,
        "loop": "uvloop",
        "ws": "none",
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "proxy_headers": False,
    }
