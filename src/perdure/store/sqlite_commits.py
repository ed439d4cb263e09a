"""What a SQLite store writes, group by group: one transaction, one fsync, an answer for each piece
of work.

It runs wherever the writer runs: on a thread of the server, or in a process beside it.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from perdure.store.protocol import CommitResult, StoreFullError, StoreUnknownError
from perdure.store.records import RecordConflictError, RecordWrite
from perdure.store.rows import ChangeRows, checksum
from perdure.store.sqlite_schema import EVENT_BITS, OPERATION_BITS

__all__ = ["Answer", "Commits", "Discard", "EraseSome", "Work", "WriteRecords"]

_NUMBERS_MAX: Final = 20_000
_ERASE_ROWS_MAX: Final = 2_000

_INSERT_EXECUTION: Final = """
INSERT INTO execution (number, id, name_key, function_arn, started_at_ms, identity,
    identity_checksum, status, version, updated_at_ms, wake_at_ms, ready_at_ms, lease_until_ms,
    expires_at_ms, progress, checksum)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_EXECUTION: Final = """
UPDATE execution SET status = ?, version = ?, updated_at_ms = ?, wake_at_ms = ?, ready_at_ms = ?,
    lease_until_ms = ?, expires_at_ms = ?, progress = ?, checksum = ?
WHERE number = ? AND version = ?
"""
_PUT_OPERATION: Final = """
INSERT INTO operation (number, id, body, payload, input, checksum) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET body = excluded.body, payload = excluded.payload,
    input = excluded.input, checksum = excluded.checksum
"""
_INSERT_EVENT: Final = """
INSERT INTO event (number, type, at_ms, operation, details, checksum) VALUES (?, ?, ?, ?, ?, ?)
"""
_INSERT_LETTER: Final = """
INSERT INTO letter (id, sender, sent_at_ms, kind, body, checksum) VALUES (?, ?, ?, ?, ?, ?)
"""
_DELETE_LETTER: Final = "DELETE FROM letter WHERE id = ?"
_FREE_NAME: Final = "UPDATE execution SET name_key = NULL WHERE number = ?"
_SELECT_NUMBER: Final = "SELECT number FROM execution WHERE id = ?"
_SELECT_LAST_NUMBER: Final = "SELECT max(number) FROM execution"
_SELECT_DELETING: Final = "SELECT number FROM execution WHERE id = ? AND status = 'DELETING'"
_DELETE_OPERATIONS: Final = """
DELETE FROM operation WHERE number IN
    (SELECT number FROM operation WHERE number BETWEEN ? AND ? LIMIT ?)
"""
_DELETE_EVENTS: Final = """
DELETE FROM event WHERE number IN (SELECT number FROM event WHERE number BETWEEN ? AND ? LIMIT ?)
"""
_DELETE_EXECUTION: Final = "DELETE FROM execution WHERE number = ?"
_SELECT_REVISION: Final = "SELECT revision FROM record WHERE collection = ? AND key = ?"
_PUT_RECORD: Final = """
INSERT INTO record (collection, key, revision, body, checksum) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (collection, key) DO UPDATE SET revision = excluded.revision, body = excluded.body,
    checksum = excluded.checksum
"""
_DELETE_RECORD: Final = "DELETE FROM record WHERE collection = ? AND key = ?"


class Discard(NamedTuple):
    """Remove letters."""

    letter_ids: list[str]


class EraseSome(NamedTuple):
    """Remove some rows of a DELETING execution; answered True when none is left."""

    key: bytes


class WriteRecords(NamedTuple):
    """Write records, all or none."""

    writes: list[RecordWrite]


Work = ChangeRows | Discard | EraseSome | WriteRecords
Answer = CommitResult | bool | None | Exception


