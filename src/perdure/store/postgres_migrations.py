"""Brings a database to the present schema, once, however many nodes start at the same time.

Forward only, in one transaction under a lock of that transaction. A node whose role may not create
anything starts where the schema is there already (SR-28), and refuses one it does not know (V3).
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from perdure.store.postgres_connections import Connection
from perdure.store.postgres_schema import MIGRATIONS
from perdure.store.protocol import StoreOpenError

__all__ = ["migrate"]

_log = logging.getLogger(__name__)
_asyncpg: Final[Any] = asyncpg

_LOCK_KEY: Final = 0x50455244  # "PERD"
_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
_IS_THERE: Final = "SELECT to_regclass('perdure.schema_version') IS NOT NULL"
_SELECT_VERSION: Final = "SELECT version FROM perdure.schema_version"
_UPDATE_VERSION: Final = "UPDATE perdure.schema_version SET version = $1"
_HAS_SCHEMA: Final = "SELECT to_regnamespace('perdure') IS NOT NULL"
_CREATE_SCHEMA: Final = "CREATE SCHEMA perdure"
_CREATE: Final = (
    "CREATE TABLE perdure.schema_version (version INTEGER NOT NULL)",
    "INSERT INTO perdure.schema_version VALUES (0)",
)


async def migrate(connection: Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the database to the last of ``migrations``.

    Raises:
        StoreOpenError: it is of a later version, or this role may not bring it forward.
    """
    try:
        if await _version(connection, len(migrations)) < len(migrations):
            async with connection.transaction():
                await _bring_forward(connection, migrations)
    except _asyncpg.InsufficientPrivilegeError as error:
        raise StoreOpenError(
            f"the database is not of schema {len(migrations)}, and its role may not change that:"
            f" {error}; start once with a role that may create tables in it"
        ) from error


async def _bring_forward(connection: Connection, migrations: Sequence[Sequence[str]]) -> None:
    await connection.fetchval(_LOCK, _LOCK_KEY)
    if not await connection.fetchval(_HAS_SCHEMA):
        await connection.execute(_CREATE_SCHEMA)
    if not await connection.fetchval(_IS_THERE):
        for statement in _CREATE:
            await connection.execute(statement)
    version = await _version(connection, len(migrations))
    for number in range(version, len(migrations)):
        _log.info("bringing the database from schema %d to %d", number, number + 1)
        for statement in migrations[number]:
            await connection.execute(statement)
    await connection.execute(_UPDATE_VERSION, len(migrations))


async def _version(connection: Connection, known: int) -> int:
    if not await connection.fetchval(_IS_THERE):
        return 0
    version: int = await connection.fetchval(_SELECT_VERSION)
    if version > known:
        raise StoreOpenError(
            f"the database has schema {version}; this version of perdure knows up to {known}"
        )
    return version
