"""What is ready and waits for its turn on this node: of each function in the order it came."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable

__all__ = ["ReadyQueue"]


class ReadyQueue:
    """Executions that want an invocation, now or in a moment."""

    def __init__(self, on_ready: Callable[[], None]) -> None:
        """Call ``on_ready`` when there is one more to begin."""
        self._on_ready = on_ready
        self._ready: OrderedDict[str, deque[str]] = OrderedDict()
        self._queued: set[str] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._resting: set[str] = set()

    def __contains__(self, execution_id: str) -> bool:
        """Tell whether an execution waits for its turn."""
        return execution_id in self._queued

    def __len__(self) -> int:
        """Return how many wait for their turn."""
        return len(self._queued)

    @property
    def resting(self) -> int:
        """How many are not to be looked for yet."""
        return len(self._resting)

    def has(self, function_arn: str) -> bool:
        """Tell whether any execution of a function waits for its turn."""
        return function_arn in self._ready

    def before(self, execution_id: str) -> int | None:
        """Return how many of its function come before a queued execution; None: it is not one."""
        if execution_id in self._queued:
            for waiting in self._ready.values():
                with contextlib.suppress(ValueError):
                    return waiting.index(execution_id)
        return None

    def offer(self, execution_id: str, function_arn: str, delay_ms: int) -> None:
        """Queue an execution once the delay is over; what was said of it before no longer holds."""
        self.withdraw(execution_id)
        if delay_ms > 0:
            self._later[execution_id] = asyncio.get_running_loop().call_later(
                delay_ms / 1000, self.offer, execution_id, function_arn, 0
            )
        elif execution_id not in self._queued:
            self._queued.add(execution_id)
            self._ready.setdefault(function_arn, deque()).append(execution_id)
            self._on_ready()

    def withdraw(self, execution_id: str) -> None:
        """Forget an execution that would be queued later."""
        handle = self._later.pop(execution_id, None)
        if handle is not None:
            handle.cancel()

    def rest(self, execution_id: str, for_ms: int) -> None:
        """Note that an execution could not be begun, and is not to be looked for so soon again."""
        self._resting.add(execution_id)
        asyncio.get_running_loop().call_later(for_ms / 1000, self._resting.discard, execution_id)

    def is_resting(self, execution_id: str) -> bool:
        """Tell whether an execution is not to be looked for yet; who hears of it may offer it."""
        return execution_id in self._resting

    def take(self, has_room: Callable[[str], bool]) -> tuple[str, str] | None:
        """Return the next execution and its function, of the functions that have room one after
        another; None: there is none.
        """
        for _ in range(len(self._ready)):
            function_arn, waiting = next(iter(self._ready.items()))
            self._ready.move_to_end(function_arn)
            if has_room(function_arn):
                execution_id = waiting.popleft()
                if not waiting:
                    del self._ready[function_arn]
                self._queued.discard(execution_id)
                return execution_id, function_arn
        return None

    def clear(self) -> None:
        """Forget everything."""
        for execution_id in list(self._later):
            self.withdraw(execution_id)
        self._ready.clear()
        self._queued.clear()
