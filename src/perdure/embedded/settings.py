"""How a service in process is set up."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perdure.clock import Clock
from perdure.embedded.functions import Registered
from perdure.runtime.in_process import Handler
from perdure.sdk.duration import DurationLike, as_duration

__all__ = ["MEMORY", "EmbeddedSettings", "days_of", "file_of", "registration", "seconds_of"]

#: In place of a path: nothing is kept longer than the process lives.
MEMORY: Final = ":memory:"

_FILE: Final = "state.db"
_DAY_SECONDS: Final = 86_400
_EXECUTION_SECONDS_MAX: Final = 31_622_400  #: 366 days. Source: Lambda model, ExecutionTimeout


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """One service's."""

    file: Path | None  #: None: in memory
    clock: Clock
    concurrency: int
    execution_timeout_seconds: int
    retention_days: int
    close_seconds: float


def file_of(path: str | Path) -> Path | None:
    """Return the file that ``path`` stands for: itself, or the one in a server's data folder."""
    if path == MEMORY:
        return None
    found = Path(path)
    return (found / _FILE if found.is_dir() else found).absolute()


def seconds_of(timeout: DurationLike) -> int:
    """Return an execution timeout in whole seconds.

    Raises:
        ValueError: it is shorter than a second or longer than 366 days.
    """
    seconds = math.ceil(as_duration(timeout).to_milliseconds() / 1000)
    if not 1 <= seconds <= _EXECUTION_SECONDS_MAX:
        raise ValueError(
            f"an execution timeout is from 1 to {_EXECUTION_SECONDS_MAX:,} seconds"
            f" (value: {seconds:,})"
        )
    return seconds


def days_of(retention: DurationLike) -> int:
    """Return a retention in whole days; 0: an ended execution is removed a minute later."""
    return math.ceil(as_duration(retention).to_milliseconds() / 1000 / _DAY_SECONDS)


def registration(
    settings: EmbeddedSettings,
    name: str,
    handler: Handler,
    *,
    execution_timeout: DurationLike | None,
    retention: DurationLike | None,
) -> Registered:
    """Return a function as it is registered; what is not said is the service's.

    Raises:
        TypeError: the handler cannot be called.
        ValueError: the timeout is out of bounds.
    """
    if not callable(handler):
        raise TypeError(f"a handler is a function (value: {handler!r})")
    return Registered(
        name=name,
        handler=handler,
        execution_timeout_seconds=settings.execution_timeout_seconds
        if execution_timeout is None
        else seconds_of(execution_timeout),
        retention_days=settings.retention_days if retention is None else days_of(retention),
    )
