"""Commands in, changes out: load, apply, commit, then tell the other parts of the engine.

Whoever is told gets hints (P3): what they must not miss is in the store, and they read it there
from time to time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final

from perdure.clock import Clock
from perdure.core.commands import Command, Delete, Start
from perdure.core.errors import Refusal, ResourceNotFound, TooManyRequests, Unavailable
from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.core.outcome import Outcome, QuotaPassed
from perdure.engine.hearsay import Hearsay
from perdure.engine.residents import Loan, Resident, Residents
from perdure.engine.sequels import Joint, SequelSource, join
from perdure.store.change import Change
from perdure.store.hints import Hints, LocalHints
from perdure.store.protocol import (
    Claim,
    CommitResult,
    Store,
    StoreFullError,
    StoreUnavailableError,
    StoreUnknownError,
)

__all__ = ["Engine", "Listener", "Meanwhile"]

_log = logging.getLogger(__name__)

#: Hears of every committed outcome, with its change, at once and in order.
Listener = Callable[[Outcome, Change], None]

#: Is shown an outcome that is not committed yet, and may come to nothing: nobody else may see it.
Meanwhile = Callable[[Outcome], None]

_CONFLICTS_MAX: Final = 50
_EXECUTIONS_MAX: Final = 512
_BYTES_MAX: Final = 64 * 1024 * 1024


class Engine:
    """Carries commands out."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        owner: str = "",
        hints: Hints | None = None,
        executions_max: int = _EXECUTIONS_MAX,
    ) -> None:
        """Work on ``store``, by the time of ``clock``; have ``executions_max`` in memory at most:
        more than run at once.

        ``owner`` is this node's name, new at each start; ``hints`` reach the other nodes.
        """
        self.store = store
        self.clock = clock
        self.owner = owner
        self.hearsay = Hearsay(hints or LocalHints())
        self._residents = Residents(store, executions_max=executions_max, bytes_max=_BYTES_MAX)
        self._listeners: list[Listener] = []
        self._sequels: SequelSource | None = None
        self._joints: set[asyncio.Task[bool]] = set()

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of every committed outcome from now on."""
        self._listeners.append(listener)

    def follow_through(self, source: SequelSource) -> None:
        """Ask ``source`` what follows upon an outcome at once, to be committed with it."""
        self._sequels = source

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may work on the store."""
        return not self.store.is_exclusive

    def claim(self, for_ms: int) -> Claim | None:
        """Return the claim of this node on what it reads now; None: nobody else could claim it."""
        return Claim(self.owner, self.clock.now_ms(), for_ms) if self.is_shared else None

    async def carry_out(
        self,
        execution_id: str,
        command: Command,
        *,
        delivered: Sequence[str] = (),
        meanwhile: Meanwhile | None = None,
    ) -> Outcome:
        """Return what the command came to; what it changed is durable.

        ``meanwhile`` is called with what it will come to while that is on its way to the disk, to
        prepare what is to be said then; or after this has ended, however it did, if that takes no
        time.

        Raises:
            Refusal: the command is not acceptable; nothing was changed.
            TooManyRequests: too many others change the execution at the same time.
            Unavailable: the store cannot take the change, or not say whether it did.
        """
        async with self._residents.borrow(execution_id, since_version=0) as resident:
            for _ in range(_CONFLICTS_MAX):
                execution = resident.execution
                try:
                    outcome = self._apply(resident, command)
                except AssertionError as violation:
                    if execution is None:
                        raise
                    await self._quarantine(execution, str(violation))
                    raise Unavailable("the execution is quarantined") from violation
                if outcome is not None and not outcome.is_change and resident.is_current:
                    return outcome
                if outcome is not None and outcome.is_change:
                    assert execution is not None, "only a start works on nothing"
                    if await self._settle(execution, outcome, delivered, meanwhile):
                        return outcome
                await self._residents.refresh(execution_id, resident)
        raise TooManyRequests("the execution is being changed by too many others")

    async def start(
        self, command: Start, *, delivered: Sequence[str] = (), is_named: bool = True
    ) -> Outcome:
        """Begin an execution, or attach to the one that has its name and input (I1).

        Raises:
            ExecutionAlreadyStarted: the name is taken by an execution with another input.
            RecursiveInvocation: too many chained invokes lead here.
        """
        identity = command.identity
        for attempt in range(_CONFLICTS_MAX):
            if is_named or attempt:
                holder_id = await self.store.find(identity.function_arn, identity.name)
                attached = await self._attach(holder_id or identity.id, command)
                if attached is not None:
                    return attached
            outcome = apply(None, command, self.clock.now_ms())
            if await self._settle(None, outcome, delivered):
                return outcome
        raise TooManyRequests("the execution name is being started by too many others")

    def known(self, execution_id: str, *, since_version: int = 0) -> Execution | None:
        """Return an execution as this node knows it to have been, with that version or later, for
        as long as the caller does not let go of the loop; None: it does not know.

        Nobody is waited for, and the store is not asked.
        """
        return self._residents.peek(execution_id, since_version)

    def reading(self, execution_id: str, *, since_version: int | None = None) -> "Reading":
        """Lend an execution for as long as nothing may change it: for an ``async with``.

        As it stands; with ``since_version``, as it stood at some instant after it had that version.

        Raises:
            ResourceNotFound: there is none.
        """
        return Reading(self._residents.borrow(execution_id, since_version=since_version))

    def forget(self, execution_id: str) -> None:
        """Let go of an execution that was erased."""
        self._residents.drop(execution_id)

    def _settle(
        self,
        execution: Execution | None,
        outcome: Outcome,
        delivered: Sequence[str],
        meanwhile: Meanwhile | None = None,
    ) -> Awaitable[bool]:
        """Commit an outcome with what follows upon it, take it over, tell of it; return False if
        somebody else was faster.
        """
        joint = None
        # The end of one invocation and the beginning of the next stay two changes: whoever follows
        # the store sees that the lease was free in between (F5).
        is_leased = execution is not None and execution.is_leased
        if self._sequels is not None and not is_leased:
            joint = join(self._sequels, execution, outcome, self.clock.now_ms())
        if joint is None:
            return self._commit_and_tell(execution, outcome, delivered, meanwhile)
        # Whoever asked may leave meanwhile; what was claimed must not be lost with him.
        task = asyncio.get_running_loop().create_task(
            self._settle_joint(execution, joint, delivered)
        )
        self._joints.add(task)
        task.add_done_callback(self._joints.discard)
        return asyncio.shield(task)

    async def _settle_joint(
        self, execution: Execution | None, joint: Joint, delivered: Sequence[str]
    ) -> bool:
        is_committed = False
        try:
            is_committed = await self._commit_and_tell(execution, joint.whole, delivered)
        finally:
            if not is_committed:
                joint.sequel.given_up()
        if is_committed:
            joint.sequel.taken(joint.later)
        return is_committed

    async def _commit_and_tell(
        self,
        execution: Execution | None,
        outcome: Outcome,
        delivered: Sequence[str],
        meanwhile: Meanwhile | None = None,
    ) -> bool:
        change = Change.of(outcome, delivered=delivered)
        if meanwhile is not None:
            # Two rounds of the loop from now: in the next, the store sends what it has.
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, meanwhile, outcome)
        if await self._commit(change) is not CommitResult.COMMITTED:
            return False
        if execution is not None:
            execution.advance(outcome)
        else:
            operations = outcome.operations.values()
            self._residents.adopt(Execution.of(outcome.identity, outcome.progress, operations))
        self._tell(outcome, change)
        return True

    async def _attach(self, holder_id: str, command: Start) -> Outcome | None:
        async with self._residents.borrow(holder_id) as resident:
            holder = resident.execution
            if holder is None:
                return None
            expires_at_ms = holder.progress.expires_at_ms
            if expires_at_ms is None or expires_at_ms > self.clock.now_ms():
                return apply(holder, command, self.clock.now_ms())
        await self.carry_out(holder_id, Delete())  # its retention is over: the name is free
        return None

    def _apply(self, resident: Resident, command: Command) -> Outcome | None:
        """Return what a command comes to; None: that has to be seen on the state as it stands."""
        try:
            return apply(resident.execution, command, self.clock.now_ms())
        except Refusal:
            if resident.is_current:
                raise
            return None

    async def _quarantine(self, execution: Execution, reason: str) -> None:
        """Leave a broken execution alone: it costs only itself (X5)."""
        progress = execution.progress
        _log.critical("quarantined %s: %s", execution.identity.arn, reason)
        change = Change(
            execution_id=execution.identity.id,
            expected_version=progress.version,
            progress=progress._replace(
                version=progress.version + 1, wake_at_ms=None, ready_at_ms=None, quarantine=reason
            ),
        )
        await self._commit(change)

    async def _commit(self, change: Change) -> CommitResult:
        try:
            return await self.store.commit(change)
        except (StoreUnknownError, StoreFullError, StoreUnavailableError) as error:
            raise Unavailable(str(error)) from error

    def _tell(self, outcome: Outcome, change: Change) -> None:
        for effect in outcome.effects:
            if isinstance(effect, QuotaPassed):
                _log.warning("would fail on AWS: %s: %s", outcome.identity.arn, effect.message)
        for listener in self._listeners:
            listener(outcome, change)


class Reading:
    """An execution lent to a reader."""

    __slots__ = ("_loan",)

    def __init__(self, loan: Loan) -> None:
        """Lend nothing yet."""
        self._loan = loan

    async def __aenter__(self) -> Execution:
        """Wait for the borrower before, then lend."""
        execution = (await self._loan.__aenter__()).execution
        if execution is None:
            self._loan.give_back()
            raise ResourceNotFound("Durable Execution does not exist")
        return execution

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the execution back."""
        await self._loan.__aexit__(kind, error, traceback)
