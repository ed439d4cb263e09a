"""Commits changes to PostgreSQL in groups: a few connections, each with a queue of its own.

What is submitted while a group is under way goes into the next one, over the same connection: full
groups cost the database least. Only where a group takes long, the next connection is used beside.
An execution's changes go over one connection as long as any of them is under way, in the order they
were submitted; one transaction has at most one of them. A connection that does not answer is given
up with its group, whose outcome is unknown; the next group goes over a new one (D4).
"""

import asyncio
import contextlib
import logging
import time
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

from perdure.store.postgres_connections import Address, Connection, Fate, close, fate_of
from perdure.store.postgres_rows import Piece, statement_of
from perdure.store.protocol import (
    CommitResult,
    StoreFullError,
    StoreOpenError,
    StoreUnavailableError,
    StoreUnknownError,
)

__all__ = ["Writer"]

_log = logging.getLogger(__name__)

_GROUP_MAX: Final = 256
_GROUP_BYTES_MAX: Final = 8_388_608
_KNOWN_PINS_MAX: Final = 4_096
#: From submission to answer, at most; a client gives a checkpoint 50 seconds.
_WAIT_SECONDS: Final = 10.0
_COMMIT_SECONDS: Final = 8.0
_LOCK_MS: Final = 2_000
_RETRIES_MAX: Final = 8
#: A group that is under way for longer has the next connection used.
_PATIENCE_SECONDS: Final = 0.025
_PAUSE_SECONDS: Final = 0.05
_CLOSE_SECONDS: Final = 15.0
#: Said instead of an error when a standby was not waited for.
_WARNING: Final = "01000"


class _Waiting(NamedTuple):
    piece: Piece
    answer: "asyncio.Future[CommitResult]"
    until: float


class Writer:
    """Commits changes over several connections."""

    def __init__(
        self, address: Address, *, connections: int, hear_clock: Callable[[int], None]
    ) -> None:
        """Use up to ``connections``; ``hear_clock`` is told the database's time at each answer."""
        #: By execution, the line that its changes are under way on, and how many are.
        self._under_way: dict[bytes, tuple[_Line, int]] = {}
        self._lines = [_Line(address, hear_clock, self._release) for _ in range(connections)]

    def start(self, level: str, prepare: "Prepare") -> None:
        """Begin. ``level``: the ``synchronous_commit`` to hold commits to; ``prepare`` looks at
        every new connection first.
        """
        for line in self._lines:
            line.start(level, prepare)

    def submit(self, piece: Piece) -> "asyncio.Future[CommitResult]":
        """Return how a change comes out, after its commit; that goes on if nobody waits for it.

        The future may hold:
            StoreUnavailableError: the database cannot be reached; nothing was written.
            StoreFullError: there is no room; nothing was written.
            StoreUnknownError: whether it was committed cannot be told.
        """
        key = piece.rows.key
        line, count = self._under_way.get(key) or (self._free_line(key), 0)
        self._under_way[key] = line, count + 1
        return line.submit(piece)

    async def aclose(self) -> None:
        """Commit what was submitted, and close the connections."""
        await asyncio.gather(*(line.aclose() for line in self._lines))

    def _free_line(self, key: bytes) -> "_Line":
        late = time.monotonic() - _PATIENCE_SECONDS
        for line in self._lines:
            if line.busy_since is None or line.busy_since > late:
                return line
        return self._lines[zlib.crc32(key) % len(self._lines)]

    def _release(self, piece: Piece) -> None:
        key = piece.rows.key
        line, count = self._under_way[key]
        if count > 1:
            self._under_way[key] = line, count - 1
        else:
            del self._under_way[key]


#: Looks at a new connection; what it raises keeps the connection from being used.
Prepare = Callable[[Connection], Awaitable[None]]


