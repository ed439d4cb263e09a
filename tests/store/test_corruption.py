"""What has changed in the file since it was written is found when it is read, and costs only what
it is in (D6).
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from perdure.core.commands import Stop
from perdure.protocol.words import OperationAction
from perdure.store.protocol import CorruptRowError, EventQuery, ExecutionQuery, Store
from perdure.store.records import RecordWrite
from tests.core.builders import BOOM, a_begin, a_checkpoint, a_step

from .stores import SQLITE, Keeper, a_store, an_id, opened, with_store

FILE = "perdure.db"
TABLES = ("function", "pin", "execution", "operation", "event", "letter", "record")
Question = Callable[[Store, int], Awaitable[object]]


async def load(store: Store, number: int) -> object:
    return await store.load(an_id(number))


async def history(store: Store, number: int) -> object:
    return await store.events(EventQuery(execution_id=an_id(number)))


async def record(store: Store, number: int) -> object:
    return await store.read_record("c", f"k{number}")


async def letter(store: Store, number: int) -> object:
    letters = await store.letters(limit=10)
    return [letter for letter in letters if letter.sender_id == an_id(number)]


async def two_lives(store: Store) -> None:
    """Store two executions with all that can be stored of them."""
    keeper = Keeper(store)
    for number in (1, 2):
        execution = await keeper.start(
            number, is_announced=True, function_arn=f"arn:{number}", retention_days=1
        )
        await keeper.tell(execution, a_begin())
        steps = (
            a_step(OperationAction.SUCCEED, payload='"payload"'),
            a_step(OperationAction.RETRY, "again", error=BOOM),
        )
        await keeper.tell(execution, a_checkpoint(execution, *steps), Stop())
        await store.write_records([RecordWrite(collection="c", key=f"k{number}", body=b"body")])


#: The first execution's row of each table that has a payload.
FIRST: Final = {
    "function": "number = 1",
    "pin": "number = 1",
    "execution": "number = 1",
    "operation": "number >> 22 = 1",
    "event": "number >> 24 = 1",
    "letter": f"sender = x'{an_id(1)}'",
    "record": "key = 'k1'",
}


def flip(path: Path, table: str, column: str, bit: int) -> None:
    """Flip one bit in a column of the first execution; what was nothing becomes something."""
    key = "id" if table == "letter" else "rowid"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        where = f"{FIRST[table]} ORDER BY {column} IS NULL, {key} LIMIT 1"
        place, found = connection.execute(
            f"SELECT {key}, {column} FROM {table} WHERE {where}"
        ).fetchone()
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (flipped(found, bit), place)
        )


def flipped(value: Any, bit: int) -> Any:
    if isinstance(value, bytes | str):
        raw = bytearray(value if isinstance(value, bytes) else value.encode())
        if not raw:
            return b"x"
        raw[bit // 8 % len(raw)] ^= 1 << bit % 7  # still a text, if it was one
        return bytes(raw) if isinstance(value, bytes) else raw.decode()
    return 1 if value is None else value ^ 1 << bit % 30


#: Each column, and the questions that are refused when it has changed.
READ: Final[dict[str, dict[str, tuple[Question, ...]]]] = {
    "execution": {
        "pin": (load,),
        **dict.fromkeys(["name", "identity", "identity_checksum", "progress", "checksum"], (load,)),
        **dict.fromkeys(["started_at_ms", "status", "version", "updated_at_ms"], (load,)),
        **dict.fromkeys(["wake_at_ms", "ready_at_ms", "lease_until_ms", "expires_at_ms"], (load,)),
    },
    "operation": dict.fromkeys(["id", "body", "payload", "input", "checksum"], (load,)),
    "event": dict.fromkeys(["body", "checksum"], (history,)),
    "record": dict.fromkeys(["revision", "body", "checksum"], (record,)),
}
#: Columns by which a row is found; with another value it is not found, or is the wrong one's.
KEYS: Final = {
    ("execution", "id"),
    ("execution", "function"),
    ("execution", "holder"),
    ("pin", "function"),
    ("pin", "version"),
    ("pin", "is_durable"),
    ("record", "collection"),
    ("record", "key"),
    ("function", "arn"),
}
#: A pin is kept twice.
SPARED: Final = {("pin", "digest"), ("pin", "body"), ("pin", "spare")}
LETTER: Final = ("id", "sender", "sent_at_ms", "kind", "body", "checksum")


@pytest.mark.parametrize("bit", [0, 13, 77])
@pytest.mark.parametrize(
    ("table", "column", "question"),
    [
        (table, column, question)
        for table, columns in READ.items()
        for column, questions in columns.items()
        for question in questions
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", None),
)
def test_a_flipped_bit_is_found_and_costs_only_what_it_is_in(
    table: str, column: str, question: Question, bit: int, tmp_path: Path
) -> None:
    """D6."""
    with_store(SQLITE, tmp_path, two_lives)

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            kept = await question(store, 2)
        flip(tmp_path / FILE, table, column, bit)
        async with opened(a_store(SQLITE, tmp_path)) as store:
            for _ in range(2):
                with pytest.raises(CorruptRowError):
                    await question(store, 1)
            assert await question(store, 2) == kept
            assert store.unreadable_rows == 1
            execution = await Keeper(store).start(3)
            assert await store.load(an_id(3)) == execution

    asyncio.run(story())


def test_every_column_is_flipped_here_or_is_a_key(tmp_path: Path) -> None:
    """D6."""
    with_store(SQLITE, tmp_path, two_lives)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        present = {
            (table, column)
            for table in TABLES
            for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")
        }
        tables = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
    read = {(table, column) for table, columns in READ.items() for column in columns}
    letters = {("letter", column) for column in LETTER}
    assert present == read | letters | SPARED | KEYS | {
        (table, "number") for table in ("function", "pin", "execution", "operation", "event")
    }
    assert tables == {*TABLES}


@pytest.mark.parametrize("column", ["name", "status", "version", "started_at_ms", "progress"])
def test_a_list_leaves_out_what_it_cannot_read_and_says_so_once(
    column: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """D6, X5: the page goes on, and is as long as it was asked to be."""

    async def many(store: Store) -> None:
        keeper = Keeper(store)
        for number in range(1, 6):
            await keeper.start(number)

    with_store(SQLITE, tmp_path, many)
    flip(tmp_path / FILE, "execution", column, 3)

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            assert store.unreadable_rows == 0
            for _ in range(3):
                for newest_first in (False, True):
                    query = ExecutionQuery(limit=4, newest_first=newest_first)
                    found = [identity.id for identity, _ in await store.list(query)]
                    assert sorted(found) == [an_id(number) for number in (2, 3, 4, 5)]
            assert store.unreadable_rows == 1

    with caplog.at_level(logging.CRITICAL):
        asyncio.run(story())
    assert [entry.message for entry in caplog.records] == [
        f"execution {an_id(1)} cannot be read: a row does not have its checksum"
    ]


@pytest.mark.parametrize("column", LETTER)
def test_a_letter_that_cannot_be_read_does_not_hold_up_the_others(
    column: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """I4, D6: after a restart, too; it stays where it is, for whoever can mend it."""
    with_store(SQLITE, tmp_path, two_lives)

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            kept = await letter(store, 2)
        flip(tmp_path / FILE, "letter", column, 3)
        async with opened(a_store(SQLITE, tmp_path)) as store:
            for _ in range(2):
                assert [await store.letters(limit=1), await letter(store, 2)] == [kept, kept]
            assert store.unreadable_rows == 1

    with caplog.at_level(logging.CRITICAL):
        asyncio.run(story())
    assert len(caplog.records) == 1
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM letter").fetchone() == (2,)


@pytest.mark.parametrize("column", ["digest", "body", "spare"])
def test_what_many_executions_share_survives_a_flipped_bit(column: str, tmp_path: Path) -> None:
    """D6: it is kept twice."""
    with_store(SQLITE, tmp_path, two_lives)

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            kept = [await load(store, number) for number in (1, 2)]
        flip(tmp_path / FILE, "pin", column, 99)
        async with opened(a_store(SQLITE, tmp_path)) as store:
            assert [await load(store, number) for number in (1, 2)] == kept
            assert len(await store.list(ExecutionQuery())) == 2

    asyncio.run(story())


def test_what_many_executions_share_and_is_lost_costs_them_alone(tmp_path: Path) -> None:
    """D6."""
    with_store(SQLITE, tmp_path, two_lives)
    flip(tmp_path / FILE, "pin", "body", 8)
    flip(tmp_path / FILE, "pin", "spare", 16)

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            with pytest.raises(CorruptRowError):
                await load(store, 1)
            assert await load(store, 2) is not None
            found = await store.list(ExecutionQuery())
            assert [identity.id for identity, _ in found] == [an_id(2)]

    asyncio.run(story())


def test_bytes_that_are_no_text_are_no_text_but_an_unreadable_row(tmp_path: Path) -> None:
    """D6: where SQLite keeps a text, a flipped bit may leave something else."""
    with_store(SQLITE, tmp_path, two_lives)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("UPDATE execution SET status = CAST(x'ff52' AS TEXT) WHERE number = 1")
        connection.execute(f"UPDATE letter SET kind = CAST(x'ff' AS TEXT) WHERE {FIRST['letter']}")

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            with pytest.raises(CorruptRowError):
                await load(store, 1)
            found = await store.list(ExecutionQuery())
            assert [identity.id for identity, _ in found] == [an_id(2)]
            assert len(await store.letters(limit=9)) == 1

    asyncio.run(story())


def test_an_operation_that_was_put_elsewhere_is_not_served(tmp_path: Path) -> None:
    """D6: its bytes are right, and its place is not."""
    with_store(SQLITE, tmp_path, two_lives)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("UPDATE operation SET number = number + 9 WHERE number = (1 << 22) + 2")

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            with pytest.raises(CorruptRowError):
                await load(store, 1)

    asyncio.run(story())
