"""The same changes sent to every store: every answer and everything that can be read are the same.

Memory is the oracle. A round ends when every kind of write has been committed and refused, and no
new pair of an operation's type and status has turned up for a while, or at its bound.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from perdure.core.errors import Refusal
from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType
from perdure.store.change import Change
from perdure.store.protocol import (
    Agenda,
    CommitResult,
    EventQuery,
    ExecutionQuery,
    Store,
)
from perdure.store.records import RecordConflictError, RecordWrite
from tests.core.builders import NOW_MS
from tests.core.moves import Chance, Moves

from .stores import KINDS, MEMORY, POSTGRES, SQLITE, a_store, an_id, opened

STEPS_MAX: Final = 2_000
QUIET_STEPS: Final = 500  #: without a new pair
SEEDS: Final = (2, 3, 9, 16)

#: Every pair that a real execution can store.
PAIRS: Final = {
    (OperationType.EXECUTION, status)
    for status in ("STARTED", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")
} | {
    (kind, OperationStatus(status))
    for kind, statuses in {
        OperationType.STEP: "STARTED PENDING READY SUCCEEDED FAILED",
        OperationType.WAIT: "STARTED SUCCEEDED CANCELLED",
        OperationType.CALLBACK: "STARTED SUCCEEDED FAILED TIMED_OUT",
        OperationType.CHAINED_INVOKE: "STARTED SUCCEEDED FAILED TIMED_OUT STOPPED",
        OperationType.CONTEXT: "STARTED SUCCEEDED FAILED",
    }.items()
    for status in statuses.split()
}
#: Every kind of write, with how it comes out.
WRITES: Final = {
    *("start committed", "start conflict", "change committed", "change conflict"),
    *("erase", "discard", "delivery", "records written", "records conflict"),
}


#: Names in every form that is stored in one of its own.
NAMES: Final = (
    "name-0",
    "01234567-89ab-4cde-8f01-23456789abcd",
    "0123456789abcdef" * 2,
    "01234567-89AB-4CDE-8F01-23456789ABCD",
)


class Twins:
    """Stores that are told the same and must answer the same."""

    def __init__(self, stores: Sequence[Store]) -> None:
        """Compare ``stores``; the first is right."""
        self._stores = stores

    async def ask(self, question: Callable[[Store], Awaitable[Any]], what: object = "") -> Any:
        """Return the answer that all of them give."""
        first, *others = [await _answer(question(store)) for store in self._stores]
        for answer in others:
            assert answer == first, f"{what}: {answer} instead of {first}"
        if isinstance(first, Exception):
            raise first
        return first


async def _answer(answer: Awaitable[Any]) -> Any:
    try:
        found = await answer
    except RecordConflictError as error:
        return _Same(str(error))
    return [*found] if isinstance(found, Sequence) and not isinstance(found, str) else found


class _Same(RecordConflictError):
    """An error that equals another with the same message."""

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    __hash__ = RecordConflictError.__hash__


class Round:
    """One seed's changes."""

    def __init__(self, twins: Twins, seed: int) -> None:
        """Begin with nothing stored."""
        self.twins = twins
        self._chance = Chance(seed)
        self._moves = Moves(self._chance.below)
        self._now_ms = NOW_MS
        self._ids = 0
        self._lives: dict[str, Execution] = {}
        self.pairs: set[tuple[OperationType, str]] = set()
        self.writes: set[str] = set()

    async def run(self) -> None:
        """Send changes until nothing new turns up."""
        quiet = 0
        for _ in range(STEPS_MAX):
            before = len(self.pairs)
            await self._step()
            quiet = 0 if len(self.pairs) > before else quiet + 1
            if quiet > QUIET_STEPS and self.writes == WRITES:
                return

    async def _step(self) -> None:
        below = self._chance.below
        if below(4) == 0:  # most of the time several lives go on before a wait is over
            self._now_ms += self._moves.span_ms()
        match below(24):
            case 0 | 1:
                await self._start()
            case 2:
                await self._write_records()
            case 3:
                await self._discard()
            case 4 if self._lives:
                await self._erase()
            case 5:
                await self._read()
            case _ if self._lives:
                await self._change()
            case _:
                await self._start()

    def _any_life(self) -> Execution:
        return [*self._lives.values()][self._chance.below(len(self._lives))]

    async def _start(self) -> None:
        self._ids += 1
        number = self._ids - (self._chance.below(10) == 9)
        start = self._moves.start(an_id(number), self._now_ms)
        identity = dataclasses.replace(
            start.identity,
            name=NAMES[int(start.identity.name[-1])],
            revision_id=f"r{self._chance.below(3)}",
        )
        start = dataclasses.replace(start, identity=identity)
        outcome = apply(None, start, self._now_ms)
        delivered = await self._letter_ids(1)
        change = Change.of(outcome, delivered=delivered)
        result = await self.twins.ask(lambda store: store.commit(change), "start")
        self.writes.add(f"start {result.value}")
        if result is CommitResult.COMMITTED:
            self._committed(change, Execution.of(start.identity, outcome.progress, []))

    async def _change(self) -> None:
        execution = self._any_life()
        try:
            outcome = apply(execution, self._moves.command(execution), self._now_ms)
        except Refusal:
            return
        if not outcome.is_change:
            return
        change = Change.of(outcome, delivered=await self._letter_ids(2))
        if self._chance.below(12) == 0:
            stale = dataclasses.replace(change, expected_version=change.expected_version + 1)
            result = await self.twins.ask(lambda store: store.commit(stale), "stale")
            assert result is CommitResult.CONFLICT
            self.writes.add("change conflict")
        result = await self.twins.ask(lambda store: store.commit(change), "change")
        assert result is CommitResult.COMMITTED
        self.writes.add("change committed")
        self._committed(change, execution)
        loaded = await self.twins.ask(lambda store: store.load(execution.identity.id), "load")
        assert loaded == execution

    def _committed(self, change: Change, execution: Execution) -> None:
        after = execution.operations | {o.id: o for o in change.operations}
        advanced = Execution.of(execution.identity, change.progress, after.values())
        execution.progress, execution.operations = advanced.progress, advanced.operations
        execution.pending, execution.unseen = advanced.pending, advanced.unseen
        self._lives[execution.identity.id] = execution
        self.pairs |= {(operation.type, operation.status.value) for operation in change.operations}
        if change.delivered:
            self.writes.add("delivery")

    async def _letter_ids(self, most: int) -> list[str]:
        if self._chance.below(3):
            return []
        letters = await self.twins.ask(lambda store: store.letters(limit=most), "letters")
        return [letter.id for letter in letters]

    async def _discard(self) -> None:
        ids = [*await self._letter_ids(3), "nobody's"]
        await self.twins.ask(lambda store: store.discard(ids), "discard")
        self.writes.add("discard")

    async def _erase(self) -> None:
        execution = self._any_life()
        execution_id = execution.identity.id
        await self.twins.ask(lambda store: store.erase(execution_id), "erase")
        if execution.progress.status is ExecutionStatus.DELETING:
            self.writes.add("erase")
            del self._lives[execution_id]
            found = await self.twins.ask(lambda store: store.load(execution_id), "load")
            assert found is None

    async def _write_records(self) -> None:
        below = self._chance.below
        keys = {f"k{below(4)}": None for _ in range(1 + below(3))}
        writes = [
            RecordWrite(
                collection=f"c{below(2)}",
                key=key,
                body=None if below(4) == 0 else b"%d" % below(100),
                expected_revision=below(4) if below(2) else None,
            )
            for key in keys
        ]
        try:
            await self.twins.ask(lambda store: store.write_records(writes), "records")
            self.writes.add("records written")
        except RecordConflictError:
            self.writes.add("records conflict")

    async def _read(self) -> None:
        below, ask = self._chance.below, self.twins.ask
        for agenda in Agenda:
            before_ms = self._now_ms + below(120_000)
            due = await ask(lambda store, a=agenda, b=before_ms: _due(store, a, b), agenda)
            assert [at_ms for at_ms, _ in due] == sorted(at_ms for at_ms, _ in due)
        query = ExecutionQuery(
            function_arn=None if below(2) else self._moves.start("0" * 32, 0).identity.function_arn,
            version=None if below(3) else "1",
            name=None if below(3) else NAMES[below(4)],
            statuses=None if below(2) else frozenset([*ExecutionStatus][: 1 + below(8)]),
            started_after_ms=None if below(3) else self._now_ms - below(100_000),
            started_before_ms=None if below(3) else self._now_ms - below(100_000),
            after=None if below(2) else (self._now_ms - below(100_000), an_id(below(50))),
            limit=1 + below(20),
            newest_first=below(2) == 1,
        )
        await ask(lambda store: store.list(query), query)
        if self._lives:
            events = EventQuery(
                execution_id=self._any_life().identity.id,
                after_id=below(12),
                limit=1 + below(6),
                newest_first=below(2) == 1,
            )
            await ask(lambda store: store.events(events), events)
        for collection in ("c0", "c1"):
            prefix, after = f"k{below(4)}" if below(2) else "", f"k{below(4)}" if below(2) else ""
            limit = 1 + below(4)
            await ask(
                lambda store, c=collection, p=prefix, a=after, n=limit: store.list_records(
                    c, prefix=p, after=a, limit=n
                ),
                collection,
            )
        names = [(f"{i.identity.function_arn}", i.identity.name) for i in self._lives.values()]
        for function_arn, name in names[:5]:
            await ask(lambda store, f=function_arn, n=name: store.find(f, n), name)

    async def compare_all(self) -> None:
        """Read everything there is."""
        await self.twins.ask(lambda store: store.letters(limit=10_000), "letters")
        await self.twins.ask(lambda store: store.list(ExecutionQuery(limit=10_000)), "list")
        await self.twins.ask(_tally, "tally")
        for execution in self._lives.values():
            execution_id = execution.identity.id
            query = EventQuery(execution_id=execution_id, limit=10_000)
            events = await self.twins.ask(lambda store, q=query: store.events(q), "events")
            assert [event.id for event in events] == [*range(1, execution.progress.event_count + 1)]
            loaded = await self.twins.ask(lambda store, i=execution_id: store.load(i), "load")
            assert loaded == execution


