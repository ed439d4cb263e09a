"""A worker's log: reads what the process writes and hands it to the log store, line by line.

A line goes into the store with the worker's stream, and into the tail of every run that is on.
"""

import asyncio
import contextlib
import os
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
        self._loop.add_reader(self._read_fd, self._read)

    def close_write_end(self) -> None:
        """Close our copy of the process's end, once the process has its own."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def drain(self) -> None:
        """Store all that was written before this call, an unfinished line included."""
        self._read()
        self._store_lines(self._cutter.flush())

    def write(self, *lines: str) -> None:
        """Store lines of ours; empty ones are left out."""
        self._store_lines(line.encode() for line in lines if line)

    def close(self) -> None:
        """Store what is left and stop reading."""
        self.close_write_end()
        if self._read_fd >= 0:
            self.drain()
        self._stop()

    def _read(self) -> None:
        if self._read_fd < 0:
            return
        with contextlib.suppress(BlockingIOError):
            for _read in range(_READS_MAX):
                data = os.read(self._read_fd, _READ_BYTES)
                if not data:
                    self._store_lines(self._cutter.flush())
                    self._stop()
                    return
                self._store_lines(self._cutter.feed(data))

    def _stop(self) -> None:
        if self._read_fd >= 0:
            self._loop.remove_reader(self._read_fd)
            os.close(self._read_fd)
            self._read_fd = -1

    def _store_lines(self, lines: Iterable[bytes]) -> None:
        now_ms = self._clock.now_ms()
        events: list[LogEvent] = []
        for line in lines:
            # Runtimes write a message of several lines as one, with carriage returns between them.
            text = line.removesuffix(b"\r").replace(b"\r", b"\n") + b"\n"
            self.tail.add(text)
            message = text.decode(errors="replace")
            events.append(
                LogEvent(group=self.group, stream=self.stream, at_ms=now_ms, message=message)
            )
        if events:
            self._store.append(events)
