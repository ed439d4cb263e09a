"""What every log store does; and what the one on SQLite does beyond it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from perdure.store.logs import LogEvent, LogQuery, LogStore
from perdure.store.memory_logs import MemoryLogStore
from perdure.store.postgres_logs import PostgresLogs
from perdure.store.sqlite_logs import SqliteLogStore

from .clusters import a_database

NOW_MS = 1_700_000_000_000
_SOMEBODY_WAITS = """
SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_STORE_ONE = """
INSERT INTO perdure.log_event (group_number, stream_number, at_ms, ingested_at_ms, message)
SELECT group_number, stream_number, at_ms, ingested_at_ms, $1 FROM perdure.log_event
"""


class FixedClock:
    def now_ms(self) -> int:
        return NOW_MS


def an_event(message: str = "hi\n", **changes: Any) -> LogEvent:
    values: dict[str, Any] = {"group": "g", "stream": "s", "at_ms": NOW_MS, "message": message}
    return LogEvent(**(values | changes))


@contextlib.asynccontextmanager
async def a_file(folder: Path, **limits: int) -> AsyncIterator[SqliteLogStore]:
    store = SqliteLogStore(folder / "logs.db", clock=FixedClock(), **limits)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


@contextlib.asynccontextmanager
async def a_shared_one(folder: Path, **limits: int) -> AsyncIterator[PostgresLogs]:
    store = PostgresLogs(a_database(folder), clock=FixedClock(), **limits)  # type: ignore[arg-type]
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


PLACES = {"sqlite": a_file, "postgres": a_shared_one}


def with_store(kind: str, folder: Path, story: Callable[[LogStore], Awaitable[None]]) -> None:
    async def tell() -> None:
        if kind == "memory":
            await story(MemoryLogStore(clock=FixedClock()))
        else:
            async with PLACES[kind](folder) as store:
                await story(store)

    asyncio.run(tell())


async def messages(store: LogStore, **changes: Any) -> list[str]:
    return [event.message for event in await store.events(LogQuery(**({"group": "g"} | changes)))]


every_store = pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
every_place = pytest.mark.parametrize("kind", [*PLACES])


@every_store
def test_a_read_sees_what_was_appended_before(kind: str, tmp_path: Path) -> None:
    async def story(store: LogStore) -> None:
        for number in range(50):
            store.append([an_event(f"{number}\n")])
            assert len(await messages(store)) == number + 1
        first, second, *_rest = await store.events(LogQuery(group="g"))
        assert first == an_event("0\n", id=first.id, ingested_at_ms=NOW_MS)
        assert second.id > first.id

    with_store(kind, tmp_path, story)


