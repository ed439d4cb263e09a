"""Runs handlers for a server: kills some of them, keeps some that suspend, and lets some go on as
zombies after nobody wants them any more.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

from perdure.engine.invoker import (
    Crashed,
    FailureKind,
    InvocationOutcome,
    InvocationReport,
    InvocationRequest,
    Returned,
)
from perdure.engine.keepers import Keepers

from .checkpoints import Checkpoints, Load
from .dice import Dice
from .faults import FaultMix
from .handler import Handler, Publish
from .loop import crew_of
from .network import Network
from .oracle import Oracle
from .programs import Program
from .records import Attempt
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
_KEPT_MAX: Final = 2  #: handlers that one worker keeps


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
        self._of_servers: list[ServerWorkers] = []

    def of(self, server: Server) -> "ServerWorkers":
        """Return the workers of ``server``; those of servers that have died are gone."""
        for others in self._of_servers:
            others.end_with_server()
        found = ServerWorkers(self, server)
        self._of_servers.append(found)
        return found


class _Worker:
    """A process: it runs one handler at a time, and keeps some that are suspended."""

    def __init__(self, worker_id: str) -> None:
        """Keep nothing."""
        self.id = worker_id
        self.is_gone = False
        self.kept: dict[str, Handler] = {}  #: by the execution's ARN, the last suspended at the end
        self.has_kept: set[str] = set()  #: what it has ever said it keeps

    def keep(self, arn: str, handler: Handler) -> list[str]:
        """Keep a handler; return the executions whose handlers have to make room."""
        self.has_kept.add(arn)
        self.kept[arn] = handler
        dropped = [*self.kept][:-_KEPT_MAX]
        for other in dropped:
            self.kept.pop(other).close()
        return dropped

    def end(self) -> None:
        """Let go of everything."""
        self.is_gone = True
        for handler in self.kept.values():
            handler.close()
        self.kept.clear()


class ServerWorkers:
    """One server's workers. Implements ``Invoker``."""

    def __init__(self, workers: Workers, server: Server) -> None:
        """Run for ``server``."""
        self._workers = workers
        self._server = server
        self._idle: list[_Worker] = []
        self._count = 0
        self._keepers = Keepers(per_worker_max=0)

    def watch(self, keepers: Keepers) -> None:
        """Have ``keepers`` told of workers that go."""
        self._keepers = keepers

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        """Run the function once."""
        workers = self._workers
        dice, faults, oracle = workers.dice, workers.faults(), workers.oracle
        loop = asyncio.get_running_loop()
        is_busy = dice.chance(faults.busy_workers)
        if is_busy:
            oracle.count("worker waited for")
            await asyncio.sleep(dice.between(0, 1))
        worker = self._pick(None if is_busy else request.preferred_worker)
        running = loop.create_task(self._run(request, worker), context=workers.outside.copy())
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
            self._bury(worker)
            raise
        if running.cancelled():
            kind = death or FailureKind.EXITED
            outcome: InvocationOutcome = Crashed(kind=kind, error_type=kind.value, message="killed")
            self._bury(worker)
        else:
            outcome = running.result()
            self._idle.append(worker)
            if dice.chance(faults.killed_workers):
                loop.call_later(dice.between(0, 3), self._retire, worker)
        return InvocationReport(
            outcome=outcome,
            started_at_ms=started_at_ms,
            ended_at_ms=self._server.clock.now_ms(),
            worker_id=worker.id,
        )

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        """Do nothing: functions do not change."""

    def end_with_server(self) -> None:
        """Let go of everything, if the server is dead."""
        if self._server.is_dead:
            for worker in self._idle:
                worker.end()

    def _pick(self, preferred_worker: str | None) -> _Worker:
        """Take the preferred worker, if it is idle; or another, or a new one."""
        found = [worker for worker in self._idle if worker.id == preferred_worker]
        if not found and self._idle and self._workers.dice.chance(0.7):
            found = [self._workers.dice.pick(self._idle)]
        if not found:
            self._count += 1
            return _Worker(f"{self._server.name}-{self._count}")
        self._idle.remove(found[0])
        return found[0]

    def _retire(self, worker: _Worker) -> None:
        if worker in self._idle:
            self._workers.oracle.count("idle worker retired")
            self._idle.remove(worker)
            self._bury(worker)

    def _bury(self, worker: _Worker) -> None:
        worker.end()
        self._keepers.forget_worker(worker.id)

    def _let_go(self, running: "asyncio.Task[InvocationOutcome]") -> None:
        """Kill a run; a zombie does not notice."""
        workers = self._workers
        is_unwanted = asyncio.current_task() is not None
        if is_unwanted and not running.done() and workers.dice.chance(workers.faults().zombies):
            workers.oracle.count("zombie")
            workers.oracle.note("zombie")
            return
        running.cancel()

    async def _run(self, request: InvocationRequest, worker: _Worker) -> InvocationOutcome:
        workers = self._workers
        name, version = request.function.function_name, request.function.version
        arn = request.durable_execution_arn
        if arn is None:
            await asyncio.sleep(workers.dice.between(0, 0.5))
            return Returned(payload=json.dumps(f"{version}:{name}").encode())
        envelope = json.loads(request.payload_for(worker.id))
        attempt = workers.oracle.commits.attempts.get(request.request_id)
        if attempt is None:
            workers.oracle.complain("D1", request.request_id, "runs, but no such attempt is stored")
            return Returned(payload=b"{}")
        life = workers.oracle.commits.lives[attempt.execution_id]
        workers.oracle.note(
            "attempt", attempt.execution_id[:6], attempt.number, f"{name}:{version}", worker.id
        )
        if version != life.identity.version:
            workers.oracle.complain(
                "V1", life.id, f"began on version {life.identity.version}, runs on {version}"
            )
        handler = self._handler(worker, envelope, attempt, name, version)
        try:
            outcome = await handler.run()
            if workers.dice.chance(workers.faults().slow_returns):
                workers.oracle.count("slow return")
                await asyncio.sleep(workers.dice.between(0, 1.5))
            is_kept = handler.is_parked and not worker.is_gone
            if is_kept and workers.dice.chance(workers.faults().kept_handlers):
                workers.oracle.count("handler kept")
                dropped = worker.keep(arn, handler)
                answer = {"Status": "PENDING", "Kept": True, "Dropped": dropped}
                outcome = Returned(payload=json.dumps(answer).encode())
        finally:
            if worker.kept.get(arn) is not handler:
                handler.close()
        workers.oracle.note("returns", attempt.execution_id[:6], attempt.number, outcome.payload)
        return outcome

    def _handler(
        self, worker: _Worker, envelope: Any, attempt: Attempt, name: str, version: str
    ) -> Handler:
        """Return the handler that goes on, or a new one that replays."""
        workers, oracle = self._workers, self._workers.oracle
        arn, is_short = envelope["DurableExecutionArn"], bool(envelope.get("ChangesOnly"))
        kept = worker.kept.pop(arn, None)
        if is_short and arn not in worker.has_kept:
            oracle.complain("K2", attempt.execution_id, f"{worker.id} never kept its handler")
        if is_short and kept is not None:
            oracle.count("handler went on")
            kept.renew(envelope, attempt)
            return kept
        if kept is not None:
            oracle.count("kept handler replayed")
            kept.close()
        elif is_short:
            oracle.count("kept handler missed")
        checkpoints = Checkpoints(envelope, attempt, workers.network, oracle, workers.load)
        program = workers.programs[name]
        return Handler(program, version, attempt, checkpoints, oracle, workers.publish)
