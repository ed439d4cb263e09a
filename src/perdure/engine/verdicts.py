"""What the end of an invocation says about its execution (X4), and about handlers that its worker
keeps.
"""

from typing import Any, Final, cast

import msgspec

from perdure.core.commands import Verdict
from perdure.engine.invoker import Crashed, FailureKind, InvocationOutcome, Raised, Returned
from perdure.protocol.operations import ErrorObject
from perdure.protocol.wire import WireError, decode
from perdure.protocol.words import InvocationStatus

__all__ = ["Keeping", "error_of_document", "keeping_of", "verdict_of"]


class Keeping(msgspec.Struct, frozen=True, rename="pascal"):
    """What an answer says about suspended handlers: its own, and others that the worker kept."""

    kept: bool | None = None
    dropped: tuple[str, ...] | None = None


_object: Final = msgspec.json.Decoder(dict[str, Any])
_keeping: Final = msgspec.json.Decoder(Keeping)

_STATUSES: Final = {status.value: status for status in InvocationStatus}

#: Ends of which the function itself is innocent: nothing of it ran, or it was ended on purpose.
_UNCOUNTED: Final = frozenset({FailureKind.UNAVAILABLE, FailureKind.CANCELLED})


def verdict_of(outcome: InvocationOutcome, *, is_durable: bool) -> Verdict:
    """Return the verdict of a handler; what an ordinary one returns is its result."""
    match outcome:
        case Crashed():
            return Verdict(
                status=None,
                error=ErrorObject(error_type=outcome.error_type, error_message=outcome.message),
                is_counted=outcome.kind not in _UNCOUNTED,
                retry_after_ms=outcome.retry_after_ms,
            )
        case Raised():
            return Verdict(status=None, error=error_of_document(outcome))
        case Returned() if is_durable:
            return _answer(outcome.payload)
        case Returned():
            return _plain(outcome.payload)


def keeping_of(outcome: InvocationOutcome) -> Keeping:
    """Return what a durable handler's answer says about keeping; what cannot be read says nothing.

    It never decides about the execution: an answer that is wrong here is right elsewhere.
    """
    if isinstance(outcome, Returned):
        try:
            return _keeping.decode(outcome.payload)
        except (msgspec.DecodeError, RecursionError):
            pass
    return Keeping()


def error_of_document(raised: Raised) -> ErrorObject:
    """Return a runtime's error document as an error object."""
    try:
        document = _object.decode(raised.payload)
    except (msgspec.DecodeError, RecursionError):
        return ErrorObject(error_type=raised.error_type)
    stack = document.get("stackTrace") or document.get("trace")
    message = document.get("errorMessage")
    return ErrorObject(
        error_type=str(document.get("errorType") or raised.error_type),
        error_message=None if message is None else str(message),
        stack_trace=tuple(map(str, cast("list[Any]", stack))) if isinstance(stack, list) else None,
    )


def _plain(payload: bytes) -> Verdict:
    try:
        return Verdict(status=InvocationStatus.SUCCEEDED, result=payload.decode())
    except UnicodeDecodeError:
        message = "CHAINED_INVOKE response could not be decoded as UTF-8."
        error = ErrorObject(error_message=message)
        return Verdict(status=None, error=error, is_final=True)


def _answer(payload: bytes) -> Verdict:
    """Read ``{Status, Result, Error}``; anything else ends the execution: the handler is not
    durable.
    """
    try:
        document = _object.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return _invalid("Invalid response: it is not a JSON object.")
    if "Status" not in document:
        return _invalid("Response status is required")
    said = document["Status"]
    status = _STATUSES.get(said) if isinstance(said, str) else None
    if status is None:
        return _invalid(f"Unexpected invocation status: {said}")
    result = document.get("Result")
    if result is not None and not isinstance(result, str):
        return _invalid("Invalid response: Result must be a string.")
    if status == InvocationStatus.FAILED and result is not None:
        return _invalid("Cannot provide a Result for FAILED status.")
    given = document.get("Error")
    if status == InvocationStatus.SUCCEEDED and given is not None:
        return _invalid("Cannot provide an Error for SUCCEEDED status.")
    try:
        error = None if given is None else decode(ErrorObject, given, path="Error")
    except WireError as problem:
        return _invalid(f"Invalid response: {problem}")
    return Verdict(status=status, result=result, error=error)


def _invalid(message: str) -> Verdict:
    error = ErrorObject(error_type="InvalidParameterValueException", error_message=message)
    return Verdict(status=None, error=error, is_final=True)
