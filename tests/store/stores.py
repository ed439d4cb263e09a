"""The stores under test, and a keeper that commits to one what the core makes of commands."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from perdure.core.commands import Command
from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.core.outcome import Outcome
from perdure.store.change import Change
from perdure.store.memory import MemoryStore
from perdure.store.postgres import PostgresStore
from perdure.store.protocol import CommitResult, Store
from perdure.store.sqlite import SqliteStore
from tests.core.builders import NOW_MS, a_start

from .clusters import a_database

MEMORY, SQLITE, SQLITE_PROCESS = "memory", "sqlite", "sqlite with a writer process"
POSTGRES = "postgres"
KINDS = (MEMORY, SQLITE, SQLITE_PROCESS, POSTGRES)

every_store = pytest.mark.parametrize("kind", KINDS)
#: One of those that read alike is enough where nothing but a read is under test.
every_reader = pytest.mark.parametrize("kind", [MEMORY, SQLITE, POSTGRES])
#: Those that several nodes may share.
every_shared = pytest.mark.parametrize("kind", [MEMORY, POSTGRES])
every_file = pytest.mark.parametrize("kind", [SQLITE, SQLITE_PROCESS])


def a_store(kind: str, folder: Path) -> Store:
    """Return a store that is not open yet; it finds what was put for ``folder`` before."""
    if kind == MEMORY:
        return MemoryStore()
    if kind == POSTGRES:
        return PostgresStore(a_database(folder), allows_weak_durability=True)
    return SqliteStore(folder / "perdure.db", has_writer_process=kind == SQLITE_PROCESS)


@contextlib.asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    """Lend ``store`` open."""
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


def with_store(kind: str, folder: Path, story: Callable[[Store], Awaitable[None]]) -> None:
    """Tell a story to an open store of a kind."""

    async def tell() -> None:
        async with opened(a_store(kind, folder)) as store:
            await story(store)

    asyncio.run(tell())


def an_id(number: int) -> str:
    """Return an execution id; greater numbers are greater ids."""
    return f"{number:032x}"


class Keeper:
    """Carries out commands on executions as they are committed to ``store``."""

    def __init__(self, store: Store) -> None:
        """Keep in ``store``."""
        self.store = store
        self.now_ms = NOW_MS

    async def start(self, number: int = 1, **changes: Any) -> Execution:
        """Start an execution and return it."""
        values = {"id": an_id(number), "name": f"name-{number}", "started_at_ms": self.now_ms}
        outcome = apply(None, a_start(**(values | changes)), self.now_ms)
        assert await self.store.commit(Change.of(outcome)) is CommitResult.COMMITTED
        return Execution.of(outcome.identity, outcome.progress, outcome.operations.values())

    async def tell(
        self, execution: Execution, *commands: Command, delivered: tuple[str, ...] = ()
    ) -> Outcome:
        """Carry out commands, each committed; return the last outcome."""
        assert commands
        for command in commands:
            outcome = apply(execution, command, self.now_ms)
            if outcome.is_change:
                result = await self.store.commit(Change.of(outcome, delivered=delivered))
                assert result is CommitResult.COMMITTED
                execution.advance(outcome)
        return outcome


def a_change(execution: Execution | None, command: Command, now_ms: int = NOW_MS) -> Change:
    """Return what ``command`` changes; nothing is committed."""
    return Change.of(apply(execution, command, now_ms))
