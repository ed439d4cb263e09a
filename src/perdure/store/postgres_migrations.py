"""Brings a database to the present schema, once, however many nodes start at the same time.

Forward only, in one transaction under a lock of that transaction: whoever is killed meanwhile has
done nothing, and whoever is frozen is thrown out by the database, so that the next one can do it. A
node whose role may not create anything starts where the schema is there already (SR-28), and
refuses one it does not know (V3).
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from perdure.store.postgres_connections import Connection
from perdure.store.postgres_schema import MIGRATIONS
from perdure.store.protocol import StoreOpenError

__all__ = ["migrate"]

_log = logging.getLogger(__name__)
_asyncpg: Final[Any] = asyncpg

_LOCK_KEY: Final = 0x50455244  # "PERD"
#: For how long the node may be silent in the middle, and for how long a table is waited for that
#: somebody holds: everybody else who needs it waits behind. Less than commits wait for a lock.
_PATIENCE_MS: Final = 5_000

_TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock($1)"
_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
#: Whatever is usual in the database: it takes as long as it takes, here and elsewhere.
_TAKE_TIME: Final = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout')
"""
_SET: Final = "SELECT set_config($1, $2, true)"
_CLIENT_CHECK_MS: Final = 1_000
_IS_READ_ONLY: Final = "SELECT current_setting('transaction_read_only')::BOOLEAN"
_IS_THERE: Final = "SELECT to_regclass('perdure.schema_version') IS NOT NULL"
_SELECT_VERSIONS: Final = "SELECT coalesce(array_agg(version), '{}') FROM perdure.schema_version"
_UPDATE_VERSION: Final = "UPDATE perdure.schema_version SET version = $1"
_HAS_SCHEMA: Final = "SELECT to_regnamespace('perdure') IS NOT NULL"
_CREATE_SCHEMA: Final = "CREATE SCHEMA perdure"
_CREATE: Final = (
    "CREATE TABLE perdure.schema_version (version INTEGER NOT NULL)",
    "INSERT INTO perdure.schema_version VALUES (0)",
)


async def migrate(
    connection: Connection,
    migrations: Sequence[Iterable[str]] = MIGRATIONS,
    *,
    patience_ms: int = _PATIENCE_MS,
) -> None:
    """Bring the database to the last of ``migrations``.

    ``patience_ms``: for how long the database waits for this node in the middle of it, and this
    node for a table that somebody holds. It waits for another node that does the same as long as
    that takes.

    Raises:
        StoreOpenError: it is read-only, or of a later version; this role may not bring it forward,
            or somebody holds a table.
    """
    known = len(migrations)
    try:
        # Every statement has to see what others have committed before it, whatever is usual there.
        async with connection.transaction(isolation="read_committed"):
            if await connection.fetchval(_IS_READ_ONLY):
                raise StoreOpenError(
                    "the database is read-only: a standby, or by default_transaction_read_only;"
                    " nodes need one that takes changes"
                )
            if await _version(connection, known) < known:
                await _bring_forward(connection, migrations, str(patience_ms))
    except _asyncpg.InsufficientPrivilegeError as error:
        raise StoreOpenError(
            f"the database is not of schema {known}, and its role may not change that: {error};"
            " start once with a role that may create tables in it, and owns what is there"
        ) from error
    except _asyncpg.LockNotAvailableError as error:
        raise StoreOpenError(
            f"the database cannot be brought to schema {known} while somebody holds one of its"
            f" tables, such as a dump ({error}); nothing was changed, start again later"
        ) from error


async def _bring_forward(
    connection: Connection, migrations: Sequence[Iterable[str]], patience: str
) -> None:
    await connection.fetch(_TAKE_TIME)
    await connection.fetchval(_SET, "idle_in_transaction_session_timeout", patience)
    await _end_with_the_node(connection)
    if not await connection.fetchval(_TRY_LOCK, _LOCK_KEY):
        _log.info("waiting for another node that brings the database forward")
        await connection.fetchval(_LOCK, _LOCK_KEY)
    await connection.fetchval(_SET, "lock_timeout", patience)
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


async def _end_with_the_node(connection: Connection) -> None:
    """Have the database notice during a long statement that this node is gone, if it can: it
    would end the statement first, while the others wait.
    """
    try:
        async with connection.transaction():
            await connection.fetchval(
                _SET, "client_connection_check_interval", str(_CLIENT_CHECK_MS)
            )
    except (_asyncpg.UndefinedObjectError, _asyncpg.InvalidParameterValueError) as error:
        _log.debug("the database does not look for clients that are gone: %s", error)


async def _version(connection: Connection, known: int) -> int:
    if not await connection.fetchval(_IS_THERE):
        return 0
    versions: Sequence[int] = await connection.fetchval(_SELECT_VERSIONS)
    if len(versions) != 1:
        raise StoreOpenError(
            f"perdure.schema_version has {len(versions)} rows and must have one: the database was"
            " not restored whole, or more than once"
        )
    if versions[0] > known:
        raise StoreOpenError(
            f"the database has schema {versions[0]}; this version of perdure knows up to {known}"
        )
    return versions[0]
