"""What the store on one SQLite file promises beyond the others: file, schema, writer."""

import asyncio
import contextlib
import fcntl
import itertools
import os
import sqlite3
import stat
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from perdure.core.commands import Delete, Stop
from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.sdk.loop import new_event_loop
from perdure.store import sqlite, sqlite_commits, sqlite_writer
from perdure.store.change import Change
from perdure.store.protocol import Agenda, CommitResult, ExecutionQuery, StoreFullError
from perdure.store.records import RecordWrite
from perdure.store.rows import rows_of
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite_commits import Discard
from perdure.store.sqlite_migrations import migrate
from perdure.store.sqlite_schema import SCHEMA, StoreOpenError, connect
from perdure.store.sqlite_writer import ProcessWriter, ThreadWriter
from tests.core.builders import (
    NOW_MS,
    a_begin,
    a_chained_invoke,
    a_checkpoint,
    a_start,
    a_step,
    a_wait,
)

from .stores import (
    SQLITE,
    SQLITE_PROCESS,
    Keeper,
    a_change,
    a_store,
    an_id,
    every_file,
    opened,
    with_store,
)

FILE = "perdure.db"
TABLES = {"function", "pin", "execution", "operation", "event", "letter", "record"}


def refusal_to_open(folder: Path) -> str:
    """Return why the store in ``folder`` cannot be opened."""

    async def story() -> str:
        with pytest.raises(StoreOpenError) as caught:
            await a_store(SQLITE, folder).open()
        return str(caught.value)

    return asyncio.run(story())


def rows_left(folder: Path) -> dict[str, int]:
    """Return how many rows each table holds, of those that hold any."""
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in tables
        }
    assert set(tables) >= TABLES
    return {name: count for name, count in counts.items() if count}


def test_an_acknowledged_commit_is_on_the_disk(tmp_path: Path) -> None:
    """D5: read back, not believed."""
    with contextlib.closing(connect(tmp_path / FILE, is_writer=True)) as connection:
        read = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        ]
    assert read == ["wal", 2]


def test_a_place_that_cannot_be_made_durable_is_refused() -> None:
    """D5: a database in memory has no write-ahead log."""
    with pytest.raises(StoreOpenError) as caught:
        connect(Path(":memory:"), is_writer=True)
    assert str(caught.value) == (
        ":memory: cannot be made durable: journal_mode is memory and must be wal,"
        " synchronous is 2 and must be 2"
    )


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with contextlib.closing(connect(tmp_path / FILE, is_writer=True)) as writer:
        migrate(writer)
        with (
            contextlib.closing(connect(tmp_path / FILE, is_writer=False)) as reader,
            pytest.raises(sqlite3.OperationalError, match="readonly"),
        ):
            reader.execute("DELETE FROM execution")


@every_file
def test_a_second_store_on_the_same_file_is_refused(kind: str, tmp_path: Path) -> None:
    """F1: two servers would both believe in their leases."""

    async def story(_: object) -> None:
        with pytest.raises(StoreOpenError, match="is in use by another server"):
            await a_store(SQLITE, tmp_path).open()

    with_store(kind, tmp_path, story)
    with_store(kind, tmp_path, lambda store: store.list(ExecutionQuery()))


