"""Two nodes on one store, who hear each other at once, or not at all."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from perdure.core.execution import Execution
from perdure.store.change import Change
from perdure.store.hints import LOST, Hear, LocalHints
from perdure.store.memory import MemoryStore
from perdure.store.protocol import CommitResult

from .rig import Rig

__all__ = ["Pair", "Wire", "a_pair"]


class Wire(LocalHints):
    """One end of a wire between two nodes; what is said arrives at once, while it is whole."""

    def __init__(self) -> None:
        self.other: Wire | None = None
        self.is_whole = True
        self.said: list[tuple[str, tuple[str, ...]]] = []
        self._hearers: list[Hear] = []

    def publish(self, topic: str, keys: Sequence[str]) -> None:
        self.said.append((topic, tuple(keys)))
        if self.other is not None and self.is_whole:
            self.other.hear(topic, tuple(keys))

    def subscribe(self, hear: Hear) -> None:
        self._hearers.append(hear)

    def hear(self, topic: str, keys: tuple[str, ...]) -> None:
        for hearer in self._hearers:
            hearer(topic, keys)

    def interrupt(self) -> None:
        """Be interrupted for a moment: something may have been lost."""
        self.hear(LOST, ())


class CountingStore(MemoryStore):
    """A shared store that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(is_exclusive=False)
        self.loads = 0
        self.conflicts = 0

    async def load(self, execution_id: str, known: Execution | None = None) -> Execution | None:
        self.loads += 1
        return await super().load(execution_id, known)

    async def commit(self, change: Change) -> CommitResult:
        result = await super().commit(change)
        self.conflicts += result is CommitResult.CONFLICT
        return result


class Pair:
    """Nodes ``a`` and ``b``."""

    def __init__(self, **settings: Any) -> None:
        self.store = CountingStore()
        self.wires = Wire(), Wire()
        self.wires[0].other, self.wires[1].other = self.wires[1], self.wires[0]
        self.a, self.b = (
            Rig(store=self.store, owner=owner, hints=wire, **settings)
            for owner, wire in zip("ab", self.wires, strict=True)
        )


@asynccontextmanager
async def a_pair(**settings: Any) -> AsyncGenerator[Pair]:
    """Lend a pair, and stop what runs on it."""
    pair = Pair(**settings)
    try:
        yield pair
    finally:
        for rig in (pair.a, pair.b):
            await rig.dispatcher.stop(grace_seconds=0)
