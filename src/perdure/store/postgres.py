"""The store on PostgreSQL: shared by any number of equal nodes.

Changes are committed in groups over a few connections; reads go over others. Everything a change
needs to be right is decided inside its transaction, so that no node has to know of another.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Final

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.store.change import Change, Letter
from perdure.store.damage import Damage
from perdure.store.postgres_clock import PostgresClock
from perdure.store.postgres_connections import ERRORS, Address, Connection, Pool, close
from perdure.store.postgres_durability import (
    DurabilityReport,
    WeakDurabilityError,
    read_durability,
)
from perdure.store.postgres_migrations import migrate
from perdure.store.postgres_reads import Reads
from perdure.store.postgres_records import (
    Records,
    discard,
    erase_some,
    high_instant,
    write_records,
)
from perdure.store.postgres_rows import piece_of
from perdure.store.postgres_writer import Writer
from perdure.store.protocol import (
    Agenda,
    Claim,
    CommitResult,
    Due,
    EventQuery,
    ExecutionQuery,
    StoreOpenError,
    StoreUnavailableError,
    Tally,
)
from perdure.store.records import Record, RecordWrite
from perdure.store.rows import execution_key

__all__ = ["PostgresStore"]

_log = logging.getLogger(__name__)

_CONNECTIONS_MIN: Final = 2
_WRITERS_MAX: Final = 4
_READ_CLOCK: Final = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT"
_READ_SIZE: Final = "SELECT pg_database_size(current_database())"


class PostgresStore:
    """Keeps everything in the database at ``url``, which others may have open too."""

    is_exclusive = False

    def __init__(
        self,
        url: str,
        *,
        connections_max: int = 8,
        is_ha: bool = False,
        allows_weak_durability: bool = False,
    ) -> None:
        """Name the database.

        ``connections_max``: for changes and reads together, at least 2. ``is_ha``: what is
        acknowledged must outlive the loss of a database node. ``allows_weak_durability``: open it
        although it may lose what it acknowledged, and say so.
        """
        self._address = Address(url)
        self._is_ha = is_ha
        self._allows_weak_durability = allows_weak_durability
        self._damage = Damage()
        self._reads = Reads(self._damage)
        self._records = Records(self._damage)
        connections_max = max(connections_max, _CONNECTIONS_MIN)
        writers = max(1, min(_WRITERS_MAX, connections_max // 2))
        self.clock = PostgresClock()
        self._writer = Writer(self._address, connections=writers, hear_clock=self.clock.hear)
        self._pool = Pool(self._address, connections_max=connections_max - writers)
        self._report: DurabilityReport | None = None
        self._clock_reader: asyncio.Task[None] | None = None

    @property
    def unreadable_rows(self) -> int:
        """How many rows were found unreadable since the store was made."""
        return len(self._damage)

    @property
    def durability(self) -> DurabilityReport:
        """What was read back when it was opened (D5)."""
        assert self._report is not None, "it was opened"
        return self._report

    async def open(self) -> int:
        """Connect, and create or bring forward the schema; return the highest instant stored.

        Raises:
            StoreOpenError: the database cannot be reached, is lost meanwhile, is too new, or may
                not be changed.
            WeakDurabilityError: it may lose what it has acknowledged.
        """
        try:
            connection = await self._address.connect()
        except StoreUnavailableError as error:
            raise StoreOpenError(str(error)) from error
        try:
            report = await self._checked(connection)
            await migrate(connection)
            async with self._address.session(connection):
                high_ms = await high_instant(connection)
                self.clock.hear(await connection.fetchval(_READ_CLOCK))
        except ERRORS as error:
            raise StoreOpenError(f"{self._address} cannot be opened: {error!r}") from error
        finally:
            await close(connection)
        self._report = report
        for weakness in report.weaknesses:
            _log.warning("%s may lose acknowledged changes: %s", self._address, weakness)
        self.clock.raise_floor(high_ms)
        self._writer.start(report.level, self._check)
        self._clock_reader = asyncio.create_task(self.clock.keep_reading(self._read_clock))
        return high_ms

    async def aclose(self) -> None:
        """Commit what was submitted, and let go."""
        if self._clock_reader is not None:
            self._clock_reader.cancel()
            await asyncio.wait([self._clock_reader])
        await self._writer.aclose()
        await self._pool.aclose()

    def commit(self, change: Change) -> Awaitable[CommitResult]:
        """Make a change durable, in one transaction with whatever else is waiting."""
        return self._writer.submit(piece_of(change))

    async def load(self, execution_id: str, known: Execution | None = None) -> Execution | None:
        """Return an execution with all its operations; of what is known only changes are read."""
        return await self._pool.read(lambda c: self._reads.load(c, execution_id, known))

    async def find(self, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any."""
        return await self._pool.read(lambda c: self._reads.find(c, function_arn, name))

    async def upcoming(
        self, agenda: Agenda, *, before_ms: int, limit: int, claim: Claim | None = None
    ) -> Sequence[Due]:
        """Return the executions due before an instant, the earliest first."""
        return await self._pool.read(
            lambda c: self._reads.upcoming(c, agenda, before_ms, limit, claim)
        )

    async def letters(
        self, *, limit: int, after_id: str = "", claim: Claim | None = None
    ) -> Sequence[Letter]:
        """Return letters not yet delivered, by id; those that cannot be read are left out."""
        return await self._pool.read(lambda c: self._reads.letters(c, after_id, limit, claim))

    async def discard(self, letter_ids: Sequence[str]) -> None:
        """Remove letters that nobody can receive."""
        await self._pool.write(lambda c: discard(c, letter_ids))

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Return a page of history."""
        return await self._pool.read(lambda c: self._reads.events(c, query))

    async def list(self, query: ExecutionQuery) -> Sequence[tuple[Identity, Progress]]:
        """Return a page of durable executions, without their operations; those that cannot be read
        are left out.
        """
        return await self._pool.read(lambda c: self._reads.page(c, query))

    async def tally(self, *, limit: int) -> Sequence[Tally]:
        """Return how many of the newest durable executions have which status, by function."""
        return await self._pool.read(lambda c: self._reads.tally(c, limit))

    async def erase(self, execution_id: str) -> None:
        """Remove every row of a DELETING execution, a few thousand a transaction."""
        key = execution_key(execution_id)
        while not await self._pool.write(lambda c: erase_some(c, key)):
            continue

    async def read_record(self, collection: str, key: str) -> Record | None:
        """Return one record."""
        return await self._pool.read(lambda c: self._records.read(c, collection, key))

    async def list_records(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Sequence[Record]:
        """Return records by key."""
        return await self._pool.read(
            lambda c: self._records.page(c, collection, prefix, after, limit)
        )

    async def write_records(self, writes: Sequence[RecordWrite]) -> None:
        """Write records, all or none, durably."""
        await self._pool.write(lambda c: write_records(c, writes))

    async def database_size(self) -> int:
        """Return how many bytes the database takes."""
        return await self._pool.read(lambda c: c.fetchval(_READ_SIZE))

    async def _read_clock(self) -> int:
        return await self._pool.read(lambda c: c.fetchval(_READ_CLOCK))

    async def _check(self, connection: Connection) -> None:
        """Look at a new connection to commit over: how commits wait is held to in each of them."""
        held = "synchronous_commit" if self.durability.level else ""
        await self._checked(connection, held)

    async def _checked(self, connection: Connection, held: str = "") -> DurabilityReport:
        """Return how durable commits over a connection are, unless that is too little."""
        async with self._address.session(connection):
            report = await read_durability(connection, is_ha=self._is_ha)
        weaknesses = tuple(one for one in report.weaknesses if one.setting != held)
        if weaknesses and not self._allows_weak_durability:
            raise WeakDurabilityError(self._address, weaknesses)
        return report
