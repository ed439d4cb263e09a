"""The one writer of a SQLite store: a thread that drains a queue into one transaction after
another.

Whatever was submitted while a transaction was on its way to the disk goes into the next one, so
that one fsync serves many (group commit). Answers go back to the event loop in one call a group,
after the commit.
"""

import asyncio
import hashlib
import logging
import sqlite3
import threading
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from perdure.core.execution import ExecutionKind
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Change
from perdure.store.protocol import CommitResult, StoreFullError, StoreUnknownError
from perdure.store.rows import checksum, encode, encode_message, encode_operation, event_details
from perdure.store.sqlite_schema import EVENT_BITS, OPERATION_BITS

__all__ = ["Job", "SqliteWriter", "execution_key", "name_key"]

_log = logging.getLogger(__name__)

Job = Callable[[sqlite3.Connection], Any]
_GROUP_MAX: Final = 512
_NUMBERS_MAX: Final = 20_000

_INSERT_EXECUTION: Final = """
INSERT INTO execution (number, id, name_key, function_arn, started_at_ms, status, version,
    updated_at_ms, wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms, identity, progress,
    checksum)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
INSERT INTO event (number, type, at_ms, operation, details) VALUES (?, ?, ?, ?, ?)
"""
_INSERT_LETTER: Final = """
INSERT INTO letter (id, sender, sent_at_ms, kind, body, checksum) VALUES (?, ?, ?, ?, ?, ?)
"""
_DELETE_LETTER: Final = "DELETE FROM letter WHERE id = ?"
_FREE_NAME: Final = "UPDATE execution SET name_key = NULL WHERE number = ?"
_SELECT_NUMBER: Final = "SELECT number, identity FROM execution WHERE id = ?"
_SELECT_LAST_NUMBER: Final = "SELECT max(number) FROM execution"


def execution_key(execution_id: str) -> bytes:
    """Return an execution's id as it is stored."""
    return bytes.fromhex(execution_id)


def name_key(function_arn: str, name: str) -> bytes:
    """Return what makes a name unique: it belongs to one function."""
    return hashlib.sha256(f"{function_arn}\n{name}".encode()).digest()[:16]


