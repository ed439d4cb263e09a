"""What the store on PostgreSQL does beyond what every store does."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from perdure.core.commands import Delete, Stop
from perdure.core.execution import Execution
from perdure.protocol.words import OperationAction
from perdure.store.postgres import PostgresStore
from perdure.store.postgres_connections import Address
from perdure.store.postgres_migrations import migrate
from perdure.store.postgres_schema import MIGRATIONS, SCHEMA
from perdure.store.protocol import (
    Agenda,
    CommitResult,
    CorruptRowError,
    EventQuery,
    ExecutionQuery,
    StoreOpenError,
    StoreUnavailableError,
)
from perdure.store.records import RecordWrite
from tests.core.builders import FUNCTION_ARN, NOW_MS, a_begin, a_checkpoint, a_start, a_step

from .clusters import a_database
from .stores import Keeper, a_change, an_id, opened

COMMITTED = CommitResult.COMMITTED
_COMMIT_STEP = "SELECT pg_get_functiondef('perdure.commit_step'::regproc)"


def shared(folder: Path, **options: Any) -> PostgresStore:
    """Return a store on the database of ``folder``; several may be open at once."""
    return PostgresStore(a_database(folder), allows_weak_durability=True, **options)


@contextlib.asynccontextmanager
async def several(folder: Path, count: int) -> AsyncIterator[list[PostgresStore]]:
    """Lend stores as several nodes have them."""
    async with contextlib.AsyncExitStack() as stack:
        stores = [shared(folder, connections_max=4) for _ in range(count)]
        for store in stores:
            await stack.enter_async_context(opened(store))
        yield stores


async def a_life(store: PostgresStore, number: int) -> Execution:
    """Return an execution with something in every table, ended."""
    keeper = Keeper(store)
    execution = await keeper.start(number, is_announced=True)
    await keeper.tell(execution, a_begin())
    step = a_step(OperationAction.SUCCEED, payload="x" * 50)
    await keeper.tell(execution, a_checkpoint(execution, step), Stop())
    return execution


async def readable(store: PostgresStore, number: int) -> dict[str, bool]:
    """Return which ways of reading an execution work."""
    execution_id = an_id(number)

    async def works(question: Any) -> bool:
        try:
            return bool(await question)
        except CorruptRowError:
            return False

    listed = await store.list(ExecutionQuery(name=f"name-{number}"))
    letters = await store.letters(limit=10)
    return {
        "load": await works(store.load(execution_id)),
        "events": await works(store.events(EventQuery(execution_id=execution_id))),
        "find": await works(store.find(FUNCTION_ARN, f"name-{number}")),
        "list": [identity.id for identity, _ in listed] == [execution_id],
        "letter": any(letter.sender_id == execution_id for letter in letters),
    }


FLIP = "set_bit({column}, 5, 1 - get_bit({column}, 5))"


@pytest.mark.parametrize(
    ("table", "column", "change", "lost"),
    [
        ("execution", "identity", FLIP, {"load", "list"}),
        ("execution", "progress", FLIP, {"load", "list"}),
        ("execution", "status", "'RUNNING'", {"load", "list"}),
        ("execution", "version", "version + 1", {"load", "list"}),
        ("execution", "wake_at_ms", "17", {"load", "list"}),
        ("execution", "started_at_ms", "started_at_ms + 1", {"load", "list"}),
        ("execution", "checksum", "checksum # 1", {"load", "list"}),
        ("execution", "pin", "'\\x00'", {"load", "list"}),
        ("operation", "body", FLIP, {"load"}),
        ("operation", "payload", FLIP, {"load"}),
        ("operation", "payload", "NULL", {"load"}),
        ("operation", "sequence", "sequence + 1", {"load"}),
        ("operation", "id", FLIP, {"load", "events"}),
        ("event", "body", FLIP, {"events"}),
        ("event", "checksum", "checksum # 1", {"events"}),
        ("letter", "body", FLIP, {"letter"}),
        ("letter", "kind", "'other'", {"letter"}),
        ("name", "execution", FLIP, {"find", "list"}),
    ],
)
def test_what_is_damaged_costs_its_execution_alone(
    table: str, column: str, change: str, lost: set[str], tmp_path: Path
) -> None:
    """D6: one bit, one word or one number in every table."""
    mine = {"execution": "id", "letter": "sender"}.get(table, "execution")

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            assert isinstance(store, PostgresStore)
            lives = [await a_life(store, number) for number in (1, 2, 3)]
            admin = await asyncpg.connect(a_database(tmp_path))
            done = await admin.execute(
                f"UPDATE perdure.{table} SET {column} = {change.format(column=column)}"
                f" WHERE {mine} = $1",
                bytes.fromhex(an_id(2)),
            )
            assert done != "UPDATE 0"
            await admin.close()
            found = await readable(store, 2)
            assert {what for what, works in found.items() if not works} == lost
            assert store.unreadable_rows > 0 or table == "name"
            for number in (1, 3):
                assert all((await readable(store, number)).values())
                assert await store.load(an_id(number)) == lives[number - 1]
            assert len(await store.upcoming(Agenda.EXPIRY, before_ms=NOW_MS * 2, limit=9)) == 3

    asyncio.run(story())


def test_a_damaged_record_is_not_served_and_the_others_are(tmp_path: Path) -> None:
    """D6."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            for key in ("a", "b"):
                await store.write_records([RecordWrite(collection="c", key=key, body=b"body")])
            admin = await asyncpg.connect(a_database(tmp_path))
            await admin.execute(
                f"UPDATE perdure.record SET body = {FLIP.format(column='body')} WHERE key = 'a'"
            )
            await admin.close()
            with pytest.raises(CorruptRowError):
                await store.read_record("c", "a")
            with pytest.raises(CorruptRowError):
                await store.list_records("c")
            found = await store.read_record("c", "b")
            assert found is not None
            assert found.body == b"body"

    asyncio.run(story())


