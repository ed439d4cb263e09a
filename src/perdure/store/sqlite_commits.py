"""What a SQLite store writes, group by group: one transaction, one fsync, an answer for each piece
of work.

It runs wherever the writer runs: on a thread of the server, or in a process beside it.
"""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from perdure.store.protocol import CommitResult, StoreFullError, StoreUnknownError
from perdure.store.records import RecordConflictError, RecordWrite
from perdure.store.rows import ChangeRows, FirstRows, Pin, record_checksum
from perdure.store.sqlite_schema import EVENT_BITS, OPERATION_BITS

__all__ = ["Answer", "Commits", "Discard", "EraseSome", "Forget", "Work", "WriteRecords"]

_KNOWN_MAX: Final = 4_096  #: executions of which it is known where they lie, and what is indexed
_PINS_MAX: Final = 1_024
_ERASE_ROWS_MAX: Final = 2_000

_INSERT_EXECUTION: Final = """
INSERT INTO execution (number, id, pin, function, name, holder, started_at_ms, identity,
    identity_checksum, status, version, updated_at_ms, progress, checksum, wake_at_ms, ready_at_ms,
    lease_until_ms, expires_at_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
#: Writes no index.
_UPDATE_STATE: Final = """
UPDATE execution SET status = ?, version = ?, updated_at_ms = ?, progress = ?, checksum = ?
WHERE number = ? AND version = ?
"""
_UPDATE_ALL: Final = """
UPDATE execution SET status = ?, version = ?, updated_at_ms = ?, progress = ?, checksum = ?,
    wake_at_ms = ?, ready_at_ms = ?, lease_until_ms = ?, expires_at_ms = ?
WHERE number = ? AND version = ?
"""
_PUT_OPERATION: Final = """
INSERT INTO operation (number, id, body, payload, input, checksum) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET body = excluded.body, payload = excluded.payload,
    input = excluded.input, checksum = excluded.checksum
"""
_INSERT_EVENTS: Final = "INSERT INTO event (number, body, checksum) VALUES (?, ?, ?)"
_INSERT_LETTER: Final = """
INSERT INTO letter (id, sender, sent_at_ms, kind, body, checksum) VALUES (?, ?, ?, ?, ?, ?)
"""
_DELETE_LETTER: Final = "DELETE FROM letter WHERE id = ?"
_FREE_NAME: Final = "UPDATE execution SET holder = NULL WHERE number = ?"
_SELECT_KNOWN: Final = """
SELECT number, wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms FROM execution WHERE id = ?
"""
_SELECT_PIN: Final = "SELECT number, function FROM pin WHERE digest = ?"
_INSERT_PIN: Final = """
INSERT INTO pin (function, version, is_durable, digest, body, spare) VALUES (?, ?, ?, ?, ?, ?)
"""
_SELECT_FUNCTION: Final = "SELECT number FROM function WHERE arn = ?"
_INSERT_FUNCTION: Final = "INSERT INTO function (arn) VALUES (?)"
_DELETE_PIN: Final = """
DELETE FROM pin WHERE number = ?
    AND NOT EXISTS (SELECT 1 FROM execution WHERE execution.pin = pin.number)