def test_a_lock_that_is_given_back_in_time_is_waited_for(tmp_path: Path) -> None:
    """The writer process of a server that was killed may still be at its last commit."""
    handle = os.open(tmp_path / f"{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)

    async def story() -> None:
        asyncio.get_running_loop().call_later(0.1, os.close, handle)
        async with opened(a_store(SQLITE, tmp_path)) as store:
            assert await store.list(ExecutionQuery()) == []

    asyncio.run(story())


@pytest.mark.parametrize(
    "script",
    ["CREATE TABLE theirs (x)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"],
    ids=["tables", "a version", "an application id"],
)
def test_a_database_of_another_program_is_refused(script: str, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.executescript(
            f"{script}; CREATE TABLE theirs2 (x); INSERT INTO theirs2 VALUES (1);"
        )
    assert refusal_to_open(tmp_path) == f"{tmp_path / FILE} is a database of another program"
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT x FROM theirs2").fetchall() == [(1,)]


def test_a_database_of_another_program_is_left_as_it_was(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = (tmp_path / FILE).read_bytes()
    refusal_to_open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"junk" * 1_000)
    assert refusal_to_open(tmp_path).startswith(f"{tmp_path / FILE} cannot be opened: ")
    assert (tmp_path / FILE).read_bytes() == b"junk" * 1_000


def test_a_refused_file_can_be_opened_once_it_is_gone(tmp_path: Path) -> None:
    """The lock is given back."""
    (tmp_path / FILE).write_bytes(b"junk" * 1_000)
    refusal_to_open(tmp_path)
    (tmp_path / FILE).unlink()
    with_store(SQLITE, tmp_path, lambda store: store.list(ExecutionQuery()))


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """V3."""
    with_store(SQLITE, tmp_path, lambda store: store.list(ExecutionQuery()))
    later = SCHEMA + 1
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute(f"PRAGMA user_version = {later}")
    assert refusal_to_open(tmp_path) == (
        f"{tmp_path / FILE} has schema {later}; this version of perdure knows up to {SCHEMA}"
    )


@every_file
def test_a_store_that_cannot_be_opened_to_the_end_lets_go(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever fails: the lock, the file and the process are given back."""

    def handles() -> int:
        return len(os.listdir("/proc/self/fd"))

    def fail(*_: object, **__: object) -> None:
        raise OSError("no more handles")

    def second_reader_fails(path: Path, *, is_writer: bool) -> sqlite3.Connection:
        if not is_writer:
            opened_readers.append(path)
        return fail() if len(opened_readers) == 2 else connect(path, is_writer=is_writer)  # type: ignore[return-value]

    opened_readers: list[Path] = []
    before = handles()
    writer = {SQLITE: "ThreadWriter", SQLITE_PROCESS: "_spawn"}[kind]
    for module, name, replacement in (
        (sqlite, "connect", second_reader_fails),
        (sqlite if kind == SQLITE else sqlite_writer, writer, fail),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, replacement)
            with pytest.raises(OSError, match="no more handles"):
                asyncio.run(a_store(kind, tmp_path).open())
        assert handles() == before
    with_store(kind, tmp_path, lambda store: store.list(ExecutionQuery()))


@every_file
def test_nobody_else_on_the_machine_can_read_the_files(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    mask = os.umask(0o022)
    try:

        async def story(store: object) -> None:
            await Keeper(store).start()  # type: ignore[arg-type]
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
            assert modes == dict.fromkeys(
                [FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}.lock"], 0o600
            )
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700

        with_store(kind, folder, story)
    finally:
        os.umask(mask)


def transactions(folder: Path) -> int:
    """Return how many transactions the write-ahead log holds: each ends with a commit frame."""
    data = (folder / f"{FILE}-wal").read_bytes()
    page_bytes, salts = struct.unpack_from(">8xI4x8s", data)
    count = 0
    for place in range(32, len(data) - page_bytes - 23, 24 + page_bytes):
        pages_after, found = struct.unpack_from(">4xI8s", data, place)
        count += found == salts and pages_after > 0
    return count


@every_file
def test_commits_that_wait_together_share_a_transaction(kind: str, tmp_path: Path) -> None:
    """One fsync serves many."""

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        await keeper.start(1_000)
        before = transactions(tmp_path)
        await keeper.start(1_001)
        assert transactions(tmp_path) == before + 1
        starts = [a_change(None, a_start(id=an_id(n), name=str(n))) for n in range(200)]
        results = await asyncio.gather(*(keeper.store.commit(change) for change in starts))
        assert results == [CommitResult.COMMITTED] * 200
        assert 1 <= transactions(tmp_path) - before - 1 <= 20

    with_store(kind, tmp_path, story)


@every_file
def test_a_bad_piece_of_work_does_not_harm_the_rest_of_its_group(kind: str, tmp_path: Path) -> None:
    """D2: a conflict writes nothing, and the others of its transaction are committed."""

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        taken = [a_change(None, a_start(id=an_id(n), name=str(n // 2))) for n in range(40)]
        conflicting = RecordWrite(collection="c", key="k", body=b"1", expected_revision=5)
        good = RecordWrite(collection="c", key="k", body=b"2")
        results = await asyncio.gather(
            *(keeper.store.commit(change) for change in taken),
            keeper.store.write_records([good, conflicting]),
            keeper.store.write_records([good]),
            return_exceptions=True,
        )
        assert results[:40] == [CommitResult.COMMITTED, CommitResult.CONFLICT] * 20
        assert [type(result).__name__ for result in results[40:]] == [
            "RecordConflictError",
            "NoneType",
        ]
        assert len(await keeper.store.list(ExecutionQuery())) == 20
        record = await keeper.store.read_record("c", "k")
        assert record is not None
        assert (record.revision, record.body) == (1, b"2")

    with_store(kind, tmp_path, story)


@every_file
def test_erasing_leaves_no_row_behind(kind: str, tmp_path: Path) -> None:
    """R2: in any table; and more rows than one transaction removes."""

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        execution = await keeper.start(is_announced=True)
        await keeper.tell(execution, a_begin())
        for batch in range(3):
            steps = [a_step(operation_id=f"{batch}-{number}") for number in range(1_000)]
            await keeper.tell(execution, a_checkpoint(execution, *steps))
        await keeper.tell(execution, a_checkpoint(execution, a_chained_invoke()))
        await keeper.tell(execution, Stop())
        letters = [letter.id for letter in await keeper.store.letters(limit=9)]
        await keeper.tell(execution, Delete())
        await keeper.store.discard(letters)
        await keeper.store.erase(an_id(1))

    with_store(kind, tmp_path, story)
    assert rows_left(tmp_path) == {}


def test_a_letter_outlives_its_sender_until_it_is_delivered(tmp_path: Path) -> None:
    """I4: a deleted child has still ended."""

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        execution = await keeper.start(is_announced=True)
        await keeper.tell(execution, Stop(), Delete())
        await keeper.store.erase(an_id(1))

    with_store(SQLITE, tmp_path, story)
    assert rows_left(tmp_path) == {"letter": 1}


def test_an_erasure_that_was_cut_short_goes_on_after_a_restart(tmp_path: Path) -> None:
    """R2."""

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        execution = await keeper.start()
        await keeper.tell(execution, a_begin())
        await keeper.tell(execution, a_checkpoint(execution, a_step()), Stop(), Delete())

    async def again(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        half = await keeper.store.load(an_id(1))
        assert half is not None
        await keeper.tell(half, Delete())
        await keeper.store.erase(an_id(1))

    with_store(SQLITE, tmp_path, story)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("DELETE FROM operation")
        connection.execute("DELETE FROM event WHERE number % 2 = 0")
    with_store(SQLITE, tmp_path, again)
    assert rows_left(tmp_path) == {}


def test_a_full_disk_refuses_writes_keeps_reading_and_recovers(tmp_path: Path) -> None:
    """Nothing of a refused commit is there, and nothing that follows is taken for a part of it."""

    async def story() -> None:
        store = SqliteStore(tmp_path / FILE)
        async with opened(store):
            keeper = Keeper(store)
            execution = await keeper.start()
            await keeper.tell(execution, a_begin())
            connection = store._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
            large = a_checkpoint(execution, *(a_step(operation_id=f"{n}" * 900) for n in range(10)))
            refused = [
                a_change(None, a_start(id=an_id(n), name=str(n), payload="x" * 9_000))
                for n in (2, 3)
            ]
            results = await asyncio.gather(
                store.commit(a_change(execution, large)),
                *(store.commit(change) for change in refused),
                return_exceptions=True,
            )
            assert [type(result) for result in results] == [StoreFullError] * 3
            assert await store.load(an_id(1)) == execution
            assert len(await store.list(ExecutionQuery())) == 1
            connection.execute("PRAGMA max_page_count = 1000000")
            await keeper.tell(execution, large)
            assert await store.commit(refused[1]) is CommitResult.COMMITTED
            assert await store.load(an_id(1)) == execution
            stray = Execution.of(refused[0].identity, refused[0].progress, refused[0].operations)
            assert await store.commit(a_change(stray, a_begin())) is CommitResult.CONFLICT
            kept = await store.load(an_id(3))
            assert (kept and kept.progress) == refused[1].progress

    asyncio.run(story())


def test_more_executions_than_the_writer_remembers_are_all_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sqlite_commits, "_KNOWN_MAX", 2)

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        executions = [await keeper.start(number) for number in range(5)]
        for execution in executions:
            await keeper.tell(execution, a_begin())
            await keeper.tell(execution, a_checkpoint(execution, a_step()))
        assert [await keeper.store.load(an_id(number)) for number in range(5)] == executions

    with_store(SQLITE, tmp_path, story)


def test_what_is_indexed_follows_a_change_though_it_was_forgotten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """E4: a change that moves no instant writes no index; the next one may."""
    monkeypatch.setattr(sqlite_commits, "_KNOWN_MAX", 1)

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        lives = [await keeper.start(number) for number in range(3)]
        for step in range(4):
            for execution in lives:
                keeper.now_ms += 1_000
                if step == 0:
                    await keeper.tell(execution, a_begin())
                else:
                    update = a_wait(9) if step == 2 else a_step(operation_id=f"s{step}")
                    await keeper.tell(execution, a_checkpoint(execution, update))
                for agenda in Agenda:
                    due = await keeper.store.upcoming(agenda, before_ms=1 << 60, limit=9)
                    instants = {
                        life.identity.id: getattr(life.progress, agenda.value) for life in lives
                    }
                    assert {i: at_ms for at_ms, i in due} == {
                        i: at_ms for i, at_ms in instants.items() if at_ms is not None
                    }

    with_store(SQLITE, tmp_path, story)


def test_more_functions_than_the_writer_remembers_are_all_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sqlite_commits, "_PINS_MAX", 2)

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        lives = [await keeper.start(n, function_arn=f"arn:{n % 5}") for n in range(20)]
        assert [await keeper.store.load(life.identity.id) for life in lives] == lives

    with_store(SQLITE, tmp_path, story)
    left = rows_left(tmp_path)
    assert (left["pin"], left["function"], left["execution"]) == (5, 5, 20)


@every_file
def test_a_start_that_conflicts_leaves_nothing_behind(kind: str, tmp_path: Path) -> None:
    """R2: nor does what an erased execution shared with nobody."""

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        execution = await keeper.start(1)
        rival = a_change(None, a_start(id=an_id(1), name="rival", revision_id="another"))
        assert await keeper.store.commit(rival) is CommitResult.CONFLICT
        kept = await keeper.start(2, revision_id="a third")
        await keeper.tell(execution, Stop(), Delete())
        await keeper.store.erase(an_id(1))
        assert await keeper.store.load(an_id(2)) == kept
        await keeper.start(3)

    with_store(kind, tmp_path, story)
    with_store(kind, tmp_path, lambda store: store.list(ExecutionQuery()))
    left = rows_left(tmp_path)
    assert (left["pin"], left["function"], left["execution"]) == (2, 1, 2)


@every_file
def test_work_that_cannot_be_written_costs_only_its_caller(kind: str, tmp_path: Path) -> None:
    """D2: every other caller gets the answer to its own work."""

    async def story(store: object) -> None:
        keeper = Keeper(store)  # type: ignore[arg-type]
        await keeper.start(1)
        no_text = "\ud800"

        def started(number: int) -> Any:
            return keeper.store.commit(a_change(None, a_start(id=an_id(number), name=f"{number}")))

        results = await asyncio.gather(
            started(2),
            keeper.store.discard([no_text]),
            started(1),
            keeper.store.write_records([RecordWrite(collection="c", key=no_text, body=b"")]),
            started(3),
            keeper.store.write_records(
                [RecordWrite(collection="c", key="k", body=b"", expected_revision=9)]
            ),
            started(4),
            return_exceptions=True,
        )
        conflict = type(results[5]).__name__
        assert [results[n] for n in (0, 2, 4, 6)] == [
            CommitResult.COMMITTED,
            CommitResult.CONFLICT,
            CommitResult.COMMITTED,
            CommitResult.COMMITTED,
        ]
        assert (type(results[1]), type(results[3]), conflict) == (
            UnicodeEncodeError,
            UnicodeEncodeError,
            "RecordConflictError",
        )
        assert len(await keeper.store.list(ExecutionQuery())) == 4
        await keeper.start(5)

    with_store(kind, tmp_path, story)


def test_what_the_writer_process_cannot_be_sent_has_no_place_in_the_queue(tmp_path: Path) -> None:
    """D1: the answers after it still belong to whom they are given."""

    async def story(store: object) -> None:
        assert isinstance(store, SqliteStore)
        results = await asyncio.gather(
            store.commit(a_change(None, a_start(id=an_id(1), name="1"))),
            store._writer.submit(Discard(["\ud800"])),
            store.commit(a_change(None, a_start(id=an_id(1), name="2"))),
            store.commit(a_change(None, a_start(id=an_id(2), name="2"))),
            return_exceptions=True,
        )
        assert isinstance(results.pop(1), UnicodeEncodeError)
        expected = [CommitResult.COMMITTED, CommitResult.CONFLICT, CommitResult.COMMITTED]
        assert results == expected

    with_store(SQLITE_PROCESS, tmp_path, story)


class WatchedConnection(sqlite3.Connection):
    """Says on which thread each transaction was committed."""

    commits: list[bool]

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Carry out a statement."""
        if sql == "COMMIT":
            self.commits.append(threading.current_thread() is threading.main_thread())
        return super().execute(sql, *values)


@pytest.mark.parametrize(
    ("slow_seconds", "is_quick"), [(60.0, True), (0.0, False)], ids=["quick", "slow"]
)
def test_a_lone_caller_is_served_where_it_calls_while_the_disk_is_quick(
    slow_seconds: float, is_quick: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The thread takes over at the first commit that has company, and gives back later."""
    monkeypatch.setattr(sqlite_writer, "_SLOW_SECONDS", slow_seconds)

    async def story() -> list[bool]:
        with contextlib.closing(connect(tmp_path / FILE, is_writer=True)) as connection:
            migrate(connection)
        watched = sqlite3.connect(
            tmp_path / FILE,
            isolation_level=None,
            check_same_thread=False,
            factory=WatchedConnection,
        )
        watched.commits = []
        writer = ThreadWriter(watched, on_unknown=lambda _: None)
        numbers = itertools.count(1)

        async def start() -> None:
            number = next(numbers)
            rows = rows_of(a_change(None, a_start(id=an_id(number), name=str(number))))
            assert await writer.submit(rows) is CommitResult.COMMITTED

        for _ in range(20):
            await start()
        watched.commits.append(False)  # from here on in company
        await asyncio.gather(*(start() for _ in range(5)))
        for _ in range(12):
            await start()
        await writer.aclose()
        assert watched.execute("SELECT count(*) FROM execution").fetchone() == (37,)
        watched.close()
        return watched.commits

    calm = [False] * 8 + [True] * 8
    lone = [*calm, *[is_quick] * 4]
    assert asyncio.run(story()) == [*lone, False, False, *[False] * 8, *[is_quick] * 4]


def test_on_a_loop_that_says_when_it_rests_whoever_came_until_then_is_committed_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Company is no reason for the thread; a disk that is slow again and again is, for a while."""
    monkeypatch.setattr(sqlite_writer, "_SLOW_SECONDS", 60.0)
    monkeypatch.setattr(sqlite_writer, "_BY_THREAD_MIN", 4)

    async def story() -> list[bool]:
        with contextlib.closing(connect(tmp_path / FILE, is_writer=True)) as connection:
            migrate(connection)
        watched = sqlite3.connect(
            tmp_path / FILE,
            isolation_level=None,
            check_same_thread=False,
            factory=WatchedConnection,
        )
        watched.commits = []
        writer = ThreadWriter(watched, on_unknown=lambda _: None, defer=loop.call_at_rest)
        numbers = itertools.count(1)

        async def start() -> None:
            number = next(numbers)
            rows = rows_of(a_change(None, a_start(id=an_id(number), name=str(number))))
            await asyncio.sleep(0)
            assert await writer.submit(rows) is CommitResult.COMMITTED

        for _ in range(12):
            await asyncio.gather(*(start() for _ in range(5)))
        monkeypatch.setattr(sqlite_writer, "_SLOW_SECONDS", 0.0)
        for _ in range(15):
            await asyncio.gather(*(start() for _ in range(5)))
        await writer.aclose()
        assert watched.execute("SELECT count(*) FROM execution").fetchone() == (135,)
        watched.close()
        return watched.commits

    loop = new_event_loop()
    commits = loop.run_until_complete(story())
    loop.close()
    assert commits == [True] * 12 + [True] * 8 + [False] * 4 + [True] + [False] * 2


def test_the_server_and_its_writer_process_commit_in_turn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A lone caller is served in the server, company by the process; each knows what the other has
    written: where executions lie, and when they are due.
    """
    monkeypatch.setattr(sqlite_writer, "_SLOW_SECONDS", 60.0)

    async def story(store: SqliteStore) -> None:
        writer = store._writer
        assert isinstance(writer, ProcessWriter)
        numbers = itertools.count(1)
        here: list[bool] = []

        async def begin() -> None:
            number = next(numbers)
            change = a_change(None, a_start(id=an_id(number), name=str(number)))
            assert await store.commit(change) is CommitResult.COMMITTED

        for _ in range(12):
            await begin()
            here.append(writer._is_theirs_stale)
        await asyncio.gather(*(begin() for _ in range(5)))
        here.append(writer._is_theirs_stale)
        for _ in range(12):
            await begin()
            here.append(writer._is_theirs_stale)
        assert here == [*[False] * 8, *[True] * 4, False, *[False] * 8, *[True] * 4]
        found = await store.upcoming(Agenda.READY, before_ms=1 << 60, limit=100)
        assert {due.execution_id for due in found} == {an_id(n) for n in range(1, 30)}
        for number in range(1, 30):
            loaded = await store.load(an_id(number))
            assert loaded is not None
            assert loaded.identity.name == str(number)

    with_store(SQLITE_PROCESS, tmp_path, story)


def test_what_changes_hands_while_it_changes_is_due_when_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One execution, committed by the server and by the process in turn: its indexed instants are
    those of its last change.
    """
    monkeypatch.setattr(sqlite_writer, "_SLOW_SECONDS", 60.0)

    async def story(store: SqliteStore) -> None:
        writer = store._writer
        assert isinstance(writer, ProcessWriter)
        execution = apply(None, a_start(id=an_id(1), name="1"), NOW_MS)
        change = Change.of(execution)
        assert await store.commit(change) is CommitResult.COMMITTED
        progress = change.progress
        for turn in range(40):
            writer._calm = 100 if turn % 2 else 0
            ready_at_ms = NOW_MS + turn // 3
            progress = progress._replace(version=progress.version + 1, ready_at_ms=ready_at_ms)
            next_change = Change(
                execution_id=an_id(1), expected_version=progress.version - 1, progress=progress
            )
            assert await store.commit(next_change) is CommitResult.COMMITTED
            assert writer._is_theirs_stale is bool(turn % 2)
            found = await store.upcoming(Agenda.READY, before_ms=1 << 60, limit=10)
            assert [due.at_ms for due in found] == [ready_at_ms]

    with_store(SQLITE_PROCESS, tmp_path, story)
