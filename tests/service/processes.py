"""The workers of a server on this machine, found without asking it."""

from pathlib import Path

import psutil

__all__ = ["servants", "workers"]


def workers(data: Path) -> list[psutil.Process]:
    """Return the living processes that run functions of the server on ``data``."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            task_root = process.environ().get("LAMBDA_TASK_ROOT", "")
            if task_root.startswith(f"{data}/") and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it has ended, or is not ours to look at
    return found


def servants(pid: int) -> list[psutil.Process]:
    """Return all processes that a server has begun, and those they have."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
