"""What is read of a PostgreSQL database: queries, and rows made into values again.

Each answer comes from one statement, so from one instant. Where many are asked for, one that cannot
be read is left out and noted; where one is asked for, it is an error (D6).
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Letter
from perdure.store.codes import pack
from perdure.store.damage import Damage
from perdure.store.postgres_connections import Connection
from perdure.store.postgres_functions import (
    CLAIM_LETTERS,
    CLAIM_UPCOMING,
    EXECUTION_COLUMNS,
    READ_EXECUTION,
)
from perdure.store.postgres_rows import function_key, name_checksum, pack_text, unpack_text
from perdure.store.protocol import (
    Agenda,
    Claim,
    CorruptRowError,
    Due,
    EventQuery,
    ExecutionQuery,
    Tally,
)
from perdure.store.rows import (
    execution_key,
    operation_id_of,
    read_events,
    read_identity,
    read_letter,
    read_operation,
    read_pin,
    read_progress,
)

__all__ = ["SELECT_UPCOMING", "Reads"]

_COLUMN_COUNT: Final = EXECUTION_COLUMNS.count(",") + 1
_SELECT_BY_NAME: Final = """
SELECT execution, checksum FROM perdure.name WHERE function = $1 AND name = $2 AND holder = ''
"""
SELECT_UPCOMING: Final = {
    agenda: f"SELECT {agenda.value}, id FROM perdure.execution WHERE {agenda.value} < $1"  # noqa: S608 - an enum
    f" ORDER BY {agenda.value}, id LIMIT $2"
    for agenda in Agenda
}
_LETTER: Final = "id, sender, sent_at_ms, kind, body, checksum"
_SELECT_LETTERS: Final = f"SELECT {_LETTER} FROM perdure.letter WHERE id > $1 ORDER BY id LIMIT $2"  # noqa: S608 - a constant
#: From the row on that has the first event in it; rows are named by the first of theirs.
_SELECT_EVENTS: Final = """
SELECT first_id, body, checksum FROM perdure.event
WHERE execution = $1 AND first_id >= coalesce(
    (SELECT max(first_id) FROM perdure.event WHERE execution = $1 AND first_id <= $2), 0)
ORDER BY first_id LIMIT $3
"""
_SELECT_EVENTS_BACKWARD: Final = """
SELECT first_id, body, checksum FROM perdure.event WHERE execution = $1 AND first_id <= $2
ORDER BY first_id DESC LIMIT $3
"""
_SELECT_OPERATION_IDS: Final = """
SELECT position, id FROM perdure.operation WHERE execution = $1 AND position = ANY ($2)
"""
_SELECT_PINS: Final = """
SELECT digest FROM perdure.pin
WHERE is_durable AND ($1::TEXT IS NULL OR function_arn = $1) AND ($2::TEXT IS NULL OR version = $2)
"""
_TALLY: Final = """
SELECT function_arn, status, count(*) FROM (
    SELECT p.function_arn, e.status FROM perdure.pin p CROSS JOIN LATERAL (
        SELECT status, started_at_ms, id FROM perdure.execution WHERE pin = p.digest
        ORDER BY started_at_ms DESC, id DESC LIMIT $1
    ) e WHERE p.is_durable ORDER BY e.started_at_ms DESC, e.id DESC LIMIT $1
) newest GROUP BY function_arn, status
"""
_SELECT_FUNCTIONS: Final = "SELECT DISTINCT function FROM perdure.pin WHERE is_durable"
#: Those of one pin in order of their start, cut off where the page may end.
_FROM_PINS: Final = """
FROM unnest($1::BYTEA[]) AS wanted (digest) CROSS JOIN LATERAL (
    SELECT * FROM perdure.execution WHERE pin = wanted.digest AND {where}
    ORDER BY started_at_ms {order}, id {order} LIMIT {limit}
) e LEFT JOIN perdure.pin p ON p.digest = e.pin
"""
_FROM_NAMES: Final = """
FROM perdure.name n JOIN perdure.execution e ON e.id = n.execution
LEFT JOIN perdure.pin p ON p.digest = e.pin
WHERE n.name = $1 AND n.function = ANY ($2::BYTEA[]) AND ({version}::TEXT IS NULL
    OR p.version = {version}) AND {where}