@pytest.mark.parametrize("part", ["body", "spare"])
def test_of_a_pin_one_copy_is_enough(part: str, tmp_path: Path) -> None:
    """D6: many executions depend on it."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            execution = await Keeper(store).start()
            admin = await asyncpg.connect(a_database(tmp_path))
            await admin.execute(f"UPDATE perdure.pin SET {part} = {FLIP.format(column=part)}")
            await admin.close()
            assert await store.load(an_id(1)) == execution

    asyncio.run(story())


def test_of_many_nodes_one_wins_every_change_and_every_name(tmp_path: Path) -> None:
    """F2, F9, I1: though their groups meet in every order."""

    async def story() -> None:
        async with several(tmp_path, 3) as stores:
            starts = [
                [
                    a_change(None, a_start(id=an_id(n), name=f"n{n % 40}"))
                    for n in range(node, 120, 3)
                ]
                for node in range(3)
            ]
            waiting = [
                store.commit(change)
                for store, changes in zip(stores, starts, strict=True)
                for change in changes
            ]
            assert (await asyncio.gather(*waiting)).count(COMMITTED) == 40
            begun = [identity for identity, _ in await stores[0].list(ExecutionQuery())]
            assert sorted(identity.name for identity in begun) == sorted(f"n{n}" for n in range(40))
            lives = [await stores[1].load(identity.id) for identity in begun]
            for round_number in range(10):
                rivals = [
                    [a_change(life, a_begin(request_id=f"{node}-{round_number}")) for life in lives]
                    if round_number == 0
                    else [
                        a_change(
                            life,
                            a_checkpoint(life, a_step(operation_id=f"s{node}-{round_number}")),
                        )
                        for life in lives
                        if life is not None
                    ]
                    for node in range(3)
                ]
                rivals[1].reverse()
                results = await asyncio.gather(
                    *(
                        store.commit(change)
                        for store, changes in zip(stores, rivals, strict=True)
                        for change in changes
                    )
                )
                assert results.count(COMMITTED) == 40
                lives = [
                    await stores[round_number % 3].load(life.identity.id, life)
                    for life in lives
                    if life is not None
                ]
            assert all(life is not None and len(life.operations) == 10 for life in lives)

    asyncio.run(story())


def test_a_node_reads_at_once_what_another_was_told_is_there(tmp_path: Path) -> None:
    """F9."""

    async def story() -> None:
        async with several(tmp_path, 2) as (one, other):
            keeper = Keeper(one)
            execution = await keeper.start()
            known = None
            await keeper.tell(execution, a_begin())
            for number in range(20):
                await keeper.tell(
                    execution, a_checkpoint(execution, a_step(operation_id=f"{number}"))
                )
                known = await other.load(an_id(1), known)
                assert known == execution
                assert await other.load(an_id(1), known) is known

    asyncio.run(story())


def test_many_starting_at_once_make_the_schema_once(tmp_path: Path) -> None:
    """V3."""

    async def story() -> None:
        admin = await asyncpg.connect(a_database(tmp_path))
        await admin.execute("DROP SCHEMA perdure CASCADE")
        stores = [shared(tmp_path, connections_max=2) for _ in range(6)]
        assert await asyncio.gather(*(store.open() for store in stores)) == [0] * 6
        for number, store in enumerate(stores):
            await Keeper(store).start(number)
        assert len(await stores[0].list(ExecutionQuery())) == 6
        assert await admin.fetchval("SELECT version FROM perdure.schema_version") == SCHEMA
        await admin.close()
        for store in stores:
            await store.aclose()

    asyncio.run(story())


def test_a_later_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    """V3."""

    async def story() -> None:
        admin = await asyncpg.connect(a_database(tmp_path))
        await admin.execute(f"UPDATE perdure.schema_version SET version = {SCHEMA + 1}")
        with pytest.raises(StoreOpenError, match=f"has schema {SCHEMA + 1}.* up to {SCHEMA}$"):
            await shared(tmp_path).open()
        assert await admin.fetchval("SELECT version FROM perdure.schema_version") == SCHEMA + 1
        await admin.close()

    asyncio.run(story())


def test_a_later_version_brings_the_schema_forward_with_executions_in_it(tmp_path: Path) -> None:
    """V3: once, in one transaction; the older version then refuses."""
    later = (*MIGRATIONS, ["ALTER TABLE perdure.letter ADD COLUMN note TEXT"])
    broken = (*later, ["CREATE TABLE perdure.half (n INTEGER)", "SELECT nonsense"])

    async def forward(steps: Any) -> None:
        connection = await Address(a_database(tmp_path)).connect()
        try:
            await migrate(connection, steps)
        finally:
            await connection.close()

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            execution = await Keeper(store).start()
            await asyncio.gather(*(forward(later) for _ in range(5)))
            # Who was there before goes on.
            await Keeper(store).tell(execution, a_begin())
        with pytest.raises(StoreOpenError, match=f"up to {SCHEMA}"):
            await shared(tmp_path).open()
        with pytest.raises(asyncpg.PostgresError, match="nonsense"):
            await forward(broken)
        admin = await asyncpg.connect(a_database(tmp_path))
        assert await admin.fetchval("SELECT version FROM perdure.schema_version") == len(later)
        assert await admin.fetchval("SELECT to_regclass('perdure.half')") is None
        await admin.close()

    asyncio.run(story())


def test_a_database_of_schema_2_gets_the_functions_of_now(tmp_path: Path) -> None:
    """V3: those of schema 2 are as good, but slower."""

    async def story() -> None:
        admin = await asyncpg.connect(a_database(tmp_path))
        async with opened(shared(tmp_path)) as store:
            execution = await Keeper(store).start()
        now = await admin.fetchval(_COMMIT_STEP)
        older = re.sub(r"BEGIN.*END", "BEGIN RETURN NULL; END", now, flags=re.DOTALL)
        await admin.execute(older)
        await admin.execute("UPDATE perdure.schema_version SET version = 2")
        assert await admin.fetchval(_COMMIT_STEP) != now
        async with opened(shared(tmp_path)) as store:
            await Keeper(store).tell(execution, a_begin())
        assert await admin.fetchval(_COMMIT_STEP) == now
        assert await admin.fetchval("SELECT version FROM perdure.schema_version") == SCHEMA
        await admin.close()

    asyncio.run(story())


def test_a_role_that_may_create_nothing_works_where_the_schema_is(tmp_path: Path) -> None:
    """SR-28: and says what to do where it is not."""
    url = a_database(tmp_path)
    limited = url.replace("//postgres@", "//perdure_limited@")
    if limited == url:
        pytest.skip("the server that was given has other roles")

    async def story() -> None:
        admin = await asyncpg.connect(url)
        if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = 'perdure_limited'"):
            await admin.execute("CREATE ROLE perdure_limited LOGIN")
        await admin.execute(
            "GRANT USAGE ON SCHEMA perdure TO perdure_limited;"
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA perdure"
            " TO perdure_limited"
        )
        async with opened(PostgresStore(limited, allows_weak_durability=True)) as store:
            execution = await Keeper(store).start()
            await Keeper(store).tell(execution, Stop(), Delete())
            await store.erase(an_id(1))
        await admin.execute("DROP SCHEMA perdure CASCADE")
        with pytest.raises(StoreOpenError, match="role that may create tables"):
            await PostgresStore(limited, allows_weak_durability=True).open()
        await admin.close()

    asyncio.run(story())


def test_it_works_without_prepared_statements(tmp_path: Path) -> None:
    """As behind a pooler that gives every transaction another session."""
    url = a_database(tmp_path)
    pooled = f"{url}{'&' if '?' in url else '?'}statement_cache_size=0"

    async def story() -> None:
        async with opened(PostgresStore(pooled, allows_weak_durability=True)) as store:
            executions = [await Keeper(store).start(number) for number in range(3)]
            for execution in executions:
                await Keeper(store).tell(execution, a_begin())
                assert await store.load(execution.identity.id) == execution
            await store.write_records([RecordWrite(collection="c", key="k", body=b"1")])

    asyncio.run(story())


def test_a_database_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    async def story() -> None:
        store = PostgresStore(f"postgres://me:secret@/nowhere?host={tmp_path}")
        with pytest.raises(StoreOpenError, match="cannot be reached") as caught:
            await store.open()
        assert "secret" not in str(caught.value)

    asyncio.run(story())


def test_a_text_that_cannot_be_kept_costs_only_its_caller(tmp_path: Path) -> None:
    """NUL in what PostgreSQL keeps as text."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            bad = a_change(None, a_start(id=an_id(1), name="bad", version="\0"))
            good = [a_change(None, a_start(id=an_id(n), name=f"{n}")) for n in range(2, 30)]
            results = await asyncio.gather(
                *(store.commit(change) for change in (bad, *good)), return_exceptions=True
            )
            assert results[1:] == [COMMITTED] * len(good)
            assert isinstance(results[0], Exception)
            assert not isinstance(results[0], StoreUnavailableError)
            assert await store.load(an_id(1)) is None

    asyncio.run(story())


