"""The primary dies under load, and its standby takes over (G2).

With a synchronous standby nothing acknowledged is lost, even if the standby was behind when the
primary died; with an asynchronous one the same fault loses changes, and the start says so.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from perdure.store.postgres import PostgresStore
from perdure.store.postgres_durability import WeakDurabilityError
from perdure.store.protocol import StoreUnknownError
from tests.core.builders import a_begin
from tests.store.clusters import Cluster
from tests.store.stores import Keeper, a_change, an_id, opened

from .load import Load, under_load

ROUNDS = 10
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


class Pair:
    """A primary and its standby; each takes the place of the other."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Make a primary and start it, and a standby that follows it."""
        self._folder = folder
        self._settings = {"hot_standby": "on"} | settings
        self._count = 0
        self.primary = self._new().create()
        self.primary.start()
        self.standby = self._follow()

    @property
    def url(self) -> str:
        """Where the primary is: at one of two places, which stay the same."""
        places = ",".join(str(self._folder / name) for name in ("a", "b"))
        return f"postgres://postgres@/postgres?host={places}"

    def fail_over(self, *, is_behind: bool) -> None:
        """Kill the primary, and let the standby take over; ``is_behind``: it is frozen already."""
        self.kill_primary()
        if is_behind:
            # What was sent to it and not yet taken is gone as well.
            self.thaw(is_killed=True)
        self.standby.promote()
        self.primary.stop()
        shutil.rmtree(self.primary.folder)
        self.primary = self.standby
        self.standby = self._follow()

    def kill_primary(self) -> None:
        """Kill every process of the primary at once."""
        postmaster = psutil.Process(self.primary.pid)
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=30)

    def freeze(self) -> None:
        """Let the standby take nothing more of what is sent to it."""
        self._receiver().suspend()

    def thaw(self, *, is_killed: bool = False) -> None:
        """Let it take what is sent, or lose what it has not taken yet."""
        if not is_killed:
            self._receiver().resume()
            return
        self._receiver().kill()
        for _ in range(500):  # the standby begins again with what it has on the disk
            with contextlib.suppress(Exception):
                if self.standby.sql("SELECT pg_is_in_recovery()") == "t":
                    return
        raise AssertionError("the standby does not come back")

    def stop(self) -> None:
        """Stop both."""
        for cluster in (self.primary, self.standby):
            cluster.stop()

    def _receiver(self) -> psutil.Process:
        for process in psutil.Process(self.standby.pid).children():
            if "walreceiver" in " ".join(process.cmdline()):
                return process
        raise AssertionError("the standby receives nothing")

    def _new(self) -> Cluster:
        self._count += 1
        return Cluster(self._folder / "ab"[self._count % 2], **self._settings)

    def _follow(self) -> Cluster:
        standby = self._new().create_standby(self.primary, "standby")
        standby.start()
        # A standby that is to be synchronous is not so at once.
        wanted = "sync" if "synchronous_standby_names" in self._settings else "async"
        for _ in range(2_000):
            state = self.primary.sql("SELECT string_agg(sync_state, '') FROM pg_stat_replication")
            if state == wanted:
                return standby
        raise AssertionError("the standby does not follow")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers may enter."""
    path = Path(tempfile.mkdtemp(prefix="perdure-pair-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


async def rounds(pair: Pair, count: int) -> tuple[list[str], Load]:
    """Return what was lost in ``count`` failovers under load, every second one onto a standby that
    is behind.
    """
    lost: list[str] = []
    store = PostgresStore(pair.url, is_ha=True)
    async with opened(store):
        for number in range(count):
            async with under_load(store, callers=8, first=1 + 100 * number) as load:
                await load.progress(40)
                is_behind = number % 2 == 1
                if is_behind:
                    await asyncio.to_thread(pair.freeze)
                await asyncio.to_thread(pair.fail_over, is_behind=is_behind)
                await load.progress(40)
                load.end()
            lost += await load.lost()
    return lost, load


def test_a_synchronous_standby_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    """D1, G2: 10 of 10."""
    pair = Pair(folder, synchronous_standby_names="standby")
    try:
        lost, load = asyncio.run(rounds(pair, ROUNDS))
        assert lost == []
        assert load.count > 0
    finally:
        pair.stop()


def test_an_asynchronous_standby_loses_changes_and_the_start_says_so(folder: Path) -> None:
    """G2: the control, with the same fault."""
    pair = Pair(folder)

    async def refused() -> None:
        with pytest.raises(WeakDurabilityError, match="synchronous_standby_names"):
            await PostgresStore(pair.url, is_ha=True).open()

    async def story() -> list[str]:
        store = PostgresStore(pair.url)
        async with opened(store):
            load = Load(store)
            running = asyncio.create_task(load.run(8))
            await load.progress(40)
            await asyncio.to_thread(pair.freeze)
            await load.progress(100)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await asyncio.to_thread(pair.fail_over, is_behind=True)
            return await load.lost()

    try:
        asyncio.run(refused())
        assert asyncio.run(story()) != []
    finally:
        pair.stop()


def test_a_commit_whose_wait_for_the_standby_is_given_up_is_unknown(folder: Path) -> None:
    """D1, D4: the server only warns, and says that it is committed."""
    pair = Pair(folder, synchronous_standby_names="standby")

    async def story() -> None:
        async with opened(PostgresStore(pair.url, is_ha=True, connections_max=2)) as store:
            execution = await Keeper(store).start()
            await asyncio.to_thread(pair.freeze)
            commit = asyncio.ensure_future(store.commit(a_change(execution, a_begin())))
            waiting = (
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            )
            while not await asyncio.to_thread(pair.primary.sql, waiting):
                assert not commit.done()
            with pytest.raises(StoreUnknownError, match="standby"):
                await commit
            await asyncio.to_thread(pair.thaw)
            found = await store.load(an_id(1))
            assert found is not None
            assert found.progress.epoch == 1

    try:
        asyncio.run(story())
    finally:
        pair.stop()
