"""One request and its answer, over ASGI, with as little between as can be.

It reads a body up to a limit, and writes answers with their length and request id. It knows no
call and no shape.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final, TypeAlias

from perdure.api.errors import ApiError, error_body

__all__ = [
    "ANSWER_EXTENSION",
    "App",
    "Exchange",
    "Headers",
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

#: The name under which our connections offer to write an answer as a whole: by ``answer``, a
#: function of status, headers and body, which returns whether it has.
ANSWER_EXTENSION: Final = "perdure.answer"

JSON: Final = b"application/json"
_NO_CONTENT: Final = 204
_NO_EXTENSIONS: Final[Mapping[str, Any]] = {}

_request_numbers: Final = itertools.count(1)


class Exchange:
    """A request that is being answered."""

    __slots__ = (
        "_extensions",
        "_receive",
        "_send",
        "headers",
        "is_answered",
        "method",
        "path",
        "query",
        "request_id",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, node: str) -> None:
        """Take over a request; ``node`` makes its id one of this process alone."""
        self.method: str = scope["method"]
        self.path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.query: bytes = scope["query_string"]
        #: Names in lower case; of a repeated header, the last.
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.request_id = f"{node}-{next(_request_numbers):012x}"
        self._extensions: Mapping[str, Any] = scope.get("extensions") or _NO_EXTENSIONS
        self._receive = receive
        self._send = send

    def declared_bytes(self) -> int:
        """Return the length that the request says its body has; 0 if it says nothing."""
        try:
            return int(self.headers.get(b"content-length", b"0"))
        except ValueError:
            return 0

    async def body(self, bytes_max: int) -> bytes:
        """Return the body.

        Raises:
            ApiError: it is larger than ``bytes_max``, or the client went away.
        """
        if self.declared_bytes() > bytes_max:
            raise _too_large(bytes_max)
        message = await self._receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            if message["type"] == "http.disconnect":
                raise _gone()
            if len(body) > bytes_max:
                raise _too_large(bytes_max)
            return body
        parts = [body]
        size = len(body)
        while message.get("more_body", False):
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _gone()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > bytes_max:
                raise _too_large(bytes_max)
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
        lines = [
            (b"content-type", content_type),
            (b"x-amzn-requestid", self.request_id.encode()),
            *headers,
        ]
        if status != _NO_CONTENT:
            lines.append((b"content-length", b"%d" % len(body)))
        whole = self._extensions.get(ANSWER_EXTENSION)
        if whole is not None and whole["answer"](status, lines, body):
            return
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
