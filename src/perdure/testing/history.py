"""An execution's history as a test looks at it, and the operations that follow from it.

Names and members follow AWS's testing package; the details of an event are those of the wire,
with instants as ``datetime`` and errors as ``ErrorObject``.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing
from types import SimpleNamespace
from typing import Any, Final, cast

from perdure.protocol import events as event_shapes
from perdure.protocol import operations as shapes
from perdure.protocol.wire import Instant, TimeUnit, decode
from perdure.protocol.words import (
    FINISHED_OPERATION_STATUSES,
    EventType,
    OperationStatus,
    OperationType,
)
from perdure.sdk.error_object import ErrorObject
from perdure.testing.clock import instant_of

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Event", "GetDurableExecutionHistoryResponse", "decode_events", "operations_of"]

_HEAD: Final = ("event_type", "sub_type", "event_id", "id", "name", "event_timestamp", "parent_id")
_DETAILS: Final = tuple(
    name for name in event_shapes.Event.__dataclass_fields__ if name not in _HEAD
)


@dataclasses.dataclass(frozen=True)
class Event:
    """One line of history.

    Its details are also there under their own names, as ``event.wait_started_details``; None for
    all kinds of event but its own.
    """

    event_type: EventType
    event_timestamp: datetime.datetime
    sub_type: str | None = None
    event_id: int = 1
    operation_id: str | None = None
    name: str | None = None
    parent_id: str | None = None
    details: Any = None

    @classmethod
    def of(cls, shape: event_shapes.Event) -> Event:
        """Return an event as a test sees it."""
        kind = shape.event_type
        assert kind is not None, "every event has a type"
        return cls(
            event_type=kind,
            event_timestamp=instant_of(shape.event_timestamp or 0),
            sub_type=shape.sub_type,
            event_id=shape.event_id or 1,
            operation_id=shape.id,
            name=shape.name,
            parent_id=shape.parent_id,
            details=_shown(_own_details(shape)),
        )

    def __getattr__(self, name: str) -> Any:
        """Return the details under the name that the wire has for them."""
        if name not in _DETAILS:
            raise AttributeError(f"an event has no {name}")
        own = "".join(f"_{c.lower()}" if c.isupper() else c for c in self.event_type).lstrip("_")
        return self.details if name == f"{own}_details" else None


@dataclasses.dataclass(frozen=True)
class GetDurableExecutionHistoryResponse:
    """A whole history."""

    events: list[Event]
    next_marker: str | None = None


def decode_events(page: Mapping[str, Any]) -> list[event_shapes.Event]:
    """Return the events of a page of history, as boto3 or the wire gives it."""
    return [
        decode(event_shapes.Event, _plain(event), unit=TimeUnit.SECONDS)
        for event in page.get("Events") or ()
    ]


def operations_of(events: Iterable[event_shapes.Event]) -> list[shapes.Operation]:
    """Return the operations that a history tells of, in the order they began."""
    found: dict[str, shapes.Operation] = {}
    for event in events:
        kind = event.event_type
        if kind is None or kind not in _ENDS or event.id is None:
            continue
        operation_type, status = _ENDS[kind]
        own = _own_details(event)
        if isinstance(own, _TRIED) and own.retry_details.next_attempt_delay_seconds is not None:
            status = OperationStatus.PENDING
        at_ms = event.event_timestamp or Instant(0)
        before = found.get(event.id) or shapes.Operation(
            id=event.id,
            type=operation_type,
            start_timestamp=at_ms,
            status=status,
            parent_id=event.parent_id,
            name=event.name,
            sub_type=event.sub_type,
        )
        found[event.id] = dataclasses.replace(
            before,
            status=status,
            end_timestamp=at_ms if status in FINISHED_OPERATION_STATUSES else None,
            **_told(own, at_ms, before),
        )
    return list(found.values())


def _own_details(event: event_shapes.Event) -> Any:
    return next((getattr(event, name) for name in _DETAILS if getattr(event, name)), None)


def _told(own: Any, at_ms: int, before: shapes.Operation) -> dict[str, Any]:
    """Return what an event's details tell of an operation's."""
    member, shape = _MEMBERS[before.type]
    details = getattr(before, member) or shape()
    values: dict[str, Any] = {}
    for name in ("result", "error"):
        if name in shape.__dataclass_fields__:
            held = getattr(own, name, None)
            values[name] = None if held is None else held.payload
    match own:
        case event_shapes.ExecutionStartedDetails(input=given):
            values["input_payload"] = given.payload
        case event_shapes.CallbackStartedDetails(callback_id=callback_id):
            values["callback_id"] = callback_id
        case event_shapes.WaitStartedDetails(scheduled_end_timestamp=end):
            values["scheduled_end_timestamp"] = end
        case event_shapes.StepStartedDetails():
            values["next_attempt_timestamp"] = None
        case (
            event_shapes.StepSucceededDetails(retry_details=retry)
            | event_shapes.StepFailedDetails(retry_details=retry)
        ):
            values["attempt"] = retry.current_attempt
            delay = retry.next_attempt_delay_seconds
            following_ms = None if delay is None else Instant(at_ms + delay * 1000)
            values["next_attempt_timestamp"] = following_ms
        case _:
            pass
    return {member: dataclasses.replace(details, **values)}


_TRIED: Final = (event_shapes.StepSucceededDetails, event_shapes.StepFailedDetails)
_MEMBERS: Final[dict[OperationType, tuple[str, type[Any]]]] = {
    OperationType.EXECUTION: ("execution_details", shapes.ExecutionDetails),
    OperationType.CONTEXT: ("context_details", shapes.ContextDetails),
    OperationType.STEP: ("step_details", shapes.StepDetails),
    OperationType.WAIT: ("wait_details", shapes.WaitDetails),
    OperationType.CALLBACK: ("callback_details", shapes.CallbackDetails),
    OperationType.CHAINED_INVOKE: ("chained_invoke_details", shapes.ChainedInvokeDetails),
}


def _ends() -> dict[EventType, tuple[OperationType, OperationStatus]]:
    """Return which status of which type of operation an event stands for, by their names."""
    found: dict[EventType, tuple[OperationType, OperationStatus]] = {}
    for kind in EventType:
        for operation_type in OperationType:
            prefix = "".join(word.capitalize() for word in operation_type.split("_"))
            word = kind.removeprefix(prefix)
            for status in OperationStatus:
                if word == "".join(part.capitalize() for part in status.split("_")):
                    found[kind] = (operation_type, status)
    return found


_ENDS: Final = _ends()


def _shown(value: Any) -> Any:
    """Return a shape as a test reads it: its members, with instants and errors made readable."""
    if isinstance(value, shapes.ErrorObject):
        return ErrorObject.of(value)
    if not dataclasses.is_dataclass(value):
        return value
    hints = typing.get_type_hints(type(value))
    members: dict[str, Any] = {}
    for one in dataclasses.fields(value):
        member = getattr(value, one.name)
        is_instant = hints[one.name] in (Instant, Instant | None)
        members[one.name] = (
            instant_of(member) if is_instant and member is not None else _shown(member)
        )
    return SimpleNamespace(**members)


def _plain(value: Any) -> Any:
    """Return what botocore has read, with its instants as epoch seconds."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(member) for member in cast("list[Any]", value)]
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value