"""
_ID_MAX: Final = (1 << 31) - 1


class Reads:
    """Answers over any connection."""

    def __init__(self, damage: Damage) -> None:
        """Note in ``damage`` what cannot be read."""
        self._damage = damage

    async def load(
        self, connection: Connection, execution_id: str, known: Execution | None
    ) -> Execution | None:
        """Return an execution with all its operations; of what is known only changes are read.

        Raises:
            CorruptRowError: one of its rows cannot be read.
        """
        key = execution_key(execution_id)
        version = -1 if known is None else known.progress.version
        sequence = -1 if known is None else known.progress.sequence
        row = await connection.fetchrow(READ_EXECUTION, key, version, sequence)
        if row is None:
            return None
        row = tuple(row)
        if known is not None and row[9] == version:
            return known
        with self._noting(execution_id):
            identity, progress = _read_execution(row)
            operations = _read_operations(key, row[_COLUMN_COUNT:])
            if known is None:
                return Execution.of(identity, progress, operations)
            if progress.version < version or identity != known.identity:
                # What is known never was, or is no more: a standby took over that was behind.
                return await self.load(connection, execution_id, None)
            changed = {operation.id: operation for operation in operations}
            return Execution.of(identity, progress, {**known.operations, **changed}.values())

    async def find(self, connection: Connection, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any.

        Raises:
            CorruptRowError: the row of the name cannot be read.
        """
        function, kept = function_key(function_arn), pack_text(pack(name) or "")
        row = await connection.fetchrow(_SELECT_BY_NAME, function, kept)
        if row is None:
            return None
        execution, checksum = row
        if checksum != name_checksum(function, kept, execution):
            error = CorruptRowError("a row does not have its checksum")
            self._damage.note(f"name {name!r} of {function_arn}", error)
            raise error
        return execution.hex()

    async def upcoming(
        self,
        connection: Connection,
        agenda: Agenda,
        before_ms: int,
        limit: int,
        claim: Claim | None,
    ) -> list[Due]:
        """Return the executions due before an instant, the earliest first, claimed if asked to."""
        if claim is None:
            rows = await connection.fetch(SELECT_UPCOMING[agenda], before_ms, limit)
        else:
            given = (before_ms, limit, claim.owner, claim.at_ms, claim.until_ms)
            rows = await connection.fetch(CLAIM_UPCOMING[agenda], *given)
        return [Due(at_ms, key.hex()) for at_ms, key in rows]

    async def letters(
        self, connection: Connection, after_id: str, limit: int, claim: Claim | None
    ) -> list[Letter]:
        """Return letters by id; those that cannot be read are left out."""
        letters: list[Letter] = []
        while limit > len(letters):
            wanted = limit - len(letters)
            if claim is None:
                rows = await connection.fetch(_SELECT_LETTERS, after_id, wanted)
            else:
                given = (after_id, wanted, claim.owner, claim.at_ms, claim.until_ms)
                rows = await connection.fetch(CLAIM_LETTERS, *given)
            for row in rows:
                try:
                    letters.append(read_letter(tuple(row)))
                except CorruptRowError as error:
                    self._damage.note(f"letter {row[0]!r}", error)
            if len(rows) < wanted:
                break
            after_id = rows[-1][0]
        return letters

    async def events(self, connection: Connection, query: EventQuery) -> list[Event]:
        """Return a page of history.

        Raises:
            CorruptRowError: one of its rows cannot be read.
        """
        if query.limit <= 0:
            return []
        key = execution_key(query.execution_id)
        newest_first, after_id = query.newest_first, query.after_id
        sql = _SELECT_EVENTS_BACKWARD if newest_first else _SELECT_EVENTS
        first = (after_id - 1 if after_id else _ID_MAX) if newest_first else after_id + 1
        rows = await connection.fetch(sql, key, min(first, _ID_MAX), query.limit + 1)
        with self._noting(query.execution_id):
            events = _page_of_events(rows, key, query, first)
            wanted = sorted({position for _, position in events if position is not None})
            kept = await connection.fetch(_SELECT_OPERATION_IDS, key, wanted) if wanted else ()
            ids: dict[int | None, str | bytes] = {p: unpack_text(i) for p, i in kept}
        return [
            event._replace(operation_id=operation_id_of(ids[position], query.execution_id))
            if position in ids
            else event
            for event, position in events
        ]

    async def page(
        self, connection: Connection, query: ExecutionQuery
    ) -> list[tuple[Identity, Progress]]:
        """Return a page of durable executions; those that cannot be read are left out."""
        found: list[tuple[Identity, Progress]] = []
        after = query.after
        while query.limit > len(found):
            wanted = query.limit - len(found)
            rows = await _page_of_rows(connection, query, after, wanted)
            for row in rows:
                try:
                    found.append(_read_execution(tuple(row)))
                except CorruptRowError as error:
                    self._damage.note(f"execution {row[0].hex()}", error)
            if len(rows) < wanted:
                break
            after = (rows[-1][5], rows[-1][0].hex())
        return found

    async def tally(self, connection: Connection, limit: int) -> list[Tally]:
        """Return how many of the newest durable executions have which status, by function; a status
        that cannot be read is left out.
        """
        return [
            Tally(arn, ExecutionStatus(status), count)
            for arn, status, count in await connection.fetch(_TALLY, limit)
            if status in ExecutionStatus.__members__
        ]

    @contextmanager
    def _noting(self, execution_id: str) -> Generator[None]:
        try:
            yield
        except CorruptRowError as error:
            self._damage.note(f"execution {execution_id}", error)
            raise


