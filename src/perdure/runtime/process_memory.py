"""How much memory a process has, as the kernel tells: its descriptor stays open, so that it is
never another process's.
"""

import contextlib
import os
import re
from typing import Final

__all__ = ["ProcessMemory"]

_HIGH_WATER: Final = re.compile(rb"VmHWM:\s+(\d+) kB")
_RESIDENT: Final = re.compile(rb"VmRSS:\s+(\d+) kB")


class ProcessMemory:
    """The memory of one process; of one that is not there, nothing."""

    def __init__(self) -> None:
        """Look at no process yet."""
        self._fd = -1

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

    @property
    def most_bytes(self) -> int:
        """Return how much it has had at most."""
        return self._kb(_HIGH_WATER) * 1024

    def _kb(self, figure: re.Pattern[bytes]) -> int:
        with contextlib.suppress(OSError):
            if self._fd >= 0 and (match := figure.search(os.pread(self._fd, 4096, 0))):
                return int(match[1])
        return 0
