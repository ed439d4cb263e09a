"""Runs handlers: takes the lease of whatever is ready, invokes, keeps the lease, and records how it
ended.

At most so many at once on this node, and of each function no more than its reserved concurrency;
the rest stays ready, in the store and in a queue here, the longest waiting first. A handler that
its worker kept goes on there if that worker is idle; any other replays.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from perdure.core.commands import BeginInvocation, FinishInvocation, RenewLease, Verdict, Wake
from perdure.core.errors import Refusal, TooManyRequests, Unavailable
from perdure.core.execution import ExecutionKind, Identity
from perdure.core.outcome import CancelInvocation, InvocationInput, Outcome
from perdure.engine.directory import Functions
from perdure.engine.engine import Engine
from perdure.engine.entropy import Entropy
from perdure.engine.invoker import (
    Crashed,
    FailureKind,
    FunctionVersion,
    InvocationReport,
    InvocationRequest,
    Invoker,
    Resumption,
)
from perdure.engine.keepers import Keepers
from perdure.engine.loops import Loop
from perdure.engine.seals import NONCE_BYTES, Seals, hash_nonce
from perdure.engine.starting import random_uuid
from perdure.engine.states import envelope, fits_envelope, short_envelope
from perdure.engine.verdicts import keeping_of, verdict_of
from perdure.protocol.words import ExecutionStatus, InvocationStatus
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherSettings:
    """How a node runs handlers."""

    owner: str  #: this node's name, new at each start
    invocations_max: int = 64
    lease_ms: int = 60_000
    kept_handlers_max: int = 100  #: suspended handlers that a worker is believed to keep; 0: none


@dataclass(slots=True)
class _Run:
    """One invocation of this node."""

    function_arn: str
    epoch: int = 0
    invoking: "asyncio.Task[InvocationReport] | None" = None


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
        self._engine = engine
        self._invoker = invoker
        self._functions = functions
        self._seals = seals
        self._entropy = entropy
        self._settings = settings
        self._ready: OrderedDict[str, deque[str]] = OrderedDict()
        self._queued: set[str] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._runs: dict[str, _Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._bounds: dict[str, int | None] = {}
        self._is_draining = False
        self._loop = Loop("dispatcher", self.run_once)
        engine.listen(self._hear)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self, *, grace_seconds: float) -> None:
        """Begin no more invocations, let the running ones end for a while, then cut them off."""
        self._is_draining = True
        await self._loop.stop()
        for handle in self._later.values():
            handle.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        for run in self._runs.values():
            if run.invoking is not None:
                run.invoking.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def bound(self, function_arn: str, concurrency_max: int | None) -> None:
        """Run no more of a function at once, from now on; with 0, what is ready of it waits."""
        self._bounds[function_arn] = concurrency_max
        self._pump()

    @property
    def running(self) -> int:
        """How many invocations run here."""
        return len(self._runs)

    async def run_once(self) -> float:
        """Queue what the store says is ready; return the seconds until the next look."""
        now_ms = self._engine.clock.now_ms()
        found = await self._engine.store.upcoming(
            Agenda.READY, before_ms=_END_OF_TIME_MS, limit=_READ_MAX
        )
        for at_ms, execution_id in found:
            if execution_id not in self._queued and execution_id not in self._runs:
                with contextlib.suppress(Refusal):  # one that cannot be read costs only itself (X5)
                    async with self._engine.reading(execution_id) as execution:
                        function_arn = execution.identity.function_arn
                    self._offer(execution_id, function_arn, at_ms - now_ms)
        return _LOOK_EVERY_SECONDS

    def _hear(self, outcome: Outcome, change: Change) -> None:
        for effect in outcome.effects:
            if isinstance(effect, CancelInvocation):
                self._cancel(change.execution_id, effect.epoch, outcome.progress.status)
        if outcome.progress.ended_at_ms is not None:
            self.keepers.forget(outcome.identity.arn)
        at_ms = outcome.progress.ready_at_ms
        if at_ms is not None and outcome.progress.status is ExecutionStatus.RUNNING:
            delay_ms = at_ms - self._engine.clock.now_ms()
            self._offer(change.execution_id, outcome.identity.function_arn, delay_ms)

    def _offer(self, execution_id: str, function_arn: str, delay_ms: int) -> None:
        handle = self._later.pop(execution_id, None)
        if handle is not None:
            handle.cancel()
        if delay_ms > 0:
            self._later[execution_id] = asyncio.get_running_loop().call_later(
                delay_ms / 1000, self._offer, execution_id, function_arn, 0
            )
        elif execution_id not in self._queued:
            self._queued.add(execution_id)
            self._ready.setdefault(function_arn, deque()).append(execution_id)
            self._pump()

    def _pump(self) -> None:
        """Begin what there is room for, one of each function in turn."""
        blocked = 0
        while (
            not self._is_draining
            and blocked < len(self._ready)
            and len(self._runs) < self._settings.invocations_max
        ):
            function_arn, waiting = next(iter(self._ready.items()))
            self._ready.move_to_end(function_arn)
            if not self._has_room(function_arn):
                blocked += 1
                continue
            blocked = 0
            execution_id = waiting.popleft()
            if not waiting:
                del self._ready[function_arn]
            self._queued.discard(execution_id)
            if execution_id not in self._runs:
                self._begin(execution_id, function_arn)

    def _has_room(self, function_arn: str) -> bool:
        bound = self._bounds.get(function_arn)
        if bound is None:
            return True
        return sum(run.function_arn == function_arn for run in self._runs.values()) < bound

    def _begin(self, execution_id: str, function_arn: str) -> None:
        run = self._runs[execution_id] = _Run(function_arn)
        task = asyncio.create_task(self._run(execution_id, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, execution_id: str, run: _Run) -> None:
        pause_ms = 0
        try:
            await self._invoke(execution_id, run)
        except (Unavailable, TooManyRequests) as refusal:
            pause_ms = _AFTER_FAULT_MS
            _log.warning("execution %s was not invoked: %s", execution_id, refusal)
        except Refusal as refusal:
            _log.debug("execution %s was not invoked: %s", execution_id, refusal)
            pause_ms = await self._do_what_is_due(execution_id)
        except Exception:  # noqa: BLE001 - the edge of a run: the lease runs out, another follows
            pause_ms = _AFTER_FAULT_MS
            _log.exception("the invocation of execution %s failed in the server", execution_id)
        finally:
            del self._runs[execution_id]
        await self._offer_again(execution_id, run.function_arn, pause_ms)
        self._pump()

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

    async def _offer_again(self, execution_id: str, function_arn: str, pause_ms: int) -> None:
        """Queue the execution if it became ready while its run was being put away; not before
        ``pause_ms`` are over.
        """
        try:
            async with self._engine.reading(execution_id) as execution:
                at_ms = execution.progress.ready_at_ms
                if at_ms is not None and execution.progress.status is ExecutionStatus.RUNNING:
                    delay_ms = max(pause_ms, at_ms - self._engine.clock.now_ms())
                    self._offer(execution_id, function_arn, delay_ms)
        except Refusal:
            return

    async def _invoke(self, execution_id: str, run: _Run) -> None:
        nonce = self._entropy.token(NONCE_BYTES)
        request_id = random_uuid(self._entropy)
        begun = await self._engine.carry_out(
            execution_id,
            BeginInvocation(
                owner=self._settings.owner,
                lease_ms=self._settings.lease_ms,
                nonce_sha256=hash_nonce(nonce),
                request_id=request_id,
            ),
        )
        given = begun.reply
        assert isinstance(given, InvocationInput), "a begun invocation is given its input"
        run.epoch = given.token.epoch
        started_at_ms = self._engine.clock.now_ms()
        verdict = await self._verdict(execution_id, run, begun, nonce, request_id)
        finished = await self._engine.carry_out(
            execution_id,
            FinishInvocation(
                epoch=run.epoch,
                started_at_ms=started_at_ms,
                ended_at_ms=self._engine.clock.now_ms(),
                verdict=verdict,
                jitter=self._entropy.fraction(),
            ),
        )
        if finished.progress.ended_at_ms is not None:
            self.keepers.forget(begun.identity.arn)

    async def _verdict(
        self, execution_id: str, run: _Run, begun: Outcome, nonce: bytes, request_id: str
    ) -> Verdict:
        identity = begun.identity
        is_durable = identity.kind is ExecutionKind.DURABLE
        try:
            function = await self._functions.resolve_pinned(
                identity.function_arn, identity.version, identity.code_sha256
            )
        except Refusal as refusal:
            kind = FailureKind.CODE_MISSING
            crash = Crashed(kind=kind, error_type=kind.value, message=refusal.message)
            return verdict_of(crash, is_durable=is_durable)
        self._bounds[identity.function_arn] = function.concurrency_max
        function = function.for_tenant(identity.tenant_id)
        request = await self._request(function, begun, nonce, request_id)
        run.invoking = asyncio.create_task(self._invoker.invoke(request))
        try:
            report = await self._attend(execution_id, run.epoch, run.invoking)
        except asyncio.CancelledError:
            kind = FailureKind.CANCELLED
            crash = Crashed(kind=kind, error_type=kind.value, message="the invocation was ended")
            return verdict_of(crash, is_durable=is_durable)
        verdict = verdict_of(report.outcome, is_durable=is_durable)
        if is_durable:
            self._note_keeping(identity.arn, run.epoch, report, verdict)
        return verdict

    def _note_keeping(
        self, arn: str, epoch: int, report: InvocationReport, verdict: Verdict
    ) -> None:
        said, worker_id = keeping_of(report.outcome), report.worker_id
        self.keepers.forget(arn)
        if worker_id is not None:
            for dropped in said.dropped or ():
                self.keepers.drop(dropped, worker_id=worker_id)
            if said.kept and verdict.status is InvocationStatus.PENDING:
                self.keepers.keep(arn, worker_id=worker_id, epoch=epoch)

    async def _request(
        self, function: FunctionVersion, begun: Outcome, nonce: bytes, request_id: str
    ) -> InvocationRequest:
        identity, given = begun.identity, begun.reply
        assert isinstance(given, InvocationInput), "a begun invocation is given its input"
        is_durable = identity.kind is ExecutionKind.DURABLE
        # Read after its beginning was committed: whatever is made of it later is never older.
        async with self._engine.reading(identity.id) as execution:
            plain = execution.operations[identity.id].input or "null"

        def replay() -> bytes:
            now_ms = self._engine.clock.now_ms()
            return envelope(execution, given, nonce, self._seals, now_ms=now_ms)

        return InvocationRequest(
            function=function,
            invoked_arn=identity.invoked_arn,
            request_id=request_id,
            event=replay if is_durable else plain.encode(),
            resumption=self._resumption(identity, given, nonce, replay) if is_durable else None,
            durable_execution_arn=identity.arn if is_durable else None,
            tenant_id=identity.tenant_id,
            trace_id=identity.trace_id,
        )

    def _resumption(
        self, identity: Identity, given: InvocationInput, nonce: bytes, replay: Callable[[], bytes]
    ) -> Resumption | None:
        """Return who can go on without a replay, if anybody can (K1, K2).

        A handler to which nothing is new could only go on waiting; a replay may find more to do.
        """
        arn, epoch = identity.arn, given.token.epoch
        worker_id = self.keepers.keeper(arn, epoch=epoch)
        if worker_id is None or not given.changes or not fits_envelope(given.changes):
            return None

        def go_on() -> bytes:
            # What ran there while this waited for the worker may have taken the handler's place.
            if self.keepers.keeper(arn, epoch=epoch) != worker_id:
                return replay()
            return short_envelope(identity, given, nonce, self._seals)

        return Resumption(worker_id=worker_id, payload=go_on)

    async def _attend(
        self, execution_id: str, epoch: int, invoking: "asyncio.Task[InvocationReport]"
    ) -> InvocationReport:
        """Keep the lease while the invocation runs; one that lost it is killed."""
        lease_ms = self._settings.lease_ms
        while True:
            done, _ = await asyncio.wait({invoking}, timeout=lease_ms / 3000)
            if done:
                return invoking.result()
            try:
                await self._engine.carry_out(
                    execution_id, RenewLease(epoch=epoch, lease_ms=lease_ms)
                )
            except Refusal as refusal:
                _log.warning("the lease of execution %s is lost: %s", execution_id, refusal)
                invoking.cancel()

    def _cancel(self, execution_id: str, epoch: int, status: ExecutionStatus) -> None:
        run = self._runs.get(execution_id)
        if run is None or run.epoch != epoch or run.invoking is None:
            return
        is_own_end = status in (ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED)
        delay = _LEAVE_SECONDS if is_own_end else 0
        asyncio.get_running_loop().call_later(delay, run.invoking.cancel)
