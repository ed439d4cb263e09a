"""What may stand between the service and an endpoint: forwards requests, after it has misbehaved as
often as it was told to.
"""

import http.server
import threading
from collections.abc import Callable
from typing import Any

import httpx

__all__ = ["MISBEHAVIOURS", "Front"]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Front"

    def do_POST(self) -> None:
        """Forward, or misbehave."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken += 1
        misbehave = self.server.next_misbehaviour()
        if misbehave is not None:
            misbehave(self)
            return
        names = ("connection", "host", "content-length")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in names}
        answer = httpx.post(self.server.target + self.path, content=body, headers=headers)
        self.answer(answer.status_code, answer.content, dict(answer.headers))

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            if name not in ("content-length", "date", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.server.is_over.wait(60)
        self.close_connection = True

    def hang_up(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True

    def hang_up_late(self) -> None:
        """Close the connection in the middle of an answer."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        self.close_connection = True

    def pour(self) -> None:
        """Send more than any answer may be."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        try:
            for _ in range(200):
                self.wfile.write(b"1" * 65_536)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


Misbehaviour = Callable[[_Handler], None]

MISBEHAVIOURS: dict[str, Misbehaviour] = {
    "500": lambda handler: handler.answer(500, b"oh"),
    "502 from a load balancer": lambda handler: handler.answer(502, b"<html>bad gateway</html>"),
    "503 with a wish": lambda handler: handler.answer(503, b"", {"Retry-After": "1"}),
    "429": lambda handler: handler.answer(429, b""),
    "403": lambda handler: handler.answer(403, b'{"message":"no"}'),
    "404": lambda handler: handler.answer(404, b""),
    "a redirect": lambda handler: handler.answer(307, b"", {"Location": "http://127.0.0.1:1/"}),
    "hangs": _Handler.hang,
    "hangs up": _Handler.hang_up,
    "hangs up in its answer": _Handler.hang_up_late,
    "an answer without end": _Handler.pour,
    "no JSON": lambda handler: handler.answer(200, b"<html>welcome</html>"),
    "nothing": lambda handler: handler.answer(200, b""),
    "the emulator's timeout": lambda handler: handler.answer(
        200, b"Task timed out after 3.00 seconds"
    ),
    "the emulator's dead runtime": lambda handler: handler.answer(
        502, b'{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}'
    ),
    "an error document": lambda handler: handler.answer(
        200, b'{"errorType":"RuntimeError","errorMessage":"no","stackTrace":[]}'
    ),
    "a function error": lambda handler: handler.answer(
        200, b'{"errorMessage":"no"}', {"X-Amz-Function-Error": "Unhandled"}
    ),
}


class Front(http.server.ThreadingHTTPServer):
    """A server on a free port, in threads of its own, before the endpoint at ``target``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, target: str) -> None:
        """Listen."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.taken = 0
        self.is_over = threading.Event()
        self._misbehaviours: list[Misbehaviour] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def misbehave(self, how: str, times: int) -> None:
        """Misbehave for the next requests."""
        with self._lock:
            self._misbehaviours = [MISBEHAVIOURS[how]] * times

    def next_misbehaviour(self) -> Misbehaviour | None:
        """Take the next one."""
        with self._lock:
            return self._misbehaviours.pop() if self._misbehaviours else None

    def __enter__(self) -> "Front":
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.is_over.set()
        self.shutdown()
        self.server_close()
