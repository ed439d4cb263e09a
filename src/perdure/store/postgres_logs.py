"""The log store on PostgreSQL, beside the executions and apart from them.

Lines wait in a bounded queue and are written in batches, without waiting for the disk: a crash may
cost the last fraction of a second. Batches of all nodes are written one after the other, so that
ids rise with what can be read. A read sees everything appended before it, on this node.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from perdure.clock import Clock
from perdure.store.logs import LogEvent, LogGroup, LogQuery, LogStream
from perdure.store.postgres_connections import Address, Connection, Pool

__all__ = ["PostgresLogs"]

_log = logging.getLogger(__name__)

_BATCH_SECONDS: Final = 0.2
_BATCH_EVENTS_MAX: Final = 2_000
_QUEUE_BYTES_MAX: Final = 33_554_432
_EVENT_OVERHEAD_BYTES: Final = 200
_PRUNE_EVENTS_MAX: Final = 5_000
_DAY_MS: Final = 86_400_000
_NUMBER_MAX: Final = 2**63 - 1

_ENTER: Final = """
SELECT pg_advisory_xact_lock(1346720324, 1), set_config('synchronous_commit', 'off', true)
"""
#: A transaction by itself: no line has a number before those ahead of it are committed.
_INSERT: Final = f"""
WITH entered AS MATERIALIZED ({_ENTER}), line AS MATERIALIZED (
    SELECT line.* FROM entered,
        unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[], $4::BYTEA[]) WITH ORDINALITY
        AS line (grp, stream, at_ms, message, n)
), grp AS (
    INSERT INTO perdure.log_group AS g (name, created_at_ms, stored_bytes)
    SELECT grp, $5, sum(length(message)) FROM line GROUP BY grp
    ON CONFLICT (name) DO UPDATE SET stored_bytes = g.stored_bytes + excluded.stored_bytes
    RETURNING number, name
), stream AS (
    INSERT INTO perdure.log_stream AS s
        (group_number, name, created_at_ms, first_at_ms, last_at_ms)
    SELECT grp.number, line.stream, $5, min(line.at_ms), max(line.at_ms)
    FROM line JOIN grp ON grp.name = line.grp GROUP BY grp.number, line.stream
    ON CONFLICT (group_number, name) DO UPDATE SET
        first_at_ms = least(s.first_at_ms, excluded.first_at_ms),
        last_at_ms = greatest(s.last_at_ms, excluded.last_at_ms)
    RETURNING number, group_number, name
)
INSERT INTO perdure.log_event (group_number, stream_number, at_ms, ingested_at_ms, message)
SELECT grp.number, stream.number, line.at_ms, $5, line.message
FROM line JOIN grp ON grp.name = line.grp
JOIN stream ON stream.group_number = grp.number AND stream.name = line.stream
ORDER BY line.n
"""  # noqa: S608 - constants
_GROUPS: Final = """
SELECT name, created_at_ms, stored_bytes FROM perdure.log_group WHERE starts_with(name, $1)
ORDER BY name
"""
_STREAMS: Final = """
SELECT s.name, s.created_at_ms, s.first_at_ms, s.last_at_ms
FROM perdure.log_stream s JOIN perdure.log_group g ON g.number = s.group_number
WHERE g.name = $1 AND starts_with(s.name, $2) ORDER BY s.name
"""
_EVENTS: Final = """
SELECT e.number, s.name, e.at_ms, e.ingested_at_ms, e.message
FROM perdure.log_event e JOIN perdure.log_stream s ON s.number = e.stream_number
WHERE e.group_number = (SELECT number FROM perdure.log_group WHERE name = $1)
    AND ($2::TEXT[] IS NULL OR s.name = ANY ($2))
    AND e.at_ms >= $3 AND e.at_ms < $4 AND e.number > $5 AND e.number < $6
