"""A worker's log: reads what the process writes and hands it to the log store, line by line.

A line goes into the store with the worker's stream, and into the tail of every run that is on.
"""

import asyncio
import os
import select
from collections.abc import Iterable
from typing import Final

from perdure.clock import Clock
from perdure.runtime.log_lines import LineCutter, Tail
from perdure.store.logs import LogEvent, LogStore

__all__ = ["WorkerLog"]

_READ_BYTES: Final = 65_536
_READS_MAX: Final = 16  #: at one wake-up; a pipe holds 1 MB at most


class WorkerLog:
    """The log of one worker; ``write_fd`` is the end the process gets."""

    def __init__(self, group: str, stream: str, *, store: LogStore, clock: Clock) -> None:
        """Open the pipe and read it on the running loop."""
        self.group = group
        self.stream = stream
        self.tail = Tail()
        self._store = store
        self._clock = clock
        self._cutter = LineCutter()
        self._loop = asyncio.get_running_loop()
        self._read_fd, self.write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read_fd, False)
        self._poll = select.poll()  # an empty pipe's read would raise, which costs more
        self._poll.register(self._read_fd, select.POLLIN)
        self._loop.add_reader(self._read_fd, self._read)

    def close_write_end(self) -> None:
        """Close our copy of the process's end, once the process has its own."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def drain(self) -> None:
        """Store all that was written before this call, an unfinished line included."""
        if self._read_fd >= 0 and self._poll.poll(0):
            self._read()
        self._store_lines(self._cutter.flush())

    def write(self, *lines: str, at_ms: int) -> None:
        """Store lines of ours; empty ones are left out."""
        messages = [line.removesuffix("\r").replace("\r", "\n") + "\n" for line in lines if line]
        if messages:
            self.tail.add("".join(messages).encode(errors="replace"))
            self._store_messages(messages, at_ms)

    def close(self) -> None:
        """Store what is left and stop reading."""
        self.close_write_end()
        if self._read_fd >= 0:
            self.drain()
        self._stop()

    def _read(self) -> None:
        if self._read_fd < 0:
            return
        for _read in range(_READS_MAX):
            try:
                data = os.read(self._read_fd, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._store_lines(self._cutter.flush())
                self._stop()
                return
            self._store_lines(self._cutter.feed(data))
            if len(data) < _READ_BYTES:
                return  # that was all; if not, the loop calls again

    def _stop(self) -> None:
        if self._read_fd >= 0:
            self._loop.remove_reader(self._read_fd)
            os.close(self._read_fd)
            self._read_fd = -1

    def _store_lines(self, lines: Iterable[bytes]) -> None:
        messages: list[str] = []
        for line in lines:
            # Runtimes write a message of several lines as one, with carriage returns between them.
            text = line.removesuffix(b"\r").replace(b"\r", b"\n") + b"\n"
            self.tail.add(text)
            messages.append(text.decode(errors="replace"))
        if messages:
            self._store_messages(messages, self._clock.now_ms())

    def _store_messages(self, messages: list[str], at_ms: int) -> None:
        group, stream = self.group, self.stream
        self._store.append(
            [LogEvent(group=group, stream=stream, at_ms=at_ms, message=m) for m in messages]
        )