def test_lines_are_numbered_after_what_another_node_stores_meanwhile(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_shared_one(tmp_path) as store:
            store.append([an_event("first")])
            assert await messages(store) == ["first"]
            admin = await asyncpg.connect(a_database(tmp_path))
            async with admin.transaction():
                await admin.execute("SELECT pg_advisory_xact_lock(1346720324, 1)")
                store.append([an_event("third")])
                reading = asyncio.create_task(messages(store))
                while not await admin.fetchval(_SOMEBODY_WAITS):
                    continue
                await admin.execute(_STORE_ONE, b"second")
            assert await reading == ["first", "second", "third"]
            await admin.close()

    asyncio.run(story())


@every_store
def test_events_come_by_instant_and_then_by_arrival(kind: str, tmp_path: Path) -> None:
    async def story(store: LogStore) -> None:
        store.append([an_event("b", at_ms=2), an_event("a", at_ms=1), an_event("c", at_ms=2)])
        assert await messages(store) == ["a", "b", "c"]
        assert await messages(store, newest_first=True) == ["c", "b", "a"]
        assert await messages(store, limit=2) == ["a", "b"]
        assert await messages(store, limit=2, newest_first=True) == ["c", "b"]

    with_store(kind, tmp_path, story)


@every_store
def test_a_query_asks_for_a_part(kind: str, tmp_path: Path) -> None:
    async def story(store: LogStore) -> None:
        store.append([an_event(str(n), at_ms=n, stream=f"s{n % 3}") for n in range(10)])
        store.append([an_event("elsewhere", group="other")])
        ids = [event.id for event in await store.events(LogQuery(group="g"))]
        assert await messages(store, start_ms=3, end_ms=6) == ["3", "4", "5"]
        assert await messages(store, streams=["s1"]) == ["1", "4", "7"]
        assert await messages(store, streams=["s1", "s2"], limit=3) == ["1", "2", "4"]
        assert await messages(store, streams=[]) == []
        assert await messages(store, after_id=ids[7]) == ["8", "9"]
        assert await messages(store, before_id=ids[2]) == ["0", "1"]
        assert await messages(store, group="none") == []

    with_store(kind, tmp_path, story)


@every_store
def test_groups_and_streams_are_found_by_prefix(kind: str, tmp_path: Path) -> None:
    async def story(store: LogStore) -> None:
        places = [("/aws/b", "x%1"), ("/aws/b", "x_2"), ("/aws/a", "y"), ("other", "z")]
        for n, (group, stream) in enumerate(places):
            store.append([an_event("é\n", group=group, stream=stream, at_ms=n)])
        store.append([an_event("12345", group="/aws/b", stream="x_2", at_ms=9)])
        groups = [(g.name, g.created_at_ms, g.stored_bytes) for g in await store.groups("/aws/")]
        assert groups == [("/aws/a", NOW_MS, 3), ("/aws/b", NOW_MS, 11)]
        assert len(await store.groups()) == 3
        assert await store.groups("%") == []
        streams = await store.streams("/aws/b", "x")
        spans = [(s.name, s.first_event_at_ms, s.last_event_at_ms) for s in streams]
        assert spans == [("x%1", 0, 0), ("x_2", 1, 9)]
        assert await store.streams("/aws/b", "_") == []
        assert await store.streams("none") == []

    with_store(kind, tmp_path, story)


@every_store
def test_a_deleted_group_is_gone_and_may_come_back(kind: str, tmp_path: Path) -> None:
    async def story(store: LogStore) -> None:
        store.append([an_event("old"), an_event("kept", group="other")])
        await store.delete_group("g")
        await store.delete_group("g")
        assert [group.name for group in await store.groups()] == ["other"]
        store.append([an_event("new")])
        assert await messages(store) == ["new"]
        assert await messages(store, group="other") == ["kept"]

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("text", ["", "\0", "a\0b", "太郎 🎉", "\x1b[31m", "x" * 262_144])
def test_any_text_is_kept(kind: str, text: str, tmp_path: Path) -> None:
    async def story(store: LogStore) -> None:
        store.append([an_event(text)])
        assert await messages(store) == [text]

    with_store(kind, tmp_path, story)


@every_place
def test_a_lone_surrogate_loses_only_itself(kind: str, tmp_path: Path) -> None:
    async def story(store: LogStore) -> None:
        store.append([an_event("a\ud800b"), an_event("next")])
        assert await messages(store) == ["a?b", "next"]

    with_store(kind, tmp_path, story)


@every_place
def test_lines_survive_a_restart_and_ids_rise_on(kind: str, tmp_path: Path) -> None:
    async def story() -> list[int]:
        ids: list[int] = []
        for number in range(3):
            async with PLACES[kind](tmp_path) as store:
                store.append([an_event(str(number))])
            async with PLACES[kind](tmp_path) as store:
                ids.append((await store.events(LogQuery(group="g")))[-1].id)
        return ids

    first, second, third = asyncio.run(story())
    assert first < second < third


@every_place
def test_a_flood_drops_the_oldest_and_says_so(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with PLACES[kind](tmp_path, queue_bytes_max=10_000) as store:
            store.append([an_event(f"{n:05d}") for n in range(1_000)])
            kept = await messages(store)
        assert kept[-1] == "00999"
        assert len(kept) < 100
        lost = int(kept[0].split()[1])
        assert kept[0].startswith("[perdure]")
        assert lost + len(kept) - 1 == 1_000

    asyncio.run(story())


@every_place
def test_pruning_removes_by_age_and_by_size(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with PLACES[kind](tmp_path, retention_ms=1_000, stored_bytes_max=100) as store:
            store.append([an_event("old", at_ms=NOW_MS - 5_000, stream="past")])
            store.append([an_event("x" * 30, at_ms=NOW_MS + n) for n in range(5)])
            assert await store.prune(NOW_MS) == 3
            assert await store.prune(NOW_MS) == 0
            assert len(await messages(store)) == 3
            assert [group.stored_bytes for group in await store.groups()] == [90]
            assert [stream.name for stream in await store.streams("g")] == ["s"]
            assert await store.prune(NOW_MS + 10_000) == 3

    asyncio.run(story())


def test_a_file_of_a_later_form_or_none_at_all_is_refused(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        store = SqliteLogStore(path, clock=FixedClock())
        with pytest.raises(sqlite3.DatabaseError):
            await store.open()
        await store.aclose()

    later = tmp_path / "later.db"
    with contextlib.closing(sqlite3.connect(later)) as connection:
        connection.execute("PRAGMA user_version = 99")
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"junk" * 1_000)
    asyncio.run(story(later))
    asyncio.run(story(junk))


@every_place
def test_a_closed_store_takes_no_question(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with PLACES[kind](tmp_path) as store:
            pass
        store.append([an_event()])
        with pytest.raises(RuntimeError, match="not open"):
            await store.groups()

    asyncio.run(story())
