"""A server that answers as AWS's runtime interface emulator does: one invocation at a time, 400
while it is busy; the result, or an error document, with status 200, and none of Lambda's headers.

Run as ``python -m tests.service.emulator HANDLER PORT``, in the folder of the handler.
"""

import http.server
import json
import os
import sys
import threading
from typing import Any

from perdure.runtime.bootstrap.runtime_rules import LambdaContext, describe, encode, load_handler

PATH = "/2015-03-31/functions/function/invocations"


class _Handler(http.server.BaseHTTPRequestHandler):
    busy = threading.Lock()
    function: Any = None

    def do_POST(self) -> None:
        """Run the handler."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != PATH or not self.busy.acquire(blocking=False):
            self._answer(404 if self.path != PATH else 400, b"")
            return
        try:
            context = LambdaContext({"lambda-runtime-aws-request-id": os.urandom(16).hex()})
            answer, _ = encode(type(self).function(json.loads(body), context))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its verdict
            answer = json.dumps(describe(error, "")).encode()
        finally:
            self.busy.release()
        self._answer(200, answer)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until killed."""
    sys.path.insert(0, os.getcwd())
    _Handler.function = staticmethod(load_handler(sys.argv[1]))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), _Handler)
    sys.stdout.write(f"the emulator is ready at {server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