class _Line:
    """One connection and its queue."""

    def __init__(
        self,
        address: Address,
        hear_clock: Callable[[int], None],
        release: Callable[[Piece], None],
    ) -> None:
        self.busy_since: float | None = None  #: when what is under way was begun
        self._address = address
        self._hear_clock = hear_clock
        self._release = release
        self._queue: deque[_Waiting] = deque()
        self._rest: asyncio.Future[None] | None = None  #: until something is submitted
        self._known_pins: set[bytes] = set()
        self._connection: Connection | None = None
        self._is_warned = False
        self._is_closing = False
        self._level = ""
        self._prepare: Prepare | None = None
        self._run: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, level: str, prepare: Prepare) -> None:
        self._level, self._prepare = level, prepare
        self._loop = asyncio.get_running_loop()
        self._run = asyncio.create_task(self._serve(), name="perdure-commits")

    def submit(self, piece: Piece) -> "asyncio.Future[CommitResult]":
        # Kept: to ask for the loop that runs asks the kernel for the process's number each time.
        loop = self._loop or asyncio.get_running_loop()
        answer: asyncio.Future[CommitResult] = loop.create_future()
        waiting = _Waiting(piece, answer, time.monotonic() + _WAIT_SECONDS)
        if self._run is None or self._run.done():
            self._fail((waiting,), StoreUnavailableError("the store is closed"))
        else:
            self._queue.append(waiting)
            self._wake()
        return answer

    async def aclose(self) -> None:
        self._is_closing = True
        self._wake()
        if self._run is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._run, _CLOSE_SECONDS)
        self._fail_all(StoreUnavailableError("the store is closed"))
        await self._let_go()

    def _wake(self) -> None:
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)

    async def _serve(self) -> None:
        while not (self._is_closing and not self._queue):
            if not self._queue:
                self._rest = asyncio.get_running_loop().create_future()
                await self._rest
                continue
            self.busy_since = self.busy_since or time.monotonic()
            self._give_up_late()
            if not self._queue:
                self.busy_since = None
                continue
            try:
                connection = await self._connected()
            except StoreOpenError as error:
                _log.critical("nothing is committed any more: %s", error)
                self._fail_all(StoreUnavailableError(str(error)))
                continue
            except Exception as error:  # noqa: BLE001 - it is told to those who wait too long
                _log.warning("no connection to commit over: %s", error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            await self._commit(connection, self._take_group())
            self.busy_since = None

    async def _connected(self) -> Connection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        connection = await self._address.connect()
        try:
            assert self._prepare is not None, "it was started"
            await self._prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        connection.add_log_listener(self._hear_notice)
        self._connection = connection
        return connection

    def _hear_notice(self, _: Any, notice: Any) -> None:
        self._is_warned = self._is_warned or notice.sqlstate == _WARNING

    def _give_up_late(self) -> None:
        now = time.monotonic()
        late = [waiting for waiting in self._queue if waiting.until <= now]
        if late:
            self._queue = deque(waiting for waiting in self._queue if waiting.until > now)
            self._fail(late, StoreUnavailableError(f"{self._address} did not answer in time"))

    def _take_group(self) -> list[_Waiting]:
        """Return what goes into the next transaction: of each execution the first."""
        keys: set[bytes] = set()
        size = 0
        group: list[_Waiting] = []
        kept: deque[_Waiting] = deque()
        while self._queue and len(group) < _GROUP_MAX and size < _GROUP_BYTES_MAX:
            waiting = self._queue.popleft()
            key = waiting.piece.rows.key
            if key in keys:
                kept.append(waiting)
            else:
                keys.add(key)
                size += waiting.piece.size_bytes
                group.append(waiting)
        kept.extend(self._queue)
        self._queue = kept
        # Everybody locks rows in one order. What begins comes first: with columns that others lack.
        return sorted(group, key=lambda one: (one.piece.rows.first is None, one.piece.rows.key))

    async def _commit(self, connection: Connection, group: Sequence[_Waiting]) -> None:
        for _ in range(_RETRIES_MAX):
            try:
                self._answer(group, await self._send(connection, group))
            except Exception as error:  # noqa: BLE001 - those who wait must be answered
                fate = Fate.UNKNOWN if connection.is_closed() else fate_of(error)
                if fate is Fate.AGAIN:
                    await asyncio.sleep(_PAUSE_SECONDS / 10)
                    continue
                await self._fault(connection, group, error, fate)
            return
        await self._fault(connection, group, RuntimeError("conflicts do not end"), Fate.BLOCKED)

    async def _send(self, connection: Connection, group: Sequence[_Waiting]) -> Sequence[int]:
        pieces = [waiting.piece for waiting in group]
        statement = statement_of(pieces, self._known_pins, self._level, _LOCK_MS)
        self._is_warned = False
        # Whoever waits for a connection that is ended is told so: cheaper than a timeout.
        deadline = asyncio.get_running_loop().call_later(_COMMIT_SECONDS, connection.terminate)
        try:
            if self._address.is_pooled:
                async with connection.transaction():
                    said = await connection.fetchval(statement.sql, *statement.values)
            else:
                said = await connection.fetchval(statement.sql, *statement.values)
        finally:
            deadline.cancel()
        if self._is_warned:
            raise ConnectionAbortedError("committed, but perhaps not on a standby")
        if len(self._known_pins) > _KNOWN_PINS_MAX:
            self._known_pins.clear()
        self._known_pins.update(statement.digests)
        self._hear_clock(said[0])
        return said[1:]

    async def _fault(
        self, connection: Connection, group: Sequence[_Waiting], error: Exception, fate: Fate
    ) -> None:
        if fate is Fate.UNKNOWN:
            _log.warning("the outcome of %d changes is unknown: %r", len(group), error)
            connection.terminate()
            self._connection = None
            self._fail(group, StoreUnknownError(f"the outcome of a commit is unknown: {error!r}"))
        elif fate is Fate.FULL:
            self._fail(group, StoreFullError(f"nothing was written: {error}"))
        elif len(group) > 1:
            # It was rolled back because of one, or a few: the others must not suffer for it.
            half = len(group) // 2
            for part in (group[:half], group[half:]):
                await self._commit(await self._again(connection), part)
        elif fate is Fate.BLOCKED:
            self._fail(group, StoreUnavailableError(f"nothing was written: {error}"))
        else:
            self._fail(group, error)

    async def _again(self, connection: Connection) -> Connection:
        with contextlib.suppress(Exception):
            return await self._connected()
        return connection  # closed: what is sent over it is unknown

    def _answer(self, group: Sequence[_Waiting], lost: Sequence[int]) -> None:
        conflicts = set(lost)
        for number, waiting in enumerate(group, 1):
            self._release(waiting.piece)
            if not waiting.answer.done():
                is_lost = number in conflicts
                waiting.answer.set_result(
                    CommitResult.CONFLICT if is_lost else CommitResult.COMMITTED
                )

    def _fail(self, group: Sequence[_Waiting], error: Exception) -> None:
        for waiting in group:
            self._release(waiting.piece)
            if not waiting.answer.done():
                waiting.answer.set_exception(error)

    def _fail_all(self, error: Exception) -> None:
        group = list(self._queue)
        self._queue.clear()
        self._fail(group, error)

    async def _let_go(self) -> None:
        if self._connection is not None:
            await close(self._connection)
            self._connection = None
