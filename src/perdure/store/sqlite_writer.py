"""The one writer of a SQLite store, on a thread of the server or in a process of its own.

Whatever was submitted while a transaction was on its way to the disk goes into the next one, so
that one fsync serves many (group commit). A process costs the server's interpreter a quarter of
what a thread does, and is right where many commit at once; a thread starts at once. With either, a
lone caller's change is committed where it is called, while the disk is quick.
"""

import asyncio
import contextlib
import logging
import queue
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Protocol, cast

from perdure.store.protocol import StoreUnknownError
from perdure.store.rows import ChangeRows
from perdure.store.sqlite_commits import Answer, Commits, Forget, Work
from perdure.store.sqlite_frames import Frames, decode_answers, encode_work, encode_works

__all__ = ["Defer", "ProcessWriter", "ThreadWriter", "Writer"]

_log = logging.getLogger(__name__)

_GROUP_MAX: Final = 512
_STOP_SECONDS: Final = 30
#: Groups sent and not yet answered: one being committed, and one that is ready when it is done.
_UNDER_WAY_MAX: Final = 2

#: A lone caller's commit is done where it is called after so many that had no company.
_CALM_MIN: Final = 8
#: So many in a row that the disk took so long for, and the thread commits; so many groups later it
#: is tried again. A disk that is quick may be slow now and then.
_SLOW_SECONDS: Final = 0.003
_SLOW_MAX: Final = 8
_BY_THREAD_MIN: Final = 256

_Piece = tuple[Work, "asyncio.Future[Any]"]

#: Has something done by the loop once it has nothing else left to do, or soon anyhow.
Defer = Callable[[Callable[[], None]], object]

#: Hears that the store must not be used any more (D4).
OnUnknown = Callable[[Exception], None]


class Writer(Protocol):
    """Commits work, in groups."""

    async def submit(self, work: Work) -> Any:
        """Return the answer to a piece of work, after its commit.

        Raises:
            StoreFullError: there is no room; nothing was written.
            StoreUnknownError: whether it was committed cannot be told.
        """
        ...

    async def aclose(self) -> None:
        """Commit what was submitted, then end."""
        ...


