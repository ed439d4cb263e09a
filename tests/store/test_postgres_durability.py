"""What PostgreSQL must promise before anything is kept in it (D5)."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from perdure.store.postgres import PostgresStore
from perdure.store.postgres_durability import WeakDurabilityError
from perdure.store.protocol import CommitResult, StoreUnavailableError
from tests.core.builders import a_start

from .clusters import Cluster, a_cluster
from .stores import a_change, an_id, opened


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server that promises what it must, on whose settings the tests work."""
    with a_cluster() as cluster:
        cluster.start()
        yield cluster


@pytest.fixture
def cluster(server: Cluster) -> Iterator[Cluster]:
    """The server, its settings put back afterwards."""
    yield server
    server.sql("ALTER ROLE postgres RESET ALL")
    server.sql("ALTER DATABASE postgres RESET ALL")
    server.sql("ALTER SYSTEM RESET ALL")
    changed(server, "fsync", None)


def changed(cluster: Cluster, setting: str, value: str | None) -> None:
    """Change a setting of the whole server, and wait until new sessions have it."""
    if value is not None:
        cluster.sql(f"ALTER SYSTEM SET {setting} = '{value}'")
    expected = value or "on"
    cluster.sql("SELECT pg_reload_conf()")
    for _ in range(200):
        if cluster.sql(f"SHOW {setting}") == expected:
            return
    raise AssertionError(f"{setting} did not become {expected}")


def weaknesses(cluster: Cluster, *, is_ha: bool = False) -> list[tuple[str, str, str]]:
    """Return what keeps a store from being opened."""

    async def refusal() -> WeakDurabilityError | None:
        try:
            async with opened(PostgresStore(cluster.url(), is_ha=is_ha)):
                return None
        except WeakDurabilityError as error:
            return error

    async def story() -> list[tuple[str, str, str]]:
        error = await refusal()
        found = [] if error is None else [(w.setting, w.value, w.needed) for w in error.weaknesses]
        for setting, value, needed in found:
            assert f"{setting} is {value or 'empty'} and must be {needed}" in str(error)
        weak = PostgresStore(cluster.url(), is_ha=is_ha, allows_weak_durability=True)
        async with opened(weak):
            report = weak.durability
            assert [(w.setting, w.value, w.needed) for w in report.weaknesses] == found
            assert report.is_strong == (not found)
            change = a_change(None, a_start(id=an_id(1), name="weak"))
            assert await weak.commit(change) in CommitResult
        return found

    return asyncio.run(story())


def test_a_server_as_it_comes_is_durable(cluster: Cluster) -> None:
    assert weaknesses(cluster) == []


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_skips_the_disk_is_refused(setting: str, cluster: Cluster) -> None:
    changed(cluster, setting, "off")
    assert weaknesses(cluster) == [(setting, "off", "on")]
    changed(cluster, setting, "on")
    assert weaknesses(cluster) == []


@pytest.mark.parametrize("level", ["off", "local", "remote_write", "on", "remote_apply"])
@pytest.mark.parametrize("whose", ["ROLE postgres", "DATABASE postgres", "SYSTEM"])
def test_a_commit_that_waits_for_too_little_is_refused_whoever_says_so(
    whose: str, level: str, cluster: Cluster
) -> None:
    if whose == "SYSTEM":
        changed(cluster, "synchronous_commit", level)
    else:
        cluster.sql(f"ALTER {whose} SET synchronous_commit = '{level}'")
    expected = [("synchronous_commit", level, "on or remote_apply")]
    assert weaknesses(cluster) == ([] if level in ("on", "remote_apply") else expected)


def test_several_weaknesses_are_all_named(cluster: Cluster) -> None:
    changed(cluster, "fsync", "off")
    cluster.sql("ALTER ROLE postgres SET synchronous_commit = 'off'")
    found = weaknesses(cluster, is_ha=True)
    assert [setting for setting, _, _ in found] == [
        *("fsync", "synchronous_commit", "synchronous_standby_names")
    ]


def test_high_availability_needs_the_name_of_a_standby_and_the_standby(cluster: Cluster) -> None:
    needed = "the names of standbys, for high availability"
    assert weaknesses(cluster, is_ha=True) == [("synchronous_standby_names", "", needed)]
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'other'")
    cluster.sql("SELECT pg_reload_conf()")
    for _ in range(200):
        if cluster.sql("SHOW synchronous_standby_names") == "other":
            break

    async def story() -> list[tuple[str, str]]:
        with pytest.raises(WeakDurabilityError) as caught:
            await PostgresStore(cluster.url(), is_ha=True).open()
        return [(w.setting, w.value) for w in caught.value.weaknesses]

    assert asyncio.run(story()) == [("pg_stat_replication", "0 of 0 connected standbys")]


def test_a_role_that_is_made_weaker_later_does_not_weaken_commits(cluster: Cluster) -> None:
    """D5: every transaction is held to what was read at start, over old and new connections."""

    async def story() -> list[str]:
        store = PostgresStore(cluster.url())
        await store.open()
        admin = await asyncpg.connect(cluster.url())
        # What a commit leaves behind tells at which level it was made.
        await admin.execute(
            "CREATE TABLE level (said TEXT);"
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO level"
            " VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER noting AFTER INSERT ON perdure.execution"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()"
        )
        await store.commit(a_change(None, a_start(id=an_id(101), name="first")))
        await admin.execute("ALTER ROLE postgres SET synchronous_commit = 'off'")
        await store.commit(a_change(None, a_start(id=an_id(102), name="second")))
        rows = await admin.fetch("SELECT said FROM level")
        await admin.execute("DROP TRIGGER noting ON perdure.execution; DROP TABLE level")
        await admin.execute("DROP FUNCTION note")
        await admin.close()
        await store.aclose()
        return [row[0] for row in rows]

    assert asyncio.run(story()) == ["on", "on"]


def test_a_server_that_becomes_weaker_is_not_committed_to_over_new_connections(
    cluster: Cluster,
) -> None:
    """D5: it restarts, and comes back without its disk."""

    async def story() -> None:
        store = PostgresStore(cluster.url(), connections_max=2)
        await store.open()
        await store.commit(a_change(None, a_start(id=an_id(201), name="before")))
        cluster.sql("ALTER SYSTEM SET fsync = 'off'")
        await asyncio.to_thread(cluster.restart)
        with pytest.raises(StoreUnavailableError):
            await store.commit(a_change(None, a_start(id=an_id(202), name="after")))
        assert await store.load(an_id(202)) is None
        cluster.sql("ALTER SYSTEM SET fsync = 'on'")
        await asyncio.to_thread(cluster.restart)
        change = a_change(None, a_start(id=an_id(202), name="after"))
        assert await store.commit(change) is CommitResult.COMMITTED
        await store.aclose()

    asyncio.run(story())
