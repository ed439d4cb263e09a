"""The write-ahead log has its room from the start, and nothing else is changed by that."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite_log import PAGES_LONG, PAGES_SHORT, give_room
from perdure.store.sqlite_migrations import migrate
from perdure.store.sqlite_schema import connect
from tests.core.builders import a_start

from .stores import Keeper, a_change, an_id

FILE = "perdure.db"
PAGE_BYTES = 4_096 + 24


@pytest.mark.parametrize(
    ("has_process", "pages"), [(False, PAGES_SHORT), (True, PAGES_LONG)], ids=["thread", "process"]
)
def test_the_log_does_not_grow_with_the_first_commits(
    tmp_path: Path, has_process: bool, pages: int
) -> None:
    async def story() -> None:
        store = SqliteStore(tmp_path / FILE, has_writer_process=has_process)
        await store.open()
        before = (tmp_path / f"{FILE}-wal").stat().st_size
        assert before >= pages * PAGE_BYTES
        keeper = Keeper(store)
        await keeper.start()
        for number in range(2, 60):
            await store.commit(a_change(None, a_start(id=an_id(number), name=str(number))))
        assert (tmp_path / f"{FILE}-wal").stat().st_size == before
        await store.aclose()

    asyncio.run(story())


def test_what_is_in_the_log_survives_getting_room(tmp_path: Path) -> None:
    path = tmp_path / FILE
    connection = connect(path, is_writer=True)
    migrate(connection)
    connection.execute("INSERT INTO function (arn) VALUES ('before')")
    give_room(connection, path, pages=100)
    connection.execute("INSERT INTO function (arn) VALUES ('after')")
    copies = [tmp_path / f"copy.db{suffix}" for suffix in ("", "-wal")]
    for copy, original in zip(copies, (path, tmp_path / f"{FILE}-wal"), strict=True):
        copy.write_bytes(original.read_bytes())  # what a power cut would leave
    connection.close()
    again = sqlite3.connect(copies[0])
    assert [row[0] for row in again.execute("SELECT arn FROM function ORDER BY number")] == [
        "before",
        "after",
    ]
    again.close()


def test_a_log_of_zeros_is_an_empty_log(tmp_path: Path) -> None:
    path = tmp_path / FILE
    connection = connect(path, is_writer=True)
    migrate(connection)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    give_room(connection, path, pages=100)
    log = (tmp_path / f"{FILE}-wal").read_bytes()
    assert set(log) == {0}
    (tmp_path / "copy.db").write_bytes(path.read_bytes())
    (tmp_path / "copy.db-wal").write_bytes(log)
    again = connect(tmp_path / "copy.db", is_writer=True)
    assert again.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again.execute("INSERT INTO function (arn) VALUES ('first')")
    for opened in (again, connection):
        opened.close()
    assert not os.path.exists(tmp_path / "copy.db-wal")


def test_a_file_without_a_log_has_none_made(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE)
    give_room(connection, tmp_path / FILE, pages=100)
    connection.close()
    assert not (tmp_path / f"{FILE}-wal").exists()
