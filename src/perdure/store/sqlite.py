"""The store in one SQLite file: the embedded default.

Write-ahead log, full synchronisation, one writer thread with group commit, a few readers beside it.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.protocol.words import EventType
from perdure.store.change import Change, Letter
from perdure.store.protocol import (
    Agenda,
    CommitResult,
    CorruptRowError,
    Due,
    EventQuery,
    ExecutionQuery,
)
from perdure.store.records import Record, RecordWrite
from perdure.store.rows import (
    checksum,
    decode_event_details,
    decode_identity,
    decode_message,
    decode_operation,
    decode_progress,
    execution_key,
    name_key,
    rows_of,
)
from perdure.store.sqlite_commits import Discard, EraseSome, WriteRecords
from perdure.store.sqlite_schema import (
    EVENT_BITS,
    OPERATION_BITS,
    StoreOpenError,
    connect,
    lock,
    migrate,
)
from perdure.store.sqlite_writer import ProcessWriter, ThreadWriter, Writer

__all__ = ["SqliteStore"]

T = TypeVar("T")
_READERS: Final = 2

_SELECT_EXECUTION: Final = """
SELECT number, identity, identity_checksum, progress, checksum FROM execution WHERE id = ?
"""
_SELECT_OPERATIONS: Final = """
SELECT body, payload, input, checksum FROM operation WHERE number BETWEEN ? AND ? ORDER BY number
"""
_SELECT_ID_BY_NAME: Final = "SELECT id FROM execution WHERE name_key = ?"
_SELECT_UPCOMING: Final = {
    agenda: f"SELECT {agenda.value}, id FROM execution WHERE {agenda.value} < ?"  # noqa: S608 - an enum
    f" ORDER BY {agenda.value} LIMIT ?"
    for agenda in Agenda
}
_SELECT_LETTERS: Final = """
SELECT id, sender, sent_at_ms, kind, body, checksum FROM letter WHERE id > ? ORDER BY id LIMIT ?
"""
_SELECT_EVENTS: Final = """
SELECT event.number, type, at_ms, operation.id, details, event.checksum
FROM event LEFT JOIN operation ON operation.number = ? + event.operation
WHERE event.number BETWEEN ? AND ? ORDER BY event.number LIMIT ?
"""
_SELECT_EVENTS_BACKWARD: Final = _SELECT_EVENTS.replace(
    "ORDER BY event.number", "ORDER BY event.number DESC"
)
_SELECT_HIGH: Final = "SELECT max(updated_at_ms) FROM execution"
_SELECT_RECORD: Final = """
SELECT revision, body, checksum FROM record WHERE collection = ? AND key = ?
"""
_LIST_RECORDS: Final = """
SELECT key, revision, body, checksum FROM record
WHERE collection = ? AND key > ? AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?
"""


class SqliteStore:
    """Keeps everything in the file at ``path``; no other process can have it open."""

    is_exclusive = True

    def __init__(
        self,
        path: Path,
        *,
        has_writer_process: bool = False,
        on_unknown: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """Name the file; ``on_unknown`` is called when the store must not be used any more (D4).

        ``has_writer_process``: commit in a process beside this one. More throughput, a slower
        start.
        """
        self._path = path
        self._has_writer_process = has_writer_process
        self._on_unknown = on_unknown
        self._readers: list[sqlite3.Connection] = []

    async def open(self) -> int:
        """Open or create the file.

        Raises:
            StoreOpenError: the file is in use, not ours, too new, or cannot be made durable.
        """
        self._lock = await asyncio.to_thread(lock, self._path)
        try:
            connection = await asyncio.to_thread(self._open_file)
        except BaseException:
            os.close(self._lock)
            raise
        high_ms: int | None = connection.execute(_SELECT_HIGH).fetchone()[0]
        self._connection = connection
        self._writer = await self._start_writer(connection)
        self._readers = [connect(self._path, is_writer=False) for _ in range(_READERS)]
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="perdure-reader")
        return high_ms or 0

    async def aclose(self) -> None:
        """Commit what was submitted, and close the file."""
        await self._writer.aclose()
        self._pool.shutdown()
        for connection in (*self._readers, self._connection):
            connection.close()
        os.close(self._lock)

    async def _start_writer(self, connection: sqlite3.Connection) -> Writer:
        if self._has_writer_process:
            return await ProcessWriter.start(self._path, self._lock, on_unknown=self._on_unknown)
        return ThreadWriter(connection, on_unknown=self._on_unknown)

    async def commit(self, change: Change) -> CommitResult:
        """Make a change durable, in one transaction with whatever else is waiting."""
        return await self._writer.submit(rows_of(change))

    async def load(self, execution_id: str) -> Execution | None:
        """Return an execution with all its operations."""
        return await self._read(lambda connection: _load(connection, execution_id))

    async def find(self, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any."""
        key = name_key(function_arn, name)
        row = await self._read(lambda c: c.execute(_SELECT_ID_BY_NAME, (key,)).fetchone())
        return row[0].hex() if row else None

    async def upcoming(self, agenda: Agenda, *, before_ms: int, limit: int) -> Sequence[Due]:
        """Return the executions due before an instant, the earliest first."""
        sql = _SELECT_UPCOMING[agenda]
        rows = await self._read(lambda c: c.execute(sql, (before_ms, limit)).fetchall())
        return [Due(at_ms, key.hex()) for at_ms, key in rows]

    async def letters(self, *, limit: int, after_id: str = "") -> Sequence[Letter]:
        """Return letters not yet delivered, by id."""
        rows = await self._read(lambda c: c.execute(_SELECT_LETTERS, (after_id, limit)).fetchall())
        letters: list[Letter] = []
        for letter_id, sender, sent_at_ms, kind, body, expected in rows:
            if checksum(body) != expected:
                raise CorruptRowError(f"letter {letter_id} does not have its checksum")
            letters.append(Letter(letter_id, sender.hex(), sent_at_ms, decode_message(kind, body)))
        return letters

    async def discard(self, letter_ids: Sequence[str]) -> None:
        """Remove letters that nobody can receive."""
        await self._writer.submit(Discard(list(letter_ids)))

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Return a page of history."""
        return await self._read(lambda connection: _events(connection, query))

    async def list(self, query: ExecutionQuery) -> Sequence[tuple[Identity, Progress]]:
        """Return a page of durable executions, without their operations."""
        return await self._read(lambda connection: _list(connection, query))

    async def erase(self, execution_id: str) -> None:
        """Remove every row of a DELETING execution, a few thousand a transaction."""
        while not await self._writer.submit(EraseSome(execution_key(execution_id))):
            continue

    async def read_record(self, collection: str, key: str) -> Record | None:
        """Return one record."""
        row = await self._read(lambda c: c.execute(_SELECT_RECORD, (collection, key)).fetchone())
        return None if row is None else _record(collection, key, *row)

    async def list_records(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Sequence[Record]:
        """Return records by key."""
        bound = (collection, after, len(prefix), prefix, limit)
        rows = await self._read(lambda c: c.execute(_LIST_RECORDS, bound).fetchall())
        return [_record(collection, *row) for row in rows]

    async def write_records(self, writes: Sequence[RecordWrite]) -> None:
        """Write records, all or none, durably."""
        await self._writer.submit(WriteRecords(list(writes)))

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, query)

    def _run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._readers.pop()
        try:
            return query(connection)
        finally:
            self._readers.append(connection)

    def _open_file(self) -> sqlite3.Connection:
        before = os.umask(0o077)
        try:
            connection = connect(self._path, is_writer=True)
            migrate(connection)
        except sqlite3.DatabaseError as error:
            raise StoreOpenError(f"{self._path} cannot be opened: {error}") from error
        finally:
            os.umask(before)
        return connection


def _load(connection: sqlite3.Connection, execution_id: str) -> Execution | None:
    connection.execute("BEGIN")
    try:
        row = connection.execute(_SELECT_EXECUTION, (execution_key(execution_id),)).fetchone()
        if row is None:
            return None
        number, identity, identity_checksum, progress, expected = row
        first = number << OPERATION_BITS
        rows = connection.execute(
            _SELECT_OPERATIONS, (first, first + (1 << OPERATION_BITS) - 1)
        ).fetchall()
    finally:
        connection.execute("COMMIT")
    return Execution.of(
        decode_identity(identity, identity_checksum),
        decode_progress(progress, expected),
        [decode_operation(*operation) for operation in rows],
    )


def _events(connection: sqlite3.Connection, query: EventQuery) -> list[Event]:
    row = connection.execute(_SELECT_EXECUTION, (execution_key(query.execution_id),)).fetchone()
    if row is None:
        return []
    base = row[0] << EVENT_BITS
    last = base + (1 << EVENT_BITS) - 1
    if query.newest_first:
        sql, low = _SELECT_EVENTS_BACKWARD, base + 1
        high = last if query.after_id == 0 else base + query.after_id - 1
    else:
        sql, low, high = _SELECT_EVENTS, base + query.after_id + 1, last
    rows = connection.execute(sql, (row[0] << OPERATION_BITS, low, high, query.limit))
    return [
        Event(
            number - base,
            EventType(kind),
            at_ms,
            operation,
            decode_event_details(details, expected),
        )
        for number, kind, at_ms, operation, details, expected in rows
    ]


def _list(connection: sqlite3.Connection, query: ExecutionQuery) -> list[tuple[Identity, Progress]]:
    where, values = ["function_arn IS NOT NULL"], list[Any]()

    def bound(condition: str, *bounds: object) -> None:
        where.append(condition)
        values.extend(bounds)

    if query.function_arn is not None:
        bound("function_arn = ?", query.function_arn)
    if query.version is not None:
        bound("CAST(identity AS TEXT) ->> '$.version' = ?", query.version)
    if query.name is not None:
        bound("CAST(identity AS TEXT) ->> '$.name' = ?", query.name)
    if query.statuses is not None:
        bound(f"status IN ({', '.join('?' * len(query.statuses))})", *sorted(query.statuses))
    if query.started_after_ms is not None:
        bound("started_at_ms > ?", query.started_after_ms)
    if query.started_before_ms is not None:
        bound("started_at_ms < ?", query.started_before_ms)
    if query.after is not None:
        sign = "<" if query.newest_first else ">"
        bound(f"(started_at_ms, id) {sign} (?, ?)", query.after[0], execution_key(query.after[1]))
    order = "DESC" if query.newest_first else "ASC"
    sql = (
        "SELECT identity, identity_checksum, progress, checksum FROM execution WHERE "  # noqa: S608 - bound above
        f"{' AND '.join(where)} ORDER BY started_at_ms {order}, id {order} LIMIT ?"
    )
    return [
        (decode_identity(identity, identity_checksum), decode_progress(progress, expected))
        for identity, identity_checksum, progress, expected in connection.execute(
            sql, (*values, query.limit)
        )
    ]


def _record(collection: str, key: str, revision: int, body: bytes, expected: int) -> Record:
    if checksum(body) != expected:
        raise CorruptRowError(f"record {collection}/{key} does not have its checksum")
    return Record(collection=collection, key=key, revision=revision, body=body)
