"""Which node a data folder belongs to: who starts in it knows the name of the one before, and
whether that has ended.

A lock on the file that holds the name says so: the system lets go of it when its process ends,
however that ends. Where nobody can tell, nobody is said to have ended.
"""

import fcntl
import os
import re
from pathlib import Path
from typing import Final

__all__ = ["Occupancy", "occupy"]

_FILE: Final = "node"
_NODE_ID: Final = re.compile(rb"[0-9a-f]{16}\Z")
_BYTES_MAX: Final = 64


class Occupancy:
    """A data folder in use, for as long as this process lives."""

    def __init__(self, descriptor: int, *, is_alone: bool) -> None:
        """Use the file that ``descriptor`` has open; nobody else does, if ``is_alone``."""
        self._descriptor = descriptor
        self._is_alone = is_alone
        said = os.pread(descriptor, _BYTES_MAX, 0) if is_alone else b""
        #: the node that used the folder before, and has ended; empty: none is known
        self.predecessor = said.decode() if _NODE_ID.match(said) else ""

    def note(self, node_id: str) -> None:
        """Leave the name of this process's node to who comes after."""
        if self._is_alone:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, node_id.encode(), 0)

    def end(self) -> None:
        """Let the next one in."""
        os.close(self._descriptor)


def occupy(folder: Path) -> Occupancy:
    """Begin to use a data folder."""
    descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it, or there are no locks here
        return Occupancy(descriptor, is_alone=False)
    return Occupancy(descriptor, is_alone=True)
