"""HTTP/1.1 as bytes: requests are written, answers are read, and nothing is sent or received here.

It knows the part that the service speaks: a request with a length, an answer with a length or in
chunks.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

__all__ = [
    "ANSWER_SECONDS",
    "CONNECT_SECONDS",
    "RECEIVE_BYTES",
    "AnswerReader",
    "Endpoint",
    "HttpAnswer",
    "HttpError",
    "HttpRequest",
]

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 50.0
#: Room for an answer is made and given back each time; from 128 KB on, by the kernel.
RECEIVE_BYTES: Final = 65_536

_HEAD_BYTES_MAX: Final = 65_536


class HttpError(OSError):
    """The other side does not speak HTTP as we know it, or hung up in the middle."""


class HttpRequest(NamedTuple):
    """What is asked; ``path`` is below the endpoint's."""

    method: str
    path: str
    body: bytes


class HttpAnswer(NamedTuple):
    """What is answered; headers by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_last(self) -> bool:
        """Whether its connection is of no more use."""
        return self.headers.get("connection", "").lower() == "close"


class Endpoint:
    """Where the service is, and how a request to it is written."""

    def __init__(self, url: str) -> None:
        """Take a URL apart; raises ``ValueError`` if it is neither ``http`` nor ``https``."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the service's URL is {url!r}; it has to be http:// or https://")
        self.is_secure = parts.scheme == "https"
        self.host: str = parts.hostname
        self.port: int = parts.port or (443 if self.is_secure else 80)
        self._path = parts.path.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        self._head = (
            f" HTTP/1.1\r\nHost: {host}:{self.port}\r\nUser-Agent: perdure-sdk-python\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )

    def message(self, request: HttpRequest) -> bytes:
        """Return a request as it travels."""
        method, path, body = request
        head = f"{method} {self._path}{path}{self._head}{len(body)}\r\n\r\n"
        return head.encode("ascii") + body


class AnswerReader:
    """Puts one answer after another together, from the bytes of one connection."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._data = bytearray()
        self._head: tuple[int, dict[str, str]] | None = None
        self._chunks = bytearray()

    def feed(self, data: bytes | memoryview) -> HttpAnswer | None:
        """Return the answer that ``data`` completes; None: there is more to come.

        Raises ``HttpError`` for what is no answer.
        """
        self._data += data
        head = self._head
        if head is None:
            head = self._head = self._read_head()
            if head is None:
                return None
        status, headers = head
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._read_chunks()
        else:
            body = self._read_body(_size(headers.get("content-length", "0"), 10))
        if body is None:
            return None
        self._head = None
        return HttpAnswer(status, headers, body)

    def _read_head(self) -> tuple[int, dict[str, str]] | None:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > _HEAD_BYTES_MAX:
                raise HttpError(f"the answer's head is longer than {_HEAD_BYTES_MAX} bytes")
            return None
        first, *lines = self._data[:end].decode("latin-1").split("\r\n")
        del self._data[: end + 4]
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        try:
            return int(first.split(" ", 2)[1]), headers
        except (IndexError, ValueError) as error:
            raise HttpError(f"the answer begins with {first[:80]!r}") from error

    def _read_body(self, length: int) -> bytes | None:
        if len(self._data) < length:
            return None
        body = bytes(self._data[:length])
        del self._data[:length]
        return body

    def _read_chunks(self) -> bytes | None:
        while True:
            line_end = self._data.find(b"\r\n")
            if line_end < 0:
                if len(self._data) > _HEAD_BYTES_MAX:
                    raise HttpError("a chunk's length has no end")
                return None
            size = _size(self._data[:line_end].split(b";")[0].decode("latin-1"), 16)
            begin, end = line_end + 2, line_end + 2 + size
            if len(self._data) < end + 2:
                return None
            self._chunks += self._data[begin:end]
            del self._data[: end + 2]
            if size == 0:
                body, self._chunks = bytes(self._chunks), bytearray()
                return body


def _size(text: str, base: int) -> int:
    try:
        size = int(text, base)
    except ValueError:
        size = -1
    if size < 0:
        raise HttpError(f"the answer's length is {text[:80]!r}")
    return size