ORDER BY e.at_ms {order}, e.number {order} LIMIT $7
"""
_OLDEST_FIRST: Final = _EVENTS.format(order="ASC")
_NEWEST_FIRST: Final = _EVENTS.format(order="DESC")
_DELETE_EVENTS: Final = """
DELETE FROM perdure.log_event
WHERE group_number = (SELECT number FROM perdure.log_group WHERE name = $1)
"""
_DELETE_STREAMS: Final = """
DELETE FROM perdure.log_stream
WHERE group_number = (SELECT number FROM perdure.log_group WHERE name = $1)
"""
_DELETE_GROUP: Final = "DELETE FROM perdure.log_group WHERE name = $1"
#: Of the oldest lines those that are too old, or lie beyond the size.
_PRUNE: Final = """
WITH oldest AS MATERIALIZED (
    SELECT number, group_number, at_ms, length(message) AS size,
        sum(length(message)) OVER (ORDER BY number) - length(message) AS before
    FROM (SELECT * FROM perdure.log_event ORDER BY number LIMIT $3) head
), kept AS (
    SELECT coalesce(min(number), $4) AS first FROM oldest, (
        SELECT coalesce(sum(stored_bytes), 0) AS total FROM perdure.log_group) sizes
    WHERE at_ms >= $1 AND total - before <= $2
), doomed AS (
    DELETE FROM perdure.log_event e USING oldest, kept
    WHERE e.number = oldest.number AND oldest.number < kept.first
    RETURNING oldest.group_number, oldest.size
), freed AS (
    UPDATE perdure.log_group g SET stored_bytes = g.stored_bytes - gone.size
    FROM (SELECT group_number, sum(size) AS size FROM doomed GROUP BY group_number) gone
    WHERE g.number = gone.group_number
)
SELECT count(*) FROM doomed
"""
_DELETE_EMPTY_STREAMS: Final = """
DELETE FROM perdure.log_stream s WHERE s.last_at_ms < $1
    AND NOT EXISTS (SELECT 1 FROM perdure.log_event e WHERE e.stream_number = s.number)
