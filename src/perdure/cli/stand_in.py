"""A service outside, played on this machine: it takes jobs, and says of each whether it is done.

Which answers it gives is said in the URL it is called by: under ``/NAME/PENDING`` each job is
pending (503) for the first PENDING looks at it and done (200) from then on, or for good if PENDING
is ``never``.
"""

import json
import threading
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final

__all__ = ["NEVER", "Order", "StandIn"]

NEVER: Final = "never"
_START: Final = "start-job"
_LOOK: Final = "check-status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A job that was asked for."""

    name: str
    data: object


class StandIn:
    """The service, on a free port of loopback, while its ``with`` block lasts."""

    def __init__(self) -> None:
        """Listen; nothing is answered before the block begins."""
        self._lock = threading.Lock()
        self._orders: list[Order] = []
        self._looks: Counter[tuple[str, str]] = Counter()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stand_in = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "StandIn":
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, name: str, *, pending: int | str = 0) -> str:
        """Return what to call it by; ``name`` keeps its jobs apart from others'."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}/{pending}"

    def orders(self, name: str) -> list[Order]:
        """Return the jobs that were asked for under ``name``."""
        with self._lock:
            return [order for order in self._orders if order.name == name]

    def looks(self, name: str) -> int:
        """Return how often anybody looked at a job of ``name``."""
        with self._lock:
            return sum(count for (known, _), count in self._looks.items() if known == name)

    def answer(self, method: str, path: str, body: bytes) -> HTTPStatus:
        """Return the status for a request."""
        match method, path.strip("/").split("/"):
            case "POST", [name, _, action] if action == _START:
                with self._lock:
                    self._orders.append(Order(name=name, data=json.loads(body)))
                return HTTPStatus.OK
            case "GET", [name, pending, action, job] if action == _LOOK:
                with self._lock:
                    self._looks[name, job] += 1
                    is_done = pending != NEVER and self._looks[name, job] > int(pending)
                return HTTPStatus.OK if is_done else HTTPStatus.SERVICE_UNAVAILABLE
            case _:
                return HTTPStatus.NOT_FOUND


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: StandIn


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        assert isinstance(self.server, _Server), "it is made by one"
        self.send_response(self.server.stand_in.answer(self.command, self.path, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""
