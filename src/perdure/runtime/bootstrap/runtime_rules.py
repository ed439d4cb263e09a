"""The rules of Lambda's Python runtime: what a handler is given, how its result travels, how its
errors and its log read.

Standard library only, and as little of it as may be: every import here is a part of each cold
start. Both the worker's bootstrap and ``perdure.endpoint`` keep to them.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Final

__all__ = [
    "Handler",
    "JsonLine",
    "JsonObject",
    "LambdaContext",
    "OneLine",
    "RuntimeFault",
    "decode",
    "describe",
    "encode",
    "line_formatter",
    "load_handler",
]

ON_AWS_IN_EVERY_PYTHON: Final = ("boto3", "botocore", "aws_durable_execution_sdk_python", "perdure")
CLIENT_FIELDS: Final = (
    "installation_id",
    "app_title",
    "app_version_name",
    "app_version_code",
    "app_package_name",
)
RUN_FIELDS: Final = ("aws_request_id", "tenant_id")
OWN_FOLDER: Final = os.path.dirname(__file__)

JsonObject = dict[str, Any]
Handler = Callable[[Any, "LambdaContext"], Any]


class RuntimeFault(Exception):
    """What the runtime itself holds against the function: a ``Runtime.*`` error."""

    def __init__(self, error_type: str, message: str, stack_trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.stack_trace = stack_trace or []


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


def line_formatter(*, is_json: bool) -> logging.Formatter:
    """Return what formats log records as Lambda's Python runtime does: in UTC, wherever it runs."""
    text_format = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = JsonLine() if is_json else OneLine(text_format, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    return formatter


def describe(error: BaseException, request_id: str) -> JsonObject:
    """Return the error document; its stack trace is without the runtime's own frames."""
    if isinstance(error, RuntimeFault):
        error_type, stack_trace = error.error_type, error.stack_trace
    else:
        frames = traceback.extract_tb(error.__traceback__)
        users = [
            index
            for index, frame in enumerate(frames)
            if os.path.dirname(frame.filename) != OWN_FOLDER
        ]
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
