"""Bringing a database forward where something else happens: other nodes, other settings, a node
that is frozen, a table that somebody holds, a database that takes no changes.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from perdure.store.postgres import PostgresStore
from perdure.store.postgres_connections import Address
from perdure.store.postgres_migrations import migrate
from perdure.store.postgres_schema import MIGRATIONS, SCHEMA
from perdure.store.protocol import StoreOpenError
from tests.core.builders import NOW_MS

from .clusters import a_database
from .stores import Keeper, opened

LATER: Final = (*MIGRATIONS, ["ALTER TABLE perdure.letter ADD COLUMN note TEXT"])
_VERSION: Final = "SELECT version FROM perdure.schema_version"
_LOCK_KEY: Final = 0x50455244


def an_older_database(folder: Path) -> str:
    """Return the address of a database of schema 1."""
    return a_database(folder, schema=1)


def a_store(url: str) -> PostgresStore:
    """Return a store that is not open yet."""
    return PostgresStore(url, connections_max=2, allows_weak_durability=True)


@contextlib.asynccontextmanager
async def an_admin(url: str) -> AsyncIterator[Any]:
    """Lend a connection that knows nothing of perdure."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def forward(url: str, migrations: Sequence[Iterable[str]] = LATER, **options: Any) -> None:
    """Bring a database forward over a connection of its own."""
    connection = await Address(url).connect()
    try:
        await migrate(connection, migrations, **options)
    finally:
        connection.terminate()


async def set_for_all(admin: Any, name: str, value: str) -> None:
    """Set something for all connections to a database that come."""
    database = await admin.fetchval("SELECT current_database()")
    await admin.execute(f"ALTER DATABASE {database} SET {name} = '{value}'")


