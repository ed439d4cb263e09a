"""How many invocations run at endpoints at once: in all, and of each function.

Who comes first goes first, unless its function has as many as it may have: then others pass by. It
also remembers which places have not answered lately, and for how long.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from perdure.engine.invoker import FunctionVersion

__all__ = ["Gate", "Outages"]

_WAIT_MS_MIN: Final = 1_000
_WAIT_MS_MAX: Final = 60_000


@dataclass(slots=True, eq=False)
class _Ticket:
    function: FunctionVersion
    grant: asyncio.Future[None]


class Gate:
    """Lets invocations in."""

    def __init__(self, running_max: int) -> None:
        """Let in ``running_max`` at once, of all functions."""
        self._max = running_max
        self._running: Counter[str] = Counter()
        self._waiting: deque[_Ticket] = deque()

    @asynccontextmanager
    async def entered(self, function: FunctionVersion) -> AsyncGenerator[None]:
        """Hold one place of ``function``, once there is one."""
        if self.has_room(function):
            self._running[function.function_arn] += 1
        else:
            await self._wait(function)
        try:
            yield
        finally:
            self._leave(function)

    def has_room(self, function: FunctionVersion) -> bool:
        """Tell whether ``entered`` would not wait."""
        limit = function.concurrency_max
        of_function = self._running[function.function_arn]
        return self._running.total() < self._max and (limit is None or of_function < limit)

    async def _wait(self, function: FunctionVersion) -> None:
        ticket = _Ticket(function, asyncio.get_running_loop().create_future())
        self._waiting.append(ticket)
        try:
            await ticket.grant
        except asyncio.CancelledError:
            if ticket.grant.done() and not ticket.grant.cancelled():
                self._leave(function)
            else:
                self._waiting.remove(ticket)
            raise

    def _leave(self, function: FunctionVersion) -> None:
        self._running[function.function_arn] -= 1
        if not self._running[function.function_arn]:
            del self._running[function.function_arn]
        self._pump()

    def _pump(self) -> None:
        passed: list[_Ticket] = []
        while self._waiting and self._running.total() < self._max:
            ticket = self._waiting.popleft()
            if ticket.grant.done():
                passed.append(ticket)  # cancelled: whoever waited takes it out
            elif self.has_room(ticket.function):
                self._running[ticket.function.function_arn] += 1
                ticket.grant.set_result(None)
            else:
                passed.append(ticket)
        self._waiting.extendleft(reversed(passed))


class Outages:
    """Since when places do not answer; a place is a URL."""

    def __init__(self) -> None:
        """Know of none."""
        self._since_ms: dict[str, int] = {}

    def note_answer(self, place: str) -> None:
        """Note that the place is there."""
        self._since_ms.pop(place, None)

    def wait_ms(self, place: str, now_ms: int) -> int:
        """Note that the place is not there; return how long to leave it alone.

        As long as it has been away, from a second to a minute: the same for all executions, and
        the attempts of each become rarer as those of a ladder do.
        """
        since_ms = self._since_ms.setdefault(place, now_ms)
        return max(_WAIT_MS_MIN, min(_WAIT_MS_MAX, now_ms - since_ms))
