"""Control groups: the kernel's own bound on what a worker and all it starts hold in memory.

Made where this process may make them, which is rare outside of containers and services that were
given the right. Elsewhere the launcher looks at the memory of each worker and kills it.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

__all__ = ["ControlGroup", "find_control_group"]

_ROOT: Final = Path("/sys/fs/cgroup")


def find_control_group() -> Path | None:
    """Return where groups with a memory bound may be made for workers, or None.

    Version 1: below this process's own memory group. Version 2: the same, if the memory controller
    is handed down to its children, which the kernel allows only at the root, or where the group
    itself holds no process.
    """
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            own = _ROOT / "memory" / path.lstrip("/")
        elif not controllers:
            own = _ROOT / path.lstrip("/")
            if "memory" not in _read(own / "cgroup.subtree_control").split():
                continue
        else:
            continue
        if own.is_dir() and os.access(own, os.W_OK):
            return own / f"perdure-{os.getpid()}"
    return None


class ControlGroup:
    """One worker's group."""

    def __init__(self, base: Path, name: str, memory_bytes: int) -> None:
        """Make the group ``name`` below ``base``; raises OSError where that is not allowed."""
        base.mkdir(exist_ok=True)
        self.path = base / name
        self.path.mkdir()
        self._is_v1 = (self.path / "memory.limit_in_bytes").exists()
        try:
            self._bound(memory_bytes)
        except OSError:
            self.path.rmdir()
            raise

    def _bound(self, memory_bytes: int) -> None:
        self._write("memory.limit_in_bytes" if self._is_v1 else "memory.max", memory_bytes)
        if not self._is_v1:
            self._write("memory.oom.group", 1)
        swap = "memory.memsw.limit_in_bytes" if self._is_v1 else "memory.swap.max"
        if (self.path / swap).exists():
            self._write(swap, memory_bytes if self._is_v1 else 0)

    def _write(self, name: str, value: int) -> None:
        (self.path / name).write_text(str(value), encoding="ascii")

    def pids(self) -> list[int]:
        """Return the processes in the group."""
        return [int(pid) for pid in _read(self.path / "cgroup.procs").split()]

    def has_run_out(self) -> bool:
        """Tell whether the kernel killed a process of the group for memory."""
        name = "memory.oom_control" if self._is_v1 else "memory.events"
        words = _read(self.path / name).split()
        return "oom_kill" in words and int(words[words.index("oom_kill") + 1]) > 0

    def remove(self) -> bool:
        """Remove the group if it is empty; tell whether it is gone."""
        with contextlib.suppress(OSError):
            self.path.rmdir()
        return not self.path.exists()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
