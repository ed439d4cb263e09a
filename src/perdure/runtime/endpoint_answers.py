"""What an endpoint's answer, or its absence, says about the run.

| what comes back | what it is |
| --- | --- |
| 2xx, JSON | the handler's result |
| 2xx with ``X-Amz-Function-Error`` | what the handler raised |
| 2xx, an error document without that header, as the emulator answers | the same |
| 2xx, ``Task timed out after``, the emulator's words | a timeout |
| 2xx, anything else | an answer that no runtime gives: a failure of the function |
| 5xx with an error document of a runtime (``Runtime.ExitError``) | that failure of the function |
| 3xx, 4xx, other 5xx | the endpoint is not there for us: nobody's failure, tried again later |
| no connection | the same |
| the connection ends in between | a run whose process ended |
| larger than an answer may be | the same as from a worker |

Source: AWS's runtime interface emulator, and the answers of Lambda's Invoke; docs/decisions/0028.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Final, cast

from perdure.engine.invoker import Crashed, FailureKind, InvocationOutcome, Raised, Returned
from perdure.runtime.endpoint_exchange import Answer
from perdure.runtime.log_lines import TAIL_BYTES
from perdure.runtime.run import crash_of_oversize, raised

__all__ = ["crash_of", "is_there", "log_tail_of", "outcome_of", "retry_after_ms"]

_EMULATOR_TIMEOUT: Final = b"Task timed out after "
_DOCUMENT_MEMBERS: Final = frozenset(
    {"errorMessage", "errorType", "requestId", "stackTrace", "trace", "cause"}
)
_OF_RUNTIMES: Final = ("Runtime.", "Sandbox.", "Extension.", "Function.")
_SHOWN_BYTES: Final = 200
_RETRY_AFTER_MS_MAX: Final = 300_000


def outcome_of(answer: Answer, request_id: str) -> InvocationOutcome:
    """Return what an answer says, by the table above."""
    if 200 <= answer.status < 300:
        return crash_of_oversize() if answer.is_oversize else _of_success(answer, request_id)
    document = None if answer.is_oversize else _error_document(answer.body)
    if answer.status >= 500 and document and str(document["errorType"]).startswith(_OF_RUNTIMES):
        return raised("", answer.body)
    return crash_of(FailureKind.UNAVAILABLE, request_id, _status_words(answer))


def crash_of(kind: FailureKind, request_id: str, words: str) -> Crashed:
    """Return a run that ended without the handler's word, in the form of AWS's messages."""
    message = f"RequestId: {request_id} Error: {words}"
    return Crashed(kind=kind, error_type=kind.value, message=message)


def is_there(outcome: InvocationOutcome) -> bool:
    """Tell whether the endpoint took the invocation, whatever came of it."""
    return not isinstance(outcome, Crashed) or outcome.kind is not FailureKind.UNAVAILABLE


def retry_after_ms(answer: Answer) -> int:
    """Return how long the endpoint asks to be left alone; 0 if it does not say so in seconds."""
    text = answer.headers.get("retry-after", "").strip()
    if not (text.isascii() and text.isdigit()):
        return 0
    return min(_RETRY_AFTER_MS_MAX, int(text[:9]) * 1000)


def log_tail_of(answer: Answer) -> bytes:
    """Return the end of the run's log that came with the answer."""
    try:
        tail = base64.b64decode(answer.headers.get("x-amz-log-result", ""), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return tail[-TAIL_BYTES:]


def _of_success(answer: Answer, request_id: str) -> InvocationOutcome:
    if answer.headers.get("x-amz-function-error"):
        return raised("", answer.body)
    if answer.body.startswith(_EMULATOR_TIMEOUT):
        words = answer.body[:_SHOWN_BYTES].decode(errors="replace")
        return crash_of(FailureKind.TIMED_OUT, request_id, words)
    try:
        json.loads(answer.body)
    except (ValueError, RecursionError):
        shown = answer.body[:_SHOWN_BYTES]
        return crash_of(
            FailureKind.UNREADABLE, request_id, f"the endpoint's answer is no JSON: {shown!r}"
        )
    # Whoever says which version ran also says when it failed: there, a result is a result.
    document = _error_document(answer.body)
    if document is not None and "x-amz-executed-version" not in answer.headers:
        return Raised(payload=answer.body, error_type=str(document["errorType"]))
    return Returned(payload=answer.body)


def _error_document(body: bytes) -> Mapping[str, object] | None:
    """Return what a runtime posts when a handler has raised, or None if ``body`` is no such."""
    if b'"errorType"' not in body:
        return None
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    document = cast("dict[str, object]", found)
    is_error = (
        isinstance(document.get("errorType"), str)
        and isinstance(document.get("errorMessage"), str)
        and document.keys() <= _DOCUMENT_MEMBERS
    )
    return document if is_error else None


def _status_words(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"the endpoint answered with a redirect, {answer.status}: redirects are not followed"
    shown = answer.body[:_SHOWN_BYTES].decode(errors="replace")
    return f"the endpoint answered {answer.status}" + (f": {shown}" if shown else "")
