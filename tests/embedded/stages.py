"""What the stories share: a service by a clock that stands still, and how to tell what happened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from perdure.clock import ManualClock
from perdure.embedded import DurableService, ExecutionHandle
from tests.serving import eventually

__all__ = ["EPOCH_MS", "event_types", "is_suspended", "opened", "suspended"]

EPOCH_MS = 1_700_000_000_000  #: in the past: to a handler, whatever is due, is due


@contextmanager
def opened(
    path: Path | str, clock: ManualClock | None = None, /, **functions: Callable[..., Any]
) -> Iterator[DurableService]:
    """Open a service with functions registered."""
    with DurableService(path, clock=clock) as service:
        for name, handler in functions.items():
            service.register(name, handler)
        yield service


def event_types(handle: ExecutionHandle) -> list[str]:
    """Return the types of an execution's events."""
    return [str(event.event_type) for event in handle.history()]


def is_suspended(handle: ExecutionHandle, *, times: int = 1) -> bool:
    """Tell whether the handler has been suspended so often."""
    return event_types(handle).count("InvocationCompleted") >= times


def suspended(handle: ExecutionHandle, *, times: int = 1) -> ExecutionHandle:
    """Return the handle once its handler has been suspended so often."""
    eventually(lambda: is_suspended(handle, times=times), what=f"suspension {times}")
    return handle
