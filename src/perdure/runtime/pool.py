"""The workers of this machine: which run goes to which worker, and how many workers there are.

Rules: a run gets the worker it prefers, if that has a free slot or is about to; or else a free one
of its version: the one that runs least, of these the most recently used; or a new one, or waits.
Runs of a version are served in the order they came; where versions compete for the machine's last
place, the oldest run wins, and an idle worker of another version gives way, first one that keeps no
handlers. A function's runs never exceed its concurrency.
"""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from perdure.clock import Clock
from perdure.engine.invoker import FunctionVersion, InvocationReport, InvocationRequest
from perdure.engine.keepers import Keepers
from perdure.runtime.code import LoadCode
from perdure.runtime.errors import LaunchError, WorkerError, report_of
from perdure.runtime.fleet import SETTLE_SECONDS, Fleet, Ticket, fleet_key
from perdure.runtime.settings import RuntimeSettings
from perdure.runtime.starting import WorkerStarter, as_worker_error
from perdure.runtime.worker import Worker, WorkerState
from perdure.store.logs import LogStore

__all__ = ["WorkerPool"]

_SWEEP_SECONDS_MAX: Final = 15.0


class _Member:
    """Tells the pool of a worker's changes, and which fleet it belongs to."""

    def __init__(self, pool: "WorkerPool", fleet: Fleet) -> None:
        self._pool = pool
        self._fleet = fleet

    def on_free(self, worker: Worker) -> None:
        self._pool.take_back(self._fleet, worker)

    def on_gone(self, worker: Worker) -> None:
        self._pool.bury(self._fleet, worker)