class Commits:
    """Commits groups of work on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Write through ``connection``."""
        self._connection = connection
        self._numbers: OrderedDict[bytes, int] = OrderedDict()
        self._failure: StoreUnknownError | None = None
        self._next_number = self._read_next_number()

    def commit(self, group: Sequence[Work]) -> list[Answer]:
        """Do all of it in one transaction; return an answer for each, after the commit.

        If the disk is full, nothing was written. After any other error nobody can tell, and this
        store must not be used any more (D4): nothing is written after it.
        """
        if self._failure is not None:
            return [self._failure] * len(group)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = [self._do(work) for work in group]
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the writer must answer, whatever it was
            return [self._fault(error)] * len(group)
        return answers

    def _fault(self, error: Exception) -> Exception:
        self._numbers.clear()
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
            self._failure = StoreUnknownError(f"the outcome of a commit is unknown: {error}")
            return self._failure
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._next_number = self._read_next_number()
        return StoreFullError("the disk is full; nothing was written")

    def _read_next_number(self) -> int:
        return (self._connection.execute(_SELECT_LAST_NUMBER).fetchone()[0] or 0) + 1

    def _do(self, work: Work) -> Answer:
        match work:
            case ChangeRows():
                return self._change(work)
            case WriteRecords():
                return self._write_records(work.writes)
            case EraseSome():
                return self._erase_some(work.key)
            case Discard():
                ids = [(letter_id,) for letter_id in work.letter_ids]
                self._connection.executemany(_DELETE_LETTER, ids)
                return None

    def _change(self, rows: ChangeRows) -> CommitResult:
        number = self._update(rows) if rows.identity is None else self._insert(rows)
        if number is None:
            return CommitResult.CONFLICT
        execute = self._connection.execute
        first_operation, first_event = number << OPERATION_BITS, number << EVENT_BITS
        for position, *operation in rows.operations:
            execute(_PUT_OPERATION, (first_operation | position, *operation))
        for event_id, *event in rows.events:
            execute(_INSERT_EVENT, (first_event | event_id, *event))
        for letter in rows.letters:
            execute(_INSERT_LETTER, letter)
        for letter_id in rows.delivered:
            execute(_DELETE_LETTER, (letter_id,))
        return CommitResult.COMMITTED

    def _insert(self, rows: ChangeRows) -> int | None:
        number = self._next_number
        given = (rows.key, rows.name_key, rows.function_arn, rows.started_at_ms, rows.identity)
        try:
            self._connection.execute(
                _INSERT_EXECUTION, (number, *given, rows.identity_checksum, *rows.progress)
            )
        except sqlite3.IntegrityError:
            return None
        self._next_number = number + 1
        self._remember(rows.key, number)
        return number

    def _update(self, rows: ChangeRows) -> int | None:
        number = self._numbers.get(rows.key)
        if number is None:
            row = self._connection.execute(_SELECT_NUMBER, (rows.key,)).fetchone()
            if row is None:
                return None
            number = row[0]
            self._remember(rows.key, number)
        updated = self._connection.execute(
            _UPDATE_EXECUTION, (*rows.progress, number, rows.expected_version)
        )
        if updated.rowcount != 1:
            self._numbers.pop(rows.key, None)
            return None
        if rows.frees_name:
            self._connection.execute(_FREE_NAME, (number,))
        return number

    def _remember(self, key: bytes, number: int) -> None:
        self._numbers[key] = number
        if len(self._numbers) > _NUMBERS_MAX:
            self._numbers.popitem(last=False)

    def _erase_some(self, key: bytes) -> bool:
        row = self._connection.execute(_SELECT_DELETING, (key,)).fetchone()
        if row is None:
            return True
        number, removed = row[0], 0
        for sql, bits in ((_DELETE_OPERATIONS, OPERATION_BITS), (_DELETE_EVENTS, EVENT_BITS)):
            low = number << bits
            bound = (low, low + (1 << bits) - 1, _ERASE_ROWS_MAX)
            removed += self._connection.execute(sql, bound).rowcount
        if removed:
            return False
        self._connection.execute(_DELETE_EXECUTION, (number,))
        self._numbers.pop(key, None)
        return True

    def _write_records(self, writes: Sequence[RecordWrite]) -> Answer:
        revisions: list[int] = []
        for write in writes:
            place = (write.collection, write.key)
            row = self._connection.execute(_SELECT_REVISION, place).fetchone()
            revision = row[0] if row else 0
            if write.expected_revision not in (None, revision):
                return RecordConflictError(f"{write.collection}/{write.key} is at {revision}")
            revisions.append(revision)
        for write, revision in zip(writes, revisions, strict=True):
            place = (write.collection, write.key)
            if write.body is None:
                self._connection.execute(_DELETE_RECORD, place)
            else:
                row = (*place, revision + 1, write.body, checksum(write.body))
                self._connection.execute(_PUT_RECORD, row)
        return None
