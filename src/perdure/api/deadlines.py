"""Ends what takes too long, for many short waits at once: one timer looks at all of them.

``asyncio.timeout`` costs a tenth of a checkpoint. A deadline here may be passed by a second.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

__all__ = ["Deadlines"]

T = TypeVar("T")
_LOOK_EVERY_SECONDS: Final = 1.0


class Deadlines:
    """Cancels what is not done after so many seconds."""

    def __init__(self, seconds_max: float) -> None:
        """Allow ``seconds_max`` each."""
        self._seconds_max = seconds_max
        self._waiting: dict[asyncio.Task[object], float] = {}
        self._overdue: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def keep(self, work: Awaitable[T]) -> T:
        """Return what ``work`` returns.

        Raises:
            TimeoutError: it was not done in time, and was cancelled.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None, "a request runs in a task"
        self._waiting[task] = loop.time() + self._seconds_max
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_EVERY_SECONDS, self._look, loop)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._overdue and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            del self._waiting[task]
            self._overdue.discard(task)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, deadline in self._waiting.items():
            if deadline <= now and task not in self._overdue:
                self._overdue.add(task)
                task.cancel()
        is_any = bool(self._waiting)
        self._timer = loop.call_later(_LOOK_EVERY_SECONDS, self._look, loop) if is_any else None