def test_a_large_execution_is_erased_in_parts_and_leaves_nothing(tmp_path: Path) -> None:
    """R2."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            keeper = Keeper(store)
            execution = await keeper.start(name="large")
            await keeper.tell(execution, a_begin())
            for batch in range(10):
                steps = [a_step(operation_id=f"s{batch}-{n}") for n in range(250)]
                await keeper.tell(execution, a_checkpoint(execution, *steps))
            await keeper.tell(execution, Stop(), Delete())
            await store.erase(an_id(1))
            admin = await asyncpg.connect(a_database(tmp_path))
            for table in ("execution", "operation", "event", "name", "letter"):
                assert await admin.fetchval(f"SELECT count(*) FROM perdure.{table}") == 0
            await admin.close()

    asyncio.run(story())


def test_it_says_how_large_the_database_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            assert isinstance(store, PostgresStore)
            assert await store.database_size() > 1_000_000

    asyncio.run(story())


def test_the_highest_instant_outlives_the_connections_that_brought_it(tmp_path: Path) -> None:
    """T5: and their rows do not add up."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            keeper = Keeper(store)
            keeper.now_ms = NOW_MS + 7
            await keeper.start()
        admin = await asyncpg.connect(a_database(tmp_path))
        await admin.execute(
            "INSERT INTO perdure.instant SELECT -n, $1::BIGINT - n FROM generate_series(1, 3000) n",
            NOW_MS,
        )
        for _ in range(2):
            async with opened(shared(tmp_path)):
                pass
            assert await admin.fetchval("SELECT max(high_ms) FROM perdure.instant") == NOW_MS + 7
            assert await admin.fetchval("SELECT count(*) FROM perdure.instant") < 20
        await admin.close()

    asyncio.run(story())
