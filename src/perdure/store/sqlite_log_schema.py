"""The log file: what is in it, how it is opened, and how an older one is brought forward."""

import sqlite3
from pathlib import Path
from typing import Final

__all__ = ["open_log_file"]

_MIGRATIONS: Final = (
    """
    CREATE TABLE log_group (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created_at_ms INTEGER NOT NULL,
        stored_bytes INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE log_stream (
        number INTEGER PRIMARY KEY,
        group_number INTEGER NOT NULL REFERENCES log_group ON DELETE CASCADE,
        name TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        first_at_ms INTEGER NOT NULL,
        last_at_ms INTEGER NOT NULL,
        UNIQUE (group_number, name)
    );
    CREATE TABLE log_event (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        group_number INTEGER NOT NULL REFERENCES log_group ON DELETE CASCADE,
        stream_number INTEGER NOT NULL REFERENCES log_stream ON DELETE CASCADE,
        at_ms INTEGER NOT NULL,
        ingested_at_ms INTEGER NOT NULL,
        message BLOB NOT NULL
    );
    CREATE INDEX log_event_by_group ON log_event (group_number, at_ms);
    CREATE INDEX log_event_by_stream ON log_event (stream_number);
    """,
)


def open_log_file(path: Path) -> sqlite3.Connection:
    """Open the file, or make it, and bring it to the current form; for use in one other thread."""
    path.touch(mode=0o600)  # what SQLite puts beside it has the same mode (SR-25)
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_MIGRATIONS):
            message = (
                f"{path} is of form {version}; this perdure knows forms up to {len(_MIGRATIONS)}"
            )
            raise sqlite3.DatabaseError(message)
        for number, migration in enumerate(_MIGRATIONS[version:], start=version + 1):
            connection.executescript(f"BEGIN;{migration}PRAGMA user_version = {number};COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection
