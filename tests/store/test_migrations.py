"""Files of older versions are brought forward, with all that is in them (V3).

``older/schema_2.sql`` was written by release 0.1.0, and ``older/schema_2.json`` says what that read
of it. Schema 1 was the same without a checksum of an event's details.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from perdure.core.commands import Delete, Stop
from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.core.operation import Operation
from perdure.core.outcome import AnnounceEnd, NotifyParent, StartChild
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Letter
from perdure.store.protocol import (
    Agenda,
    CorruptRowError,
    EventQuery,
    ExecutionQuery,
    Store,
)
from perdure.store.records import Record
from perdure.store.sqlite_migrations import migrate
from perdure.store.sqlite_schema import APPLICATION_ID, SCHEMA, connect

from .stores import SQLITE, Keeper, a_store, an_id, opened

FILE = "perdure.db"
OLDER = Path(__file__).parent / "older"
MESSAGES = {kind.__name__: kind for kind in (AnnounceEnd, NotifyParent, StartChild)}
VERSIONS: Final = range(1, SCHEMA)
#: Executions of the older file, by the statuses in it.
EXPECTED: Final[dict[str, Any]] = msgspec.json.decode((OLDER / "schema_2.json").read_bytes())

every_version = pytest.mark.parametrize("version", VERSIONS)


def an_older_file(folder: Path, version: int) -> Path:
    """Write a file of schema ``version`` as it was then."""
    path = folder / FILE
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((OLDER / "schema_2.sql").read_text())
        if version == 1:
            connection.execute("ALTER TABLE event DROP COLUMN checksum")
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};"
        )
    return path


def lives() -> list[tuple[Execution, list[Event]]]:
    """Return what the older release read."""
    return [
        (
            Execution.of(
                msgspec.convert(life["identity"], Identity, str_keys=True),
                msgspec.json.decode(msgspec.json.encode(life["progress"]), type=Progress),
                [
                    msgspec.json.decode(msgspec.json.encode(operation), type=Operation)
                    for operation in life["operations"]
                ],
            ),
            [
                msgspec.json.decode(msgspec.json.encode(event), type=Event)
                for event in life["events"]
            ],
        )
        for life in EXPECTED["executions"]
    ]


def told(folder: Path, story: Callable[[Store], Awaitable[None]]) -> None:
    """Tell a story to the store in ``folder``."""

    async def tell() -> None:
        async with opened(a_store(SQLITE, folder)) as store:
            await story(store)

    asyncio.run(tell())


async def all_events(store: Store, execution_id: str) -> list[Event]:
    return [*await store.events(EventQuery(execution_id=execution_id, limit=10_000))]


@every_version
def test_everything_in_an_older_file_is_read_as_it_was(version: int, tmp_path: Path) -> None:
    """V3: executions, history, agendas, names, letters, records."""
    an_older_file(tmp_path, version)
    stored = lives()
    high_ms = max(execution.progress.updated_at_ms for execution, _ in stored)

    async def story(store: Store) -> None:
        for execution, events in stored:
            assert await store.load(execution.identity.id) == execution
            assert await all_events(store, execution.identity.id) == events
        for agenda in Agenda:
            due = await store.upcoming(agenda, before_ms=1 << 60, limit=1_000)
            instants = {e.identity.id: getattr(e.progress, agenda.value) for e, _ in stored}
            assert {i: at_ms for at_ms, i in due} == {
                i: at_ms for i, at_ms in instants.items() if at_ms is not None
            }
        for function_arn, name, holder in EXPECTED["names"]:
            assert await store.find(function_arn, name) == holder
        found = await store.list(ExecutionQuery(limit=1_000))
        durable = {e.identity.id: e for e, _ in stored if e.identity.kind == "durable"}
        assert {identity.id for identity, _ in found} == {*durable}
        assert [*await store.letters(limit=1_000)] == [
            Letter(
                letter["id"],
                letter["sender_id"],
                letter["sent_at_ms"],
                msgspec.convert(letter["message"], MESSAGES[letter["kind"]]),
            )
            for letter in EXPECTED["letters"]
        ]
        records = [*await store.list_records("c0"), *await store.list_records("c1")]
        assert records == [msgspec.convert(record, Record) for record in EXPECTED["records"]]
        assert store.unreadable_rows == 0

    async def again() -> None:
        store = a_store(SQLITE, tmp_path)
        assert await store.open() == high_ms
        await story(store)
        await store.aclose()

    asyncio.run(again())
    asyncio.run(again())


@every_version
def test_executions_of_an_older_file_go_on(version: int, tmp_path: Path) -> None:
    """V3: as those of this one do; what was erased is gone."""
    an_older_file(tmp_path, version)

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        keeper.now_ms = max(execution.progress.updated_at_ms for execution, _ in lives())
        await keeper.start(1 << 100, name="new")
        ended = 0
        for execution, events in lives():
            if execution.progress.status is ExecutionStatus.DELETING:
                await store.erase(execution.identity.id)
                assert await store.load(execution.identity.id) is None
                continue
            ended += 1
            await keeper.tell(execution, Stop())
            assert await store.load(execution.identity.id) == execution
            history = await all_events(store, execution.identity.id)
            assert history[: len(events)] == events
            await keeper.tell(execution, Delete())
            await store.erase(execution.identity.id)
        assert ended
        await store.discard([letter.id for letter in await store.letters(limit=1_000)])
        found = await store.list(ExecutionQuery())
        assert [identity.id for identity, _ in found] == [an_id(1 << 100)]

    told(tmp_path, story)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("function", "pin", "execution", "operation", "event", "letter")
        }
    assert counts == {
        **dict.fromkeys(["function", "pin", "execution", "operation", "event"], 1),
        "letter": 0,
    }


@pytest.mark.parametrize("version", [0, *VERSIONS, SCHEMA])
def test_a_file_of_any_version_is_as_a_new_one(version: int, tmp_path: Path) -> None:
    """V3."""
    shapes = []
    for place, from_version in ((tmp_path / "new", 0), (tmp_path / "old", version)):
        place.mkdir()
        if from_version in VERSIONS:
            an_older_file(place, from_version)
        with contextlib.closing(connect(place / FILE, is_writer=True)) as connection:
            for _ in range(2 if from_version == SCHEMA else 1):
                migrate(connection)
            pragmas = [
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version", "journal_mode")
            ]
            assert pragmas == [APPLICATION_ID, SCHEMA, "wal"]
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
            rows = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name")
            shapes.append(rows.fetchall())
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("part", ["identity", "progress", "operation", "event"])
def test_what_was_damaged_before_stays_so_and_costs_only_itself(
    part: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """D6: nothing is mended by writing a new checksum."""
    path = an_older_file(tmp_path, 2)
    stored = lives()
    damaged = next(
        execution
        for execution, _ in stored
        if execution.identity.kind == "durable"
        and execution.progress.status is not ExecutionStatus.DELETING
    )
    key = damaged.identity.id
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        (number,) = connection.execute(
            "SELECT number FROM execution WHERE id = ?", (bytes.fromhex(key),)
        ).fetchone()
        sql = {
            "identity": "UPDATE execution SET identity = identity || x'20' WHERE number = ?",
            "progress": "UPDATE execution SET progress = progress || x'20' WHERE number = ?",
            "operation": "UPDATE operation SET body = body || x'20' WHERE number >> 22 = ?",
            "event": "UPDATE event SET details = x'7b7d', checksum = 1 WHERE number >> 24 = ?",
        }[part]
        connection.execute(sql, (number,))

    async def story(store: Store) -> None:
        with pytest.raises(CorruptRowError):
            await store.load(key)
        with pytest.raises(CorruptRowError):
            await all_events(store, key)
        for execution, events in stored:
            if execution.identity.id != key:
                assert await store.load(execution.identity.id) == execution
                assert await all_events(store, execution.identity.id) == events
        found = {identity.id for identity, _ in await store.list(ExecutionQuery(limit=1_000))}
        assert found == {e.identity.id for e, _ in stored if e.identity.kind == "durable"} - {key}
        holder = await store.find(damaged.identity.function_arn, damaged.identity.name)
        assert holder == (None if part == "identity" else key)

    with caplog.at_level(logging.CRITICAL):
        told(tmp_path, story)
    assert f"execution number {number} cannot be read" in caplog.text


@pytest.mark.parametrize("table", ["letter", "record"])
def test_a_damaged_letter_or_record_of_an_older_file_stays_so(table: str, tmp_path: Path) -> None:
    """D6."""
    path = an_older_file(tmp_path, 2)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET body = body || x'20'")

    async def story(store: Store) -> None:
        if table == "letter":
            assert await store.letters(limit=100) == []
            assert store.unreadable_rows == len(EXPECTED["letters"])
        else:
            record = EXPECTED["records"][0]
            with pytest.raises(CorruptRowError):
                await store.read_record(record["collection"], record["key"])

    told(tmp_path, story)


@every_version
def test_a_migration_that_is_cut_short_has_not_begun(version: int, tmp_path: Path) -> None:
    """V3: a file is of one version or of another."""
    path = an_older_file(tmp_path, version)

    class CutShort(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.startswith("DROP TABLE old_record"):
                raise KeyboardInterrupt
            return super().execute(sql, *values)

    before = list(sqlite3.connect(path).iterdump())
    connection = sqlite3.connect(path, isolation_level=None, factory=CutShort)
    with contextlib.closing(connection), pytest.raises(KeyboardInterrupt):
        migrate(connection)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before
    told(tmp_path, lambda store: store.list(ExecutionQuery()))  # type: ignore[arg-type,return-value]


def test_names_of_an_older_file_are_taken(tmp_path: Path) -> None:
    """I1."""
    an_older_file(tmp_path, 2)
    function_arn, name, holder = next(row for row in EXPECTED["names"] if row[2] is not None)

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        with pytest.raises(AssertionError):
            await keeper.start(1 << 100, name=name, function_arn=function_arn)
        assert await store.find(function_arn, name) == holder
        await keeper.start(1 << 101, name=name, function_arn="arn:another")

    told(tmp_path, story)
