"""The store in one SQLite file: the embedded default.

Write-ahead log, full synchronisation, one writer with group commit, a few readers beside it.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, TypeVar

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.store.change import Change, Letter
from perdure.store.damage import Damage
from perdure.store.protocol import (
    Agenda,
    Claim,
    CommitResult,
    Due,
    EventQuery,
    ExecutionQuery,
    Tally,
)
from perdure.store.records import Record, RecordWrite
from perdure.store.rows import execution_key, rows_of
from perdure.store.sqlite_commits import Discard, EraseSome, WriteRecords
from perdure.store.sqlite_log import PAGES_LONG, PAGES_SHORT, give_room
from perdure.store.sqlite_migrations import migrate
from perdure.store.sqlite_reads import Reads
from perdure.store.sqlite_schema import StoreOpenError, connect, lock
from perdure.store.sqlite_writer import Defer, ProcessWriter, ThreadWriter, Writer

__all__ = ["SqliteStore"]

T = TypeVar("T")
_READERS: Final = 2


class SqliteStore:
    """Keeps everything in the file at ``path``; no other process can have it open."""

    is_exclusive = True

    def __init__(
        self,
        path: Path,
        *,
        has_writer_process: bool = False,
        on_unknown: Callable[[Exception], None] = lambda _: None,
        defer: Defer | None = None,
    ) -> None:
        """Name the file; ``on_unknown`` is called when the store must not be used any more (D4).

        ``has_writer_process``: commit in a process beside this one. More throughput, a slower
        start. ``defer``: see ``ThreadWriter``.
        """
        self._path = path
        self._has_writer_process = has_writer_process
        self._on_unknown = on_unknown
        self._defer = defer
        self._damage = Damage()
        self._reads = Reads(self._damage)
        self._readers: list[sqlite3.Connection] = []
        self._held = ExitStack()

    @property
    def unreadable_rows(self) -> int:
        """How many rows were found unreadable since the store was made."""
        return len(self._damage)

    async def open(self) -> int:
        """Open or create the file.

        Raises:
            StoreOpenError: the file is in use, not ours, too new, or cannot be made durable.
        """
        with ExitStack() as held:
            handle = await asyncio.to_thread(lock, self._path)
            held.callback(os.close, handle)
            connection = await asyncio.to_thread(self._open_file)
            pages = PAGES_LONG if self._has_writer_process else PAGES_SHORT
            await asyncio.to_thread(give_room, connection, self._path, pages=pages)
            self._connection = held.enter_context(closing(connection))
            self._readers = [
                held.enter_context(closing(connect(self._path, is_writer=False)))
                for _ in range(_READERS)
            ]
            high_ms = await asyncio.to_thread(self._reads.high_ms, self._readers[0])
            self._writer = await self._start_writer(connection, handle)
            self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="perdure-reader")
            self._held = held.pop_all()
        return high_ms

    async def aclose(self) -> None:
        """Commit what was submitted, and close the file."""
        with self._held:
            await self._writer.aclose()
            self._pool.shutdown()

    async def _start_writer(self, connection: sqlite3.Connection, handle: int) -> Writer:
        if self._has_writer_process:
            return await ProcessWriter.start(
                self._path, connection, handle, on_unknown=self._on_unknown
            )
        return ThreadWriter(connection, on_unknown=self._on_unknown, defer=self._defer)

    async def commit(self, change: Change) -> CommitResult:
        """Make a change durable, in one transaction with whatever else is waiting."""
        return await self._writer.submit(rows_of(change))

    async def load(self, execution_id: str, known: Execution | None = None) -> Execution | None:
        """Return an execution with all its operations; what is ``known`` does not matter."""
        return await self._read(lambda connection: self._reads.load(connection, execution_id))

    async def find(self, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any."""
        return await self._read(lambda connection: self._reads.find(connection, function_arn, name))

    async def upcoming(
        self, agenda: Agenda, *, before_ms: int, limit: int, claim: Claim | None = None
    ) -> Sequence[Due]:
        """Return the executions due before an instant, the earliest first; nobody else claims."""
        return await self._read(lambda c: self._reads.upcoming(c, agenda, before_ms, limit))

    async def letters(
        self, *, limit: int, after_id: str = "", claim: Claim | None = None
    ) -> Sequence[Letter]:
        """Return letters not yet delivered, by id; those that cannot be read are left out."""
        return await self._read(lambda c: self._reads.letters(c, after_id, limit))

    async def discard(self, letter_ids: Sequence[str]) -> None:
        """Remove letters that nobody can receive."""
        _check_texts(letter_ids)
        await self._writer.submit(Discard(list(letter_ids)))

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Return a page of history."""
        return await self._read(lambda connection: self._reads.events(connection, query))

    async def list(self, query: ExecutionQuery) -> Sequence[tuple[Identity, Progress]]:
        """Return a page of durable executions, without their operations; those that cannot be read
        are left out.
        """
        return await self._read(lambda connection: self._reads.page(connection, query))

    async def tally(self, *, limit: int) -> Sequence[Tally]:
        """Return how many of the newest durable executions have which status, by function."""
        return await self._read(lambda connection: self._reads.tally(connection, limit))

    async def erase(self, execution_id: str) -> None:
        """Remove every row of a DELETING execution, a few thousand a transaction."""
        while not await self._writer.submit(EraseSome(execution_key(execution_id))):
            continue

    async def read_record(self, collection: str, key: str) -> Record | None:
        """Return one record."""
        return await self._read(lambda c: self._reads.record(c, collection, key))

    async def list_records(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Sequence[Record]:
        """Return records by key."""
        return await self._read(lambda c: self._reads.records(c, collection, prefix, after, limit))

    async def write_records(self, writes: Sequence[RecordWrite]) -> None:
        """Write records, all or none, durably."""
        _check_texts([f"{write.collection}{write.key}" for write in writes])
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
            try:
                migrate(connection)
            except BaseException:
                connection.close()
                raise
        except sqlite3.DatabaseError as error:
            raise StoreOpenError(f"{self._path} cannot be opened: {error}") from error
        finally:
            os.umask(before)
        return connection


def _check_texts(texts: Sequence[str]) -> None:
    """Refuse what is no text before it can harm the work of others."""
    "".join(texts).encode()
