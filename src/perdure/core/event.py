"""One line of an execution's history, as the core records it: for readers only, no rule reads it.

An event holds only what its operation does not: an operation's result is kept once, with the
operation, and the wire shape is put together from both in ``core.render``.
"""

from collections.abc import Mapping
from typing import NamedTuple

from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import EventType

__all__ = ["Detail", "Event", "error_details", "error_of"]

Detail = str | int | bool | None | Mapping[str, "str | list[str]"]


class Event(NamedTuple):
    """What happened, when, to which operation (None: to the execution or an invocation)."""

    id: int  #: from 1, without gaps (H1)
    type: EventType
    at_ms: int
    operation_id: str | None = None
    details: Mapping[str, Detail] | None = None


def error_details(error: ErrorObject) -> dict[str, str | list[str]]:
    """Return an error as plain values, for an event that keeps its own."""
    details: dict[str, str | list[str]] = {}
    if error.error_message is not None:
        details["message"] = error.error_message
    if error.error_type is not None:
        details["type"] = error.error_type
    if error.error_data is not None:
        details["data"] = error.error_data
    if error.stack_trace is not None:
        details["stack"] = list(error.stack_trace)
    return details


def error_of(details: Mapping[str, str | list[str]]) -> ErrorObject:
    """Return the error that ``error_details`` made plain."""
    stack = details.get("stack")
    return ErrorObject(
        error_message=_text(details.get("message")),
        error_type=_text(details.get("type")),
        error_data=_text(details.get("data")),
        stack_trace=tuple(stack) if isinstance(stack, list) else None,
    )


def _text(value: str | list[str] | None) -> str | None:
    return value if isinstance(value, str) else None
