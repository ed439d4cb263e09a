"""The SQLite file: what is in it, and how it is opened.

Rows of one execution lie together and need no second index: the row id of an operation is the
execution's number and the operation's position; a row of events has the execution's number and the
id of the first one in it.
"""

import fcntl
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Final

from perdure.store.protocol import StoreOpenError
from perdure.store.sqlite_log import PAGES_LONG

__all__ = [
    "APPLICATION_ID",
    "EVENT_BITS",
    "OPERATION_BITS",
    "SCHEMA",
    "TABLES",
    "StoreOpenError",
    "connect",
    "lock",
]

SCHEMA: Final = 3  #: the version of what is in the file
APPLICATION_ID: Final = 0x50455244  # "PERD"
_LOCK_SECONDS: Final = 2.0
_LOCK_STEP_SECONDS: Final = 0.01
#: The caches are the one thing that grows with the file: this is how far.
_WRITER_CACHE_KB: Final = 4_096
_READER_CACHE_KB: Final = 2_048
_LOG_BYTES_KEPT: Final = 67_108_864  #: a log that a long reader has made larger is cut to this
OPERATION_BITS: Final = 22  #: row id of an operation: execution number << 22 | position
EVENT_BITS: Final = 24  #: row id of events: execution number << 24 | id of the first

#: What is in the file. A pin is what executions started alike have in common: kept once, twice
#: over, since many depend on it. ``holder`` is 0 while an execution holds its name, then NULL.
TABLES: Final = (
    "CREATE TABLE function (number INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE)",
    """
    CREATE TABLE pin (
        number INTEGER PRIMARY KEY,
        function INTEGER NOT NULL,
        version TEXT NOT NULL,
        is_durable INTEGER NOT NULL,
        digest BLOB NOT NULL UNIQUE,
        body BLOB NOT NULL,
        spare BLOB NOT NULL
    )
    """,
    "CREATE INDEX pin_by_version ON pin (function, version)",
    """
    CREATE TABLE execution (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        pin INTEGER NOT NULL,
        function INTEGER,
        name BLOB NOT NULL,
        holder INTEGER,
        started_at_ms INTEGER NOT NULL,
        identity BLOB NOT NULL,
        identity_checksum INTEGER NOT NULL,
        status TEXT NOT NULL,
        version INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        wake_at_ms INTEGER,
        ready_at_ms INTEGER,
        lease_until_ms INTEGER,
        expires_at_ms INTEGER,
        progress BLOB NOT NULL,
        checksum INTEGER NOT NULL
    )
    """,
    """
    CREATE UNIQUE INDEX execution_by_name ON execution (function, name, holder)
        WHERE function IS NOT NULL
    """,
    "CREATE INDEX execution_by_pin ON execution (pin, started_at_ms)",
    "CREATE INDEX execution_by_wake ON execution (wake_at_ms) WHERE wake_at_ms IS NOT NULL",
    "CREATE INDEX execution_by_ready ON execution (ready_at_ms) WHERE ready_at_ms IS NOT NULL",
    """
    CREATE INDEX execution_by_lease ON execution (lease_until_ms)
        WHERE lease_until_ms IS NOT NULL
    """,
    """
    CREATE INDEX execution_by_expiry ON execution (expires_at_ms)
        WHERE expires_at_ms IS NOT NULL
    """,
    """
    CREATE TABLE operation (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL,
        body BLOB NOT NULL,
        payload BLOB,
        input BLOB,
        checksum INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE event (
        number INTEGER PRIMARY KEY,
        body BLOB NOT NULL,
        checksum INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE letter (
        id TEXT PRIMARY KEY,
        sender BLOB NOT NULL,
        sent_at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body BLOB NOT NULL,
        checksum INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE record (
        collection TEXT NOT NULL,
        key TEXT NOT NULL,
        revision INTEGER NOT NULL,
        body BLOB NOT NULL,
        checksum INTEGER NOT NULL,
        UNIQUE (collection, key)
    )
    """,
)


def lock(path: Path) -> int:
    """Return a held lock on the store at ``path``; it ends with the processes that have it open.

    Waits a moment: the writer process of a server that was killed may still be at its last commit.

    Raises:
        StoreOpenError: another process has it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                os.close(handle)
                raise StoreOpenError(f"{path} is in use by another server") from None
            threading.Event().wait(_LOCK_STEP_SECONDS)
        else:
            return handle


def connect(path: Path, *, is_writer: bool) -> sqlite3.Connection:
    """Return a connection on which an acknowledged commit is on the disk (D5).

    Raises:
        StoreOpenError: the file is not ours, or of a later version, or the file system does not
            give WAL and full synchronisation.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        if is_writer:
            _check_ours(connection, path)
            _make_durable(connection, path)
            connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KB}")
        else:
            connection.execute("PRAGMA query_only = ON")
            connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KB}")
            # What a damaged text was is for its checksum to say, not for the decoder.
            connection.text_factory = _text
    except BaseException:
        connection.close()
        raise
    return connection


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Read only: a file that is not ours stays as it is."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application != APPLICATION_ID and (tables or version):
        raise StoreOpenError(f"{path} is a database of another program")
    if version > SCHEMA:
        raise StoreOpenError(
            f"{path} has schema {version}; this version of perdure knows up to {SCHEMA}"
        )


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("wal", 2):
        raise StoreOpenError(
            f"{path} cannot be made durable: journal_mode is {mode} and must be wal,"
            f" synchronous is {level} and must be 2"
        )
    connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_LONG}")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES_KEPT}")


def _text(given: bytes) -> str:
    return given.decode(errors="surrogateescape")
