"""Rows that cannot be read cost only their own execution: after a restart, too (D6, X5)."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from perdure.core.commands import Stop
from perdure.store.protocol import ExecutionQuery
from perdure.store.sqlite import SqliteStore
from tests.service.in_process import Call, Clock, serving_in_process
from tests.store.stores import Keeper, opened


async def returning(_: Call) -> dict[str, Any]:
    return {"Status": "SUCCEEDED", "Result": "null"}


async def never(_: Call) -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("it is cut off")


def damage(path: Path, table: str) -> None:
    """Change a byte in the first row."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        column = {"execution": "progress", "letter": "body"}[table]
        connection.execute(
            f"UPDATE {table} SET {column} = CAST({column} || x'00' AS BLOB)"
            f" WHERE id = (SELECT min(id) FROM {table})"
        )


def test_what_was_ready_runs_though_one_of_it_cannot_be_read(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with serving_in_process(tmp_path / "data", Clock(), never) as service:
            await service.dispatcher.stop(grace_seconds=0)
            for _ in range(5):
                await service.start()
        damage(tmp_path / "data/state.db", "execution")
        async with serving_in_process(tmp_path / "data", Clock(), returning) as service:
            await service.settle()
            found = await service.store.list(ExecutionQuery())
            return [progress.status for _, progress in found]

    assert asyncio.run(story()) == ["SUCCEEDED"] * 4


def test_letters_are_delivered_though_one_of_them_cannot_be_read(tmp_path: Path) -> None:
    """I4: an outcome that nobody can send any more does not hold up those of others."""
    folder = tmp_path / "data"
    folder.mkdir()

    async def story() -> tuple[int, list[int]]:
        async with opened(SqliteStore(folder / "state.db")) as store:
            keeper = Keeper(store)
            for number in range(1, 5):
                execution = await keeper.start(number, is_announced=True)
                await keeper.tell(execution, Stop())
        damage(folder / "state.db", "letter")
        before = left(folder)
        async with serving_in_process(folder, Clock(), returning) as service:
            await service.outbox.run_once()
            while await service.store.letters(limit=1):  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0)
            return service.store.unreadable_rows, [before, left(folder)]

    assert asyncio.run(story()) == (1, [4, 1])


def left(folder: Path) -> int:
    """Return how many letters there are."""
    with contextlib.closing(sqlite3.connect(folder / "state.db")) as connection:
        return connection.execute("SELECT count(*) FROM letter").fetchone()[0]
