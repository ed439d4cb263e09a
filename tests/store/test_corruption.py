"""A flipped bit in a stored payload is found when it is read, and costs only what it is in (D6)."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from perdure.core.commands import Stop
from perdure.protocol.words import OperationAction
from perdure.store.protocol import CorruptRowError, EventQuery, ExecutionQuery, Store
from perdure.store.records import RecordWrite
from tests.core.builders import BOOM, a_begin, a_checkpoint, a_step

from .stores import SQLITE, Keeper, a_store, an_id, opened, with_store

Question = Callable[[Store, int], Awaitable[object]]


def load(store: Store, number: int) -> Awaitable[object]:
    return store.load(an_id(number))


def history(store: Store, number: int) -> Awaitable[object]:
    return store.events(EventQuery(execution_id=an_id(number)))


def summary(store: Store, number: int) -> Awaitable[object]:
    return store.list(ExecutionQuery(function_arn=f"arn:{number}"))


def record(store: Store, number: int) -> Awaitable[object]:
    return store.read_record("c", f"k{number}")


def letter(store: Store, number: int) -> Awaitable[object]:
    return store.letters(limit=1, after_id="" if number == 1 else an_id(number))


async def two_lives(store: Store) -> None:
    """Store two executions with all that can be stored of them."""
    keeper = Keeper(store)
    for number in (1, 2):
        execution = await keeper.start(number, is_announced=True, function_arn=f"arn:{number}")
        await keeper.tell(execution, a_begin())
        steps = (
            a_step(OperationAction.SUCCEED, payload='"payload"'),
            a_step(OperationAction.RETRY, "again", error=BOOM),
        )
        await keeper.tell(execution, a_checkpoint(execution, *steps), Stop())
        await store.write_records([RecordWrite(collection="c", key=f"k{number}", body=b"body")])


def flip(path: Path, table: str, column: str, bit: int) -> None:
    """Flip one bit in a column's first blob of the first execution."""
    first = {
        "execution": "number = 1",
        "operation": "number >> 22 = 1",
        "event": "number >> 24 = 1",
        "letter": "TRUE",
        "record": "key = 'k1'",
    }[table]
    key = "id" if table == "letter" else "rowid"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        where = f"{first} AND {column} IS NOT NULL ORDER BY {key} LIMIT 1"
        place, found = connection.execute(
            f"SELECT {key}, {column} FROM {table} WHERE {where}"
        ).fetchone()
        blob = bytearray(found)
        blob[bit // 8 % len(blob)] ^= 1 << bit % 8
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (bytes(blob), place))


@pytest.mark.parametrize("bit", [0, 13, 77])
@pytest.mark.parametrize(
    ("table", "column", "question"),
    [
        ("execution", "identity", load),
        ("execution", "identity", summary),
        ("execution", "progress", load),
        ("execution", "progress", summary),
        ("operation", "body", load),
        ("operation", "payload", load),
        ("operation", "input", load),
        ("event", "details", history),
        ("letter", "body", letter),
        ("record", "body", record),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_flipped_bit_is_found_and_costs_only_what_it_is_in(
    table: str, column: str, question: Question, bit: int, tmp_path: Path
) -> None:
    """D6."""
    with_store(SQLITE, tmp_path, two_lives)

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            kept = await question(store, 2)
        flip(tmp_path / "perdure.db", table, column, bit)
        async with opened(a_store(SQLITE, tmp_path)) as store:
            with pytest.raises(CorruptRowError):
                await question(store, 1)
            assert await question(store, 2) == kept
            execution = await Keeper(store).start(3)
            assert await store.load(an_id(3)) == execution

    asyncio.run(story())


def test_every_blob_column_is_flipped_above_or_is_a_key(tmp_path: Path) -> None:
    """D6: a key that changes is not found; it holds no payload."""
    with_store(SQLITE, tmp_path, two_lives)
    with contextlib.closing(sqlite3.connect(tmp_path / "perdure.db")) as connection:
        blobs = {
            (table, column)
            for table in ("execution", "operation", "event", "letter", "record")
            for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
            if kind == "BLOB"
        }
    keys = {("execution", "id"), ("execution", "name_key"), ("letter", "sender")}
    assert blobs - keys == {
        ("execution", "identity"),
        ("execution", "progress"),
        ("operation", "body"),
        ("operation", "payload"),
        ("operation", "input"),
        ("event", "details"),
        ("letter", "body"),
        ("record", "body"),
    }


def test_details_of_an_older_file_are_read_unchecked(tmp_path: Path) -> None:
    """V3: they were written without a checksum."""
    with_store(SQLITE, tmp_path, two_lives)

    async def events(store: Store) -> object:
        return await history(store, 1)

    async def story() -> tuple[object, object]:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            before = await events(store)
        with contextlib.closing(sqlite3.connect(tmp_path / "perdure.db")) as connection, connection:
            connection.execute("UPDATE event SET checksum = NULL")
        async with opened(a_store(SQLITE, tmp_path)) as store:
            return before, await events(store)

    before, after = asyncio.run(story())
    assert before == after
