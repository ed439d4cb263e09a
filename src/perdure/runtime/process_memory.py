"""How much memory a process has, as the kernel tells: its descriptor stays open, so that it is
never another process's.
"""

import contextlib
import math
import os
import re
from typing import Final

__all__ = ["ProcessMemory"]

_HIGH_WATER: Final = re.compile(rb"VmHWM:\s+(\d+) kB")
_RESIDENT: Final = re.compile(rb"VmRSS:\s+(\d+) kB")


class ProcessMemory:
    """The memory of one process; of one that is not there, nothing."""

    def __init__(self, *, believed_seconds: float = 0.0) -> None:
        """Look at no process yet; believe what was read for so long."""
        self._fd = -1
        self._believed_seconds = believed_seconds
        self._most_bytes = 0
        self._read_anew_at = -math.inf

    def watch(self, pid: int) -> None:
        """Look at a process from now on."""
        with contextlib.suppress(OSError):
            self._fd = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Look no more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def resident_bytes(self) -> int:
        """Return how much it has now."""
        return self._kb(_RESIDENT) * 1024

    def most_bytes(self, now: float) -> int:
        """Return how much it has had at most until ``now``, in seconds of any clock, or until a
        moment before.
        """
        if now >= self._read_anew_at:
            self._most_bytes = self._kb(_HIGH_WATER) * 1024
            self._read_anew_at = now + self._believed_seconds
        return self._most_bytes

    def _kb(self, figure: re.Pattern[bytes]) -> int:
        with contextlib.suppress(OSError):
            if self._fd >= 0 and (match := figure.search(os.pread(self._fd, 4096, 0))):
                return int(match[1])
        return 0
