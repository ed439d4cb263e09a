"""PostgreSQL is killed, restarted, blocked and full up while changes are committed.

What was acknowledged is there afterwards, everything goes on by itself, and what could not be done
is said in time.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from perdure.core.commands import Stop
from perdure.store.postgres import PostgresStore
from perdure.store.protocol import (
    CommitResult,
    ExecutionQuery,
    StoreUnavailableError,
    StoreUnknownError,
)
from tests.core.builders import a_begin, a_start
from tests.store.clusters import Cluster, a_cluster
from tests.store.stores import Keeper, a_change, an_id, opened

from .load import under_load

COMMITTED = CommitResult.COMMITTED
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'perdure'"
ROUNDS = 3

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A durable server."""
    with a_cluster(max_connections="30") as cluster:
        cluster.start()
        yield cluster


def started(cluster: Cluster) -> None:
    """Start a server whose processes of before may still be on their way out."""
    for _ in range(100):
        with contextlib.suppress(Exception):
            cluster.start()
            return
    raise AssertionError("it does not start")


def a_backend(cluster: Cluster) -> int:
    """Return the process of one of the store's connections."""
    return int(cluster.sql(f"{BACKENDS} ORDER BY random() LIMIT 1"))


def kill_a_backend(cluster: Cluster) -> None:
    """K4: all sessions end, and the server recovers by itself."""
    os.kill(a_backend(cluster), signal.SIGKILL)


def kill_the_postmaster(cluster: Cluster) -> None:
    """K4."""
    cluster.kill()
    with contextlib.suppress(FileNotFoundError):
        (cluster.data / "postmaster.pid").unlink()
    started(cluster)


def restart_at_once(cluster: Cluster) -> None:
    """G1."""
    cluster.restart("immediate")


def restart_fast(cluster: Cluster) -> None:
    """G1: every session is told, and its transaction ended."""
    cluster.restart("fast")


def terminate_backends(cluster: Cluster) -> None:
    """G3."""
    cluster.sql(BACKENDS.replace("pid", "pg_terminate_backend(pid)", 1))


def cancel_backends(cluster: Cluster) -> None:
    """G3."""
    cluster.sql(BACKENDS.replace("pid", "pg_cancel_backend(pid)", 1))


@pytest.mark.parametrize(
    "fault",
    [
        *(kill_a_backend, kill_the_postmaster, restart_at_once, restart_fast),
        *(terminate_backends, cancel_backends),
    ],
)
def test_nothing_acknowledged_is_lost_and_everybody_goes_on(
    fault: "object", cluster: Cluster
) -> None:
    """D1, D4, K4, G1."""

    async def story() -> None:
        store = PostgresStore(cluster.url())
        async with opened(store), under_load(store, callers=12) as load:
            for _ in range(ROUNDS):
                await load.progress(100)
                await asyncio.to_thread(fault, cluster)  # type: ignore[arg-type]
            await load.progress(100)
            load.end()
            assert await load.lost() == []
        async with opened(PostgresStore(cluster.url())) as again:
            assert await load.lost(again) == []  # type: ignore[arg-type]

    asyncio.run(story())


def test_without_a_disk_the_loss_is_seen(tmp_path: Path) -> None:
    """The control: what finds nothing above would find it."""

    async def story(cluster: Cluster) -> list[str]:
        store = PostgresStore(cluster.url(), allows_weak_durability=True)
        assert not store.is_exclusive
        [writer] = [
            one
            for one in psutil.Process(cluster.pid).children()
            if "walwriter" in " ".join(one.cmdline())
        ]
        async with opened(store):
            assert [weakness.setting for weakness in store.durability.weaknesses] == [
                "synchronous_commit"
            ]
            cluster.sql("CHECKPOINT")  # the schema is to stay
            writer.suspend()  # else the last page alone is lost, in which there may be nothing
            async with under_load(store, callers=12) as load:
                await load.progress(500)
            writer.kill()  # the server takes it for a crash, and starts anew
            return await load.lost()

    with a_cluster(synchronous_commit="off") as cluster:
        cluster.start()
        assert asyncio.run(story(cluster)) != []


