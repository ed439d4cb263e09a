"""Throw-away PostgreSQL servers: on a socket in a folder of their own, gone with the tests.

``PERDURE_TEST_POSTGRES`` names a server to use instead, where databases may be created. Under CI a
server that is missing is a failure.
"""

import asyncio
import atexit
import contextlib
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from perdure.store.postgres_connections import Address
from perdure.store.postgres_migrations import migrate

__all__ = ["OLDER", "Cluster", "a_cluster", "a_database", "binary", "older_script"]

#: What makes a database of schema 1, with executions in it: see ``test_postgres_older``.
OLDER: Final = Path(__file__).parent / "older"

QUICK: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}
_COMMON: Final = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "max_wal_senders": "5",
    "wal_level": "replica",
}
_SECONDS: Final = 60


def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; without any, the test is over."""
    found = shutil.which(name)
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not there: install postgresql-15")
        pytest.skip(f"{name} is not there: install postgresql-15")
    return found


def _as_postgres() -> dict[str, Any]:
    """Return how to run a program that refuses to be root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


class Cluster:
    """One server: its data, its socket, its settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Name it; nothing is there yet."""
        self.folder = folder
        self.data = folder / "data"
        self.settings = _COMMON | {"unix_socket_directories": str(folder)} | settings

    def create(self) -> "Cluster":
        """Make the data folder."""
        self._own_folder()
        command = ["-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self._run("initdb", *command, "--locale=C", "--no-sync")
        return self

    def create_standby(self, primary: "Cluster", name: str) -> "Cluster":
        """Make the data folder a copy of ``primary``'s, which is to follow it as ``name``."""
        self._own_folder()
        source = f"host={primary.folder} user=postgres application_name={name}"
        self._run("pg_basebackup", "-D", str(self.data), "-d", source, "-R", "-c", "fast", "-N")
        return self

    def start(self) -> None:
        """Start the server, and wait for it."""
        options = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.data), "-l", log, "-o", options, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server, if it runs."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def restart(self, mode: str = "immediate") -> None:
        """Stop the server as ``mode`` says, and start it again."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Kill the postmaster: the other processes notice and end."""
        os.kill(self.pid, signal.SIGKILL)

    def promote(self) -> None:
        """Make a standby a primary."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "promote")

    @property
    def pid(self) -> int:
        """The postmaster's process."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgres://{user}@/{database}?host={self.folder}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Return what ``psql`` prints for a statement."""
        command = ["-h", str(self.folder), "-U", "postgres", "-d", database, "-AtX", "-q"]
        return self._run("psql", *command, "-v", "ON_ERROR_STOP=1", "-c", statement).strip()

    def _own_folder(self) -> None:
        self.folder.mkdir(exist_ok=True, mode=0o755)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)

    def _run(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            [binary(name), *arguments],
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if name != "psql" else subprocess.PIPE,
            timeout=_SECONDS,
            **_as_postgres(),
        )
        if done.returncode:
            said = (done.stdout + (done.stderr or b"")).decode()
            raise subprocess.CalledProcessError(done.returncode, name, said, said)
        return done.stdout.decode()


@contextlib.contextmanager
def a_cluster(**settings: str) -> Iterator[Cluster]:
    """Lend a server that has nothing but what it is given; it and its data are removed after."""
    folder = Path(tempfile.mkdtemp(prefix="perdure-pg-"))
    cluster = Cluster(folder, **settings)
    try:
        yield cluster.create()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Databases:
    """Databases of one server, each made for one folder; only the last few are kept."""

    def __init__(self, url: str, cluster: Cluster | None) -> None:
        """Make databases where ``url`` leads."""
        self._url = url
        self._cluster = cluster
        self._names: dict[str, str] = {}
        self._templates: dict[int | None, str] = {}
        self._count = 0

    def of(self, key: str, schema: int | None = None) -> str:
        """Return the address of the database for ``key``, made if it is new."""
        if key not in self._names:
            while len(self._names) >= _KEPT_MAX:
                oldest = next(iter(self._names))
                self._tell(f"DROP DATABASE {self._names.pop(oldest)} WITH (FORCE)")
            self._count += 1
            name = f"perdure_test_{os.getpid()}_{self._count}"
            self._tell(f"CREATE DATABASE {name} TEMPLATE {self._template(schema)}")
            self._names[key] = name
        return self.address(self._names[key])

    def address(self, name: str) -> str:
        """Return the address of a database by its name."""
        if self._cluster is not None:
            return self._cluster.url(name)
        base, _, query = self._url.partition("?")
        return f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    def _template(self, schema: int | None) -> str:
        """Return the name of a database that has the schema and nothing in it, or an older one."""
        if schema not in self._templates:
            name = f"perdure_template_{os.getpid()}_{len(self._templates)}"
            self._templates[schema] = name
            self._tell(f"CREATE DATABASE {name}")
            # In a thread: who asks may be in a loop already.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(_fill, self.address(name), schema).result()
            atexit.register(self._tell, f"DROP DATABASE {name}")
        return self._templates[schema]

    def _tell(self, statement: str) -> None:
        command = [binary("psql"), self._url.replace("postgres://", "postgresql://"), "-qX"]
        subprocess.run([*command, "-c", statement], check=True, timeout=_SECONDS)


def older_script(schema: int) -> str:
    """Return what makes a database of an older schema, with what the first one kept in it."""
    scripts = (OLDER / f"postgres_{version}.sql" for version in range(1, schema + 1))
    return "\n".join(script.read_text() for script in scripts)


def _fill(url: str, schema: int | None) -> None:
    async def fill() -> None:
        connection = await Address(url).connect()
        if schema is None:
            await migrate(connection)
        else:
            await connection.execute(older_script(schema))
        await connection.close()

    asyncio.run(fill())


_KEPT_MAX: Final = 3


@functools.cache
def _databases() -> Databases:
    given = os.environ.get("PERDURE_TEST_POSTGRES")
    if given:
        return Databases(given, None)
    held = contextlib.ExitStack()
    atexit.register(held.close)
    cluster = held.enter_context(a_cluster(**QUICK))
    cluster.start()
    return Databases(cluster.url(), cluster)


def a_database(folder: Path, *, schema: int | None = None) -> str:
    """Return the address of a database that belongs to ``folder``, on a server shared by tests.

    ``schema``: an older one than the present, with everything in it.
    """
    return _databases().of(str(folder), schema)
