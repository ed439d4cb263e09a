"""Connections to PostgreSQL, and what its errors mean for what was asked.

Only a primary is talked to (G5). Nothing relies on what a session remembers, so that a pooler may
give every transaction another one: with ``statement_cache_size=0`` in the address no statement is
prepared ahead either.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

from perdure.store.protocol import (
    StoreFullError,
    StoreOpenError,
    StoreUnavailableError,
    StoreUnknownError,
)

__all__ = ["ERRORS", "Address", "Connection", "Fate", "Pool", "close", "fate_of"]

T = TypeVar("T")
_log = logging.getLogger(__name__)

_CONNECT_SECONDS: Final = 5.0
_WAIT_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.05
_CLOSE_SECONDS: Final = 1.0

_asyncpg: Final[Any] = asyncpg
#: What the driver raises, whatever went wrong.
ERRORS: Final[tuple[type[Exception], ...]] = (
    OSError,
    _asyncpg.PostgresError,
    _asyncpg.InterfaceError,
    _asyncpg.InternalClientError,  # said where a connection was ended while it was idle
)


class Connection(Protocol):
    """What is used of a connection of the driver."""

    async def execute(self, query: str, *args: Any) -> str: ...

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]: ...

    async def fetchrow(self, query: str, *args: Any) -> Any: ...

    async def fetchval(self, query: str, *args: Any) -> Any: ...

    def transaction(self, *, isolation: str | None = None) -> Any: ...

    def is_closed(self) -> bool: ...

    def terminate(self) -> None: ...

    async def close(self) -> None: ...

    def add_log_listener(self, callback: Callable[[Any, Any], None]) -> None: ...

    def add_termination_listener(self, callback: Callable[[Any], None]) -> None: ...

    def get_server_pid(self) -> int: ...

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...


class Fate(Enum):
    """What an error says about the transaction that met it."""

    AGAIN = "again"  #: rolled back, and may well work the next time (F10)
    BLOCKED = "blocked"  #: rolled back: somebody holds what it needs, or it took too long
    FULL = "full"  #: rolled back: there is no room
    REFUSED = "refused"  #: rolled back: what was sent cannot be stored
    UNKNOWN = "unknown"  #: nobody can tell (D4)


def fate_of(error: BaseException) -> Fate:
    """Return what became of a transaction in which ``error`` was met."""
    if isinstance(error, _asyncpg.DataError | TypeError | ValueError | OverflowError):
        return Fate.REFUSED
    state: str = getattr(error, "sqlstate", None) or ""
    is_answer = isinstance(error, _asyncpg.PostgresError)
    if not is_answer or (state[:2] in ("08", "57") and state != "57014"):
        # Also what a server says that is being stopped: it may have committed before.
        return Fate.UNKNOWN
    if state in ("40001", "40P01"):
        return Fate.AGAIN
    if state in ("57014", "55P03", "53200", "53300", "25006", "40003"):
        return Fate.UNKNOWN if state == "40003" else Fate.BLOCKED
    return Fate.FULL if state == "53100" else Fate.REFUSED


class Address:
    """Where a database is, and how it is connected to."""

    def __init__(self, url: str) -> None:
        """Take an address as libpq understands it; several hosts may be named.

        ``statement_cache_size`` may be given in its query: 0 behind a pooler that gives each
        transaction another session.
        """
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        kept = query.pop("statement_cache_size", None)
        if kept is not None and not kept.isdigit():
            raise StoreOpenError(f"statement_cache_size is {kept!r} and must be a number")
        self.is_pooled = kept == "0"
        self._options: dict[str, Any] = {"statement_cache_size": int(kept)} if kept else {}
        if "target_session_attrs" not in query:
            self._options["target_session_attrs"] = "primary"
        scheme = "postgresql" if parts.scheme == "postgres" else parts.scheme
        rest = urlencode(query)
        self._dsn = urlunsplit((scheme, parts.netloc, parts.path, rest, parts.fragment))
        self._host = parts.netloc.rpartition("@")[2]

    def __str__(self) -> str:
        """Return it without what is secret."""
        return f"the database at {self._host or 'the local socket'}"

    async def connect(self, *, seconds: float = _CONNECT_SECONDS) -> Connection:
        """Return a new connection.

        Raises:
            StoreUnavailableError: there is none to be had now.
        """
        try:
            async with asyncio.timeout(seconds):
                return await _asyncpg.connect(
                    self._dsn,
                    timeout=seconds,
                    server_settings={"application_name": "perdure"},
                    **self._options,
                )
        except (TimeoutError, *ERRORS) as error:
            raise StoreUnavailableError(f"{self} cannot be reached: {error!r}") from error

    @contextlib.asynccontextmanager
    async def session(self, connection: Connection) -> AsyncGenerator[None]:
        """Keep one session of the server for what is asked meanwhile.

        A pooler may change it between two statements, and even between a statement and its values:
        not within a transaction.
        """
        if not self.is_pooled:
            yield
            return
        async with connection.transaction():
            yield


async def close(connection: Connection) -> None:
    """Close a connection, politely if it lets us."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await connection.close()
    except Exception:  # noqa: BLE001 - it is of no more use, whatever it says
        connection.terminate()


