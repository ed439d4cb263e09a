"""The one store that survives everything, and each server's connection to it, where commits are
slow, conflict, fail, or get lost on the way back.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.store.change import Change, Letter
from perdure.store.memory import MemoryStore
from perdure.store.protocol import (
    Agenda,
    Claim,
    CommitResult,
    Due,
    EventQuery,
    ExecutionQuery,
    StoreFullError,
    StoreUnavailableError,
    StoreUnknownError,
    Tally,
)
from perdure.store.records import Record, RecordWrite

from .clocks import ServerClock
from .dice import Dice
from .faults import FaultMix
from .oracle import Oracle, run_now
from .records import Call, current_call

__all__ = ["Connection", "Disk"]


class Disk:
    """The store itself: what is here stays here."""

    def __init__(self, oracle: Oracle) -> None:
        """Begin empty; ``oracle`` sees every commit."""
        self.memory = MemoryStore()
        self._oracle = oracle

    def apply(self, change: Change, call: Call | None, clock_ms: int) -> CommitResult:
        """Commit a change at this very instant."""
        result = self.memory.apply(change)
        if result is CommitResult.COMMITTED:
            self._oracle.note(
                "commit",
                change.execution_id[:6],
                f"v{change.progress.version}",
                change.progress.status,
                *(f"{o.id}:{o.status}" for o in change.operations),
            )
            self._oracle.commits.committed(change, call, clock_ms)
        return result

    def load(self, execution_id: str) -> Execution | None:
        """Return an execution at this very instant."""
        return run_now(self.memory.load(execution_id))

    def erase(self, execution_id: str) -> None:
        """Remove an execution at this very instant."""
        was_there = self.load(execution_id) is not None
        run_now(self.memory.erase(execution_id))
        if was_there and self.load(execution_id) is None:
            self._oracle.note("erased", execution_id[:6])
            self._oracle.commits.erased(execution_id)


class Connection:
    """A store as one server sees it. Implements ``Store``."""

    def __init__(
        self,
        disk: Disk,
        dice: Dice,
        faults: Callable[[], FaultMix],
        clock: ServerClock,
        oracle: Oracle,
    ) -> None:
        """Connect to ``disk``; ``faults`` says what goes wrong now."""
        self._disk = disk
        self._memory = disk.memory
        self._dice = dice
        self._faults = faults
        self._clock = clock
        self._oracle = oracle
        self.is_exclusive = faults().servers == 1
        self.is_cut = False  #: the server is dead
        self.is_broken = False  #: a commit came back unknown
        self.on_fatal: Callable[[], None] = lambda: None

    async def open(self) -> int:
        """Return the highest instant ever stored."""
        return await self._memory.open()

    async def aclose(self) -> None:
        """Let go."""

    async def commit(self, change: Change) -> CommitResult:
        """Commit, unless something goes wrong."""
        self._check()
        faults, dice = self._faults(), self._dice
        call = current_call.get()
        if call is not None and call.serving is not asyncio.current_task():
            call = None  # begun on the way, but not what was asked for
        if dice.chance(faults.full_store):
            self._oracle.count("store full")
            await asyncio.sleep(0.001)
            raise StoreFullError("no space left")
        self._refuse()
        if dice.chance(faults.conflicts):
            self._oracle.count("conflict")
            await asyncio.sleep(dice.between(0, faults.commit_seconds))
            return CommitResult.CONFLICT
        seconds = dice.between(0, faults.commit_seconds)
        if dice.chance(faults.slow_commits):
            self._oracle.count("slow commit")
            seconds += dice.between(0, 1.5)
        is_unknown = dice.chance(faults.unknown_commits)
        is_fatal = dice.chance(faults.killed_at_commit)
        is_lost = (is_unknown or is_fatal) and dice.chance(0.5)
        if is_unknown or is_fatal:
            self._oracle.count("unknown commit" if is_unknown else "server killed at commit")
            self._oracle.note("commit-fault", "unknown" if is_unknown else "kill", f"{is_lost=}")
        return await self._write(change, call, seconds, (is_unknown, is_fatal, is_lost))

    async def _write(
        self, change: Change, call: Call | None, seconds: float, fate: tuple[bool, bool, bool]
    ) -> CommitResult:
        """Apply the change after a while, whether or not the caller still waits for it."""
        is_unknown, is_fatal, is_lost = fate
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[CommitResult] = loop.create_future()

        def write() -> None:
            # A change on its way when its server dies arrives, or does not.
            result = CommitResult.CONFLICT
            if not is_lost and (not self.is_cut or self._dice.chance(0.5)):
                result = self._disk.apply(change, call, self._clock.now_ms())
            is_survived = is_unknown and self._faults().is_surviving
            if is_unknown and not is_survived:
                self.is_broken = True
            if is_fatal or (is_unknown and not is_survived):
                self.on_fatal()
            if is_survived and not answer.done():
                answer.set_exception(StoreUnknownError("the connection was lost"))
            elif not answer.done():
                loop.call_later(seconds / 2, settle, result)

        def settle(result: CommitResult) -> None:
            if not answer.done():
                answer.set_result(result)

        if seconds:
            loop.call_later(seconds / 2, write)
        else:
            write()
        result = await answer
        self._check()
        return result

    def _check(self) -> None:
        if self.is_cut:
            raise asyncio.CancelledError
        if self.is_broken:
            raise StoreUnknownError("a commit was not answered")

    async def _read(self) -> None:
        if self.is_cut:
            raise asyncio.CancelledError
        faults = self._faults()
        self._refuse()
        if self._dice.chance(faults.slow_commits):
            self._oracle.count("slow read")
            await asyncio.sleep(self._dice.between(0, 1.0))
        elif self._dice.chance(0.2):
            await asyncio.sleep(self._dice.between(0, faults.commit_seconds))

    def _refuse(self) -> None:
        """Be out of reach, perhaps."""
        if self._dice.chance(self._faults().unreachable_store):
            self._oracle.count("store out of reach")
            raise StoreUnavailableError("it cannot be reached")

    async def load(self, execution_id: str, known: Execution | None = None) -> Execution | None:
        """Return an execution with all its operations; perhaps by bringing ``known`` up to date."""
        await self._read()
        found = await self._memory.load(execution_id, known)
        if known is None or found is None or found is known or self._dice.chance(0.5):
            return found
        known.progress, known.operations = found.progress, found.operations
        known.pending, known.unseen = found.pending, found.unseen
        return known

    async def find(self, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any."""
        await self._read()
        return await self._memory.find(function_arn, name)

    async def upcoming(
        self, agenda: Agenda, *, before_ms: int, limit: int, claim: Claim | None = None
    ) -> Sequence[Due]:
        """Return the executions due before an instant."""
        found = await self._memory.upcoming(agenda, before_ms=before_ms, limit=limit, claim=claim)
        await self._read()
        return found

    async def letters(
        self, *, limit: int, after_id: str = "", claim: Claim | None = None
    ) -> Sequence[Letter]:
        """Return letters not yet delivered."""
        found = await self._memory.letters(limit=limit, after_id=after_id, claim=claim)
        await self._read()
        return found

    async def discard(self, letter_ids: Sequence[str]) -> None:
        """Remove letters that nobody can receive."""
        await self._read()
        self._check()
        await self._memory.discard(letter_ids)

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Return a page of history."""
        await self._read()
        return await self._memory.events(query)

    async def list(self, query: ExecutionQuery) -> Sequence[tuple[Identity, Progress]]:
        """Return a page of executions."""
        await self._read()
        return await self._memory.list(query)

    async def tally(self, *, limit: int) -> Sequence[Tally]:
        """Return how many executions have which status."""
        await self._read()
        return await self._memory.tally(limit=limit)

    async def erase(self, execution_id: str) -> None:
        """Remove an execution that is being deleted."""
        await self._read()
        self._check()
        self._disk.erase(execution_id)

    async def read_record(self, collection: str, key: str) -> Record | None:
        """Return one record."""
        return await self._memory.read_record(collection, key)

    async def list_records(self, *arguments: Any, **options: Any) -> Sequence[Record]:
        """Return records by key."""
        return await self._memory.list_records(*arguments, **options)

    async def write_records(self, writes: Sequence[RecordWrite]) -> None:
        """Write records."""
        await self._read()
        self._check()
        await self._memory.write_records(writes)
