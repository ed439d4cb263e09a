"""The log store on SQLite: a file of its own, and one thread that writes and reads it.

Lines wait in a bounded queue and are written in batches, without an fsync of their own: a crash
may cost the last fraction of a second. Lines that come faster than they can be written push the
oldest out, and a line of ours says how many. The thread takes requests in order, so that a read
sees everything appended before it.
"""

import asyncio
import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from perdure.clock import Clock, SystemClock
from perdure.store.logs import LogEvent, LogGroup, LogQuery, LogStream
from perdure.store.sqlite_log_schema import open_log_file

__all__ = ["SqliteLogStore"]

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")

_BATCH_SECONDS: Final = 0.1
_BATCH_EVENTS_MAX: Final = 2_000
_QUEUE_BYTES_MAX: Final = 33_554_432
_EVENT_OVERHEAD_BYTES: Final = 200  #: what a queued event takes beside its message, about
_PRUNE_EVENTS_MAX: Final = 5_000  #: in one transaction
_DAY_MS: Final = 86_400_000


class SqliteLogStore:
    """Log lines in the file at ``path``."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock | None = None,
        retention_ms: int = 30 * _DAY_MS,
        stored_bytes_max: int = 1_073_741_824,
        queue_bytes_max: int = _QUEUE_BYTES_MAX,
    ) -> None:
        """Keep lines in the file at ``path`` once ``open`` was called.

        ``prune`` removes lines older than ``retention_ms``, and the oldest beyond
        ``stored_bytes_max`` of messages. At most ``queue_bytes_max`` of lines wait to be stored.
        """
        self._path = path
        self._clock = clock or SystemClock()
        self._retention_ms = retention_ms
        self._stored_bytes_max = stored_bytes_max
        self._queue_bytes_max = queue_bytes_max
        self._connection: sqlite3.Connection | None = None
        self._events: deque[LogEvent] = deque()
        self._queued_bytes = 0
        self._dropped = 0
        self._requests: deque[Callable[[sqlite3.Connection], None]] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="perdure-logs", daemon=True)

    async def open(self) -> None:
        """Open the file, or make it, and start storing; sqlite3.Error if it is another."""
        self._connection = await asyncio.to_thread(open_log_file, self._path)
        self._thread.start()

    def append(self, events: Sequence[LogEvent]) -> None:
        """Take events; they are stored within a fraction of a second."""
        with self._lock:
            for event in events:
                self._events.append(event)
                self._queued_bytes += _size(event)
            while self._queued_bytes > self._queue_bytes_max and self._events:
                self._queued_bytes -= _size(self._events.popleft())
                self._dropped += 1
            is_full = len(self._events) >= _BATCH_EVENTS_MAX
        self._wake.set()
        if is_full:
            self._hurry.set()

    async def groups(self, prefix: str = "") -> Sequence[LogGroup]:
        """Return the groups whose names start with ``prefix``, by name."""
        return await self._ask(lambda file: _read_groups(file, prefix))

    async def streams(self, group: str, prefix: str = "") -> Sequence[LogStream]:
        """Return the streams of ``group``, by name; none if there is no such group."""
        return await self._ask(lambda file: _read_streams(file, group, prefix))

    async def events(self, query: LogQuery) -> Sequence[LogEvent]:
        """Return the events that match, by instant and then by id."""
        return await self._ask(lambda file: _read_events(file, query))

    async def delete_group(self, group: str) -> None:
        """Remove a group and all its events."""
        await self._ask(lambda file: _delete_group(file, group))

    async def prune(self, now_ms: int) -> int:
        """Remove events past their retention, then the oldest beyond the size; return how many."""
        removed = 0
        while count := await self._ask(lambda file: self._prune_some(file, now_ms)):
            removed += count
        return removed

    async def aclose(self) -> None:
        """Store what is queued, and close the file."""
        with self._lock:
            self._is_closing = True
        self._wake.set()
        self._hurry.set()
        if self._connection is not None:
            await asyncio.to_thread(self._thread.join)

    async def _ask(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run ``work`` in the thread, after everything appended so far is stored."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()

        def run(connection: sqlite3.Connection) -> None:
            try:
                with connection:
                    result = work(connection)
            except sqlite3.Error as error:
                loop.call_soon_threadsafe(_fail, answer, error)
            else:
                loop.call_soon_threadsafe(_succeed, answer, result)

        with self._lock:
            if self._is_closing or self._connection is None:
                raise RuntimeError("the log store is not open")
            self._requests.append(run)
        self._wake.set()
        self._hurry.set()
        return await answer

    # In the thread.

    def _work(self) -> None:
        connection, is_closing = self._connection, False
        assert connection is not None, "the thread was started before the file was opened"
        while not is_closing:
            self._wake.wait()
            self._hurry.wait(_BATCH_SECONDS)
            self._wake.clear()
            self._hurry.clear()
            with self._lock:
                events, self._events = self._events, deque[LogEvent]()
                requests, self._requests = (
                    self._requests,
                    deque[Callable[[sqlite3.Connection], None]](),
                )
                dropped, self._dropped, self._queued_bytes = self._dropped, 0, 0
                is_closing = self._is_closing
            self._store(connection, events, dropped)
            for request in requests:
                request(connection)
        connection.close()

    def _store(self, connection: sqlite3.Connection, events: deque[LogEvent], dropped: int) -> None:
        if dropped and events:
            message = (
                f"[perdure] {dropped} lines were lost: they came faster than they are stored\n"
            )
            first = events[0]
            notice = LogEvent(
                group=first.group, stream=first.stream, at_ms=first.at_ms, message=message
            )
            events.appendleft(notice)
        if events:
            try:
                with connection:
                    _insert(connection, events, now_ms=self._clock.now_ms())
            except sqlite3.Error:
                _logger.exception("%d log lines could not be stored", len(events))

    def _prune_some(self, connection: sqlite3.Connection, now_ms: int) -> int:
        total = connection.execute(_TOTAL).fetchone()[0]
        before_ms = now_ms - self._retention_ms
        oldest = connection.execute(_OLDEST, (_PRUNE_EVENTS_MAX,)).fetchall()
        doomed: list[tuple[int]] = []
        freed: dict[int, int] = {}
        for number, group, at_ms, size in oldest:
            if at_ms >= before_ms and total <= self._stored_bytes_max:
                break
            doomed.append((number,))
            freed[group] = freed.get(group, 0) + size
            total -= size
        connection.executemany(_DELETE_EVENT, doomed)
        connection.executemany(_ADD_BYTES, [(-size, group) for group, size in freed.items()])
        if doomed:
            connection.execute(_DELETE_EMPTY_STREAMS, (before_ms,))
        return len(doomed)


def _size(event: LogEvent) -> int:
    return len(event.message) + _EVENT_OVERHEAD_BYTES


def _succeed(answer: asyncio.Future[_T], result: _T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[_T], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


_FIND_GROUP: Final = "SELECT number FROM log_group WHERE name = ?"
_INSERT_GROUP: Final = "INSERT INTO log_group (name, created_at_ms) VALUES (?, ?)"
_FIND_STREAM: Final = "SELECT number FROM log_stream WHERE group_number = ? AND name = ?"
_INSERT_STREAM: Final = (
    "INSERT INTO log_stream (group_number, name, created_at_ms, first_at_ms, last_at_ms)"
    " VALUES (?, ?, ?, ?, ?)"
)
_TOUCH_STREAM: Final = (
    "UPDATE log_stream SET first_at_ms = MIN(first_at_ms, ?), last_at_ms = MAX(last_at_ms, ?)"
    " WHERE number = ?"
)
_INSERT_EVENT: Final = (
    "INSERT INTO log_event (group_number, stream_number, at_ms, ingested_at_ms, message)"
    " VALUES (?, ?, ?, ?, ?)"
)
_ADD_BYTES: Final = "UPDATE log_group SET stored_bytes = stored_bytes + ? WHERE number = ?"


def _insert(
    connection: sqlite3.Connection, events: Sequence[LogEvent] | deque[LogEvent], *, now_ms: int
) -> None:
    places: dict[tuple[str, str], tuple[int, int]] = {}
    spans: dict[int, tuple[int, int]] = {}
    added: dict[int, int] = {}
    rows: list[tuple[int, int, int, int, bytes]] = []
    for event in events:
        key = (event.group, event.stream)
        if key not in places:
            places[key] = _place(connection, event, now_ms=now_ms)
        group, stream = places[key]
        message = event.message.encode(errors="replace")
        rows.append((group, stream, event.at_ms, now_ms, message))
        first, last = spans.get(stream, (event.at_ms, event.at_ms))
        spans[stream] = min(first, event.at_ms), max(last, event.at_ms)
        added[group] = added.get(group, 0) + len(message)
    connection.executemany(_INSERT_EVENT, rows)
    touched = [(first, last, stream) for stream, (first, last) in spans.items()]
    connection.executemany(_TOUCH_STREAM, touched)
    connection.executemany(_ADD_BYTES, [(size, group) for group, size in added.items()])


def _place(connection: sqlite3.Connection, event: LogEvent, *, now_ms: int) -> tuple[int, int]:
    """Return the numbers of an event's group and stream, made if they are new."""
    if found := connection.execute(_FIND_GROUP, (event.group,)).fetchone():
        group: int = found[0]
    else:
        group = _last_row(connection.execute(_INSERT_GROUP, (event.group, now_ms)))
    if found := connection.execute(_FIND_STREAM, (group, event.stream)).fetchone():
        return group, found[0]
    row = (group, event.stream, now_ms, event.at_ms, event.at_ms)
    return group, _last_row(connection.execute(_INSERT_STREAM, row))


