"""Behind pgbouncer, which gives every transaction another session of the server (G3)."""

import asyncio
import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.core.commands import Delete, Stop
from perdure.store.postgres import PostgresStore
from perdure.store.protocol import Agenda, Claim, CommitResult, EventQuery, ExecutionQuery
from perdure.store.records import RecordWrite
from tests.core.builders import FUNCTION_ARN, NOW_MS, a_begin, a_start
from tests.store.clusters import QUICK, a_cluster
from tests.store.stores import Keeper, a_change, an_id, opened

from .load import under_load

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

_CONFIGURATION = """
[databases]
* = host={server} user=postgres
[pgbouncer]
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
listen_addr =
unix_socket_dir = {folder}
auth_type = any
logfile = {folder}/log
pidfile = {folder}/pid
server_reset_query = DISCARD ALL
server_reset_query_always = 1
"""


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a pooler that has fewer sessions than it has clients."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("pgbouncer is not there: install pgbouncer")
        pytest.skip("pgbouncer is not there: install pgbouncer")
    with a_cluster(**QUICK) as cluster:
        cluster.start()
        folder = cluster.folder / "pooler"
        folder.mkdir()
        (folder / "ini").write_text(_CONFIGURATION.format(server=cluster.folder, folder=folder))
        account = {}
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
            account = {"user": "postgres", "group": "postgres", "extra_groups": []}
        pooler = subprocess.Popen([program, "-q", str(folder / "ini")], **account)  # type: ignore[call-overload]
        try:
            _wait_for(folder / ".s.PGSQL.6432", pooler)
            yield f"postgres://postgres@/postgres?host={folder}&port=6432&statement_cache_size=0"
        finally:
            pooler.terminate()
            pooler.wait(30)


def _wait_for(socket: Path, pooler: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if socket.exists():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the pooler ended with {pooler.wait(0.1)}")
    raise AssertionError("the pooler does not start")


def test_everything_works_and_many_commit_at_once(url: str) -> None:
    """F1, F9: nothing relies on what a session remembers."""

    async def story() -> None:
        store = PostgresStore(url, allows_weak_durability=True, connections_max=12)
        async with opened(store), under_load(store, callers=20, first=1_000) as load:
            await load.progress(200)
            keeper = Keeper(store)
            execution = await keeper.start(1, is_announced=True)
            await keeper.tell(execution, a_begin())
            rival = a_change(None, a_start(id=an_id(2), name="name-1"))
            assert await store.commit(rival) is CommitResult.CONFLICT
            assert await store.find(FUNCTION_ARN, "name-1") == an_id(1)
            await keeper.tell(execution, Stop())
            assert await store.load(an_id(1)) == execution
            claim = Claim("node", NOW_MS, 1_000)
            far = NOW_MS * 2
            for agenda in Agenda:
                await store.upcoming(agenda, before_ms=far, limit=10, claim=claim)
            assert len(await store.letters(limit=10, claim=claim)) == 1
            await store.write_records([RecordWrite(collection="c", key="k", body=b"1")])
            assert len(await store.list_records("c")) == 1
            assert await store.events(EventQuery(execution_id=an_id(1)))
            assert len(await store.list(ExecutionQuery())) == 21
            await keeper.tell(execution, Delete())
            await store.erase(an_id(1))
            await load.progress(200)
            load.end()
            assert await load.lost() == []
            assert load.unknown == 0

    asyncio.run(story())
