"""Runs handlers for a server: kills some of them, and lets some go on as zombies after nobody wants
them any more.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Final

from perdure.engine.invoker import (
    Crashed,
    FailureKind,
    FunctionVersion,
    InvocationOutcome,
    InvocationReport,
    InvocationRequest,
    Returned,
)

from .checkpoints import Checkpoints, Load
from .dice import Dice
from .faults import FaultMix
from .handler import Handler, Publish
from .loop import crew_of
from .network import Network
from .oracle import Oracle
from .programs import Program
from .server import Server

__all__ = ["Workers"]

_DEATHS: Final = (
    FailureKind.EXITED,
    FailureKind.OUT_OF_MEMORY,
    FailureKind.TIMED_OUT,
    FailureKind.UNAVAILABLE,
)
#: Ends of an ordinary function's run that do not count as its own failure.
_INNOCENT: Final = (FailureKind.UNAVAILABLE, FailureKind.CANCELLED)


class Workers:
    """The workers of all servers; ``of`` gives one server its ``Invoker``."""

    def __init__(
        self,
        programs: dict[str, Program],
        network: Network,
        oracle: Oracle,
        dice: Dice,
        faults: Callable[[], FaultMix],
    ) -> None:
        """Run ``programs``."""
        self.programs = programs
        self.network = network
        self.oracle = oracle
        self.dice = dice
        self.faults = faults
        self.publish: Publish = lambda callback_id, execution_id, item: None
        self.load: Load = lambda execution_id: None
        self.outside = crew_of(None)

    def of(self, server: Server) -> "ServerWorkers":
        """Return the workers of ``server``."""
        return ServerWorkers(self, server)


class ServerWorkers:
    """One server's workers. Implements ``Invoker``."""

    def __init__(self, workers: Workers, server: Server) -> None:
        """Run for ``server``."""
        self._workers = workers
        self._server = server

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        """Run the function once."""
        workers = self._workers
        dice, faults, oracle = workers.dice, workers.faults(), workers.oracle
        loop = asyncio.get_running_loop()
        running = loop.create_task(self._run(request), context=workers.outside.copy())
        death: FailureKind | None = None
        if dice.chance(faults.killed_workers):
            oracle.count("worker killed")
            kinds = _INNOCENT if request.durable_execution_arn is None else _DEATHS
            death = dice.pick(kinds)
            seconds = dice.pick((0.0, 0.05, 0.5, 3.0)) * dice.fraction()
            loop.call_later(seconds, self._let_go, running)
        started_at_ms = self._server.clock.now_ms()
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            self._let_go(running)
            raise
        if running.cancelled():
            kind = death or FailureKind.EXITED
            outcome: InvocationOutcome = Crashed(kind=kind, error_type=kind.value, message="killed")
        else:
            outcome = running.result()
        return InvocationReport(
            outcome=outcome, started_at_ms=started_at_ms, ended_at_ms=self._server.clock.now_ms()
        )

    def has_room(self, function: FunctionVersion) -> bool:
        """Return True."""
        return True

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        """Do nothing: workers are not kept."""

    def _let_go(self, running: "asyncio.Task[InvocationOutcome]") -> None:
        """Kill a run; a zombie does not notice."""
        workers = self._workers
        is_unwanted = asyncio.current_task() is not None
        if is_unwanted and not running.done() and workers.dice.chance(workers.faults().zombies):
            workers.oracle.count("zombie")
            workers.oracle.note("zombie")
            return
        running.cancel()

    async def _run(self, request: InvocationRequest) -> InvocationOutcome:
        workers = self._workers
        name, version = request.function.function_name, request.function.version
        if request.durable_execution_arn is None:
            await asyncio.sleep(workers.dice.between(0, 0.5))
            return Returned(payload=json.dumps(f"{version}:{name}").encode())
        attempt = workers.oracle.commits.attempts.get(request.request_id)
        if attempt is None:
            workers.oracle.complain("D1", request.request_id, "runs, but no such attempt is stored")
            return Returned(payload=b"{}")
        life = workers.oracle.commits.lives[attempt.execution_id]
        workers.oracle.note(
            "attempt", attempt.execution_id[:6], attempt.number, f"{name}:{version}"
        )
        if version != life.identity.version:
            workers.oracle.complain(
                "V1", life.id, f"began on version {life.identity.version}, runs on {version}"
            )
        checkpoints = Checkpoints(
            json.loads(request.payload), attempt, workers.network, workers.oracle, workers.load
        )
        handler = Handler(
            workers.programs[name],
            version,
            attempt,
            checkpoints,
            workers.oracle,
            workers.publish,
        )
        outcome = await handler.run()
        if workers.dice.chance(workers.faults().slow_returns):
            workers.oracle.count("slow return")
            await asyncio.sleep(workers.dice.between(0, 1.5))
        workers.oracle.note("returns", attempt.execution_id[:6], attempt.number, outcome.payload)
        return outcome