def _last_row(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None, "an INSERT left no row id"
    return cursor.lastrowid


_GROUPS: Final = (
    "SELECT name, created_at_ms, stored_bytes FROM log_group"
    " WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name"
)


def _read_groups(connection: sqlite3.Connection, prefix: str) -> list[LogGroup]:
    return [
        LogGroup(name=name, created_at_ms=created_at_ms, stored_bytes=stored_bytes)
        for name, created_at_ms, stored_bytes in connection.execute(_GROUPS, (prefix,))
    ]


_STREAMS: Final = (
    "SELECT s.name, s.created_at_ms, s.first_at_ms, s.last_at_ms"
    " FROM log_stream AS s JOIN log_group AS g ON g.number = s.group_number"
    " WHERE g.name = ?1 AND substr(s.name, 1, length(?2)) = ?2 ORDER BY s.name"
)


def _read_streams(connection: sqlite3.Connection, group: str, prefix: str) -> list[LogStream]:
    return [
        LogStream(
            group=group,
            name=name,
            created_at_ms=created_at_ms,
            first_event_at_ms=first_at_ms,
            last_event_at_ms=last_at_ms,
        )
        for name, created_at_ms, first_at_ms, last_at_ms in connection.execute(
            _STREAMS, (group, prefix)
        )
    ]


_EVENTS: Final = (
    "SELECT e.number, s.name, e.at_ms, e.ingested_at_ms, e.message"
    " FROM log_event AS e JOIN log_stream AS s ON s.number = e.stream_number"
    " WHERE e.group_number = (SELECT number FROM log_group WHERE name = :group)"
    " AND (:all_streams OR s.name IN (SELECT value FROM json_each(:streams)))"
    " AND e.at_ms >= :start_ms AND e.at_ms < :end_ms"
    " AND e.number > :after_id AND e.number < :before_id"
)
_OLDEST_FIRST: Final = _EVENTS + " ORDER BY e.at_ms, e.number LIMIT :limit"
_NEWEST_FIRST: Final = _EVENTS + " ORDER BY e.at_ms DESC, e.number DESC LIMIT :limit"
_NUMBER_MAX: Final = 2**63 - 1


def _read_events(connection: sqlite3.Connection, query: LogQuery) -> list[LogEvent]:
    values = {
        "group": query.group,
        "all_streams": query.streams is None,
        "streams": json.dumps(list(query.streams or ())),
        "start_ms": -_NUMBER_MAX if query.start_ms is None else query.start_ms,
        "end_ms": _NUMBER_MAX if query.end_ms is None else query.end_ms,
        "after_id": query.after_id,
        "before_id": _NUMBER_MAX if query.before_id is None else query.before_id,
        "limit": query.limit,
    }
    statement = _NEWEST_FIRST if query.newest_first else _OLDEST_FIRST
    return [
        LogEvent(
            group=query.group,
            stream=stream,
            at_ms=at_ms,
            message=message.decode(errors="replace"),
            ingested_at_ms=ingested_at_ms,
            id=number,
        )
        for number, stream, at_ms, ingested_at_ms, message in connection.execute(statement, values)
    ]


_DELETE_GROUP: Final = "DELETE FROM log_group WHERE name = ?"


def _delete_group(connection: sqlite3.Connection, group: str) -> None:
    connection.execute(_DELETE_GROUP, (group,))


_TOTAL: Final = "SELECT COALESCE(SUM(stored_bytes), 0) FROM log_group"
_OLDEST: Final = (
    "SELECT number, group_number, at_ms, length(message) FROM log_event ORDER BY number LIMIT ?"
)
_DELETE_EVENT: Final = "DELETE FROM log_event WHERE number = ?"
_DELETE_EMPTY_STREAMS: Final = (
    "DELETE FROM log_stream WHERE last_at_ms < ?"
    " AND NOT EXISTS (SELECT 1 FROM log_event WHERE stream_number = log_stream.number)"
)
