"""One run of a handler: takes the lease, invokes, and records how it ended."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from perdure.core.commands import (
    BeginInvocation,
    FinishInvocation,
    ReleaseLease,
    Verdict,
)
from perdure.core.errors import Refusal, Unavailable
from perdure.core.execution import ExecutionKind, Identity
from perdure.core.outcome import InvocationInput, Outcome
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
from perdure.engine.seals import NONCE_BYTES, Seals, hash_nonce
from perdure.engine.starting import random_uuid
from perdure.engine.states import envelope, fits_envelope, short_envelope
from perdure.engine.verdicts import keeping_of, verdict_of
from perdure.protocol.invocations import InvocationEnvelope
from perdure.protocol.words import InvocationStatus

__all__ = ["Run", "Runner"]

_log = logging.getLogger(__name__)

_FINISH_AGAIN_SECONDS: Final = 0.2


@dataclass(slots=True, eq=False)
class Run:
    """One invocation of this node; ``epoch`` 0: its beginning is not committed yet."""

    function_arn: str
    nonce: bytes
    request_id: str
    epoch: int = 0
    kept_at: float = 0.0  #: when its lease was taken or renewed, on the loop's clock
    invoking: "asyncio.Task[InvocationReport] | None" = None

    @classmethod
    def of(cls, function_arn: str, entropy: Entropy) -> "Run":
        """Return a run of the function that has not begun."""
        return cls(function_arn, entropy.token(NONCE_BYTES), random_uuid(entropy))

    def beginning(self, *, owner: str, lease_ms: int) -> BeginInvocation:
        """Return the command that takes the lease for it."""
        return BeginInvocation(
            owner=owner,
            lease_ms=lease_ms,
            nonce_sha256=hash_nonce(self.nonce),
            request_id=self.request_id,
        )


class Runner:
    """Runs one handler at a time, of as many executions as it is asked."""

    def __init__(
        self,
        engine: Engine,
        invoker: Invoker,
        functions: Functions,
        seals: Seals,
        entropy: Entropy,
        keepers: Keepers,
    ) -> None:
        """Run through ``invoker``; note in ``keepers`` which worker keeps a suspended handler."""
        self._engine = engine
        self._invoker = invoker
        self._functions = functions
        self._seals = seals
        self._entropy = entropy
        self._keepers = keepers

    async def run(
        self,
        execution_id: str,
        run: Run,
        *,
        lease_ms: int,
        share: Callable[[FunctionVersion], FunctionVersion],
        begun: Outcome | None = None,
    ) -> None:
        """Invoke an execution's handler once, if it wants that, and record what came of it.

        ``share`` returns the function with as much of its concurrency as this node may use;
        ``begun`` is the run's beginning, if that was committed before.

        Raises:
            Refusal: it wants no invocation, or is another's by now.
            Unavailable: the store cannot take the change, or not say whether it did.
        """
        if begun is None:
            begin = run.beginning(owner=self._engine.owner, lease_ms=lease_ms)
            begun = await self._engine.carry_out(execution_id, begin)
        given = begun.reply
        assert isinstance(given, InvocationInput), "a begun invocation is given its input"
        run.epoch, run.kept_at = given.token.epoch, asyncio.get_running_loop().time()
        identity = begun.identity
        started_at_ms = self._engine.clock.now_ms()
        try:
            function = share(
                await self._functions.resolve_pinned(
                    identity.function_arn, identity.version, identity.code_sha256
                )
            )
        except Unavailable:
            verdict = _crash(FailureKind.UNAVAILABLE, "its function cannot be looked up", identity)
        except Refusal as refusal:
            verdict = _crash(FailureKind.CODE_MISSING, refusal.message, identity)
        else:
            request = await self._request(function, run, begun)
            verdict = await self._verdict(run, begun, request)
        await self._finish(
            execution_id,
            FinishInvocation(
                epoch=run.epoch,
                started_at_ms=started_at_ms,
                ended_at_ms=self._engine.clock.now_ms(),
                verdict=verdict,
                jitter=self._entropy.fraction(),
            ),
            lease_ms,
        )

    async def give_back(self, execution_id: str, run: Run) -> None:
        """Give back the lease that a run took without knowing: the store took its beginning and
        could not say so.
        """
        with contextlib.suppress(Refusal):
            async with self._engine.reading(execution_id) as execution:
                progress = execution.progress
            is_its_own = progress.nonce_sha256 == hash_nonce(run.nonce)
            if is_its_own and progress.lease_until_ms is not None:
                await self._engine.carry_out(execution_id, ReleaseLease(epoch=progress.epoch))

    async def _verdict(self, run: Run, begun: Outcome, request: InvocationRequest) -> Verdict:
        identity = begun.identity
        is_durable = identity.kind is ExecutionKind.DURABLE
        run.invoking = asyncio.create_task(self._invoker.invoke(request))
        try:
            report = await run.invoking
        except asyncio.CancelledError:
            return _crash(FailureKind.CANCELLED, "the invocation was ended", identity)
        verdict = verdict_of(report.outcome, is_durable=is_durable)
        if is_durable:
            self._note_keeping(identity.arn, run.epoch, report, verdict)
        return verdict

    async def _finish(self, execution_id: str, finish: FinishInvocation, lease_ms: int) -> None:
        """Record the end; while the store cannot be told, for as long as the lease may last."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + lease_ms / 1000
        while True:
            try:
                finished = await self._engine.carry_out(execution_id, finish)
            except Unavailable:
                if not self._engine.is_shared or loop.time() > give_up_at:
                    raise
                await asyncio.sleep(min(_FINISH_AGAIN_SECONDS, lease_ms / 10_000))
                continue
            if finished.progress.ended_at_ms is not None:
                self._keepers.forget(finished.identity.arn)
            return

    def _note_keeping(
        self, arn: str, epoch: int, report: InvocationReport, verdict: Verdict
    ) -> None:
        said, worker_id = keeping_of(report.outcome), report.worker_id
        self._keepers.forget(arn)
        if worker_id is not None:
            for dropped in said.dropped or ():
                self._keepers.drop(dropped, worker_id=worker_id)
            if said.kept and verdict.status is InvocationStatus.PENDING:
                self._keepers.keep(arn, worker_id=worker_id, epoch=epoch)

    async def _request(
        self, function: FunctionVersion, run: Run, begun: Outcome
    ) -> InvocationRequest:
        identity, given, nonce = begun.identity, begun.reply, run.nonce
        assert isinstance(given, InvocationInput), "a begun invocation is given its input"
        is_durable = identity.kind is ExecutionKind.DURABLE
        # As it was after its beginning was committed, or later: what is made of it is never older.
        version = begun.progress.version
        execution = self._engine.known(identity.id, since_version=version)
        if execution is None:
            async with self._engine.reading(identity.id, since_version=version) as execution:
                pass
        plain = execution.operations[identity.id].input or "null"

        def replay() -> InvocationEnvelope:
            now_ms = self._engine.clock.now_ms()
            return envelope(execution, given, nonce, self._seals, now_ms=now_ms)

        return InvocationRequest(
            function=function.for_tenant(identity.tenant_id),
            invoked_arn=identity.invoked_arn,
            request_id=run.request_id,
            event=replay if is_durable else plain.encode(),
            resumption=self._resumption(identity, given, nonce, replay) if is_durable else None,
            durable_execution_arn=identity.arn if is_durable else None,
            tenant_id=identity.tenant_id,
            trace_id=identity.trace_id,
        )

    def _resumption(
        self,
        identity: Identity,
        given: InvocationInput,
        nonce: bytes,
        replay: Callable[[], InvocationEnvelope],
    ) -> Resumption | None:
        """Return who can go on without a replay, if anybody can (K1, K2).

        A handler to which nothing is new could only go on waiting; a replay may find more to do.
        """
        arn, epoch = identity.arn, given.token.epoch
        worker_id = self._keepers.keeper(arn, epoch=epoch)
        if worker_id is None or not given.changes or not fits_envelope(given.changes):
            return None

        def go_on() -> InvocationEnvelope:
            # What ran there while this waited for the worker may have taken the handler's place.
            if self._keepers.keeper(arn, epoch=epoch) != worker_id:
                return replay()
            return short_envelope(identity, given, nonce, self._seals)

        return Resumption(worker_id=worker_id, payload=go_on)


def _crash(kind: FailureKind, message: str, identity: Identity) -> Verdict:
    crash = Crashed(kind=kind, error_type=kind.value, message=message)
    return verdict_of(crash, is_durable=identity.kind is ExecutionKind.DURABLE)
