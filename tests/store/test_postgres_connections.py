"""What an error says about the transaction that met it, and what an address says."""

from typing import Any

import asyncpg
import pytest

from perdure.store.postgres_connections import Address, Fate, fate_of
from perdure.store.protocol import StoreOpenError


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (asyncpg.SerializationError("x"), Fate.AGAIN),
        (asyncpg.DeadlockDetectedError("x"), Fate.AGAIN),
        (asyncpg.LockNotAvailableError("x"), Fate.BLOCKED),
        (asyncpg.QueryCanceledError("x"), Fate.BLOCKED),
        (asyncpg.OutOfMemoryError("x"), Fate.BLOCKED),
        (asyncpg.ReadOnlySQLTransactionError("x"), Fate.BLOCKED),
        (asyncpg.DiskFullError("x"), Fate.FULL),
        (asyncpg.UniqueViolationError("x"), Fate.REFUSED),
        (asyncpg.DataError("x"), Fate.REFUSED),
        (ValueError("x"), Fate.REFUSED),
        (asyncpg.AdminShutdownError("x"), Fate.UNKNOWN),
        (asyncpg.CrashShutdownError("x"), Fate.UNKNOWN),
        (asyncpg.ConnectionDoesNotExistError("x"), Fate.UNKNOWN),
        (asyncpg.StatementCompletionUnknownError("x"), Fate.UNKNOWN),
        (asyncpg.InterfaceError("x"), Fate.UNKNOWN),
        (asyncpg.InternalClientError("x"), Fate.UNKNOWN),
        (ConnectionResetError("x"), Fate.UNKNOWN),
        (TimeoutError("x"), Fate.UNKNOWN),
        (RuntimeError("x"), Fate.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_only_what_was_rolled_back_for_sure_is_known(error: Any, fate: Fate) -> None:
    """D4, F10."""
    assert fate_of(error) is fate


@pytest.mark.parametrize(
    ("url", "is_pooled"),
    [
        ("postgres://me@db/x", False),
        ("postgresql://me@db/x?statement_cache_size=100", False),
        ("postgres://me@db/x?sslmode=require&statement_cache_size=0", True),
    ],
)
def test_an_address_says_whether_there_is_a_pooler(url: str, is_pooled: bool) -> None:
    assert Address(url).is_pooled is is_pooled


def test_an_address_is_shown_without_its_secret() -> None:
    assert str(Address("postgres://me:secret@db:5432/x")) == "the database at db:5432"


def test_a_setting_that_is_no_number_is_refused() -> None:
    with pytest.raises(StoreOpenError, match="statement_cache_size is 'many'"):
        Address("postgres://me@db/x?statement_cache_size=many")
