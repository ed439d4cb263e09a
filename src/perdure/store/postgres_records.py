"""Records, letters to be removed, executions to be erased, and the highest instant: each a
transaction of its own.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from perdure.store.damage import Damage
from perdure.store.postgres_connections import Connection
from perdure.store.postgres_functions import ERASE_SOME
from perdure.store.protocol import CorruptRowError
from perdure.store.records import Record, RecordConflictError, RecordWrite
from perdure.store.rows import read_record, record_checksum

__all__ = ["Records", "discard", "erase_some", "high_instant", "write_records"]

_asyncpg: Final[Any] = asyncpg
_ERASE_ROWS_MAX: Final = 2_000

_SELECT: Final = """
SELECT key, revision, body, checksum FROM perdure.record WHERE collection = $1 AND key = $2
"""
_LIST: Final = """
SELECT key, revision, body, checksum FROM perdure.record
WHERE collection = $1 AND key > $2 AND key >= $3 AND starts_with(key, $3) ORDER BY key LIMIT $4
"""
_LOCK: Final = """
SELECT collection, key, revision FROM perdure.record
WHERE (collection, key) IN (SELECT * FROM unnest($1::TEXT[], $2::TEXT[]))
ORDER BY collection, key FOR UPDATE
"""
_INSERT: Final = """
INSERT INTO perdure.record (collection, key, revision, body, checksum) VALUES ($1, $2, $3, $4, $5)
"""
_UPDATE: Final = """
UPDATE perdure.record SET revision = $3, body = $4, checksum = $5
WHERE collection = $1 AND key = $2
"""
_DELETE: Final = "DELETE FROM perdure.record WHERE collection = $1 AND key = $2"
_DISCARD: Final = "DELETE FROM perdure.letter WHERE id = ANY ($1::TEXT[])"
_SELECT_HIGH: Final = "SELECT coalesce(max(high_ms), 0), count(*) FROM perdure.instant"
_SLOTS_MAX: Final = 1_000
#: Connections come and go; what those that are gone have left is kept in one row.
_FOLD: Final = """
WITH gone AS (
    DELETE FROM perdure.instant WHERE slot NOT IN (SELECT pid FROM pg_stat_activity) AND slot <> 0
    RETURNING high_ms
)
INSERT INTO perdure.instant AS i SELECT 0, max(high_ms) FROM gone HAVING max(high_ms) IS NOT NULL
ON CONFLICT (slot) DO UPDATE SET high_ms = greatest(i.high_ms, excluded.high_ms)
"""


class Records:
    """Reads and writes records over any connection."""

    def __init__(self, damage: Damage) -> None:
        """Note in ``damage`` what cannot be read."""
        self._damage = damage

    async def read(self, connection: Connection, collection: str, key: str) -> Record | None:
        """Return one record.

        Raises:
            CorruptRowError: it cannot be read.
        """
        row = await connection.fetchrow(_SELECT, collection, key)
        return None if row is None else self._record(collection, row)

    async def page(
        self, connection: Connection, collection: str, prefix: str, after: str, limit: int
    ) -> list[Record]:
        """Return records by key.

        Raises:
            CorruptRowError: one of them cannot be read.
        """
        rows = await connection.fetch(_LIST, collection, after, prefix, limit)
        return [self._record(collection, row) for row in rows]

    def _record(self, collection: str, row: Any) -> Record:
        try:
            return read_record(collection, tuple(row))
        except CorruptRowError as error:
            self._damage.note(f"record {collection}/{row[0]}", error)
            raise


async def write_records(connection: Connection, writes: Sequence[RecordWrite]) -> None:
    """Write records in one transaction.

    Raises:
        RecordConflictError: one of them was written by somebody else.
    """
    try:
        async with connection.transaction():
            await _write(connection, writes)
    except _asyncpg.UniqueViolationError as error:
        # Somebody put one where there was none, and was quicker: whoever cares reads it again.
        raise _asyncpg.SerializationError(str(error)) from error


async def _write(connection: Connection, writes: Sequence[RecordWrite]) -> None:
    places = [(write.collection, write.key) for write in writes]
    locked = await connection.fetch(_LOCK, [c for c, _ in places], [k for _, k in places])
    revisions: dict[tuple[str, str], int] = {(c, k): revision for c, k, revision in locked}
    for write, place in zip(writes, places, strict=True):
        revision = revisions.get(place, 0)
        if write.expected_revision not in (None, revision):
            raise RecordConflictError(f"{write.collection}/{write.key} is at {revision}")
    for write, place in zip(writes, places, strict=True):
        revision = revisions.get(place, 0)
        if write.body is None:
            await connection.execute(_DELETE, *place)
            revisions.pop(place, None)
        else:
            checksum = record_checksum(*place, revision + 1, write.body)
            sql = _UPDATE if revision else _INSERT
            await connection.execute(sql, *place, revision + 1, write.body, checksum)
            revisions[place] = revision + 1


async def discard(connection: Connection, letter_ids: Sequence[str]) -> None:
    """Remove letters."""
    await connection.execute(_DISCARD, sorted(letter_ids))


async def erase_some(connection: Connection, key: bytes) -> bool:
    """Remove some rows of an execution that is being deleted; return whether none is left."""
    return await connection.fetchval(ERASE_SOME, key, _ERASE_ROWS_MAX)


async def high_instant(connection: Connection) -> int:
    """Return the highest instant that was ever committed (T5)."""
    high_ms, count = await connection.fetchrow(_SELECT_HIGH)
    if count > _SLOTS_MAX:
        async with connection.transaction():
            await connection.execute(_FOLD)
    return high_ms
