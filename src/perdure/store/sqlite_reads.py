"""What is read of a SQLite file: queries, and rows made into values again.

Where many are asked for, one that cannot be read is left out and noted; where one is asked for, it
is an error (D6).
"""

import heapq
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Letter
from perdure.store.codes import pack
from perdure.store.damage import Damage
from perdure.store.protocol import (
    Agenda,
    CorruptRowError,
    Due,
    EventQuery,
    ExecutionQuery,
    Tally,
)
from perdure.store.records import Record
from perdure.store.rows import (
    execution_key,
    operation_id_of,
    read_events,
    read_identity,
    read_letter,
    read_operation,
    read_pin,
    read_progress,
    read_record,
)
from perdure.store.sqlite_schema import EVENT_BITS, OPERATION_BITS

__all__ = ["Reads"]

_COLUMNS: Final = """
execution.id, pin.digest, pin.body, pin.spare, name, started_at_ms, identity, identity_checksum,
status, execution.version, updated_at_ms, wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms,
progress, checksum
"""
_SELECT_EXECUTION: Final = f"""
SELECT execution.number, {_COLUMNS} FROM execution LEFT JOIN pin ON pin.number = execution.pin
WHERE id = ?
"""  # noqa: S608 - a constant
_SELECT_NUMBER: Final = "SELECT number FROM execution WHERE id = ?"
_SELECT_OPERATIONS: Final = """
SELECT number, id, body, payload, input, checksum FROM operation
WHERE number BETWEEN ? AND ? ORDER BY number
"""
_SELECT_ID_BY_NAME: Final = """
SELECT id FROM execution
WHERE function = (SELECT number FROM function WHERE arn = ?) AND name = ? AND holder = 0
"""
_SELECT_UPCOMING: Final = {
    agenda: f"SELECT {agenda.value}, id FROM execution WHERE {agenda.value} < ?"  # noqa: S608 - an enum
    f" ORDER BY {agenda.value} LIMIT ?"
    for agenda in Agenda
}
_SELECT_LETTERS: Final = """
SELECT id, sender, sent_at_ms, kind, body, checksum FROM letter WHERE id > ? ORDER BY id
"""
#: From the row on that has the first event in it; rows are named by the first of theirs.
_SELECT_EVENTS: Final = """
SELECT number, body, checksum FROM event
WHERE number <= :last AND number >= coalesce(
    (SELECT max(number) FROM event WHERE number BETWEEN :lowest AND :first), :first)
ORDER BY number
"""
_SELECT_EVENTS_BACKWARD: Final = """
SELECT number, body, checksum FROM event WHERE number BETWEEN :lowest AND :last
ORDER BY number DESC
"""
_SELECT_OPERATION_IDS: Final = """
SELECT number, id FROM operation WHERE number IN (SELECT ? + value FROM json_each(?))
"""
_SELECT_HIGH: Final = "SELECT max(updated_at_ms) FROM execution"
_SELECT_RECORD: Final = """
SELECT key, revision, body, checksum FROM record WHERE collection = ? AND key = ?
"""
_LIST_RECORDS: Final = """
SELECT key, revision, body, checksum FROM record
WHERE collection = ? AND key > ? AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?
"""
_SELECT_PINS: Final = """
SELECT pin.number FROM pin JOIN function ON function.number = pin.function
WHERE is_durable AND ifnull(arn = ?, TRUE) AND ifnull(version = ?, TRUE)
"""
#: Durable executions have a function; rows are in the order in which they came.
_TALLY: Final = """
SELECT function.arn, newest.status, count(*)
FROM (
    SELECT function, status FROM execution WHERE function IS NOT NULL ORDER BY number DESC LIMIT ?
) AS newest JOIN function ON function.number = newest.function
GROUP BY newest.function, newest.status
"""
_SELECT_FUNCTIONS: Final = "SELECT number FROM function WHERE ifnull(arn = ?, TRUE)"


