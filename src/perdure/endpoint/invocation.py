"""One invocation: from a request's headers and body to what the handler returned or raised.

The rules are those of Lambda's Python runtime, and its code: the bootstrap of our workers.
"""

import base64
import binascii
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from perdure.endpoint.current_run import CurrentRun, running
from perdure.protocol.endpoint_signatures import FUNCTION_VERSION_HEADER
from perdure.protocol.limits import PAYLOAD_BYTES_MAX
from perdure.runtime.bootstrap.runtime_rules import (
    Handler,
    LambdaContext,
    RuntimeFault,
    decode,
    describe,
    encode,
)

__all__ = ["Result", "invoke"]

#: Of an invocation whose sender names no deadline. Source: the emulator's default timeout
_SECONDS_DEFAULT: Final = 300
_REQUEST_ID: Final = "lambda-runtime-aws-request-id"
_INVOKED_ARN: Final = "lambda-runtime-invoked-function-arn"
_DEADLINE: Final = "lambda-runtime-deadline-ms"
_CLIENT_CONTEXT: Final = "lambda-runtime-client-context"
_TENANT_ID: Final = "lambda-runtime-aws-tenant-id"
_SLACK_BYTES: Final = 100  #: as Lambda's runtimes allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the answer is made of."""

    request_id: str
    version: str
    body: bytes
    content_type: str
    is_error: bool
    log_tail: bytes


def invoke(handler: Handler, headers: Mapping[str, str], body: bytes) -> Result:
    """Run the handler once; whatever it raises is a result. The names in ``headers`` are lower
    case.
    """
    told = _completed(headers)
    run = CurrentRun(told[_REQUEST_ID], told.get(_TENANT_ID))
    with running(run):
        answer, content_type, is_error = _run(handler, told, body)
        sys.stdout.flush()
        sys.stderr.flush()
    return Result(
        request_id=run.request_id,
        version=told.get(FUNCTION_VERSION_HEADER.lower(), "$LATEST"),
        body=answer,
        content_type=content_type,
        is_error=is_error,
        log_tail=run.tail,
    )


def _run(handler: Handler, told: dict[str, str], body: bytes) -> tuple[bytes, str, bool]:
    try:
        context = _context(told)
        answer, content_type = encode(handler(decode(body), context))
        if len(answer) > PAYLOAD_BYTES_MAX + _SLACK_BYTES:
            raise RuntimeFault(
                "Function.ResponseSizeTooLarge",
                f"Response payload size ({len(answer)} bytes) exceeded maximum allowed payload"
                f" size ({PAYLOAD_BYTES_MAX + _SLACK_BYTES} bytes).",
            )
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its verdict
        document = describe(_as_fault(_without_own_frames(error)), told[_REQUEST_ID])
        _log(document)
        return json.dumps(document).encode(), "application/json", True
    return answer, content_type, False


def _completed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, with what every invocation has: senders such as curl leave it out."""
    told = dict(headers)
    told.setdefault(_REQUEST_ID, _random_uuid())
    told.setdefault(_DEADLINE, str(time.time_ns() // 1_000_000 + _SECONDS_DEFAULT * 1000))
    return told


def _random_uuid() -> str:
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _context(told: dict[str, str]) -> LambdaContext:
    if not told.get(_CLIENT_CONTEXT) and told.get("x-amz-client-context"):
        try:
            context = base64.b64decode(told["x-amz-client-context"], validate=True)
            told[_CLIENT_CONTEXT] = context.decode()
        except (binascii.Error, ValueError) as error:
            message = f"Unable to parse Client Context: {error}"
            raise RuntimeFault("Runtime.LambdaContextUnmarshalError", message) from error
    context = LambdaContext(told)
    named = told.get(_INVOKED_ARN, "").split(":")
    if not context.function_name and len(named) > 6:
        context.function_name = named[6]
    context.function_version = context.function_version or told.get(
        FUNCTION_VERSION_HEADER.lower(), "$LATEST"
    )
    return context


def _without_own_frames(error: BaseException) -> BaseException:
    """Return the error with a traceback that begins outside of this file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return error.with_traceback(trace)


def _as_fault(error: BaseException) -> BaseException:
    """Return what on Lambda would have ended the process as what it is called there."""
    if isinstance(error, Exception):
        return error
    message = f"the handler raised {type(error).__name__}: {error}"
    return RuntimeFault("Runtime.ExitError", message, describe(error, "")["stackTrace"])


def _log(document: Mapping[str, object]) -> None:
    line = f"[ERROR] {document['errorType']}: {document['errorMessage']}"
    if stack := cast("list[str]", document["stackTrace"]):
        line += "\nTraceback (most recent call last):\n" + "".join(stack)
    sys.stdout.write(line.rstrip("\n") + "\n")
