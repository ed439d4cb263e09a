"""What runs in a Python worker: imports the handler, then takes one event after another from the
Lambda Runtime API.

Standard library only, and as little of it as may be: every import here is a part of each cold
start. It runs as a program, on Python 3.11 and newer; ``perdure.endpoint`` imports its rules.
"""

import contextlib
import importlib
import io
import json
import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn

API_VERSION: Final = "/2018-06-01/runtime/"
ON_AWS_IN_EVERY_PYTHON: Final = ("boto3", "botocore", "aws_durable_execution_sdk_python", "perdure")
CLIENT_FIELDS: Final = (
    "installation_id",
    "app_title",
    "app_version_name",
    "app_version_code",
    "app_package_name",
)
RUN_FIELDS: Final = ("aws_request_id", "tenant_id")

JsonObject = dict[str, Any]
Handler = Callable[[Any, "LambdaContext"], Any]


class RuntimeFault(Exception):
    """What the runtime itself holds against the function: a ``Runtime.*`` error."""

    def __init__(self, error_type: str, message: str, stack_trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.stack_trace = stack_trace or []


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


class Fields:
    """An object whose attributes are an object's fields, None where there is none."""

    def __init__(self, names: tuple[str, ...], values: JsonObject) -> None:
        for name in names:
            setattr(self, name, values.get(name))


class LambdaContext:
    """What a handler is told of its run. Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

    def __init__(self, headers: dict[str, str]) -> None:
        environment = os.environ
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn", "")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.function_name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environment.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = environment.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = Fields(("cognito_identity_id", "cognito_identity_pool_id"), {})
        self.client_context = make_client_context(headers.get("lambda-runtime-client-context"))
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", "0"))

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the run may still take."""
        return max(0, self._deadline_ms - time.time_ns() // 1_000_000)

    def log(self, message: object) -> None:
        """Write a line to the function's log."""
        sys.stdout.write(f"{message}\n")

    def __repr__(self) -> str:
        shown = ",".join(
            f"{name}={value}" for name, value in vars(self).items() if not name.startswith("_")
        )
        return f"LambdaContext([{shown}])"


def make_client_context(text: str | None) -> Fields | None:
    """Return what a mobile client said of itself."""
    if not text:
        return None
    try:
        values = json.loads(text)
    except ValueError as error:
        message = f"Unable to parse Client Context JSON: {error}"
        raise RuntimeFault("Runtime.LambdaContextUnmarshalError", message) from error
    context = Fields(("custom", "env", "client"), values)
    client: JsonObject | None = values.get("client")
    setattr(context, "client", Fields(CLIENT_FIELDS, client) if client else None)  # noqa: B010
    return context


class CurrentRun(logging.Filter):
    """Puts the run's ids on log records."""

    request_id = ""
    tenant_id: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        record.tenant_id = self.tenant_id
        return True


class OneLine(logging.Formatter):
    """Text: a message of several lines is written as one, which the log store takes apart again."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", "\r")


class JsonLine(logging.Formatter):
    """JSON as AWS's runtimes write it: fixed fields, then whatever ``extra`` brought."""

    own_fields = {*vars(logging.makeLogRecord({})), "message", *RUN_FIELDS}

    def format(self, record: logging.LogRecord) -> str:
        message: object = record.msg  # pyright: ignore[reportUnknownMemberType] - it may be anything
        is_object = isinstance(message, dict) and not record.args
        fields: JsonObject = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": message if is_object else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            fields["stackTrace"] = traceback.format_tb(record.exc_info[2])
            fields["errorType"] = record.exc_info[0].__name__
            fields["errorMessage"] = str(record.exc_info[1])
            fields["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        fields["requestId"] = getattr(record, "aws_request_id", "")
        if tenant_id := getattr(record, "tenant_id", None):
            fields["tenantId"] = tenant_id
        for name, value in record.__dict__.items():
            if name not in self.own_fields:
                fields.setdefault(name, value)
        return json.dumps(fields, default=str, ensure_ascii=False)


class Logs:
    """The root logger's set-up, and the runtime's own error lines."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True, errors="backslashreplace")
        self.current = CurrentRun()
        self.is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
        handler = logging.StreamHandler(sys.stdout)
        handler.addFilter(self.current)
        logging.Formatter.converter = time.gmtime
        text_format = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        handler.setFormatter(
            JsonLine() if self.is_json else OneLine(text_format, "%Y-%m-%dT%H:%M:%S")
        )
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


def describe(error: BaseException, request_id: str) -> JsonObject:
    """Return the error document; its stack trace is without the frames of this file."""
    if isinstance(error, RuntimeFault):
        error_type, stack_trace = error.error_type, error.stack_trace
    else:
        frames = traceback.extract_tb(error.__traceback__)
        users = [index for index, frame in enumerate(frames) if frame.filename != __file__]
        visible = (
            [frame for frame in frames[users[0] :] if "importlib" not in frame.filename]
            if users
            else []
        )
        error_type, stack_trace = type(error).__name__, traceback.format_list(visible)
    return {
        "errorMessage": str(error),
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": stack_trace,
    }


def load_handler(name: str) -> Handler:
    """Import ``folder/module.function``; raise RuntimeFault with AWS's words where that fails."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise RuntimeFault(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack"
        )
    module_name = module_name.replace("/", ".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise RuntimeFault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}{explain(error)}"
        raise RuntimeFault(
            "Runtime.ImportModuleError", message, describe(error, "")["stackTrace"]
        ) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        place = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise RuntimeFault("Runtime.UserCodeSyntaxError", message, place) from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise RuntimeFault(
            "Runtime.HandlerNotFound",
            f"Handler '{function_name}' missing on module '{module_name}'",
        )
    return handler


def explain(error: ImportError) -> str:
    """Return a hint where a package of AWS's runtime is missing here, or nothing."""
    version = os.environ.get("PERDURE_SERVER_PYTHON")
    if version and (error.name or "").split(".")[0] in ON_AWS_IN_EVERY_PYTHON:
        return (
            f" (perdure brings this package to python{version} alone, the interpreter it runs on;"
            " here it must be in the function's code)"
        )
    return ""


def encode_other(value: Any) -> object:
    """Return what json can write for a value that it cannot: AWS writes decimals as numbers."""
    decimal = sys.modules.get("decimal")  # Whoever has a decimal has imported it.
    if decimal and isinstance(value, decimal.Decimal):
        return int(value) if value.is_finite() and value % 1 == 0 else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def encode(result: object) -> tuple[bytes, str]:
    """Return a handler's result as bytes, with their content type."""
    if isinstance(result, bytes):
        return result, "application/unknown"
    try:
        text = json.dumps(result, default=encode_other, ensure_ascii=sys.version_info < (3, 12))
        return text.encode(), "application/json"
    except UnicodeEncodeError:
        return json.dumps(result, default=encode_other).encode(), "application/json"
    except Exception as error:
        raise RuntimeFault(
            "Runtime.MarshalError", f"Unable to marshal response: {error}"
        ) from error


def decode(body: bytes) -> Any:
    """Return the event; raise RuntimeFault if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RuntimeFault(
            "Runtime.UnmarshalError", f"Unable to unmarshal input: {error}"
        ) from error


def run_once(api: RuntimeApi, handler: Handler, logs: Logs) -> None:
    """Take one event, run the handler, answer."""
    headers, body = api.next()
    request_id = headers["lambda-runtime-aws-request-id"]
    logs.current.request_id = request_id
    logs.current.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
    if trace_id := headers.get("lambda-runtime-trace-id"):
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
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


def main() -> NoReturn:
    """Start the function, then run it for every event that comes."""
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    logs = Logs()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises
        document = describe(error, "")
        logs.error(document)
        logs.flush()
        error_type = document["errorType"]
        api.post("init/error", json.dumps(document).encode(), error_type=error_type, is_last=True)
        sys.exit(1)
    while True:
        run_once(api, handler, logs)


if __name__ == "__main__":
    main()