"""


class PostgresLogs:
    """Log lines in the database at ``url``, whose schema the store has made."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        retention_ms: int = 30 * _DAY_MS,
        stored_bytes_max: int = 10_737_418_240,
        queue_bytes_max: int = _QUEUE_BYTES_MAX,
    ) -> None:
        """Keep lines in the database once ``open`` was called.

        ``prune`` removes lines older than ``retention_ms``, and the oldest beyond
        ``stored_bytes_max`` of messages. At most ``queue_bytes_max`` of lines wait to be stored.
        """
        self._clock = clock
        self._retention_ms = retention_ms
        self._stored_bytes_max = stored_bytes_max
        self._queue_bytes_max = queue_bytes_max
        self._pool = Pool(Address(url), connections_max=2)
        self._events: deque[LogEvent] = deque()
        self._queued_bytes = 0
        self._dropped = 0
        self._storing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._is_closing = False
        self._run: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start storing."""
        self._run = asyncio.create_task(self._serve(), name="perdure-logs")

    async def aclose(self) -> None:
        """Store what is queued, and let go."""
        self._is_closing = True
        self._wake.set()
        self._hurry.set()
        if self._run is not None:
            await asyncio.wait([self._run])
            await self._store()
        await self._pool.aclose()

    def append(self, events: Sequence[LogEvent]) -> None:
        """Take events; they are stored within a fraction of a second."""
        for event in events:
            self._events.append(event)
            self._queued_bytes += _size(event)
        while self._queued_bytes > self._queue_bytes_max and self._events:
            self._queued_bytes -= _size(self._events.popleft())
            self._dropped += 1
        self._wake.set()
        if len(self._events) >= _BATCH_EVENTS_MAX:
            self._hurry.set()

    async def groups(self, prefix: str = "") -> Sequence[LogGroup]:
        """Return the groups whose names start with ``prefix``, by name."""
        return [
            LogGroup(name=name, created_at_ms=created_at_ms, stored_bytes=stored_bytes)
            for name, created_at_ms, stored_bytes in await self._read(_GROUPS, prefix)
        ]

    async def streams(self, group: str, prefix: str = "") -> Sequence[LogStream]:
        """Return the streams of ``group``, by name; none if there is no such group."""
        return [
            LogStream(
                group=group,
                name=name,
                created_at_ms=created_at_ms,
                first_event_at_ms=first_at_ms,
                last_event_at_ms=last_at_ms,
            )
            for name, created_at_ms, first_at_ms, last_at_ms in await self._read(
                _STREAMS, group, prefix
            )
        ]

    async def events(self, query: LogQuery) -> Sequence[LogEvent]:
        """Return the events that match, by instant and then by id."""
        rows = await self._read(
            _NEWEST_FIRST if query.newest_first else _OLDEST_FIRST,
            query.group,
            None if query.streams is None else list(query.streams),
            -_NUMBER_MAX if query.start_ms is None else query.start_ms,
            _NUMBER_MAX if query.end_ms is None else query.end_ms,
            query.after_id,
            _NUMBER_MAX if query.before_id is None else query.before_id,
            query.limit,
        )
        return [
            LogEvent(
                group=query.group,
                stream=stream,
                at_ms=at_ms,
                message=message.decode(errors="replace"),
                ingested_at_ms=ingested_at_ms,
                id=number,
            )
            for number, stream, at_ms, ingested_at_ms, message in rows
        ]

    async def delete_group(self, group: str) -> None:
        """Remove a group and all its events."""

        async def delete(connection: Connection) -> None:
            async with connection.transaction():
                await connection.fetch(_ENTER)
                for statement in (_DELETE_EVENTS, _DELETE_STREAMS, _DELETE_GROUP):
                    await connection.execute(statement, group)

        self._check_open()
        await self._store()
        await self._pool.write(delete)

    async def prune(self, now_ms: int) -> int:
        """Remove events past their retention, then the oldest beyond the size; return how many."""
        before_ms = now_ms - self._retention_ms

        async def prune_some(connection: Connection) -> int:
            async with connection.transaction():
                await connection.fetch(_ENTER)
                bound = (before_ms, self._stored_bytes_max, _PRUNE_EVENTS_MAX, _NUMBER_MAX)
                count: int = await connection.fetchval(_PRUNE, *bound)
                if count:
                    await connection.execute(_DELETE_EMPTY_STREAMS, before_ms)
                return count

        self._check_open()
        await self._store()
        removed = 0
        while count := await self._pool.write(prune_some):
            removed += count
        return removed

    async def _serve(self) -> None:
        while not self._is_closing:
            await self._wake.wait()
            try:
                async with asyncio.timeout(_BATCH_SECONDS):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            self._hurry.clear()
            await self._store()

    async def _read(self, sql: str, *values: Any) -> Sequence[Any]:
        self._check_open()
        await self._store()
        return await self._pool.read(lambda connection: connection.fetch(sql, *values))

    def _check_open(self) -> None:
        if self._is_closing or self._run is None:
            raise RuntimeError("the log store is not open")

    async def _store(self) -> None:
        """Store everything appended so far."""
        async with self._storing:
            while self._events:
                count = min(len(self._events), _BATCH_EVENTS_MAX)
                events = [self._events.popleft() for _ in range(count)]
                self._queued_bytes -= sum(map(_size, events))
                if self._dropped:
                    events.insert(0, _notice(events[0], self._dropped))
                    self._dropped = 0
                try:
                    await self._pool.write(lambda c, some=events: self._insert(c, some))
                except Exception:  # noqa: BLE001 - lines may be lost, the store must go on
                    _log.exception("%d log lines could not be stored", len(events))

    async def _insert(self, connection: Connection, events: Sequence[LogEvent]) -> None:
        values = (
            [_text(event.group) for event in events],
            [_text(event.stream) for event in events],
            [event.at_ms for event in events],
            [event.message.encode(errors="replace") for event in events],
        )
        await connection.execute(_INSERT, *values, self._clock.now_ms())


def _notice(first: LogEvent, dropped: int) -> LogEvent:
    message = f"[perdure] {dropped} lines were lost: they came faster than they are stored\n"
    return LogEvent(group=first.group, stream=first.stream, at_ms=first.at_ms, message=message)


def _text(name: str) -> str:
    """Return a name as PostgreSQL can keep it."""
    return name.encode(errors="replace").decode().replace("\0", "?")


def _size(event: LogEvent) -> int:
    return len(event.message) + _EVENT_OVERHEAD_BYTES