def _read_execution(row: Sequence[Any]) -> tuple[Identity, Progress]:
    key, digest, body, spare, name, *rest = row[:_COLUMN_COUNT]
    if digest is None:
        raise CorruptRowError("its row names nothing that is there")
    pin = read_pin(digest, body, spare)
    identity = read_identity(key, pin, (unpack_text(name), *rest[:3]))
    return identity, read_progress(key, rest[3:])


def _read_operations(key: bytes, columns: Sequence[Any]) -> list[Any]:
    if columns[0] is None:
        return []
    operations: list[Any] = []
    for position, sequence, kept_id, *rest in zip(*columns, strict=True):
        operation = read_operation(key, position, (unpack_text(kept_id), *rest))
        if operation.sequence != sequence:
            raise CorruptRowError(f"operation {operation.id} is not of sequence {sequence}")
        operations.append(operation)
    return operations


def _page_of_events(
    rows: Sequence[Any], key: bytes, query: EventQuery, first: int
) -> list[tuple[Event, int | None]]:
    found: list[tuple[Event, int | None]] = []
    newest_first = query.newest_first
    for first_id, body, checksum in rows:
        events = read_events(key, first_id, body, checksum)
        for event in reversed(events) if newest_first else events:
            if event[0].id <= first if newest_first else event[0].id >= first:
                found.append(event)
            if len(found) == query.limit:
                return found
    return found


async def _page_of_rows(
    connection: Connection, query: ExecutionQuery, after: tuple[int, str] | None, limit: int
) -> Sequence[Any]:
    """Return raw rows of a page: from each pin's own part of it, or by name."""
    values: list[object] = []

    def bound(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    order = "DESC" if query.newest_first else "ASC"
    if query.name is None:
        pins = await connection.fetch(_SELECT_PINS, query.function_arn, query.version)
        bound([digest for (digest,) in pins])
        where, size = _conditions(query, after, bound), bound(limit)
        source = _FROM_PINS.format(where=where, order=order, limit=size)
    else:
        bound(pack_text(pack(query.name) or ""))
        arn = query.function_arn
        bound(
            [function for (function,) in await connection.fetch(_SELECT_FUNCTIONS)]
            if arn is None
            else [function_key(arn)]
        )
        version = bound(query.version)
        where, size = _conditions(query, after, bound), bound(limit)
        source = _FROM_NAMES.format(version=version, where=where)
    return await connection.fetch(
        f"SELECT {EXECUTION_COLUMNS} {source}"
        f" ORDER BY e.started_at_ms {order}, e.id {order} LIMIT {size}",
        *values,
    )


def _conditions(query: ExecutionQuery, after: tuple[int, str] | None, bound: Any) -> str:
    where = ["true"]
    if query.statuses is not None:
        where.append(f"status = ANY ({bound(sorted(query.statuses))}::TEXT[])")
    if query.started_after_ms is not None:
        where.append(f"started_at_ms > {bound(query.started_after_ms)}")
    if query.started_before_ms is not None:
        where.append(f"started_at_ms < {bound(query.started_before_ms)}")
    if after is not None:
        sign = "<" if query.newest_first else ">"
        at_ms, key = bound(after[0]), bound(execution_key(after[1]))
        where.append(f"(started_at_ms, id) {sign} ({at_ms}, {key})")
    return " AND ".join(where)
