"""Disks that fail and processes that die: what was acknowledged is there, all of it (D1-D4)."""

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perdure.store.change import Change
from perdure.store.protocol import (
    CommitResult,
    EventQuery,
    ExecutionQuery,
    Store,
    StoreUnknownError,
)
from perdure.store.rows import rows_of
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite_commits import Commits
from perdure.store.sqlite_migrations import migrate
from perdure.store.sqlite_schema import connect
from perdure.store.sqlite_writer import ProcessWriter, ThreadWriter
from tests.core.builders import a_begin, a_chained_invoke, a_checkpoint, a_start, a_step

from .stores import SQLITE, SQLITE_PROCESS, Keeper, a_change, a_store, an_id, every_file, opened

FILE = "perdure.db"
COMMITTED = CommitResult.COMMITTED


class FailingConnection(sqlite3.Connection):
    """A connection whose next statement of a kind fails as if the disk had."""

    failing = ""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Carry out a statement, or fail."""
        if self.failing and self.failing in sql:
            self.failing = ""
            if self.in_transaction:
                super().execute("ROLLBACK")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return super().execute(sql, *values)


def a_failing_connection(path: Path) -> FailingConnection:
    connection = connect(path, is_writer=True)
    migrate(connection)
    connection.close()
    return sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, factory=FailingConnection
    )


def a_started(number: int) -> Change:
    return a_change(None, a_start(id=an_id(number), name=str(number)))


@pytest.mark.parametrize("statement", ["COMMIT", "BEGIN", "INSERT INTO event"])
def test_after_an_unknown_commit_nothing_is_committed_any_more(
    statement: str, tmp_path: Path
) -> None:
    """D4: though SQLite has rolled back by itself and would take more."""

    async def story() -> None:
        heard: list[Exception] = []
        connection = a_failing_connection(tmp_path / FILE)
        store = SqliteStore(tmp_path / FILE)
        store._writer = ThreadWriter(connection, on_unknown=heard.append)
        assert await store.commit(a_started(1)) is COMMITTED
        connection.failing = statement
        answers = await asyncio.gather(
            *(store.commit(a_started(number)) for number in range(2, 1_200)),
            return_exceptions=True,
        )
        answers += await asyncio.gather(store.commit(a_started(2_000)), return_exceptions=True)
        await store._writer.aclose()
        assert {type(answer) for answer in answers} == {StoreUnknownError}
        assert [type(error) for error in heard] == [StoreUnknownError]
        found = connection.execute("SELECT count(*) FROM execution").fetchone()
        connection.close()
        assert found == (1,)

    asyncio.run(story())


def test_a_group_after_an_unknown_one_is_answered_unknown_and_not_written(tmp_path: Path) -> None:
    """D4."""
    connection = a_failing_connection(tmp_path / FILE)
    commits = Commits(connection)
    connection.failing = "COMMIT"
    answers = [commits.commit([rows_of(a_started(number))]) for number in (1, 2)]
    found = connection.execute("SELECT count(*) FROM execution").fetchone()
    connection.close()
    assert [type(answer) for (answer,) in answers] == [StoreUnknownError] * 2
    assert found == (0,)


def test_a_disk_that_fails_under_the_writer_process_ends_it(tmp_path: Path) -> None:
    """D4: a real write error, from the kernel."""

    async def story() -> None:
        heard: list[Exception] = []
        store = SqliteStore(tmp_path / FILE, has_writer_process=True, on_unknown=heard.append)
        await store.open()
        keeper = Keeper(store)
        execution = await keeper.start()
        assert isinstance(store._writer, ProcessWriter)
        process = store._writer._process
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        answers = await asyncio.gather(
            *(store.commit(a_started(number)) for number in range(2, 20)), return_exceptions=True
        )
        answers += await asyncio.gather(store.commit(a_started(99)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnknownError}
        assert [type(error) for error in heard] == [StoreUnknownError]
        assert await store.load(an_id(1)) == execution
        await store.aclose()
        assert process.returncode == 1
        async with opened(a_store(SQLITE, tmp_path)) as again:
            assert await again.load(an_id(1)) == execution
            assert len(await again.list(ExecutionQuery())) == 1

    asyncio.run(story())


def test_a_writer_process_that_dies_makes_every_commit_unknown(tmp_path: Path) -> None:
    """D4."""

    async def story() -> None:
        heard: list[Exception] = []
        store = SqliteStore(tmp_path / FILE, has_writer_process=True, on_unknown=heard.append)
        await store.open()
        keeper = Keeper(store)
        execution = await keeper.start()
        assert isinstance(store._writer, ProcessWriter)
        waiting = [asyncio.ensure_future(store.commit(a_started(number))) for number in range(2, 9)]
        store._writer._process.kill()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        answers += await asyncio.gather(store.commit(a_started(99)), return_exceptions=True)
        assert {answer if answer is COMMITTED else type(answer) for answer in answers} <= {
            COMMITTED,
            StoreUnknownError,
        }
        assert isinstance(answers[-1], StoreUnknownError)
        assert len(heard) == 1
        assert await store.load(an_id(1)) == execution
        await store.aclose()
        async with opened(a_store(SQLITE, tmp_path)) as again:
            for number, answer in enumerate(answers, start=2):
                if answer is COMMITTED:
                    assert await again.load(an_id(number)) is not None

    asyncio.run(story())


#: Starts executions and takes each through a few checkpoints; prints what was acknowledged.
STREAM = """
import asyncio, itertools, sys
from pathlib import Path
from tests.store.stores import Keeper, a_store, an_id
from tests.store.test_sqlite_faults import a_life