def test_a_locked_execution_keeps_nobody_else_waiting_for_long(cluster: Cluster) -> None:
    """G3: it is said to be unavailable, and nothing was written."""

    async def story() -> None:
        async with opened(PostgresStore(cluster.url(), connections_max=2)) as store:
            keeper = Keeper(store)
            lives = [await keeper.start(number) for number in range(40)]
            admin = await asyncpg.connect(cluster.url())
            holding = admin.transaction()
            await holding.start()
            await admin.execute(
                "SELECT 1 FROM perdure.execution WHERE id = $1 FOR UPDATE", bytes.fromhex(an_id(7))
            )
            changes = [a_change(life, a_begin()) for life in lives]
            results = await asyncio.gather(
                *(store.commit(change) for change in changes), return_exceptions=True
            )
            assert isinstance(results[7], StoreUnavailableError)
            assert [r for n, r in enumerate(results) if n != 7] == [COMMITTED] * 39
            await holding.rollback()
            assert await store.load(an_id(7)) == lives[7]
            assert await store.commit(changes[7]) is COMMITTED
            await admin.close()

    asyncio.run(story())


def test_what_takes_too_long_for_the_server_is_unavailable(cluster: Cluster) -> None:
    """G3: a statement timeout of the role rolls back; whoever asks again is served."""

    async def story() -> None:
        cluster.sql("ALTER ROLE postgres SET statement_timeout = '300ms'")
        async with opened(PostgresStore(cluster.url(), connections_max=2)) as store:
            execution = await Keeper(store).start()
            admin = await asyncpg.connect(cluster.url(), server_settings={"statement_timeout": "0"})
            async with admin.transaction():
                await admin.execute("SELECT 1 FROM perdure.execution FOR UPDATE")
                with pytest.raises(StoreUnavailableError, match="nothing was written"):
                    await store.commit(a_change(execution, a_begin()))
            assert await store.commit(a_change(execution, a_begin())) is COMMITTED
            await admin.close()

    asyncio.run(story())


def test_when_all_connections_are_taken_it_says_so_in_time_and_recovers(cluster: Cluster) -> None:
    """G3: too many connections."""

    async def story() -> None:
        async with opened(PostgresStore(cluster.url())) as store:
            execution = await Keeper(store).start()
            await asyncio.to_thread(terminate_backends, cluster)
            taken = []
            with contextlib.suppress(asyncpg.TooManyConnectionsError):
                while True:
                    taken.append(await asyncpg.connect(cluster.url()))
            began = asyncio.get_running_loop().time()
            results = await asyncio.gather(
                store.load(an_id(1)),
                store.commit(a_change(None, a_start(id=an_id(2), name="2"))),
                return_exceptions=True,
            )
            assert [type(result) for result in results] == [StoreUnavailableError] * 2
            assert asyncio.get_running_loop().time() - began < 20  # a client gives it 50
            for connection in taken:
                await connection.close()
            assert await store.load(an_id(1)) == execution
            assert await store.commit(a_change(execution, Stop())) is COMMITTED
            assert len(await store.list(ExecutionQuery())) == 1

    asyncio.run(story())


def test_a_frozen_server_is_unknown_in_time_and_another_connection_serves(
    cluster: Cluster,
) -> None:
    """P3, D4: the change is found to be there or not, and fits in either way."""

    async def story() -> None:
        async with opened(PostgresStore(cluster.url(), connections_max=2)) as store:
            execution = await Keeper(store).start()
            pids = [int(pid) for pid in cluster.sql(BACKENDS).split()]
            for pid in pids:
                psutil.Process(pid).suspend()
            change = a_change(execution, a_begin())
            with pytest.raises(StoreUnknownError):
                await store.commit(change)
            assert await store.load(an_id(1)) == execution
            for pid in pids:
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(pid).resume()
            # What was under way may still come: one of the two is committed, and only one.
            assert await store.commit(change) in CommitResult
            found = await store.load(an_id(1))
            assert found is not None
            assert found.progress == change.progress

    asyncio.run(story())
