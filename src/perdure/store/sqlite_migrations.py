"""Brings a SQLite file to the present schema, whether it is new or older.

Forward only, in one transaction: a file is of one version or of another (V3). What could not be
read before cannot be read after, and costs only its execution (D6).
"""

import contextlib
import logging
import sqlite3
from collections.abc import Generator
from typing import Any, Final

from perdure.store.change import Change
from perdure.store.protocol import CorruptRowError
from perdure.store.rows import (
    FirstRows,
    Pin,
    first_rows_of,
    letter_checksum,
    record_checksum,
    rows_of,
)
from perdure.store.sqlite_commits import Commits
from perdure.store.sqlite_older import OldExecution, is_whole, old_executions, old_identity
from perdure.store.sqlite_schema import APPLICATION_ID, EVENT_BITS, OPERATION_BITS, SCHEMA, TABLES

__all__ = ["migrate"]

_log = logging.getLogger(__name__)

_OLD_TABLES: Final = ("execution", "operation", "event", "letter", "record")
_OLD_INDICES: Final = ("function", "wake", "ready", "lease", "expiry")
#: Of a row that is damaged: no checksum is that large.
_NEVER: Final = 1 << 40

_DELETE_UNUSED_PINS: Final = """
DELETE FROM pin WHERE NOT EXISTS (SELECT 1 FROM execution WHERE execution.pin = pin.number)
"""
_SELECT_DAMAGED: Final = """
SELECT id, function_arn, started_at_ms, identity, identity_checksum, status, version, updated_at_ms,
    wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms, progress
FROM old_execution WHERE number = ?
"""
_INSERT_DAMAGED: Final = f"""
INSERT INTO execution (number, id, pin, function, name, holder, started_at_ms, identity,
    identity_checksum, status, version, updated_at_ms, wake_at_ms, ready_at_ms, lease_until_ms,
    expires_at_ms, progress, checksum)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {_NEVER})
"""  # noqa: S608 - a number of ours
_COPY_DAMAGED: Final = (
    (
        f"INSERT INTO operation SELECT number, id, body, payload, input, {_NEVER}"  # noqa: S608 - a number of ours
        " FROM old_operation WHERE number >> ? = ?",
        OPERATION_BITS,
    ),
    (
        f"INSERT INTO event SELECT number, coalesce(details, x''), {_NEVER}"  # noqa: S608 - a number of ours
        " FROM old_event WHERE number >> ? = ?",
        EVENT_BITS,
    ),
)
_SELECT_OLD_LETTERS: Final = "SELECT id, sender, sent_at_ms, kind, body, checksum FROM old_letter"
_INSERT_LETTER: Final = "INSERT INTO letter VALUES (?, ?, ?, ?, ?, ?)"
_SELECT_OLD_RECORDS: Final = "SELECT collection, key, revision, body, checksum FROM old_record"
_INSERT_RECORD: Final = "INSERT INTO record VALUES (?, ?, ?, ?, ?)"


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an empty or older file to the present schema."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < SCHEMA:
        with _transaction(connection):
            if version == 0:
                _create(connection)
            else:
                _bring_forward(connection, version)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
    if 0 < version < SCHEMA:
        # Half of the file is free now; where there is no room to give it back, it is used again.
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("VACUUM")
    # A start that met a conflict may have left one behind.
    connection.execute(_DELETE_UNUSED_PINS)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _create(connection: sqlite3.Connection) -> None:
    for statement in TABLES:
        connection.execute(statement)


def _bring_forward(connection: sqlite3.Connection, version: int) -> None:
    _log.info("bringing the store from schema %d to %d", version, SCHEMA)
    for name in _OLD_TABLES:
        connection.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    for name in _OLD_INDICES:
        connection.execute(f"DROP INDEX execution_by_{name}")
    if version == 1:
        connection.execute("ALTER TABLE old_event ADD COLUMN checksum INTEGER")
    _create(connection)
    commits = Commits(connection)
    for number, found in old_executions(connection):
        if isinstance(found, CorruptRowError):
            _log.critical("execution number %d cannot be read: %s", number, found)
            _copy_damaged(connection, commits, number)
        else:
            commits.carry_over(number, rows_of(_whole(found)))
    for *said, checksum in connection.execute(_SELECT_OLD_LETTERS):
        kept = letter_checksum(tuple(said)) if is_whole(checksum, said[-1]) else _NEVER
        connection.execute(_INSERT_LETTER, (*said, kept))
    for *said, checksum in connection.execute(_SELECT_OLD_RECORDS):
        kept = record_checksum(*said) if is_whole(checksum, said[-1]) else _NEVER
        connection.execute(_INSERT_RECORD, (*said, kept))
    for name in _OLD_TABLES:
        connection.execute(f"DROP TABLE old_{name}")


def _whole(found: OldExecution) -> Change:
    return Change(
        execution_id=found.identity.id,
        expected_version=0,
        progress=found.progress,
        identity=found.identity,
        operations=found.operations,
        events=found.events,
    )


def _copy_damaged(connection: sqlite3.Connection, commits: Commits, number: int) -> None:
    """Keep the bytes of an execution under checksums that they do not have: it was not served, and
    is not.
    """
    key, function_arn, started_at_ms, body, checksum, status, *rest = connection.execute(
        _SELECT_DAMAGED, (number,)
    ).fetchone()
    identity = old_identity(body, checksum)
    if identity is not None:
        first = first_rows_of(identity)
    else:
        pin = Pin(key, function_arn or "", "", function_arn is not None, b"")
        first = FirstRows(pin, key, started_at_ms, body, _NEVER)
    pin_number, function = commits.place_of(first.pin)
    holder = None if status == "DELETING" or identity is None else 0
    place: tuple[Any, ...] = (number, key, pin_number, function, first.name, holder)
    said = (started_at_ms, first.body, first.checksum, status, *rest)
    connection.execute(_INSERT_DAMAGED, (*place, *said))
    for sql, bits in _COPY_DAMAGED:
        connection.execute(sql, (bits, number))
