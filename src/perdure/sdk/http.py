"""The service by HTTP: one keep-alive connection for each call that is under way.

Written on a socket: ``http.client`` costs a quarter of a cold start to import and half of a
checkpoint to use. It speaks the part of HTTP/1.1 that the service does: a request with a length, an
answer with a length or in chunks.
"""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import quote, urlencode, urlsplit

from perdure.protocol.operations import Operation
from perdure.protocol.wire import TimeUnit, WireError, decode, encode
from perdure.sdk.client import Progress, ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perdure.protocol.operations import OperationUpdate

__all__ = ["HttpClient", "HttpError"]

_PATH: Final = "/2025-12-01/durable-executions/"
_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 50.0
_TRIES: Final = 5
_FIRST_PAUSE_SECONDS: Final = 0.05
_HEAD_BYTES_MAX: Final = 65_536


class HttpError(OSError):
    """The other side does not speak HTTP as we know it, or hung up in the middle."""


class _Endpoint(NamedTuple):
    """Where the service is."""

    scheme: str
    host: str
    port: int
    path: str


class HttpClient:
    """The service at a URL; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Speak to the service at ``url``, ``http`` or ``https``."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the service's URL is {url!r}; it has to be http:// or https://")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._endpoint = _Endpoint(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self._rest = threading.Event()

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """See ``ServiceClient``."""
        body = {
            "CheckpointToken": token,
            "Updates": [encode(update) for update in updates],
            "ClientToken": client_token,
        }
        path = f"{_PATH}{quote(arn, safe='')}/checkpoint"
        answer = self._call("POST", path, json.dumps(body).encode())
        state: dict[str, Any] = answer.get("NewExecutionState") or {}
        return _progress(answer.get("CheckpointToken") or None, state)

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """See ``ServiceClient``."""
        query = {"CheckpointToken": token, "MaxItems": "1000"}
        if marker:
            query["Marker"] = marker
        answer = self._call("GET", f"{_PATH}{quote(arn, safe='')}/state?{urlencode(query)}", b"")
        return _progress(None, answer)

    def close(self) -> None:
        """Hang up every connection that is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _call(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        pause = _FIRST_PAUSE_SECONDS
        for tries_left in reversed(range(_TRIES)):
            try:
                status, headers, data = self._exchange(method, path, body)
                if status < 300:
                    return _document(data)
            except OSError as error:
                problem = ServiceError(f"the service cannot be reached: {error}")
            else:
                problem = _refusal(status, headers, data)
                if status < 500 and status != 429:
                    raise problem
            if tries_left == 0:
                raise problem
            self._rest.wait(pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")

    def _exchange(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                return self._ask(connection, method, path, body)
            except OSError:
                pass  # closed while it was idle: a new one tells whether the service is there
        return self._ask(_Connection(self._endpoint), method, path, body)

    def _ask(
        self, connection: _Connection, method: str, path: str, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            answer = connection.ask(method, path, body)
        except BaseException:
            connection.close()
            raise
        if answer[1].get("connection", "").lower() == "close":
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return answer


class _Connection:
    """One connection; one call at a time."""

    def __init__(self, endpoint: _Endpoint) -> None:
        plain = socket.create_connection((endpoint.host, endpoint.port), _CONNECT_SECONDS)
        plain.settimeout(_ANSWER_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: socket.socket = plain
        if endpoint.scheme == "https":
            import ssl

            context = ssl.create_default_context()
            self._socket = context.wrap_socket(plain, server_hostname=endpoint.host)
        self._path = endpoint.path
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        self._head = (
            f" HTTP/1.1\r\nHost: {host}:{endpoint.port}\r\nUser-Agent: perdure-sdk-python\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self._buffer = b""

    def ask(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send one request; return the answer's status, headers and body."""
        head = f"{method} {self._path}{path}{self._head}{len(body)}\r\n\r\n".encode("ascii")
        self._socket.sendall(head + body)
        head_end = self._fill_until(b"\r\n\r\n")
        lines = self._take(head_end + 4)[:-4].decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        try:
            status = int(lines[0].split(" ", 2)[1])
        except (IndexError, ValueError) as error:
            raise HttpError(f"the answer begins with {lines[0][:80]!r}") from error
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return status, headers, self._read_chunks()
        length = _size(headers.get("content-length", "0"), 10)
        self._fill(length)
        return status, headers, self._take(length)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            line_end = self._fill_until(b"\r\n")
            size = _size(self._take(line_end + 2).split(b";")[0].decode("latin-1"), 16)
            self._fill(size + 2)
            chunk = self._take(size + 2)
            if size == 0:
                return bytes(body)
            body += chunk[:-2]

    def _take(self, count: int) -> bytes:
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _fill(self, count: int) -> None:
        if len(self._buffer) >= count:
            return
        data = bytearray(self._buffer)
        while len(data) < count:
            data += self._receive()
        self._buffer = bytes(data)

    def _fill_until(self, end: bytes) -> int:
        while (position := self._buffer.find(end)) < 0:
            if len(self._buffer) > _HEAD_BYTES_MAX:
                raise HttpError(f"the answer's head is longer than {_HEAD_BYTES_MAX} bytes")
            self._buffer += self._receive()
        return position

    def _receive(self) -> bytes:
        data = self._socket.recv(262_144)
        if not data:
            raise HttpError("the service hung up")
        return data


def _size(text: str, base: int) -> int:
    try:
        size = int(text, base)
    except ValueError:
        size = -1
    if size < 0:
        raise HttpError(f"the answer's length is {text[:80]!r}")
    return size


def _document(data: bytes) -> dict[str, Any]:
    try:
        document: Any = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise HttpError(f"the answer is no JSON object: {data[:80]!r}")
    return cast("dict[str, Any]", document)


def _progress(token: str | None, state: dict[str, Any]) -> Progress:
    try:
        operations = [
            decode(Operation, operation, unit=TimeUnit.SECONDS)
            for operation in state.get("Operations") or ()
        ]
    except WireError as error:
        raise ServiceError(f"the service's answer cannot be read: {error}") from error
    return Progress(token, operations, state.get("NextMarker") or None)


def _refusal(status: int, headers: dict[str, str], data: bytes) -> ServiceError:
    try:
        document: Any = json.loads(data)
    except ValueError:
        document = {}
    fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    beginning = data[:200].decode("utf-8", "replace")
    message = fields.get("message") or fields.get("Message") or beginning
    code = headers.get("x-amzn-errortype", "").split(":")[0] or None
    return ServiceError(str(message), code=code, status=status)
