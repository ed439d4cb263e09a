"""A server with live executions of schema 1 is brought forward, whoever dies meanwhile (V3)."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from perdure.core.execution import Execution
from perdure.protocol.words import OperationAction
from perdure.store.postgres import PostgresStore
from perdure.store.postgres_connections import Address
from perdure.store.postgres_migrations import migrate
from perdure.store.postgres_schema import MIGRATIONS, SCHEMA
from perdure.store.protocol import StoreOpenError
from tests.core.builders import a_checkpoint, a_step
from tests.store.clusters import Cluster, a_cluster, older_script
from tests.store.stores import Keeper, an_id, opened

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

ROOT: Final = Path(__file__).parents[2]
_VERSION: Final = "SELECT version FROM perdure.schema_version"
#: A node that is in the middle of it for an hour.
_A_SLOW_NODE: Final = """
import asyncio, sys
from perdure.store.postgres_connections import Address
from perdure.store.postgres_migrations import migrate
from perdure.store.postgres_schema import MIGRATIONS

async def forward():
    slow = ("CREATE TABLE perdure.half (n INTEGER)", "SELECT pg_sleep(3600)")
    await migrate(await Address(sys.argv[1]).connect(), (MIGRATIONS[0], slow))

asyncio.run(forward())
"""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server that keeps what it says it has committed, with a database of schema 1."""
    with a_cluster(hot_standby="on") as server:
        server.start()
        asyncio.run(_execute(server.url(), older_script(1)))
        yield server


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def _forward(url: str, migrations: Iterable[Iterable[str]]) -> None:
    connection = await Address(url).connect()
    try:
        await migrate(connection, tuple(migrations))
    finally:
        connection.terminate()


async def _goes_on(url: str) -> Execution:
    """Open the database with today's code, and do the next step of an execution that ran."""
    async with opened(PostgresStore(url)) as store:
        execution = await store.load(an_id(1))
        assert execution is not None
        step = a_step(OperationAction.SUCCEED, "s2", payload='"new"')
        await Keeper(store).tell(execution, a_checkpoint(execution, step))
        assert await store.load(an_id(1)) == execution
    return execution


def _said(cluster: Cluster) -> dict[str, Any]:
    """Return the version of the schema, and what is left of one that was half made."""
    version = int(cluster.sql(_VERSION))
    return {"version": version, "half": cluster.sql("SELECT to_regclass('perdure.half')")}


def test_a_server_that_is_killed_in_the_middle_has_the_older_schema(cluster: Cluster) -> None:
    """V3, D1."""
    half, is_killed = threading.Event(), threading.Event()

    def interrupted() -> Iterator[str]:
        yield from MIGRATIONS[-1]
        yield "CREATE TABLE perdure.half (n INTEGER)"
        half.set()
        assert is_killed.wait(60)
        yield "SELECT 1"

    async def story() -> None:
        work = _forward(cluster.url(), (MIGRATIONS[0], interrupted()))
        forwarding = asyncio.create_task(asyncio.to_thread(asyncio.run, work))
        assert await asyncio.to_thread(half.wait, 60)
        await asyncio.to_thread(cluster.restart, "immediate")
        is_killed.set()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await forwarding
        assert _said(cluster) == {"version": 1, "half": ""}
        await _goes_on(cluster.url())
        await asyncio.to_thread(cluster.restart, "immediate")
        async with opened(PostgresStore(cluster.url())) as store:
            execution = await store.load(an_id(1))
            assert execution is not None
            assert execution.operations["s2"].payload == '"new"'

    asyncio.run(story())
    assert _said(cluster) == {"version": SCHEMA, "half": ""}


def test_a_node_that_is_killed_in_the_middle_holds_nobody_up(cluster: Cluster) -> None:
    """V3: also during a statement that takes long."""
    node = subprocess.Popen([sys.executable, "-c", _A_SLOW_NODE, cluster.url()], cwd=ROOT)
    try:
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        while cluster.sql(sleeping) == "0":
            assert node.poll() is None
        assert _said(cluster)["version"] == 1
    finally:
        os.kill(node.pid, signal.SIGKILL)
        node.wait()
    asyncio.run(_goes_on(cluster.url()))
    assert _said(cluster) == {"version": SCHEMA, "half": ""}


def test_a_standby_is_refused_and_is_brought_forward_once_it_is_the_primary(
    cluster: Cluster,
) -> None:
    """V3, G2, G5."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="perdure-pg-"))
        place = Path(folder)
        place.chmod(0o755)
        standby = Cluster(place / "standby", hot_standby="on").create_standby(cluster, "standby")
        stack.callback(standby.stop)
        standby.start()
        anyone = f"{standby.url()}&target_session_attrs=any"

        async def is_refused(url: str, why: str) -> None:
            with pytest.raises(StoreOpenError, match=why):
                await PostgresStore(url).open()

        asyncio.run(is_refused(anyone, "read-only"))
        asyncio.run(is_refused(standby.url(), "cannot be reached"))
        cluster.stop()
        standby.promote()
        assert _said(standby)["version"] == 1
        asyncio.run(_goes_on(standby.url()))
        assert _said(standby)["version"] == SCHEMA
