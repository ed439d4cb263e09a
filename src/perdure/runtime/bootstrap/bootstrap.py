"""What runs in a Python worker: imports the handler, then takes one event after another from the
Lambda Runtime API; or several at once, each in a thread, where the function allows it.

A program for Python 3.11 and newer, on the standard library; the rules it keeps to are beside it.
"""

import contextlib
import io
import json
import logging
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from runtime_rules import (
    Handler,
    JsonObject,
    LambdaContext,
    decode,
    describe,
    encode,
    line_formatter,
    load_handler,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OWN_MODULES: Final = ("runtime_rules", "runtime_concurrency")
API_VERSION: Final = "/2018-06-01/runtime/"


class RuntimeApi:
    """The worker's end of the Runtime API: one connection. A result asks for more, too."""

    def __init__(self, address: str) -> None:
        host, _colon, port = address.rpartition(":")
        self._host = address
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._next = (
            f"GET {API_VERSION}invocation/next HTTP/1.1\r\nHost: {address}\r\n\r\n".encode()
        )
        self._has_asked = False

    def next(self) -> tuple[dict[str, str], bytes]:
        """Return the headers, by lower-case name, and the body of the next event."""
        if not self._has_asked:
            self._socket.sendall(self._next)
        self._has_asked = False
        status, headers, body = self._read()
        if status != 200:
            raise SystemExit(f"the Runtime API answered {status} to next")
        return headers, body

    def post(
        self,
        path: str,
        body: bytes,
        *,
        error_type: str = "",
        content_type: str = "application/json",
        is_last: bool = False,
    ) -> int:
        """Post ``body`` and, unless it is the last, ask for more; return the answer's status."""
        extra = f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n" if error_type else ""
        head = (
            f"POST {API_VERSION}{path} HTTP/1.1\r\nHost: {self._host}\r\n{extra}"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode("ascii", "replace")
        self._has_asked = not is_last
        self._socket.sendall(head + body + (b"" if is_last else self._next))
        return self._read()[0]

    def _read(self) -> tuple[int, dict[str, str], bytes]:
        data = self._buffer
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        lines = data[:end].decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _colon, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        body = bytearray(data[end + 4 :])
        while len(body) < length:
            body += self._receive()
        self._buffer = bytes(body[length:])
        return int(lines[0].split(" ", 2)[1]), headers, bytes(body[:length])

    def _receive(self) -> bytes:
        data = self._socket.recv(65_536)
        if not data:
            raise SystemExit("the server is gone")
        return data


class CurrentRun:
    """The run that is on: its ids on log records, and its trace in the environment."""

    request_id = ""
    tenant_id: str | None = None

    def begin(self, headers: dict[str, str]) -> None:
        self.request_id = headers["lambda-runtime-aws-request-id"]
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        if trace_id := headers.get("lambda-runtime-trace-id"):
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        record.tenant_id = self.tenant_id
        return True


class Logs:
    """The root logger's set-up, and the runtime's own error lines."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True, errors="backslashreplace")
        self.runs_max = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1)
        self.current: Any = CurrentRun()
        if self.runs_max > 1:
            from runtime_concurrency import RunInContext, WholeLines

            self.current = RunInContext()
            sys.stdout, sys.stderr = WholeLines(sys.stdout), WholeLines(sys.stderr)
        self.is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
        handler = logging.StreamHandler(sys.stdout)
        handler.addFilter(self.current)
        handler.setFormatter(line_formatter(is_json=self.is_json))
        root = logging.getLogger()
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper().replace("TRACE", "DEBUG")
        if level in logging.getLevelNamesMapping():
            root.setLevel(level)
        root.addHandler(handler)

    def flush(self) -> None:
        """Have everything printed so far in the pipe."""
        for stream in (sys.stdout, sys.stderr):
            # The function may have closed or replaced it.
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()

    def error(self, document: JsonObject) -> None:
        """Write an error document as AWS does."""
        if self.is_json:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            record = {"timestamp": moment, "level": "ERROR", **document}
            line = json.dumps(record, ensure_ascii=False)
        else:
            line = f"[ERROR] {document['errorType']}: {document['errorMessage']}"
            if document["stackTrace"]:
                line += "\nTraceback (most recent call last):\n" + "".join(document["stackTrace"])
        self.flush()
        text = line.rstrip("\n").replace("\n", "\r") + "\n"
        os.write(1, text.encode(errors="backslashreplace"))


def run_once(api: RuntimeApi, handler: Handler, logs: Logs) -> None:
    """Take one event, run the handler, answer."""
    headers, body = api.next()
    request_id = headers["lambda-runtime-aws-request-id"]
    logs.current.begin(headers)
    try:
        context = LambdaContext(headers)
        answer, content_type = encode(handler(decode(body), context))
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its verdict
        document = describe(error, request_id)
        logs.error(document)
        logs.flush()
        answer = json.dumps(document).encode()
        status = api.post(
            f"invocation/{request_id}/error", answer, error_type=document["errorType"]
        )
    else:
        logs.flush()
        status = api.post(f"invocation/{request_id}/response", answer, content_type=content_type)
    if status not in (202, 413):
        raise SystemExit(f"the Runtime API answered {status} to the result")


def serve(handler: Handler, logs: Logs) -> NoReturn:
    """Run the handler for every event that comes, one after the other."""
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        run_once(api, handler, logs)


def serving(logs: Logs) -> "Callable[[Handler], object]":
    """Return what runs a handler for every event: one after the other, or several at once."""
    if logs.runs_max == 1:
        return lambda handler: serve(handler, logs)
    from runtime_concurrency import run_side_by_side

    return lambda handler: run_side_by_side(lambda: serve(handler, logs), logs.runs_max)


def main() -> None:
    """Start the function, then run it for every event that comes."""
    logs = Logs()
    run = serving(logs)
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    for name in OWN_MODULES:
        sys.modules.pop(name, None)  # The function may have modules of these names.
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises
        document = describe(error, "")
        logs.error(document)
        logs.flush()
        error_type = document["errorType"]
        api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
        api.post("init/error", json.dumps(document).encode(), error_type=error_type, is_last=True)
        sys.exit(1)
    run(handler)


if __name__ == "__main__":
    main()