class Pool:
    """A few connections, each lent to one reader at a time and opened when there is need."""

    def __init__(self, address: Address, *, connections_max: int) -> None:
        """Open nothing yet."""
        self._address = address
        self._idle: list[Connection] = []
        self._free = asyncio.Semaphore(connections_max)
        self._is_closing = False

    async def aclose(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        self._is_closing = True
        while self._idle:
            await close(self._idle.pop())

    async def read(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """Return what ``query`` finds, asked again while the database comes and goes.

        Raises:
            StoreUnavailableError: it was not answered in time.
        """
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                return await self._once(query, until)
            except (TimeoutError, StoreUnavailableError, *ERRORS) as error:
                if fate_of(error) in (Fate.REFUSED, Fate.FULL):
                    raise
                if time.monotonic() + _RETRY_SECONDS > until:
                    raise StoreUnavailableError(f"{self._address}: {error!r}") from error
            await asyncio.sleep(_RETRY_SECONDS)

    async def write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Return what ``work`` returns, which is one transaction; done again if it was rolled back
        for reasons that pass.

        Raises:
            StoreUnavailableError: it could not be done in time; nothing was written.
            StoreFullError: there is no room; nothing was written.
            StoreUnknownError: whether it was committed cannot be told (D4).
        """
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                return await self._once(work, until)
            except StoreUnavailableError as error:
                if time.monotonic() + _RETRY_SECONDS > until:
                    raise StoreUnavailableError(f"{self._address}: {error!r}") from error
            except (TimeoutError, *ERRORS) as error:
                match fate_of(error):
                    case Fate.UNKNOWN:
                        raise StoreUnknownError(f"the outcome is unknown: {error!r}") from error
                    case Fate.FULL:
                        raise StoreFullError(str(error)) from error
                    case Fate.REFUSED:
                        raise
                    case _ if time.monotonic() + _RETRY_SECONDS > until:
                        raise StoreUnavailableError(f"{self._address}: {error!r}") from error
                    case _:
                        pass
            await asyncio.sleep(_RETRY_SECONDS)

    async def _once(self, work: Callable[[Connection], Awaitable[T]], until: float) -> T:
        async with (
            self._lend(until) as connection,
            asyncio.timeout(until - time.monotonic()),
            self._address.session(connection),
        ):
            return await work(connection)

    @contextlib.asynccontextmanager
    async def _lend(self, until: float) -> AsyncGenerator[Connection]:
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await self._free.acquire()
        except TimeoutError as error:
            raise StoreUnavailableError("every connection is in use") from error
        connection: Connection | None = None
        is_whole = False
        try:
            connection = self._take() or await self._address.connect(
                seconds=min(_CONNECT_SECONDS, max(0.1, until - time.monotonic()))
            )
            yield connection
            is_whole = True
        except _asyncpg.PostgresError as error:
            is_whole = fate_of(error) is not Fate.UNKNOWN
            raise
        except ValueError:
            is_whole = True
            raise
        finally:
            self._free.release()
            if connection is not None:
                if is_whole and not self._is_closing and not connection.is_closed():
                    self._idle.append(connection)
                else:
                    connection.terminate()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None
