"""The write-ahead log of a SQLite file: how long it is, and that it has its room from the start.

A log that grows makes each ``fsync`` wait for the file system's own journal, which doubles the time
of a commit, and multiplies it where other programs use the disk. One that is written over does not.
So it gets its full length before the first commit, in zeros: to SQLite, whatever lies behind its
last frame is what an earlier round has left, and is not read.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

__all__ = ["PAGES_LONG", "PAGES_SHORT", "give_room"]

#: Pages in the log, until they are taken over into the file: fewer, and a process needs less room;
#: more, and a page that is written again and again is taken over less often.
PAGES_SHORT: Final = 1_000
PAGES_LONG: Final = 4_000

_FRAME_BYTES: Final = 24  #: around a page. Source: https://www.sqlite.org/fileformat2.html
_SPARE: Final = 1.05  #: the transaction that reaches the limit goes past it


def give_room(connection: sqlite3.Connection, path: Path, *, pages: int) -> None:
    """Have the log of the file at ``path`` be taken over after ``pages``, and be as long from now
    on. Nobody may write to the file meanwhile.
    """
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages:d}")
    page_bytes: int = connection.execute("PRAGMA page_size").fetchone()[0]
    length = round(pages * (page_bytes + _FRAME_BYTES) * _SPARE)
    try:
        handle = os.open(f"{path}-wal", os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # there is none before something is written; it grows, as it did ever
    try:
        size = os.fstat(handle).st_size
        if size < length:
            os.pwrite(handle, bytes(length - size), size)
    except OSError:
        pass  # no room: SQLite says so itself, when it needs some
    finally:
        os.close(handle)
