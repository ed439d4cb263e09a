"""Callers that commit one change after the other, and remember what was acknowledged (D1).

What is unknown is read again, as the engine does it: nobody else writes, so that the execution is
as it was before the change or as it is after.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.protocol.words import OperationAction
from perdure.store.change import Change
from perdure.store.postgres import PostgresStore
from perdure.store.protocol import CommitResult, StoreUnavailableError, StoreUnknownError
from tests.core.builders import NOW_MS, a_begin, a_checkpoint, a_start, a_step
from tests.store.stores import an_id

__all__ = ["Load", "under_load"]

_PATIENCE_SECONDS = 90


class Load:
    """What several callers have done."""

    def __init__(self, store: PostgresStore, *, first: int = 1) -> None:
        """Commit to ``store``; ``first`` tells this load's executions from those of others."""
        self.store = store
        self._first = first
        self.acknowledged: dict[str, list[str]] = {}  #: operation ids by execution
        self.count = 0
        self.unknown = 0
        self.unavailable = 0
        self.has_failed = False
        self._is_over = False
        self._more = asyncio.Condition()

    async def run(self, callers: int) -> None:
        """Commit until it is over."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._first, self._first + callers):
                    group.create_task(self._call(number))
        except BaseException:
            self.has_failed = True
            async with self._more:
                self._more.notify_all()
            raise

    def end(self) -> None:
        """Let every caller end after its change."""
        self._is_over = True

    async def progress(self, count: int) -> None:
        """Wait until ``count`` more changes were acknowledged."""
        target = self.count + count
        async with asyncio.timeout(_PATIENCE_SECONDS), self._more:
            await self._more.wait_for(lambda: self.count >= target or self.has_failed)
        assert not self.has_failed

    async def lost(self, store: PostgresStore | None = None) -> list[str]:
        """Return what was acknowledged and is not there."""
        missing: list[str] = []
        for execution_id in [*self.acknowledged]:
            # Callers go on meanwhile: what is acknowledged later need not be read yet.
            operations = [*self.acknowledged[execution_id]]
            found = await _patiently(store or self.store, execution_id)
            there = () if found is None else found.operations
            missing += [f"{execution_id}: {one}" for one in operations if one not in there]
        return missing

    async def _call(self, number: int) -> None:
        execution_id = an_id(number)
        execution = await self._change(execution_id, None, ())
        step = 0
        while not self._is_over:
            step += 1
            if not execution.progress.epoch:
                execution = await self._change(execution_id, execution, ())
                continue
            execution = await self._change(execution_id, execution, (f"s{step}",))

    async def _change(
        self, execution_id: str, execution: Execution | None, steps: Sequence[str]
    ) -> Execution:
        """Return the execution with one more change committed, or as it is if it is over."""
        doubts = 0
        while True:
            change = self._next(execution_id, execution, steps)
            try:
                result = await self.store.commit(change)
            except StoreUnavailableError:
                self.unavailable += 1
                if self._is_over and execution is not None:
                    return execution
                continue
            except StoreUnknownError:
                self.unknown += 1
                doubts += 1
                result = None
            if result is CommitResult.COMMITTED:
                await self._acknowledge(execution_id, steps)
            else:
                assert doubts, "nobody else writes"
            found = await _patiently(self.store, execution_id, None if doubts else execution)
            if found is None:
                assert execution is None or doubts == 0, "it was there"
                continue
            if found.progress.version >= change.progress.version:
                assert [*steps] == [*found.operations][len(found.operations) - len(steps) :]
                return found
            execution = found

    def _next(self, execution_id: str, execution: Execution | None, steps: Sequence[str]) -> Change:
        if execution is None:
            command: Any = a_start(id=execution_id, name=execution_id)
        elif not execution.progress.epoch:
            command = a_begin()
        else:
            updates = [a_step(OperationAction.SUCCEED, one, payload="x" * 100) for one in steps]
            command = a_checkpoint(execution, *updates)
        return Change.of(apply(execution, command, NOW_MS))

    async def _acknowledge(self, execution_id: str, steps: Sequence[str]) -> None:
        self.acknowledged.setdefault(execution_id, []).extend(steps)
        self.count += 1
        async with self._more:
            self._more.notify_all()


async def _patiently(
    store: PostgresStore, execution_id: str, known: Execution | None = None
) -> Execution | None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            try:
                return await store.load(execution_id, known)
            except StoreUnavailableError:
                continue


@contextlib.asynccontextmanager
async def under_load(store: PostgresStore, *, callers: int, first: int = 1) -> AsyncIterator[Load]:
    """Lend a load that runs, and end it."""
    load = Load(store, first=first)
    running = asyncio.create_task(load.run(callers))
    try:
        yield load
    except BaseException:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        raise
    load.end()
    await asyncio.wait_for(running, _PATIENCE_SECONDS)