"""
_DELETE_FUNCTIONS: Final = """
DELETE FROM function WHERE NOT EXISTS (SELECT 1 FROM pin WHERE pin.function = function.number)
"""
_SELECT_LAST_NUMBER: Final = "SELECT max(number) FROM execution"
_SELECT_DELETING: Final = "SELECT number, pin FROM execution WHERE id = ? AND status = 'DELETING'"
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


class Forget(NamedTuple):
    """Read again what is remembered of the file: another connection has written to it."""


Work = ChangeRows | Discard | EraseSome | WriteRecords | Forget
Answer = CommitResult | bool | None | Exception
_Due = tuple[int | None, ...]


class Commits:
    """Commits groups of work on one connection.

    Nobody else writes what it writes; or whoever does has it ``forget`` before its next commit.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Write through ``connection``."""
        self._connection = connection
        self._execute = connection.execute
        self._pins = _Pins(connection)
        self._known: OrderedDict[bytes, tuple[int, _Due]] = OrderedDict()
        self._failure: StoreUnknownError | None = None
        self.disk_seconds = 0.0  #: how long the last commit was on its way to the disk
        self._next_number = self._read_next_number()

    def commit(self, group: Sequence[Work]) -> list[Answer]:
        """Do all of it in one transaction; return an answer for each, after the commit.

        If the disk is full, nothing was written. After any other error nobody can tell, and this
        store must not be used any more (D4): nothing is written after it.
        """
        if self._failure is not None:
            return [self._failure] * len(group)
        try:
            self._execute("BEGIN IMMEDIATE")
            answers = [self._do(work) for work in group]
            began = time.monotonic()
            self._execute("COMMIT")
            self.disk_seconds = time.monotonic() - began
        except Exception as error:  # noqa: BLE001 - the writer must answer, whatever it was
            return [self._fault(error)] * len(group)
        return answers

    def forget(self) -> None:
        """Read again what is remembered of the file: another connection has written to it."""
        self._known.clear()
        self._pins.forget()
        self._next_number = self._read_next_number()

    def carry_over(self, number: int, rows: ChangeRows) -> None:
        """Write the whole of an execution under the number that it had in an older file, in the
        transaction that is open.
        """
        self._next_number = number
        assert self._change(rows) is CommitResult.COMMITTED, "it is nowhere else"

    def place_of(self, pin: Pin) -> tuple[int, int | None]:
        """Return a pin's number, and that of the function whose executions have names; they are
        written if they are not there, in the transaction that is open.
        """
        return self._pins.number_of(pin)

    def _fault(self, error: Exception) -> Exception:
        self._known.clear()
        self._pins.forget()
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
            case Forget():
                return self.forget()
            case Discard():
                ids = [(letter_id,) for letter_id in work.letter_ids]
                self._connection.executemany(_DELETE_LETTER, ids)
                return None

    def _change(self, rows: ChangeRows) -> CommitResult:
        number = self._update(rows) if rows.first is None else self._insert(rows, rows.first)
        if number is None:
            return CommitResult.CONFLICT
        execute = self._execute
        first_operation, first_event = number << OPERATION_BITS, number << EVENT_BITS
        for position, *operation in rows.operations:
            execute(_PUT_OPERATION, (first_operation | position, *operation))
        for event_id, body, checksum in rows.events:
            execute(_INSERT_EVENTS, (first_event | event_id, body, checksum))
        for letter in rows.letters:
            execute(_INSERT_LETTER, letter)
        for letter_id in rows.delivered:
            execute(_DELETE_LETTER, (letter_id,))
        return CommitResult.COMMITTED

    def _insert(self, rows: ChangeRows, first: FirstRows) -> int | None:
        number, due = self._next_number, tuple(rows.due)
        pin, function = self._pins.number_of(first.pin)
        holder = None if rows.frees_name else 0
        given = (rows.key, pin, function, first.name, holder, first.started_at_ms)
        try:
            self._execute(
                _INSERT_EXECUTION,
                (number, *given, first.body, first.checksum, *rows.state, *due),
            )
        except sqlite3.IntegrityError:
            return None
        self._next_number = number + 1
        self._remember(rows.key, number, due)
        return number

    def _update(self, rows: ChangeRows) -> int | None:
        known = self._known.get(rows.key) or self._find(rows.key)
        if known is None:
            return None
        number, before = known
        due = tuple(rows.due)
        place = (number, rows.expected_version)
        if due == before:
            updated = self._execute(_UPDATE_STATE, (*rows.state, *place))
        else:
            updated = self._execute(_UPDATE_ALL, (*rows.state, *due, *place))
        if updated.rowcount != 1:
            self._known.pop(rows.key, None)
            return None
        self._remember(rows.key, number, due)
        if rows.frees_name:
            self._execute(_FREE_NAME, (number,))
        return number

    def _find(self, key: bytes) -> "tuple[int, _Due] | None":
        row = self._execute(_SELECT_KNOWN, (key,)).fetchone()
        return None if row is None else (row[0], row[1:])

    def _remember(self, key: bytes, number: int, due: "_Due") -> None:
        known = self._known
        known[key] = (number, due)
        known.move_to_end(key)
        if len(known) > _KNOWN_MAX:
            known.popitem(last=False)

    def _erase_some(self, key: bytes) -> bool:
        row = self._execute(_SELECT_DELETING, (key,)).fetchone()
        if row is None:
            return True
        number, pin, removed = *row, 0
        for sql, bits in ((_DELETE_OPERATIONS, OPERATION_BITS), (_DELETE_EVENTS, EVENT_BITS)):
            low = number << bits
            bound = (low, low + (1 << bits) - 1, _ERASE_ROWS_MAX)
            removed += self._execute(sql, bound).rowcount
        if removed:
            return False
        self._execute(_DELETE_EXECUTION, (number,))
        self._known.pop(key, None)
        self._pins.remove_unused(pin)
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
                checksum = record_checksum(*place, revision + 1, write.body)
                row = (*place, revision + 1, write.body, checksum)
                self._connection.execute(_PUT_RECORD, row)
        return None


class _Pins:
    """Where pins are, and their functions: kept once, however many executions have them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._numbers: dict[bytes, tuple[int, int | None]] = {}

    def number_of(self, pin: Pin) -> tuple[int, int | None]:
        """Return a pin's number, and its function's if that has names to keep; write what is not
        there yet.
        """
        found = self._numbers.get(pin.digest)
        if found is None:
            if len(self._numbers) >= _PINS_MAX:
                self._numbers.clear()
            number, function = self._find(pin)
            found = self._numbers[pin.digest] = (number, function if pin.is_durable else None)
        return found

    def remove_unused(self, number: int) -> None:
        """Remove a pin that no execution has any more, and its function with the last one."""
        if self._execute(_DELETE_PIN, (number,)).rowcount:
            self._execute(_DELETE_FUNCTIONS)
            self.forget()

    def forget(self) -> None:
        """Read again where they are."""
        self._numbers.clear()

    def _find(self, pin: Pin) -> tuple[int, int]:
        row = self._execute(_SELECT_PIN, (pin.digest,)).fetchone()
        if row is not None:
            return row
        function = self._function(pin.function_arn)
        given = (function, pin.version, pin.is_durable, pin.digest, pin.body, pin.body)
        return self._execute(_INSERT_PIN, given).lastrowid or 0, function

    def _function(self, arn: str) -> int:
        row = self._execute(_SELECT_FUNCTION, (arn,)).fetchone()
        return row[0] if row is not None else self._execute(_INSERT_FUNCTION, (arn,)).lastrowid or 0
