"""The one writer of a SQLite store, on a thread of the server or in a process of its own.

Whatever was submitted while a transaction was on its way to the disk goes into the next one, so
that one fsync serves many (group commit). A process costs the server's interpreter a quarter of
what a thread does, and is the default where throughput matters; a thread starts at once.
"""

import asyncio
import logging
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

from perdure.store.protocol import StoreUnknownError
from perdure.store.sqlite_commits import Answer, Commits, Work
from perdure.store.sqlite_frames import Frames, decode_answers, encode_works

__all__ = ["ProcessWriter", "ThreadWriter", "Writer"]

_log = logging.getLogger(__name__)

_GROUP_MAX: Final = 512
_STOP_SECONDS: Final = 30
#: Groups sent and not yet answered: one being committed, and one that is ready when it is done.
_UNDER_WAY_MAX: Final = 2

#: Hears that the store must not be used any more (D4).
OnUnknown = Callable[[Exception], None]


class Writer(Protocol):
    """Commits work, in groups."""

    def submit(self, work: Work) -> "asyncio.Future[Any]":
        """Queue a piece of work; the future is answered after its commit."""
        ...

    async def aclose(self) -> None:
        """Commit what was submitted, then end."""
        ...


class ThreadWriter:
    """Commits on a thread."""

    def __init__(self, connection: sqlite3.Connection, *, on_unknown: OnUnknown) -> None:
        """Take over ``connection``."""
        self._commits = Commits(connection)
        self._ledger = _Ledger(on_unknown)
        self._queue: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._wake = threading.Event()
        self._is_closing = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="perdure-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> "asyncio.Future[Any]":
        """Queue a piece of work; the future is answered after its commit."""
        future = self._ledger.open()
        if not future.done():
            self._queue.append((work, future))
            self._wake.set()
        return future

    async def aclose(self) -> None:
        """Commit what was submitted, then end the thread."""
        self._is_closing = True
        self._wake.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._queue:
                size = min(len(self._queue), _GROUP_MAX)
                group = [self._queue.popleft() for _ in range(size)]
                answers = self._commits.commit([work for work, _ in group])
                futures = [future for _, future in group]
                self._loop.call_soon_threadsafe(self._ledger.answer, futures, answers)
            if self._is_closing:
                return


class ProcessWriter(asyncio.Protocol):
    """Commits in a process beside the server; it ends when the server does, however that ends."""

    def __init__(self, process: "subprocess.Popen[bytes]", *, on_unknown: OnUnknown) -> None:
        """Talk to ``process``, which is answering to ``sqlite_writer_main``."""
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._ledger = _Ledger(on_unknown)
        self._outgoing: list[Work] = []
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._frames = Frames()
        self._loop = asyncio.get_running_loop()
        self._under_way = 0
        self._is_closing = False
        self._ended: asyncio.Future[None] = self._loop.create_future()

    @classmethod
    async def start(cls, path: Path, lock: int, *, on_unknown: OnUnknown) -> "ProcessWriter":
        """Return a writer on the file at ``path``, whose process also holds the ``lock``."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.to_thread(_spawn, path, theirs.fileno(), lock)
        loop = asyncio.get_running_loop()
        _, writer = await loop.create_unix_connection(
            lambda: cls(process, on_unknown=on_unknown), sock=ours
        )
        return writer

    def submit(self, work: Work) -> "asyncio.Future[Any]":
        """Queue a piece of work; the future is answered after its commit."""
        future = self._ledger.open()
        if not future.done():
            self._outgoing.append(work)
            self._waiting.append(future)
            if self._under_way < _UNDER_WAY_MAX:
                self._flush()
        return future

    async def aclose(self) -> None:
        """Commit what was submitted, then end the process."""
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

    def _flush(self) -> None:
        if self._outgoing and self._transport is not None:
            works, self._outgoing = self._outgoing, []
            self._under_way += 1
            self._transport.write(encode_works(works))


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
