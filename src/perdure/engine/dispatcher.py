"""Has handlers run: whatever is ready, as far as there is room.

At most so many at once on this node, and of each function no more than its reserved concurrency;
the rest stays ready, in the store and in a queue here, the longest waiting first. A handler that
its worker kept goes on there if that worker is idle; any other replays.

Where nodes share the store, whoever makes an execution ready runs it. What a node has no room for,
and what a dead one has left, the others take: they hear of it, or find it.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from perdure.core.commands import Wake
from perdure.core.errors import Refusal, TooManyRequests, Unavailable
from perdure.core.execution import Execution
from perdure.core.outcome import CancelInvocation, Outcome
from perdure.engine.bounds import Bounds
from perdure.engine.directory import Functions
from perdure.engine.engine import Engine
from perdure.engine.entropy import Entropy
from perdure.engine.hearsay import Topic
from perdure.engine.invoker import Invoker
from perdure.engine.keepers import Keepers
from perdure.engine.leases import Leases
from perdure.engine.left import Left
from perdure.engine.loops import Loop
from perdure.engine.ready import ReadyQueue
from perdure.engine.runs import Run, Runner
from perdure.engine.seals import Seals
from perdure.engine.sequels import Sequel
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Change
from perdure.store.protocol import Agenda

__all__ = ["Dispatcher", "DispatcherSettings"]

_log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS: Final = 10.0
_READ_MAX: Final = 5_000
#: An invocation that has itself ended its execution may take so long to return before it is killed.
_LEAVE_SECONDS: Final = 3.0
_END_OF_TIME_MS: Final = 1 << 62
_AFTER_FAULT_MS: Final = 1_000  #: until an execution that the store would not lend is tried again

#: Where others share the store.
_SHARED_LOOK_EVERY_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.2  #: until the next look, if the last one found as much as it asked for
_KEEPER_FIRST_MS: Final = 25  #: the head start of the node that may have kept the handler
_REMEMBERED_MAX: Final = 10_000  #: executions of which it is known that they ran here last


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherSettings:
    """How a node runs handlers."""

    invocations_max: int = 64
    lease_ms: int = 60_000
    kept_handlers_max: int = 100  #: suspended handlers that a worker is believed to keep; 0: none


class Dispatcher:
    """Invokes the handlers of ready executions."""

    def __init__(
        self,
        engine: Engine,
        invoker: Invoker,
        functions: Functions,
        seals: Seals,
        entropy: Entropy,
        settings: DispatcherSettings,
    ) -> None:
        """Run for ``engine``, through ``invoker``, which tells ``keepers`` of workers that go."""
        self.keepers = Keepers(per_worker_max=settings.kept_handlers_max)
        self.bounds = Bounds(functions)
        self._engine = engine
        self._functions = functions
        self._entropy = entropy
        self._settings = settings
        self._runner = Runner(engine, invoker, functions, seals, entropy, self.keepers)
        self._queue = ReadyQueue(self._pump)
        self._runs: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ran_here: OrderedDict[str, int] = OrderedDict()
        self.is_draining = False  #: no more invocations begin here
        self._leases = Leases(engine, self._runs, lease_ms=settings.lease_ms)
        self._loop = Loop("dispatcher", self.run_once)
        self._left = Left(engine, self._loop.nudge)
        engine.listen(self._hear)
        engine.follow_through(self._sequel)
        engine.hearsay.listen(Topic.KEPT, self._hear_of_kept)
        engine.hearsay.listen(Topic.CANCEL, self._hear_of_cancelled)

    def start(self) -> None:
        """Begin."""
        self._loop.start()
        self._leases.start()

    async def stop(self, *, grace_seconds: float) -> None:
        """Begin no more invocations, let the running ones end for a while, then cut them off.

        What waits here is for the other nodes, if there are any.
        """
        self.is_draining = True
        await self._loop.stop()
        self._queue.clear()
        self._engine.hearsay.tell(Topic.READY)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        for run in self._runs.values():
            if run.invoking is not None:
                run.invoking.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._leases.stop()

    def bound(self, function_arn: str, concurrency_max: int | None) -> None:
        """Run no more of a function at once, from now on; with 0, what is ready of it waits."""
        self.bounds.note(function_arn, concurrency_max)
        self._pump()

    @property
    def running(self) -> int:
        """How many invocations run here."""
        return len(self._runs)

    @property
    def queued(self) -> int:
        """How many executions are ready here and wait for room."""
        return len(self._queue)

    def running_of(self, function_arn: str) -> int:
        """Return how many invocations of a function run here."""
        return sum(run.function_arn == function_arn for run in self._runs.values())

    def queued_before(self, execution_id: str) -> int | None:
        """Return how many of its function come before a queued execution; None: it is not here."""
        return self._queue.before(execution_id)

    async def run_once(self) -> float:
        """Queue what the store says is ready; return the seconds until the next look."""
        if self._engine.is_shared:
            return await self._look_for_left()
        now_ms = self._engine.clock.now_ms()
        found = await self._engine.store.upcoming(
            Agenda.READY, before_ms=_END_OF_TIME_MS, limit=_READ_MAX
        )
        for at_ms, execution_id in found:
            if not self._is_here(execution_id):
                await self._offer_found(execution_id, at_ms - now_ms)
        return _LOOK_EVERY_SECONDS

    async def _look_for_left(self) -> float:
        """Take what others have left, as much as there is room for."""
        await self.bounds.learn_anew()
        room = self._settings.invocations_max - len(self._runs)
        if room <= 0:
            self._left.is_wanted = True  # it is looked for as soon as there is room
            return _SHARED_LOOK_EVERY_SECONDS
        # What waits in the queue though there is room waits for its function's concurrency. It is
        # found again, and not for this node to claim.
        waiting = len(self._queue)
        limit = min(room + waiting + self._queue.resting, _READ_MAX)
        found = await self._left.take(limit, is_claimed=not waiting)
        for execution_id in found:
            if not self._is_here(execution_id):
                await self._offer_found(execution_id, 0)
        begun = self._runs.keys() & found
        if len(begun) < len(found):
            await self._left.give_back()
        if len(found) < limit or not begun:
            return _SHARED_LOOK_EVERY_SECONDS
        self._left.is_wanted = True
        has_room = len(self._runs) < self._settings.invocations_max
        return _AGAIN_SECONDS if has_room else _SHARED_LOOK_EVERY_SECONDS

    def _is_here(self, execution_id: str) -> bool:
        is_waiting = execution_id in self._queue or self._queue.is_resting(execution_id)
        return is_waiting or execution_id in self._runs

    async def _offer_found(self, execution_id: str, delay_ms: int) -> None:
        with contextlib.suppress(Refusal):  # one that cannot be read costs only itself (X5)
            async with self._engine.reading(execution_id, since_version=0) as execution:
                function_arn = execution.identity.function_arn
            self._offer(execution_id, function_arn, delay_ms)

    # What was committed here, and what others tell.

    def _hear(self, outcome: Outcome, change: Change) -> None:
        execution_id = change.execution_id
        for effect in outcome.effects:
            if isinstance(effect, CancelInvocation):
                self._cancel(execution_id, effect.epoch, outcome.progress.status)
        if outcome.progress.ended_at_ms is not None:
            self.keepers.forget(outcome.identity.arn)
        at_ms = outcome.progress.ready_at_ms
        if at_ms is not None and outcome.progress.status is ExecutionStatus.RUNNING:
            delay_ms = at_ms - self._engine.clock.now_ms()
            if delay_ms <= 0 and self._may_be_kept_elsewhere(outcome):
                self._engine.hearsay.tell(Topic.KEPT, [outcome.identity.arn])
                delay_ms = _KEEPER_FIRST_MS
            self._offer(execution_id, outcome.identity.function_arn, delay_ms)

    def _may_be_kept_elsewhere(self, outcome: Outcome) -> bool:
        progress = outcome.progress
        return (
            self._engine.is_shared
            and not self._engine.hearsay.is_alone
            and self._settings.kept_handlers_max > 0
            and progress.epoch > 0
            and outcome.identity.id not in self._runs
            and self._ran_here.get(outcome.identity.id) != progress.epoch
        )

    def _remember(self, execution_id: str, epoch: int) -> None:
        self._ran_here[execution_id] = epoch
        self._ran_here.move_to_end(execution_id)
        if len(self._ran_here) > _REMEMBERED_MAX:
            self._ran_here.popitem(last=False)

    def _hear_of_kept(self, arns: tuple[str, ...]) -> None:
        for arn in arns:
            execution_id = arn.rpartition("/")[2]
            if self.keepers.keeps(arn) and execution_id not in self._runs:
                self._spawn(self._offer_again(execution_id, 0, since_version=None))

    def _hear_of_cancelled(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            execution_id, _, epoch = key.partition(":")
            run = self._runs.get(execution_id)
            if run is not None and str(run.epoch) == epoch and run.invoking is not None:
                run.invoking.cancel()

    def _cancel(self, execution_id: str, epoch: int, status: ExecutionStatus) -> None:
        run = self._runs.get(execution_id)
        if run is None or run.epoch != epoch or run.invoking is None:
            self._engine.hearsay.tell(Topic.CANCEL, [f"{execution_id}:{epoch}"])
            return
        is_own_end = status in (ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED)
        delay = _LEAVE_SECONDS if is_own_end else 0
        asyncio.get_running_loop().call_later(delay, run.invoking.cancel)

    # The queue.

    def _offer(self, execution_id: str, function_arn: str, delay_ms: int) -> None:
        if self.is_draining or self.bounds.is_for_others(function_arn):
            self._left.tell()
        else:
            self._queue.offer(execution_id, function_arn, delay_ms)

    def _pump(self) -> None:
        """Begin what there is room for, one of each function in turn."""
        while not self.is_draining and len(self._runs) < self._settings.invocations_max:
            taken = self._queue.take(self._has_room)
            if taken is None:
                break
            execution_id, function_arn = taken
            if execution_id not in self._runs:
                run = self._runs[execution_id] = Run.of(function_arn, self._entropy)
                self._spawn(self._run(execution_id, run))
        if len(self._queue):
            self._left.tell()
        elif self._left.is_wanted and not self.is_draining:
            self._loop.nudge()

    def _has_room(self, function_arn: str) -> bool:
        return self.bounds.is_unbounded(function_arn) or self.bounds.allows(
            function_arn, self.running_of(function_arn) + 1
        )

    def _sequel(self, outcome: Outcome) -> Sequel | None:
        """Return the beginning of the invocation that ``outcome`` asks for, if there is room for it
        and nobody waits for that room.
        """
        progress, identity = outcome.progress, outcome.identity
        at_ms = progress.ready_at_ms
        if (
            at_ms is None
            or at_ms > progress.updated_at_ms
            or progress.status is not ExecutionStatus.RUNNING
            or self.is_draining
            or identity.id in self._runs
            or self._queue.has(identity.function_arn)
            or len(self._runs) >= self._settings.invocations_max
            or not self._may_begin_unasked(outcome)
        ):
            return None
        run = self._runs[identity.id] = Run.of(identity.function_arn, self._entropy)

        def taken(begun: Outcome) -> None:
            self._spawn(self._run(identity.id, run, begun))

        def given_up() -> None:
            del self._runs[identity.id]
            if self._engine.is_shared:
                self._spawn(self._runner.give_back(identity.id, run))
            self._pump()  # others may have come while this had the room

        command = run.beginning(owner=self._engine.owner, lease_ms=self._settings.lease_ms)
        return Sequel(command=command, taken=taken, given_up=given_up)

    def _may_begin_unasked(self, outcome: Outcome) -> bool:
        """Tell whether an invocation may begin without asking or telling other nodes."""
        function_arn = outcome.identity.function_arn
        if self._engine.is_shared and not self.bounds.is_unbounded(function_arn):
            return False  # how many the others run has to be looked up
        return self._has_room(function_arn) and not self._may_be_kept_elsewhere(outcome)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, execution_id: str, run: Run, begun: Outcome | None = None) -> None:
        pause_ms, is_known, is_one_too_many = 0, True, False
        try:
            if self._engine.is_shared and begun is None:
                is_one_too_many = not await self._is_within_bound(run.function_arn)
            if not is_one_too_many:
                await self._runner.run(
                    execution_id,
                    run,
                    lease_ms=self._settings.lease_ms,
                    share=self.bounds.shared,
                    begun=begun,
                )
        except (Unavailable, TooManyRequests) as refusal:
            pause_ms, is_known = _AFTER_FAULT_MS, False
            _log.warning("execution %s was not invoked: %s", execution_id, refusal)
        except Refusal as refusal:
            _log.debug("execution %s was not invoked: %s", execution_id, refusal)
            pause_ms = await self._do_what_is_due(execution_id)
        except Exception:  # noqa: BLE001 - the edge of a run: the lease runs out, another follows
            pause_ms, is_known = _AFTER_FAULT_MS, False
            _log.exception("the invocation of execution %s failed in the server", execution_id)
        finally:
            del self._runs[execution_id]
        if is_one_too_many:
            self._offer(execution_id, run.function_arn, 0)
            return
        if pause_ms:
            self._queue.rest(execution_id, pause_ms)
        self._pump()
        if self._engine.is_shared:
            self._remember(execution_id, run.epoch)
            if not is_known:
                await self._runner.give_back(execution_id, run)
        await self._offer_again(execution_id, pause_ms)

    async def _is_within_bound(self, function_arn: str) -> bool:
        """Tell whether one more invocation, which is counted already, was not one too many."""
        await self.bounds.learn(function_arn)
        return self.bounds.allows(function_arn, self.running_of(function_arn))

    async def _do_what_is_due(self, execution_id: str) -> int:
        """End an execution whose time was over: it would be offered, and refused, without end.
        Return how long to wait before that, if it cannot be ended now.
        """
        try:
            await self._engine.carry_out(execution_id, Wake())
        except (Unavailable, TooManyRequests):
            return _AFTER_FAULT_MS
        except Refusal:
            return 0
        return 0

    async def _offer_again(
        self, execution_id: str, pause_ms: int, *, since_version: int | None = 0
    ) -> None:
        """Queue the execution if it became ready while its run was being put away; not before
        ``pause_ms`` are over. What others have committed since, they see to.
        """
        known = None
        if since_version is not None:
            known = self._engine.known(execution_id, since_version=since_version)
        if known is not None:
            self._offer_if_ready(known, pause_ms)
            return
        with contextlib.suppress(Refusal):
            async with self._engine.reading(execution_id, since_version=since_version) as execution:
                self._offer_if_ready(execution, pause_ms)

    def _offer_if_ready(self, execution: Execution, pause_ms: int) -> None:
        at_ms, identity = execution.progress.ready_at_ms, execution.identity
        if at_ms is not None and execution.progress.status is ExecutionStatus.RUNNING:
            delay_ms = max(pause_ms, at_ms - self._engine.clock.now_ms())
            self._offer(identity.id, identity.function_arn, delay_ms)