class ThreadWriter:
    """Commits on a thread; or, while the disk is quick, where it is called.

    Waking a thread and being woken by it costs more than a small transaction, and a thread that
    writes while the loop computes waits for the interpreter's lock at every statement. On a loop
    that says when it has nothing else to do, all that was submitted until then is committed there,
    and holds the loop up for as long as the disk takes. On any other loop that is done for a lone
    caller only. A disk that is slow, again and again, brings the thread back for a while.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        on_unknown: OnUnknown,
        defer: Defer | None = None,
    ) -> None:
        """Take over ``connection``; ``defer`` is of a loop that says when it is at rest."""
        self._commits = Commits(connection)
        self._ledger = _Ledger(on_unknown)
        self._submitted: list[_Piece] = []
        self._queue: SimpleQueue[list[_Piece] | None] = SimpleQueue()
        self._under_way = 0
        self._calm = 0
        self._slow = 0
        self._left_to_thread = 0  #: so many groups more
        self._loop = asyncio.get_running_loop()
        # On any loop: whoever else is about to submit in this round of it comes along.
        self._defer: Defer = self._loop.call_soon if defer is None else defer
        self._is_for_company = defer is not None
        self._thread = threading.Thread(target=self._run, name="perdure-writer", daemon=True)
        self._thread.start()

    async def submit(self, work: Work) -> Any:
        """Return the answer to a piece of work, after its commit."""
        future = self._ledger.open()
        if not future.done():
            self._submitted.append((work, future))
            if len(self._submitted) == 1:
                self._defer(self._flush)
        return await future

    async def aclose(self) -> None:
        """Commit what was submitted, then end the thread."""
        self._flush()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _flush(self) -> None:
        pieces, self._submitted = self._submitted, []
        if not pieces:
            return
        is_meant_for_here = self._is_for_company or (len(pieces) == 1 and self._calm >= _CALM_MIN)
        if is_meant_for_here and not self._under_way and not self._left_to_thread:
            answers = self._commits.commit([work for work, _ in pieces])
            is_slow = self._commits.disk_seconds > _SLOW_SECONDS
            self._slow = self._slow + 1 if is_slow else 0
            if self._slow == _SLOW_MAX:
                self._slow, self._left_to_thread = _SLOW_MAX - 1, _BY_THREAD_MIN
            self._answer(pieces, answers)
        else:
            self._under_way += len(pieces)
            self._queue.put(pieces)

    def _run(self) -> None:
        """Commit what is queued, until told to end; on the thread."""
        while (pieces := self._queue.get()) is not None:
            with contextlib.suppress(queue.Empty):
                while len(pieces) < _GROUP_MAX:
                    more = self._queue.get_nowait()
                    if more is None:
                        self._queue.put(None)
                        break
                    pieces += more
            for start in range(0, len(pieces), _GROUP_MAX):
                group = pieces[start : start + _GROUP_MAX]
                answers = self._commits.commit([work for work, _ in group])
                self._loop.call_soon_threadsafe(self._take, group, answers)

    def _take(self, pieces: list["_Piece"], answers: list[Answer]) -> None:
        self._under_way -= len(pieces)
        self._left_to_thread = max(0, self._left_to_thread - 1)
        self._answer(pieces, answers)

    def _answer(self, pieces: list["_Piece"], answers: list[Answer]) -> None:
        self._calm = self._calm + 1 if len(pieces) == 1 and not self._submitted else 0
        self._ledger.answer([future for _, future in pieces], answers)


class ProcessWriter(asyncio.Protocol):
    """Commits in a process beside the server; or, for a lone caller, where it is called.

    The process ends when the server does, however that ends. Waking it and being woken by it costs
    a lone caller more than a small transaction does: as long as one caller comes after another and
    the disk is quick, changes are committed here, on a connection of the server's own. The first
    that has company goes to the process, with all others. Never do both write at a time: the server
    does only while nothing is under way, and each reads again what the other may have changed.
    """

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        connection: sqlite3.Connection,
        *,
        on_unknown: OnUnknown,
    ) -> None:
        """Talk to ``process``, which is answering to ``sqlite_writer_main``; ``connection`` is to
        the same file.
        """
        self._commits = Commits(connection)
        self._alone: list[_Piece] = []
        self._calm = 0
        self._is_ours_stale = False  #: the process has written since we have
        self._is_theirs_stale = False
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._ledger = _Ledger(on_unknown)
        self._outgoing: list[bytes] = []
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._frames = Frames()
        self._loop = asyncio.get_running_loop()
        self._under_way = 0
        self._is_closing = False
        self._ended: asyncio.Future[None] = self._loop.create_future()

    @classmethod
    async def start(
        cls, path: Path, connection: sqlite3.Connection, lock: int, *, on_unknown: OnUnknown
    ) -> "ProcessWriter":
        """Return a writer on the file at ``path``, whose process also holds the ``lock``."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.to_thread(_spawn, path, theirs.fileno(), lock)
            loop = asyncio.get_running_loop()
            _, writer = await loop.create_unix_connection(
                lambda: cls(process, connection, on_unknown=on_unknown), sock=ours
            )
        except BaseException:
            ours.close()  # the process ends with it
            raise
        return writer

    async def submit(self, work: Work) -> Any:
        """Return the answer to a piece of work, after its commit."""
        if isinstance(work, ChangeRows) and self._calm >= _CALM_MIN and self._is_idle:
            future = self._ledger.open()
            if not future.done():
                self._alone.append((work, future))
                if len(self._alone) == 1:
                    # Whoever else is about to submit in this round of the loop is company.
                    self._loop.call_soon(self._commit_alone)
            return await future
        part = encode_work(work)  # what cannot be encoded is refused before it has a place
        future = self._ledger.open()
        if not future.done():
            self._send(part, future)
        return await future

    async def aclose(self) -> None:
        """Commit what was submitted, then end the process."""
        self._commit_alone()
        self._flush()
        self._is_closing = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()
            await self._ended
        await asyncio.to_thread(self._process.wait, _STOP_SECONDS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take answers."""
        for frame in self._frames.feed(data):
            self._under_way -= 1
            self._flush()
            answers = decode_answers(frame)
            self._calm = self._calm + 1 if len(answers) == 1 and self._is_idle else 0
            futures = [self._waiting.popleft() for _ in answers]
            self._ledger.answer(futures, answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up what is not answered: whether it was committed cannot be told."""
        if self._waiting or not self._is_closing:
            status = self._process.poll()
            error = StoreUnknownError(f"the writer process ended (exit status {status}): {exc}")
            futures = list(self._waiting)
            self._waiting.clear()
            self._ledger.fail(error, futures)
        if not self._ended.done():
            self._ended.set_result(None)

    @property
    def _is_idle(self) -> bool:
        return not (self._under_way or self._outgoing)

    def _commit_alone(self) -> None:
        pieces, self._alone = self._alone, []
        if len(pieces) == 1 and self._is_idle:
            if self._is_ours_stale:
                self._commits.forget()
            self._is_ours_stale, self._is_theirs_stale = False, True
            answers = self._commits.commit([pieces[0][0]])
            if self._commits.disk_seconds > _SLOW_SECONDS:
                self._calm = 0
            self._ledger.answer([pieces[0][1]], answers)
        elif pieces:
            self._calm = 0
            for work, future in pieces:
                self._send(encode_work(work), future)

    def _send(self, part: bytes, future: "asyncio.Future[Any]") -> None:
        self._outgoing.append(part)
        self._waiting.append(future)
        if self._under_way < _UNDER_WAY_MAX:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing and self._transport is not None:
            parts, self._outgoing = self._outgoing, []
            if self._is_theirs_stale:
                parts.insert(0, encode_work(Forget()))
                self._waiting.appendleft(self._loop.create_future())
            self._is_ours_stale, self._is_theirs_stale = True, False
            self._under_way += 1
            self._transport.write(encode_works(parts))


def _spawn(path: Path, handle: int, lock: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "perdure.store.sqlite_writer_main", str(path), str(handle)]
    return subprocess.Popen(
        command, pass_fds=(handle, lock), start_new_session=True, stdin=subprocess.DEVNULL
    )


class _Ledger:
    """The futures of submitted work."""

    def __init__(self, on_unknown: OnUnknown) -> None:
        self._on_unknown = on_unknown
        self._failure: Exception | None = None
        self._loop = asyncio.get_running_loop()

    def open(self) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._failure is not None:
            future.set_exception(self._failure)
        return future

    def answer(self, futures: Sequence["asyncio.Future[Any]"], answers: Sequence[Answer]) -> None:
        for future, answer in zip(futures, answers, strict=True):
            if isinstance(answer, StoreUnknownError):
                self.fail(answer, [future])
            elif future.done():
                continue
            elif isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def fail(self, error: Exception, futures: Sequence["asyncio.Future[Any]"]) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(error)
        if self._failure is None:
            self._failure = error
            _log.critical("the store must not be used any more: %s", error)
            self._on_unknown(error)
