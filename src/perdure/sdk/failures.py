"""Failures as they are recorded, and as they are raised again.

A failed operation raises what its record says, on the first run as on every replay; so a handler
sees the same either way.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from perdure.protocol.operations import ErrorObject
from perdure.sdk.exceptions import (
    BackgroundThreadError,
    DurableOperationError,
    OrphanedChildException,
    SerDesError,
    SuspendExecution,
    UnrecoverableError,
    error_type_of,
)
from perdure.sdk.misuse import ReplayMismatchError

if TYPE_CHECKING:
    from perdure.sdk.journal import Diverged, Identity

__all__ = ["caller_line", "divergence", "failure_of", "record_of", "unwrapped"]

_SERDES_ERROR: Final = error_type_of(SerDesError)
#: What ends an invocation or an execution, whatever else has failed; the first that applies.
_FATAL: Final = (
    BackgroundThreadError,
    SuspendExecution,
    OrphanedChildException,
    UnrecoverableError,
)
_OWN_FOLDER: Final = __file__.rpartition("/")[0]


def record_of(error: BaseException) -> ErrorObject:
    """Return what is recorded of an exception: its type, message, and what it brought along."""
    if isinstance(error, DurableOperationError | SerDesError):
        kind = SerDesError if isinstance(error, SerDesError) else type(error)
        trace = error.stack_trace
        return ErrorObject(
            error_message=error.message,
            error_type=error_type_of(kind),
            error_data=error.data,
            stack_trace=None if trace is None else tuple(trace),
        )
    return ErrorObject(error_message=str(error), error_type=error_type_of(type(error)))


def failure_of(
    record: ErrorObject | None, kind: type[DurableOperationError], default: str | None = None
) -> DurableOperationError | SerDesError:
    """Return the exception for a failed operation of ``kind``; its cause is what was recorded."""
    if record is None:
        return kind(message=default or "the operation failed, and no error is recorded")
    trace = None if record.stack_trace is None else list(record.stack_trace)
    fields = (record.error_message, record.error_type, record.error_data, trace)
    outer = SerDesError if record.error_type == _SERDES_ERROR else kind
    error = outer(message=fields[0], error_type=fields[1], data=fields[2], stack_trace=fields[3])
    error.__cause__ = DurableOperationError.from_error_fields(
        error_type=fields[1], message=fields[0], data=fields[2], stack_trace=fields[3]
    )
    return error


def divergence(identity: Identity, decision: Diverged) -> ReplayMismatchError:
    """Return the error for a replay that asks for another operation than is recorded."""
    return ReplayMismatchError.between(
        decision.operation, identity, decision.differences, location=caller_line()
    )


def unwrapped(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what ends the invocation or the execution among a TaskGroup's failures, or the group.

    Whatever else has failed with it: the handler cannot go on, and what says so must be seen.
    """
    for kind in _FATAL:
        found = group.subgroup(kind)
        if found is not None:
            first: BaseException = found
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            return first
    return group


def caller_line() -> str | None:
    """Return the file and line of the handler's code that asked for the operation.

    None where a task of the event loop runs the operation by itself, as under ``gather``.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OWN_FOLDER):
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__", "").startswith("asyncio."):
        return None
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
