"""The workers of a server on this machine, found without asking it."""

from pathlib import Path

import psutil

__all__ = ["servants", "workers"]


def workers(data: Path, *, function: str | None = None) -> list[psutil.Process]:
    """Return the living processes that run functions, or one of them, of the server on ``data``."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            is_ours = environment.get("LAMBDA_TASK_ROOT", "").startswith(f"{data}/")
            is_asked = function in (None, environment.get("AWS_LAMBDA_FUNCTION_NAME"))
            if is_ours and is_asked and process.status() != psutil.STATUS_ZOMBIE:
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