class Reads:
    """Answers on any connection to the file."""

    def __init__(self, damage: Damage) -> None:
        """Note in ``damage`` what cannot be read."""
        self._damage = damage

    def high_ms(self, connection: sqlite3.Connection) -> int:
        """Return the highest instant ever stored."""
        return connection.execute(_SELECT_HIGH).fetchone()[0] or 0

    def load(self, connection: sqlite3.Connection, execution_id: str) -> Execution | None:
        """Return an execution with all its operations.

        Raises:
            CorruptRowError: one of its rows cannot be read.
        """
        key = execution_key(execution_id)
        with _snapshot(connection):
            row = connection.execute(_SELECT_EXECUTION, (key,)).fetchone()
            if row is None:
                return None
            number, *row = row
            first = number << OPERATION_BITS
            last = first + (1 << OPERATION_BITS) - 1
            operations = connection.execute(_SELECT_OPERATIONS, (first, last)).fetchall()
        with self._noting(execution_id):
            return Execution.of(
                *_read_execution(row),
                [read_operation(key, place - first, rest) for place, *rest in operations],
            )

    def find(self, connection: sqlite3.Connection, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any."""
        row = connection.execute(_SELECT_ID_BY_NAME, (function_arn, pack(name))).fetchone()
        return row[0].hex() if row else None

    def upcoming(
        self, connection: sqlite3.Connection, agenda: Agenda, before_ms: int, limit: int
    ) -> list[Due]:
        """Return the executions due before an instant, the earliest first."""
        rows = connection.execute(_SELECT_UPCOMING[agenda], (before_ms, limit))
        return [Due(at_ms, key.hex()) for at_ms, key in rows]

    def letters(self, connection: sqlite3.Connection, after_id: str, limit: int) -> list[Letter]:
        """Return letters by id; those that cannot be read are left out."""
        letters: list[Letter] = []
        if limit <= 0:
            return letters
        for row in connection.execute(_SELECT_LETTERS, (after_id,)):
            try:
                letters.append(read_letter(row))
            except CorruptRowError as error:
                self._damage.note(f"letter {row[0]!r}", error)
            if len(letters) == limit:
                break
        return letters

    def events(self, connection: sqlite3.Connection, query: EventQuery) -> list[Event]:
        """Return a page of history.

        Raises:
            CorruptRowError: one of its rows cannot be read.
        """
        key = execution_key(query.execution_id)
        with _snapshot(connection):
            row = connection.execute(_SELECT_NUMBER, (key,)).fetchone()
            if row is None or query.limit <= 0:
                return []
            with self._noting(query.execution_id):
                events = _page_of_events(connection, row[0] << EVENT_BITS, key, query)
            ids = _operation_ids(connection, row[0] << OPERATION_BITS, [p for _, p in events])
        return [
            event._replace(operation_id=operation_id_of(ids[position], query.execution_id))
            if position in ids
            else event
            for event, position in events
        ]

    def page(
        self, connection: sqlite3.Connection, query: ExecutionQuery
    ) -> list[tuple[Identity, Progress]]:
        """Return a page of durable executions; those that cannot be read are left out."""
        found: list[tuple[Identity, Progress]] = []
        if query.limit <= 0:
            return found
        with _snapshot(connection):
            parts = [_part(connection, query, *source) for source in _sources(connection, query)]
            is_one = len(parts) == 1
            merged = heapq.merge(*parts, key=_place, reverse=query.newest_first)
            for row in parts[0] if is_one else merged:
                try:
                    found.append(_read_execution(row))
                except CorruptRowError as error:
                    self._damage.note(f"execution {_hex(row[0])}", error)
                if len(found) == query.limit:
                    break
        return found

    def tally(self, connection: sqlite3.Connection, limit: int) -> list[Tally]:
        """Return how many of the newest durable executions have which status, by function; a status
        that cannot be read is left out.
        """
        return [
            Tally(arn, ExecutionStatus(status), count)
            for arn, status, count in connection.execute(_TALLY, (limit,))
            if status in ExecutionStatus.__members__
        ]

    def record(self, connection: sqlite3.Connection, collection: str, key: str) -> Record | None:
        """Return one record.

        Raises:
            CorruptRowError: it cannot be read.
        """
        row = connection.execute(_SELECT_RECORD, (collection, key)).fetchone()
        return None if row is None else self._record(collection, row)

    def records(
        self, connection: sqlite3.Connection, collection: str, prefix: str, after: str, limit: int
    ) -> list[Record]:
        """Return records by key.

        Raises:
            CorruptRowError: one of them cannot be read.
        """
        bound = (collection, after, len(prefix), prefix, limit)
        return [self._record(collection, row) for row in connection.execute(_LIST_RECORDS, bound)]

    def _record(self, collection: str, row: tuple[Any, ...]) -> Record:
        try:
            return read_record(collection, row)
        except CorruptRowError as error:
            self._damage.note(f"record {collection}/{row[0]}", error)
            raise

    @contextmanager
    def _noting(self, execution_id: str) -> Generator[None]:
        try:
            yield
        except CorruptRowError as error:
            self._damage.note(f"execution {execution_id}", error)
            raise


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _read_execution(row: Sequence[Any]) -> tuple[Identity, Progress]:
    key, digest, body, spare, *rest = row
    if not isinstance(key, bytes) or not isinstance(body, bytes) or not isinstance(spare, bytes):
        raise CorruptRowError("its row names nothing that is there")
    pin = read_pin(digest, body, spare)
    return read_identity(key, pin, rest[:4]), read_progress(key, rest[4:])


def _page_of_events(
    connection: sqlite3.Connection, base: int, key: bytes, query: EventQuery
) -> list[tuple[Event, int | None]]:
    newest_first, after_id = query.newest_first, query.after_id
    last = base + (1 << EVENT_BITS) - 1
    if newest_first:
        sql, last = _SELECT_EVENTS_BACKWARD, base + after_id - 1 if after_id else last
    else:
        sql = _SELECT_EVENTS
    bound = {"lowest": base + 1, "first": base + after_id + 1, "last": last}
    found: list[tuple[Event, int | None]] = []
    for number, body, checksum in connection.execute(sql, bound):
        events = read_events(key, number - base, body, checksum)
        for event in reversed(events) if newest_first else events:
            is_asked_for = event[0].id <= last - base if newest_first else event[0].id > after_id
            if is_asked_for:
                found.append(event)
            if len(found) == query.limit:
                return found
    return found


def _operation_ids(
    connection: sqlite3.Connection, first: int, positions: Sequence[int | None]
) -> dict[int | None, str | bytes]:
    wanted = sorted({position for position in positions if position is not None})
    rows = connection.execute(_SELECT_OPERATION_IDS, (first, str(wanted)))
    return {number - first: kept_id for number, kept_id in rows}


def _sources(
    connection: sqlite3.Connection, query: ExecutionQuery
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield conditions that an index keeps in the order of a list: each is a part of the list."""
    if query.name is None:
        for (pin,) in connection.execute(_SELECT_PINS, (query.function_arn, query.version)):
            yield "execution.pin = ?", (pin,)
        return
    for (function,) in connection.execute(_SELECT_FUNCTIONS, (query.function_arn,)):
        bound = (function, pack(query.name), query.version)
        yield "execution.function = ? AND name = ? AND ifnull(pin.version = ?, TRUE)", bound


def _part(
    connection: sqlite3.Connection,
    query: ExecutionQuery,
    condition: str,
    values: tuple[object, ...],
) -> Iterator[tuple[Any, ...]]:
    where, bounds = [condition], list(values)

    def bound(condition: str, *more: object) -> None:
        where.append(condition)
        bounds.extend(more)

    if query.statuses is not None:
        bound(f"status IN ({', '.join('?' * len(query.statuses))})", *sorted(query.statuses))
    if query.started_after_ms is not None:
        bound("started_at_ms > ?", query.started_after_ms)
    if query.started_before_ms is not None:
        bound("started_at_ms < ?", query.started_before_ms)
    if query.after is not None:
        sign = "<" if query.newest_first else ">"
        key = execution_key(query.after[1])
        bound(f"(started_at_ms, execution.id) {sign} (?, ?)", query.after[0], key)
    order = "DESC" if query.newest_first else "ASC"
    return connection.execute(
        f"SELECT {_COLUMNS} FROM execution LEFT JOIN pin ON pin.number = execution.pin"  # noqa: S608 - bound above
        f" WHERE {' AND '.join(where)} ORDER BY started_at_ms {order}, execution.id {order}",
        bounds,
    )


def _place(row: tuple[Any, ...]) -> tuple[int, bytes]:
    return row[5], row[0]


def _hex(key: object) -> str:
    return key.hex() if isinstance(key, bytes) else repr(key)