async def _tally(store: Store) -> list[Any]:
    return sorted(await store.tally(limit=10_000))


async def _due(store: Store, agenda: Agenda, before_ms: int) -> list[Any]:
    """Return what is due, those of one instant by id: in which order they come is left open."""
    return sorted(await store.upcoming(agenda, before_ms=before_ms, limit=10_000))


async def a_round(folder: Path, kinds: Sequence[str], seed: int) -> Round:
    async with contextlib.AsyncExitStack() as stack:
        stores = []
        for kind in kinds:
            place = folder / f"{seed} {kind}"
            place.mkdir()
            stores.append(await stack.enter_async_context(opened(a_store(kind, place))))
        told = Round(Twins(stores), seed)
        await told.run()
        await told.compare_all()
        return told


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("kinds", "seeds"),
    [([MEMORY, SQLITE], SEEDS), ([MEMORY, POSTGRES], SEEDS), (KINDS, [4])],
    ids=["sqlite", "postgres", "all"],
)
def test_every_store_answers_as_the_one_in_memory_does(
    kinds: Sequence[str], seeds: Sequence[int], tmp_path: Path
) -> None:
    """D2, D3, F9: and every kind of write and of operation has been there."""
    pairs: set[tuple[OperationType, str]] = set()
    for seed in seeds:
        told = asyncio.run(a_round(tmp_path, kinds, seed))
        assert told.writes == WRITES
        pairs |= told.pairs
    if len(seeds) > 1:
        assert pairs == PAIRS


def test_a_store_that_answers_otherwise_is_found(tmp_path: Path) -> None:
    """What finds nothing is not trusted: one twin is told less than the other."""

    async def story() -> None:
        stores = [a_store(MEMORY, tmp_path), a_store(MEMORY, tmp_path)]
        told = Round(Twins(stores), 1)
        await told._start()
        (execution,) = told._lives.values()
        outcome = apply(execution, told._moves._begin(execution), NOW_MS)
        await stores[1].commit(Change.of(outcome))
        await told.compare_all()

    with pytest.raises(AssertionError, match="instead of"):
        asyncio.run(story())
