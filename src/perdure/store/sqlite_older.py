"""Files of schema 2: how their rows are read (V3). Nothing of it is written any more.

Identities, progress, operations and details were JSON, and an event had a row of its own. Schema 1
was the same, without a checksum of details.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from perdure.core.event import Event
from perdure.core.execution import Identity, Progress
from perdure.core.operation import Operation
from perdure.protocol.words import EventType
from perdure.store.protocol import CorruptRowError

__all__ = ["OldExecution", "is_whole", "old_executions", "old_identity"]

_OPERATION_BITS: Final = 22
_EVENT_BITS: Final = 24

_SELECT_OPERATIONS: Final = """
SELECT number, id, body, payload, input, checksum FROM old_operation
WHERE number BETWEEN ? AND ? ORDER BY number
"""
_SELECT_EVENTS: Final = """
SELECT event.number, type, at_ms, operation.id, details, event.checksum
FROM old_event AS event LEFT JOIN old_operation AS operation
    ON operation.number = ? + event.operation
WHERE event.number BETWEEN ? AND ? ORDER BY event.number
"""
_SELECT_EXECUTIONS: Final = """
SELECT number, identity, identity_checksum, progress, checksum FROM old_execution ORDER BY number
"""

_identity: Final = msgspec.json.Decoder(Identity)
_progress: Final = msgspec.json.Decoder(Progress)
_operation: Final = msgspec.json.Decoder(Operation)
_details: Final = msgspec.json.Decoder(dict[str, Any])
_UNREADABLE: Final = (ValueError, TypeError, msgspec.DecodeError)


class OldExecution(NamedTuple):
    """All that is stored of an execution."""

    identity: Identity
    progress: Progress
    operations: list[Operation]
    events: list[Event]


def is_whole(checksum: int, *parts: bytes | None) -> bool:
    """Tell whether an older row's bytes have their checksum."""
    value = 0
    try:
        for part in parts:
            value = zlib.crc32(part or b"", value)
    except TypeError:
        return False
    return value == checksum


def old_identity(body: bytes, checksum: int) -> Identity | None:
    """Return an identity, or None if it cannot be read."""
    try:
        _verify(checksum, body)
        return _identity.decode(body)
    except (CorruptRowError, *_UNREADABLE):
        return None


def old_executions(
    connection: sqlite3.Connection,
) -> Iterator[tuple[int, OldExecution | CorruptRowError]]:
    """Yield the number of each execution with what is stored of it, or with why that cannot be
    read; the older tables are named ``old_...``.
    """
    for number, *row in connection.execute(_SELECT_EXECUTIONS):
        try:
            yield number, _execution(connection, number, *row)
        except CorruptRowError as error:
            yield number, error
        except _UNREADABLE as error:
            yield number, CorruptRowError(str(error))


def _execution(
    connection: sqlite3.Connection,
    number: int,
    identity: bytes,
    identity_checksum: int,
    progress: bytes,
    checksum: int,
) -> OldExecution:
    _verify(identity_checksum, identity)
    _verify(checksum, progress)
    first, last = number << _OPERATION_BITS, (number + 1 << _OPERATION_BITS) - 1
    base, end = number << _EVENT_BITS, (number + 1 << _EVENT_BITS) - 1
    # To the end, whatever is in them: a table that is half read cannot be dropped.
    rows = connection.execute(_SELECT_OPERATIONS, (first, last)).fetchall()
    lines = connection.execute(_SELECT_EVENTS, (first, base, end)).fetchall()
    operations = [_old_operation(*row) for row in rows]
    events = [_old_event(place - base, *line) for place, *line in lines]
    return OldExecution(_identity.decode(identity), _progress.decode(progress), operations, events)


def _old_operation(
    _number: int, _id: str, body: bytes, payload: bytes | None, entered: bytes | None, checksum: int
) -> Operation:
    _verify(checksum, body, payload, entered)
    return _operation.decode(body)._replace(
        payload=None if payload is None else payload.decode(),
        input=None if entered is None else entered.decode(),
    )


def _old_event(
    event_id: int,
    kind: str,
    at_ms: int,
    operation_id: str | None,
    details: bytes | None,
    checksum: int | None,
) -> Event:
    """Read an event; those of schema 1 have no checksum."""
    if details is not None and checksum is not None:
        _verify(checksum, details)
    kept = None if details is None else _details.decode(details)
    return Event(event_id, EventType(kind), at_ms, operation_id, kept)


def _verify(expected: int, *parts: bytes | None) -> None:
    if not is_whole(expected, *parts):
        raise CorruptRowError("a row does not have its checksum")
