"""One request and its answer, over ASGI, with as little between as can be.

It reads a body up to a limit, and writes answers with their length and request id. It knows no
call and no shape.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from perdure.api.errors import ApiError, error_body

__all__ = [
    "JSON",
    "LINE_EXTENSION",
    "App",
    "Exchange",
    "Head",
    "Headers",
    "Line",
    "Message",
    "Receive",
    "Scope",
    "Send",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

#: The name under which our connections offer a ``Line``.
LINE_EXTENSION: Final = "perdure.line"

JSON: Final = b"application/json"
_NO_CONTENT: Final = 204
_FIELDS: Final = b"content-type: %b\r\nx-amzn-requestid: %b\r\n"

_request_numbers: Final = itertools.count(1)


class Head(NamedTuple):
    """What a request says before its body."""

    method: str
    path: bytes  #: as it came, not decoded
    query: bytes
    headers: Mapping[bytes, bytes]  #: names in lower case; of a repeated header, the last
    declared_bytes: int  #: how long it says that its body is; 0 if it says nothing

    @classmethod
    def of(cls, scope: Scope) -> "Head":
        """Return a request's head."""
        headers = dict[bytes, bytes](scope["headers"])
        try:
            declared_bytes = int(headers.get(b"content-length", b"0"))
        except ValueError:
            declared_bytes = 0
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        return cls(scope["method"], path, scope["query_string"], headers, declared_bytes)


class Line(Protocol):
    """What a connection of ours offers for a request, beside ASGI's messages."""

    @property
    def known(self) -> Head | None:
        """The head, if it was remembered when the same came before."""
        ...

    def remember(self, head: Head) -> None:
        """Have it so for the requests that come with the same, to the byte."""
        ...

    def whole_body(self) -> bytes | None:
        """Return the body if it is here as a whole; None: it has to be received."""
        ...

    def answer(self, status: int, fields: bytes, headers: Headers, body: bytes) -> bool:
        """Write the whole answer, of whose header ``fields`` are lines that are known to be good.

        Return False if it has to be sent part by part.
        """
        ...


class Exchange:
    """A request that is being answered."""

    __slots__ = (
        "_line",
        "_receive",
        "_send",
        "declared_bytes",
        "head",
        "headers",
        "is_known",
        "method",
        "path",
        "query",
        "request_id",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, node: str) -> None:
        """Take over a request; ``node`` makes its id one of this process alone."""
        extensions: Mapping[str, Any] = scope.get("extensions") or {}
        line: Line | None = extensions.get(LINE_EXTENSION)
        known = None if line is None else line.known
        self.is_known = known is not None  #: whether this head was remembered before
        self.head = head = known or Head.of(scope)
        self.method, self.path, self.query, self.headers, self.declared_bytes = head
        self.request_id = f"{node}-{next(_request_numbers):012x}"
        self._line = line
        self._receive = receive
        self._send = send

    def remember(self) -> None:
        """Know this request's head, if it comes again."""
        if self._line is not None:
            self._line.remember(self.head)

    async def body(self, bytes_max: int) -> bytes:
        """Return the body.

        Raises:
            ApiError: it is larger than ``bytes_max``, or the client went away.
        """
        if self.declared_bytes > bytes_max:
            raise _too_large(bytes_max)
        whole = None if self._line is None else self._line.whole_body()
        if whole is not None:
            if len(whole) > bytes_max:
                raise _too_large(bytes_max)
            return whole
        parts: list[bytes] = []
        size, is_more = 0, True
        while is_more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _gone()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > bytes_max:
                raise _too_large(bytes_max)
            is_more = message.get("more_body", False)
        return b"".join(parts)

    async def answer(
        self,
        status: int,
        body: bytes,
        *,
        content_type: bytes = JSON,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        """Write the whole answer."""
        request_id, has_length = self.request_id.encode(), status != _NO_CONTENT
        if self._line is not None:
            fields = _FIELDS % (content_type, request_id)
            if has_length:
                fields += b"content-length: %d\r\n" % len(body)
            if self._line.answer(status, fields, headers, body):
                return
        lines = [(b"content-type", content_type), (b"x-amzn-requestid", request_id), *headers]
        if has_length:
            lines.append((b"content-length", b"%d" % len(body)))
        await self._send({"type": "http.response.start", "status": status, "headers": lines})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(
        self, status: int, code: str, message: str, *, is_closing: bool = False
    ) -> None:
        """Write an error."""
        headers = [(b"x-amzn-errortype", code.encode())]
        if status in (429, 503):
            headers.append((b"retry-after", b"1"))
        if is_closing:
            headers.append((b"connection", b"close"))
        await self.answer(status, error_body(code, message), headers=tuple(headers))


def _too_large(bytes_max: int) -> ApiError:
    message = f"the request's body is too large; the limit is {bytes_max:,} bytes"
    return ApiError("RequestTooLargeException", message, is_closing=True)


def _gone() -> ApiError:
    return ApiError("InvalidParameterValueException", "the client went away", is_closing=True)
