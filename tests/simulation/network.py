"""What lies between clients and servers: requests and replies get lost, late, doubled, and clients
hang up.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from perdure.core.errors import Refusal
from perdure.store.protocol import StoreFullError, StoreUnavailableError, StoreUnknownError

from .dice import Dice
from .faults import FaultMix
from .oracle import Oracle
from .records import Attempt, Call
from .server import Server

__all__ = ["LostError", "Network"]

_GIVE_UP_SECONDS: Final = 0.4  #: until a client counts a request as lost
_DELAY_SECONDS: Final = 2.5
_PATIENCE_SECONDS: Final = 1000.0


class LostError(Exception):
    """There was no answer: whether the request was carried out cannot be told."""


class Network:
    """Carries requests to whichever server answers."""

    def __init__(
        self,
        servers: Callable[[], Sequence[Server]],
        dice: Dice,
        faults: Callable[[], FaultMix],
        oracle: Oracle,
    ) -> None:
        """Carry to ``servers``; ``faults`` says what goes wrong now."""
        self._servers = servers
        self._dice = dice
        self._faults = faults
        self._oracle = oracle
        self._number = 0

    async def call(self, method: str, request: Any, attempt: Attempt | None = None) -> Any:
        """Return the response to a request.

        Raises:
            Refusal: as the server refuses it.
            LostError: the request or its answer got lost, or the server had a fault of its own.
        """
        faults, dice, oracle = self._faults(), self._dice, self._oracle
        await self._travel(faults)
        if dice.chance(faults.lost_requests):
            oracle.count("request lost")
            await asyncio.sleep(_GIVE_UP_SECONDS)
            raise LostError
        serving = self._deliver(method, request, attempt)
        if dice.chance(faults.duplicated):
            self._duplicate(method, request, attempt)
        if serving is None:
            await asyncio.sleep(0.05)
            raise LostError
        if dice.chance(faults.disconnected):
            oracle.count("client disconnected")
            seconds = dice.between(0, 4 * faults.commit_seconds + 0.001)
            asyncio.get_running_loop().call_later(seconds, serving.cancel)
        answer = await self._answer(serving)
        await self._travel(faults)
        if dice.chance(faults.lost_replies):
            oracle.count("reply lost")
            await asyncio.sleep(_GIVE_UP_SECONDS)
            raise LostError
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def _travel(self, faults: FaultMix) -> None:
        seconds = self._dice.between(0, faults.latency_seconds)
        if self._dice.chance(faults.delayed):
            self._oracle.count("message delayed")
            seconds += self._dice.between(0, _DELAY_SECONDS)
        if seconds:
            await asyncio.sleep(seconds)

    def _duplicate(self, method: str, request: Any, attempt: Attempt | None) -> None:
        """Have the same request arrive again, soon or much later."""
        self._oracle.count("request doubled")
        seconds = self._dice.pick((0.0, 0.001, 0.05, 3.0)) * self._dice.fraction()
        asyncio.get_running_loop().call_later(seconds, self._deliver, method, request, attempt)

    def _deliver(
        self, method: str, request: Any, attempt: Attempt | None
    ) -> "asyncio.Task[Any] | None":
        up = [server for server in self._servers() if server.is_up]
        if not up:
            return None
        server = self._dice.pick(up) if len(up) > 1 else up[0]
        self._number += 1
        call = Call(
            number=self._number,
            method=method,
            request=request,
            attempt=attempt,
            server=server.name,
            arrived_ms=server.clock.now_ms(),
        )
        self._oracle.note(
            "request", call.number, server.name, method, attempt.number if attempt else "-"
        )
        serving = server.serve(call)
        serving.add_done_callback(lambda done: self._judge(server, call, done))
        return serving

    def _judge(self, server: Server, call: Call, serving: "asyncio.Task[Any]") -> None:
        if serving.cancelled():
            return
        error = serving.exception()
        if server.is_dead:
            return
        name = type(error).__name__ if error else "ok"
        self._oracle.note("answer", call.number, name, error or "")
        if isinstance(error, Refusal):
            self._oracle.served(call, error, server.clock.now_ms())
        elif error is None:
            self._oracle.served(call, serving.result(), server.clock.now_ms())
        elif not isinstance(error, StoreUnknownError | StoreFullError | StoreUnavailableError):
            self._oracle.complain("fault", call.method, f"{error!r}")

    async def _answer(self, serving: "asyncio.Task[Any]") -> Any:
        await asyncio.wait([serving], timeout=_PATIENCE_SECONDS)
        if not serving.done() or serving.cancelled():
            return LostError()
        error = serving.exception()
        if error is None:
            return serving.result()
        return error if isinstance(error, Refusal) else LostError()