async def main(kind, folder):
    store = a_store(kind, Path(folder))
    await store.open()
    await asyncio.gather(*(a_life(store, number) for number in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


async def a_life(store: Store, number: int) -> None:
    """Commit changes for ever; print the execution and version of each that was acknowledged."""
    keeper = Keeper(store)
    execution = await keeper.start(number)
    await keeper.tell(execution, a_begin())
    for step in range(1_000_000):
        updates = (a_step(operation_id=f"{step}-a"), a_chained_invoke(f"{step}-b", payload="x"))
        await keeper.tell(execution, a_checkpoint(execution, *updates))
        line = f"{number} {execution.progress.version}\n"
        os.write(1, line.encode())


@every_file
@pytest.mark.parametrize("after", [1, 150])
def test_what_was_acknowledged_before_a_kill_is_there_and_nothing_is_there_by_half(
    after: int, kind: str, tmp_path: Path
) -> None:
    """D1, D2, D3."""
    with subprocess.Popen(
        [sys.executable, "-c", STREAM, kind, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    acked: dict[int, int] = {}
    for line in lines:
        if line.endswith(b"\n"):
            number, version = map(int, line.split())
            acked[number] = version
    assert len(lines) >= after

    async def story() -> None:
        async with opened(a_store(SQLITE, tmp_path)) as store:
            letters = {letter.id for letter in await store.letters(limit=1_000_000)}
            assert (await store.list(ExecutionQuery()))[0]
            for number in range(8):
                execution = await store.load(an_id(number))
                if execution is None:
                    assert number not in acked
                    continue
                progress = execution.progress
                assert progress.version >= acked.get(number, 0)
                events = await store.events(EventQuery(execution_id=an_id(number), limit=10**6))
                assert [event.id for event in events] == [*range(1, progress.event_count + 1)]
                assert len(execution.operations) == progress.operation_count
                sent = {i for i in letters if i.startswith(an_id(number))}
                checkpoints = max(progress.version - 2, 0)
                assert len(execution.operations) == 1 + 2 * checkpoints
                assert sent == {
                    f"{an_id(number)}-{version}-0" for version in range(3, 3 + checkpoints)
                }

    asyncio.run(story())


@every_file
def test_a_server_that_died_leaves_the_file_to_the_next(kind: str, tmp_path: Path) -> None:
    """D1: the writer process ends with its server, and gives up the lock."""

    with subprocess.Popen(
        [sys.executable, "-c", STREAM, kind, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()

    async def story() -> None:
        async with opened(a_store(SQLITE_PROCESS, tmp_path)) as store:
            keeper = Keeper(store)
            execution = await keeper.start(100)
            await keeper.tell(execution, a_begin())
            assert await store.load(an_id(100)) == execution

    asyncio.run(story())


def test_a_store_that_was_never_written_to_closes(tmp_path: Path) -> None:
    async def story() -> None:
        for kind in (SQLITE, SQLITE_PROCESS):
            async with opened(a_store(kind, tmp_path)):
                pass

    asyncio.run(story())
    assert (tmp_path / FILE).exists()