class WorkerPool:
    """An ``Invoker`` of worker processes. All calls belong to one event loop."""

    def __init__(
        self, settings: RuntimeSettings, *, clock: Clock, logs: LogStore, load_code: LoadCode
    ) -> None:
        """Run code that ``load_code`` returns for its hash; start nothing before the first run."""
        self._settings = settings
        self._clock = clock
        self._starter = WorkerStarter(settings, clock=clock, logs=logs, load_code=load_code)
        self._keepers = Keepers(per_worker_max=0)
        self._fleets: dict[tuple[object, ...], Fleet] = {}
        self._retired: set[Fleet] = set()
        self._numbers = itertools.count()
        self._pending: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def watch(self, keepers: Keepers) -> None:
        """Have ``keepers`` told of workers that go, and ask it which of them keep handlers."""
        self._keepers = keepers

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        """Run the function once and return what happened; cancelling the call kills the run."""
        if request.preferred_worker is not None:
            await self._let_settle(request)
        try:
            fleet, worker = self._take_free(request) or await self._wait_for_one(request)
        except WorkerError as error:
            return report_of(error, self._clock.now_ms(), is_final=self._is_closed)
        try:
            return await worker.run(request)
        finally:
            fleet.running -= 1
            self._pump()

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        """Let workers finish what they run; those that run nothing have ended on return."""
        leaving: list[Coroutine[Any, Any, None]] = []
        for key, fleet in list(self._fleets.items()):
            if fleet.function.function_arn == function_arn and version in (
                None,
                fleet.function.version,
            ):
                del self._fleets[key]
                leaving += self._retire_fleet(fleet)
                if fleet.first_ticket():
                    successor = self._fleet(fleet.function)
                    successor.tickets, fleet.tickets = fleet.tickets, successor.tickets
        self._pump()
        await asyncio.gather(*leaving)

    async def aclose(self) -> None:
        """Stop every run with CANCELLED, every worker, and the launcher."""
        self._is_closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for fleet in list(self._all()):
            while ticket := fleet.first_ticket():
                self._settle(fleet, ticket, LaunchError("the runtime is shutting down"))
            for worker in fleet.workers:
                worker.stop("the server is shutting down")
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        await self._starter.aclose()
        await asyncio.gather(*self._pending, return_exceptions=True)

    def bound(self, function_arn: str, concurrency_max: int | None) -> None:
        """Run no more of a function at once from now on; whoever waited for room may have it."""
        for fleet in self._all():
            if fleet.function.function_arn == function_arn:
                fleet.function = replace(fleet.function, concurrency_max=concurrency_max)
        self._pump()

    async def problem(self, function: FunctionVersion) -> str | None:
        """Return why nothing on this machine runs a version; None: something does."""
        return await self._starter.interpreters.problem(function)

    def is_waiting(self, request_id: str) -> bool:
        """Tell whether a run waits for its worker."""
        return any(
            ticket.request_id == request_id and not ticket.grant.done()
            for fleet in self._all()
            for ticket in fleet.tickets
        )

    def workers(self) -> list[Worker]:
        """Return the workers there are, but those that are starting or on their way out."""
        return [worker for fleet in self._all() for worker in fleet.workers]

    async def runtimes(self) -> Sequence[str]:
        """Return the runtimes that this machine has."""
        return await self._starter.interpreters.runtimes()

    # What workers tell.

    def take_back(self, fleet: Fleet, worker: Worker) -> None:
        """Note that a worker may be given a run: a new one, or one that has ended one."""
        if worker not in fleet.workers:
            fleet.starting -= 1
        fleet.free_again(worker)
        if fleet.is_retired or self._is_closed:
            for leaving in self._retire_idle(fleet):
                self._spawn(leaving)
        else:
            self._pump()

    def bury(self, fleet: Fleet, worker: Worker) -> None:
        """Note that a worker has gone."""
        fleet.forget(worker)
        self._keepers.forget_worker(worker.id)
        self._spawn(self._starter.clean(worker))
        self._drop_empty(fleet)
        self._pump()

    # Who gets what.

    async def _let_settle(self, request: InvocationRequest) -> None:
        """Wait a moment for the preferred worker if it has just answered: it is all but idle."""
        fleet = self._fleets.get(fleet_key(request.function))
        for worker in () if fleet is None else fleet.workers:
            if worker.id == request.preferred_worker:
                await worker.settle(SETTLE_SECONDS)
                return

    def _take_free(self, request: InvocationRequest) -> tuple[Fleet, Worker] | None:
        """Return a free worker, if there is one, for a run of a version that nobody waits for: then
        there is no queue to stand in, and no bound to look at.
        """
        if self._is_closed:
            return None
        fleet = self._fleet(request.function)
        if not fleet.free or fleet.function.concurrency_max is not None or fleet.first_ticket():
            return None
        worker = fleet.pick(request.preferred_worker)
        if not worker.can_run:
            return None
        fleet.grant(worker)
        return fleet, worker

    async def _wait_for_one(self, request: InvocationRequest) -> tuple[Fleet, Worker]:
        fleet, worker = await self._acquire(request)
        while not worker.can_run:
            self._refuse(fleet, worker)
            fleet, worker = await self._acquire(request)
        return fleet, worker

    async def _acquire(self, request: InvocationRequest) -> tuple[Fleet, Worker]:
        if self._is_closed:
            raise LaunchError("the runtime is shutting down")
        fleet = self._fleet(request.function)
        ticket = Ticket(
            number=next(self._numbers),
            grant=asyncio.get_running_loop().create_future(),
            preferred_worker=request.preferred_worker,
            request_id=request.request_id,
        )
        fleet.tickets.append(ticket)
        self._pump()
        try:
            return await ticket.grant
        except asyncio.CancelledError:
            self._abandon(ticket)
            raise

    def _abandon(self, ticket: Ticket) -> None:
        """Give back what a cancelled caller was given, or its place in the queue."""
        if ticket.grant.done() and not ticket.grant.cancelled() and not ticket.grant.exception():
            fleet, worker = ticket.grant.result()
            fleet.running -= 1
            worker.slots.take_back()
            if worker in fleet.workers:
                self.take_back(fleet, worker)
        for fleet in self._all():
            if ticket in fleet.tickets:
                fleet.tickets.remove(ticket)
        self._pump()

    def _pump(self) -> None:
        """Serve whoever can be served, the oldest first."""
        while not self._is_closed:
            waiting = [
                (ticket.number, fleet)
                for fleet in self._fleets.values()
                if (ticket := fleet.first_ticket())
            ]
            if not waiting:
                return
            waiting.sort(key=lambda pair: pair[0])
            if not any(self._serve(fleet) for _number, fleet in waiting):
                return

    def _serve(self, fleet: Fleet) -> bool:
        """Bring the fleet's oldest waiter a step nearer to its worker, if there is one to take."""
        ticket = fleet.first_ticket()
        siblings = [
            one for one in self._all() if one.function.function_arn == fleet.function.function_arn
        ]
        limit = fleet.function.concurrency_max
        running = sum(one.running for one in siblings)
        if ticket is None or (limit is not None and running >= limit):
            return False
        while fleet.free:
            worker = fleet.pick(ticket.preferred_worker)
            if worker.can_run:
                fleet.grant(worker)
                self._settle(fleet, ticket, worker)
                return True
            self._let_go(fleet, worker)
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not fleet.lacks_workers(now):
            if fleet.recheck is None and any(worker.slots.settling for worker in fleet.workers):
                fleet.recheck = loop.call_later(SETTLE_SECONDS, self._recheck, fleet)
            return False
        soon = sum(one.soon(now) for one in siblings)
        if (limit is not None and running + soon >= limit) or not self._make_room():
            return False
        fleet.starting += 1
        self._spawn(self._start(fleet))
        return True

    def _recheck(self, fleet: Fleet) -> None:
        fleet.recheck = None
        self._pump()

    def _settle(self, fleet: Fleet, ticket: Ticket, result: Worker | WorkerError) -> None:
        if ticket in fleet.tickets:
            fleet.tickets.remove(ticket)
        if isinstance(result, Worker):
            ticket.grant.set_result((fleet, result))
        else:
            ticket.grant.set_exception(result)

    async def _start(self, fleet: Fleet) -> None:
        try:
            await self._starter.start(fleet.function, _Member(self, fleet))
        except Exception as fault:  # noqa: BLE001 - whatever it is, nobody may wait for ever
            error = as_worker_error(fault)
            fleet.starting -= 1
            # The waiters may have moved on with a fleet that succeeds this one.
            heir = self._fleets.get(fleet_key(fleet.function), fleet)
            if ticket := heir.first_ticket():
                self._settle(heir, ticket, error)
            self._drop_empty(fleet)
            self._pump()

    def _make_room(self) -> bool:
        """Tell whether one more worker may be started; an idle one may have to go for it."""
        fleets = list(self._all())
        if sum(fleet.size for fleet in fleets) < self._settings.worker_max:
            return True
        idle = [
            (worker, fleet)
            for fleet in fleets
            if not fleet.waiting
            for worker in fleet.free
            if worker.slots.are_idle
        ]
        if not idle:
            return False
        worker, fleet = min(idle, key=lambda pair: self._worth(pair[0]))
        fleet.forget(worker)
        self._spawn(worker.retire(self._settings.retire_seconds))
        return True

    def _worth(self, worker: Worker) -> tuple[bool, float]:
        """Return what decides which idle worker gives way: the least."""
        return self._keepers.count(worker.id) > 0, worker.idle_since

    # Bookkeeping.

    def _all(self) -> Iterator[Fleet]:
        yield from self._fleets.values()
        yield from self._retired

    def _fleet(self, function: FunctionVersion) -> Fleet:
        for fleet in self._fleets.values():
            if fleet.function is function:  # as it is until the next write: its key is known
                return fleet
        key = fleet_key(function)
        fleet = self._fleets.get(key)
        if fleet is None:
            fleet = self._fleets[key] = Fleet(function=function)
            if self._sweeper is None and not self._is_closed:
                self._plan_sweep()
        else:
            fleet.function = function
        return fleet

    def _retire_fleet(self, fleet: Fleet) -> Iterator[Coroutine[Any, Any, None]]:
        fleet.is_retired = True
        self._retired.add(fleet)
        yield from self._retire_idle(fleet)

    def _retire_idle(self, fleet: Fleet) -> Iterator[Coroutine[Any, Any, None]]:
        for worker in list(fleet.free):
            if worker.slots.are_idle:
                fleet.forget(worker)
                yield worker.retire(self._settings.retire_seconds)
        self._drop_empty(fleet)

    def _drop_empty(self, fleet: Fleet) -> None:
        if fleet.size == 0 and not fleet.waiting:
            self._retired.discard(fleet)
            key = fleet_key(fleet.function)
            if self._fleets.get(key) is fleet:
                del self._fleets[key]

    def _refuse(self, fleet: Fleet, worker: Worker) -> None:
        """Have a promised slot be nobody's: its worker cannot be reached any more."""
        fleet.running -= 1
        worker.slots.take_back()
        self._let_go(fleet, worker)

    def _let_go(self, fleet: Fleet, worker: Worker) -> None:
        """Give a worker no more runs; one that has none ends now."""
        if worker.slots.runs:
            if worker in fleet.free:
                fleet.free.remove(worker)
        else:
            fleet.forget(worker)
            worker.kill()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def _plan_sweep(self) -> None:
        seconds = min(_SWEEP_SECONDS_MAX, max(SETTLE_SECONDS, self._settings.idle_seconds / 4))
        self._sweeper = asyncio.get_running_loop().call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        """Retire workers long idle, and kill those that never came back for another event."""
        now = asyncio.get_running_loop().time()
        for fleet in list(self._all()):
            for worker in list(fleet.workers):
                if worker.slots.are_idle and now - worker.idle_since >= self._settings.idle_seconds:
                    fleet.forget(worker)
                    self._spawn(worker.retire(self._settings.retire_seconds))
                elif (
                    worker.state is WorkerState.SETTLING
                    and now - worker.answered_at > fleet.function.timeout_seconds
                ):
                    self._let_go(fleet, worker)
            self._drop_empty(fleet)
        self._sweeper = None
        if self._fleets or self._retired:
            self._plan_sweep()