async def until_one_waits(admin: Any) -> int:
    """Return the process of a connection that waits for the lock of migrations, once one does."""
    while True:
        pid = await admin.fetchval(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        if pid is not None:
            return pid


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
@pytest.mark.parametrize("query", ["", "statement_cache_size=0"], ids=["a session", "a pooler"])
def test_several_come_at_once_whatever_isolation_is_usual_there(
    level: str, query: str, tmp_path: Path
) -> None:
    """V3: who has waited has to see what the other did meanwhile."""
    url = an_older_database(tmp_path)
    stores = [a_store(f"{url}{'&' if '?' in url else '?'}{query}") for _ in range(4)]

    async def story() -> None:
        async with an_admin(url) as admin:
            await set_for_all(admin, "default_transaction_isolation", level)
            async with admin.transaction():
                await admin.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
                opening = [asyncio.create_task(store.open()) for store in stores]
                await until_one_waits(admin)
            await asyncio.gather(*opening)
            assert await admin.fetchval(_VERSION) == SCHEMA
        for store in stores:
            await store.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("name", ["statement_timeout", "lock_timeout"])
def test_whoever_brings_it_forward_is_waited_for(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """V3: though what is asked of the database may usually take 100 ms."""
    url = an_older_database(tmp_path)

    async def story() -> None:
        async with an_admin(url) as admin:
            await set_for_all(admin, name, "100ms")
            async with admin.transaction():
                await admin.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
                opening = asyncio.create_task(a_store(url).open())
                await until_one_waits(admin)
                await admin.execute("SELECT pg_sleep(0.4)")
            await opening

    with caplog.at_level(logging.INFO):
        asyncio.run(story())
    assert "waiting for another node" in caplog.text


def test_a_migration_takes_as_long_as_it_takes(tmp_path: Path) -> None:
    """V3."""
    url = a_database(tmp_path)

    async def story() -> None:
        async with an_admin(url) as admin:
            await set_for_all(admin, "statement_timeout", "100ms")
            await forward(url, (*MIGRATIONS, ["SELECT pg_sleep(0.4)"]))
            assert await admin.fetchval(_VERSION) == SCHEMA + 1

    asyncio.run(story())


def test_a_node_that_is_frozen_holds_nobody_up(tmp_path: Path) -> None:
    """V3: the database lets go of what it held, and undoes what it did."""
    url = a_database(tmp_path)
    half, thawed = threading.Event(), threading.Event()

    def frozen() -> Iterator[str]:
        yield "CREATE TABLE perdure.half (n INTEGER)"
        half.set()
        assert thawed.wait(20)
        yield "SELECT 1"

    async def story() -> None:
        freezing = asyncio.create_task(
            asyncio.to_thread(asyncio.run, forward(url, (*MIGRATIONS, frozen()), patience_ms=100))
        )
        try:
            assert await asyncio.to_thread(half.wait, 20)
            await forward(url)
        finally:
            thawed.set()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await freezing
        async with an_admin(url) as admin:
            assert await admin.fetchval(_VERSION) == len(LATER)
            assert await admin.fetchval("SELECT to_regclass('perdure.half')") is None

    asyncio.run(story())


def test_a_table_that_somebody_holds_is_not_waited_for_at_the_cost_of_all(tmp_path: Path) -> None:
    """V3: everybody who needs the table would wait behind it, too."""
    url = a_database(tmp_path)

    async def story() -> None:
        async with opened(a_store(url)) as store, an_admin(url) as admin:
            async with admin.transaction():
                await admin.execute("LOCK TABLE perdure.letter IN ACCESS SHARE MODE")
                with pytest.raises(StoreOpenError, match="nothing was changed"):
                    await forward(url, patience_ms=50)
                await Keeper(store).start()
            assert await admin.fetchval(_VERSION) == SCHEMA
            await forward(url, patience_ms=50)
            assert await admin.fetchval(_VERSION) == SCHEMA + 1

    asyncio.run(story())


def test_a_database_that_takes_no_changes_is_refused(tmp_path: Path) -> None:
    """V3, G5: of whatever schema, and at once."""
    urls = [an_older_database(tmp_path / "older"), a_database(tmp_path / "newer")]

    async def story() -> None:
        for url in urls:
            async with an_admin(url) as admin:
                version = await admin.fetchval(_VERSION)
                await set_for_all(admin, "default_transaction_read_only", "on")
                with pytest.raises(StoreOpenError, match="read-only"):
                    await a_store(url).open()
                assert await admin.fetchval(_VERSION) == version

    asyncio.run(story())


def test_a_database_that_is_lost_while_it_is_opened_is_said_to_be_so(tmp_path: Path) -> None:
    """V3: nothing has happened; the next start does it."""
    url = an_older_database(tmp_path)

    async def story() -> None:
        async with an_admin(url) as admin, an_admin(url) as other:
            async with admin.transaction():
                await admin.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
                opening = asyncio.create_task(a_store(url).open())
                await other.execute("SELECT pg_terminate_backend($1)", await until_one_waits(other))
                with pytest.raises(StoreOpenError, match="cannot be opened"):
                    await opening
            assert await admin.fetchval(_VERSION) == 1
        async with opened(a_store(url)):
            pass

    asyncio.run(story())


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ("DELETE FROM perdure.schema_version", 0),
        ("INSERT INTO perdure.schema_version VALUES (1)", 2),
    ],
)
def test_a_database_that_does_not_say_its_schema_is_refused(
    change: str, count: int, tmp_path: Path
) -> None:
    """V3: as one that was restored without its data, or twice."""
    url = a_database(tmp_path)

    async def story() -> None:
        async with an_admin(url) as admin:
            await admin.execute(change)
            with pytest.raises(StoreOpenError, match=f"has {count} rows and must have one"):
                await a_store(url).open()

    asyncio.run(story())


def test_a_role_that_owns_nothing_may_not_bring_it_forward(tmp_path: Path) -> None:
    """SR-28: it says who may, and nothing is half done."""
    url = an_older_database(tmp_path)
    limited = url.replace("//postgres@", "//perdure_creator@")
    if limited == url:
        pytest.skip("the server that was given has other roles")

    async def story() -> None:
        async with an_admin(url) as admin:
            if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = 'perdure_creator'"):
                await admin.execute("CREATE ROLE perdure_creator LOGIN")
            await admin.execute(
                "GRANT USAGE, CREATE ON SCHEMA perdure TO perdure_creator;"
                "GRANT ALL ON ALL TABLES IN SCHEMA perdure TO perdure_creator"
            )
            with pytest.raises(StoreOpenError, match="owns what is there"):
                await a_store(limited).open()
            assert await admin.fetchval(_VERSION) == 1
            async with opened(a_store(url)):
                pass
            async with opened(a_store(limited)) as store:
                keeper = Keeper(store)
                keeper.now_ms = NOW_MS * 2
                await keeper.start(1 << 100)

    asyncio.run(story())
