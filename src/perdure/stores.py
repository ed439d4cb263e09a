"""What a server stands on: the store that its settings name, opened, and what goes with it.

A folder's SQLite file belongs to one server. A PostgreSQL database is shared by any number of them,
which then have the database's clock, its logs, and one signing key that is not in it.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from perdure.clock import Clock, SystemClock
from perdure.engine.seals import load_key, read_key
from perdure.settings import ServerSettings
from perdure.store.hints import Hints, LocalHints
from perdure.store.logs import LogStore
from perdure.store.protocol import Store, StoreOpenError
from perdure.store.records import RecordConflictError, RecordWrite
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite_logs import SqliteLogStore

if TYPE_CHECKING:
    from perdure.store.postgres import PostgresStore

__all__ = ["Foundation", "KeyMismatchError", "Logs", "Space", "lay_foundation"]

_SCHEMES: Final = ("postgres", "postgresql")
_COLLECTION: Final = "cluster"
_FINGERPRINT: Final = "signing-key"


class Space(NamedTuple):
    """How much room the data takes, and how much is left where it is, if that can be seen."""

    size_bytes: int
    free_bytes: int | None


class KeyMismatchError(StoreOpenError):
    """The store belongs to nodes that sign with another key."""


class Logs(LogStore, Protocol):
    """A log store with a life."""

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def prune(self, now_ms: int) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """An open store, and what goes with it."""

    store: Store
    clock: Clock
    logs: Logs
    hints: Hints
    key: bytes
    kind: str  #: ``sqlite`` or ``postgresql``
    place: str  #: for people; no password
    space: Callable[[], Awaitable[Space]]
    weaknesses: tuple[str, ...] = ()  #: what may cost acknowledged changes

    async def aclose(self) -> None:
        """Put everything away."""
        await self.hints.aclose()
        await self.store.aclose()
        await self.logs.aclose()


async def lay_foundation(
    settings: ServerSettings, *, on_unknown: Callable[[Exception], None]
) -> Foundation:
    """Open the store that the settings name; ``on_unknown`` hears that it must not be used any
    more.

    Raises:
        StoreOpenError: it cannot be opened, or is another's.
        ValueError: a setting is none.
    """
    if not settings.store_url:
        return await _on_sqlite(settings, on_unknown)
    scheme = urlsplit(settings.store_url).scheme
    if scheme not in _SCHEMES:
        raise ValueError(f"the store is {scheme}://...; known are postgres:// and postgresql://")
    foundation = await _on_postgres(settings)
    try:
        await _check_key(foundation.store, foundation.key)
    except BaseException as error:
        await foundation.aclose()
        if isinstance(error, StoreOpenError) or not isinstance(error, Exception):
            raise
        # It was lost since it was opened, or the role may not write to it.
        place = _place(settings.store_url)
        raise StoreOpenError(f"the database at {place} cannot be written to: {error}") from error
    return foundation


def _key(settings: ServerSettings, folder: Path) -> bytes:
    if settings.secret_key:
        return read_key(bytes.fromhex(settings.secret_key), "PERDURE_SECRET_KEY")
    return load_key(settings.key_file or folder / "secret.key")


async def _on_sqlite(
    settings: ServerSettings, on_unknown: Callable[[Exception], None]
) -> Foundation:
    folder, clock = settings.data_folder.absolute(), SystemClock()
    store = SqliteStore(folder / "state.db", has_writer_process=True, on_unknown=on_unknown)
    clock.raise_floor(await store.open())
    logs = SqliteLogStore(folder / "logs.db", clock=clock)
    await logs.open()
    return Foundation(
        store=store,
        clock=clock,
        logs=logs,
        hints=LocalHints(),
        key=_key(settings, folder),
        kind="sqlite",
        place=str(folder),
        space=lambda: asyncio.to_thread(_space_of_files, folder),
    )


def _space_of_files(folder: Path) -> Space:
    files = [*folder.glob("state.db*"), *folder.glob("logs.db*")]
    return Space(sum(file.stat().st_size for file in files), shutil.disk_usage(folder).free)


async def _on_postgres(settings: ServerSettings) -> Foundation:
    try:  # here, not above: the driver is an extra
        from perdure.store.postgres import PostgresStore
        from perdure.store.postgres_hints import PostgresHints
        from perdure.store.postgres_logs import PostgresLogs
    except ImportError as error:
        raise StoreOpenError(
            f"{error}; the driver of PostgreSQL comes with: pip install 'perdure[postgres]'"
        ) from error
    key = _key(settings, settings.data_folder.absolute())
    store = PostgresStore(
        settings.store_url,
        connections_max=settings.connections_max,
        is_ha=settings.is_ha,
        allows_weak_durability=settings.allows_weak_durability,
    )
    await store.open()
    logs = PostgresLogs(settings.store_url, clock=store.clock)
    hints = PostgresHints(settings.store_url)
    foundation = Foundation(
        store=store,
        clock=store.clock,
        logs=logs,
        hints=hints,
        key=key,
        kind="postgresql",
        place=_place(settings.store_url),
        space=lambda: _space_of_database(store),
        weaknesses=tuple(map(str, store.durability.weaknesses)),
    )
    try:
        await logs.open()
        await hints.open()
    except BaseException:
        await foundation.aclose()
        raise
    return foundation


async def _space_of_database(store: "PostgresStore") -> Space:
    return Space(await store.database_size(), None)


async def _check_key(store: Store, key: bytes) -> None:
    """See that all nodes of a store sign with one key: each has to believe the others' tokens.

    Raises:
        KeyMismatchError: the others have another one.
    """
    mine = hashlib.blake2b(b"perdure signing key", key=key, digest_size=16).digest()
    try:
        await store.write_records(
            [RecordWrite(collection=_COLLECTION, key=_FINGERPRINT, body=mine, expected_revision=0)]
        )
    except RecordConflictError:
        record = await store.read_record(_COLLECTION, _FINGERPRINT)
        if record is not None and record.body != mine:
            raise KeyMismatchError(
                "the nodes on this store sign with another key; give this one the same, by"
                " --key-file or PERDURE_SECRET_KEY"
            ) from None


def _place(url: str) -> str:
    """Return the address of a database without what nobody should see."""
    parts = urlsplit(url)
    user, host = parts.username, parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'{user}@' if user else ''}{host}{port}{parts.path}"