class SqliteWriter:
    """Runs jobs and commits changes, one group at a time, on a thread of its own."""

    def __init__(
        self, connection: sqlite3.Connection, *, on_unknown: Callable[[Exception], None]
    ) -> None:
        """Take over ``connection``; ``on_unknown`` hears of a commit whose outcome cannot be told."""
        self._connection = connection
        self._on_unknown = on_unknown
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[Change | Job, asyncio.Future[Any]]] = deque()
        self._wake = threading.Event()
        self._is_closing = False
        self._failure: Exception | None = None
        self._numbers: OrderedDict[str, tuple[int, int]] = OrderedDict()
        last = connection.execute(_SELECT_LAST_NUMBER).fetchone()[0]
        self._next_number = (last or 0) + 1
        self._thread = threading.Thread(target=self._run, name="perdure-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Change | Job) -> "asyncio.Future[Any]":
        """Queue a change or a job; the future is answered after its commit."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._failure is not None:
            future.set_exception(self._failure)
            return future
        self._queue.append((work, future))
        self._wake.set()
        return future

    async def aclose(self) -> None:
        """Commit what was submitted, then end the thread."""
        self._is_closing = True
        self._wake.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._queue:
                size = min(len(self._queue), _GROUP_MAX)
                self._commit([self._queue.popleft() for _ in range(size)])
            if self._is_closing:
                return

    def _commit(self, group: Sequence[tuple[Change | Job, "asyncio.Future[Any]"]]) -> None:
        answers: list[Any] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for work, _ in group:
                answers.append(self._apply(work))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            answers = [self._fault(error)] * len(group)
        self._loop.call_soon_threadsafe(_answer, [future for _, future in group], answers)

    def _fault(self, error: sqlite3.Error) -> Exception:
        """Undo the group. A full disk undoes it for certain; of anything else the outcome is
        unknown (D4).
        """
        self._numbers.clear()
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            last = self._connection.execute(_SELECT_LAST_NUMBER).fetchone()[0]
            self._next_number = (last or 0) + 1
            return StoreFullError("the disk is full; nothing was written")
        self._failure = StoreUnknownError(f"the outcome of a commit is unknown: {error}")
        _log.critical("stopping: %s", self._failure)
        self._loop.call_soon_threadsafe(self._on_unknown, self._failure)
        return self._failure

    def _apply(self, work: Change | Job) -> Any:
        if isinstance(work, Change):
            return self._apply_change(work)
        try:
            return work(self._connection)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - a job's refusal is its caller's answer
            return error

    def _apply_change(self, change: Change) -> CommitResult:
        number = self._insert(change) if change.identity else self._update(change)
        if number is None:
            return CommitResult.CONFLICT
        execute = self._connection.execute
        positions: dict[str, int] = {}
        for operation in change.operations:
            positions[operation.id] = operation.position
            row = number << OPERATION_BITS | operation.position
            execute(_PUT_OPERATION, (row, operation.id, *encode_operation(operation)))
        for event in change.events:
            execute(
                _INSERT_EVENT,
                (
                    number << EVENT_BITS | event.id,
                    event.type,
                    event.at_ms,
                    positions[event.operation_id] if event.operation_id else None,
                    event_details(event),
                ),
            )
        for letter in change.letters:
            kind, body = encode_message(letter.message)
            sender = execution_key(letter.sender_id)
            execute(
                _INSERT_LETTER,
                (letter.id, sender, letter.sent_at_ms, kind, body, checksum(body)),
            )
        for letter_id in change.delivered:
            execute(_DELETE_LETTER, (letter_id,))
        return CommitResult.COMMITTED

    def _insert(self, change: Change) -> int | None:
        identity, progress = change.identity, change.progress
        assert identity is not None, "a first change carries the identity"
        is_durable = identity.kind is ExecutionKind.DURABLE
        kept, body = encode(identity), encode(progress)
        number = self._next_number
        try:
            self._connection.execute(
                _INSERT_EXECUTION,
                (
                    number,
                    execution_key(identity.id),
                    name_key(identity.function_arn, identity.name) if is_durable else None,
                    identity.function_arn if is_durable else None,
                    identity.started_at_ms,
                    progress.status,
                    progress.version,
                    progress.updated_at_ms,
                    progress.wake_at_ms,
                    progress.ready_at_ms,
                    progress.lease_until_ms,
                    progress.expires_at_ms,
                    kept,
                    body,
                    checksum(kept, body),
                ),
            )
        except sqlite3.IntegrityError:
            return None
        self._next_number = number + 1
        self._remember(identity.id, number, checksum(kept))
        return number

    def _update(self, change: Change) -> int | None:
        found = self._number(change.execution_id)
        if found is None:
            return None
        number, identity_checksum = found
        progress = change.progress
        body = encode(progress)
        updated = self._connection.execute(
            _UPDATE_EXECUTION,
            (
                progress.status,
                progress.version,
                progress.updated_at_ms,
                progress.wake_at_ms,
                progress.ready_at_ms,
                progress.lease_until_ms,
                progress.expires_at_ms,
                body,
                zlib.crc32(body, identity_checksum),
                number,
                change.expected_version,
            ),
        )
        if updated.rowcount != 1:
            self._numbers.pop(change.execution_id, None)
            return None
        if progress.status is ExecutionStatus.DELETING:
            self._connection.execute(_FREE_NAME, (number,))
        return number

    def _number(self, execution_id: str) -> tuple[int, int] | None:
        found = self._numbers.get(execution_id)
        if found is None:
            row = self._connection.execute(
                _SELECT_NUMBER, (execution_key(execution_id),)
            ).fetchone()
            if row is None:
                return None
            found = self._remember(execution_id, row[0], checksum(row[1]))
        return found

    def _remember(self, execution_id: str, number: int, identity: int) -> tuple[int, int]:
        self._numbers[execution_id] = found = (number, identity)
        if len(self._numbers) > _NUMBERS_MAX:
            self._numbers.popitem(last=False)
        return found


def _answer(futures: Sequence["asyncio.Future[Any]"], answers: Sequence[Any]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
