"""The nodes that share a store: each says, again and again, that it lives, and sees who else does.

Nothing depends on it for safety: who is thought dead and is not finds its leases taken, and changes
nothing (F7). A node that has been silent for a while is gone: its leases are freed, and its part
of the functions' concurrency goes to the others. Its record stays a little longer, to be seen; the
node that is started in its place removes it at once.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from perdure.engine.engine import Engine
from perdure.engine.functions.records import Collection, Held
from perdure.engine.hearsay import Topic
from perdure.engine.loops import Loop
from perdure.store.protocol import Store
from perdure.store.records import RecordConflictError

__all__ = ["NodeDocument", "Nodes", "read_nodes"]

_log = logging.getLogger(__name__)

_COLLECTION: Final = "node"
_BEAT_SECONDS: Final = 2.0
_GONE_AFTER_MS: Final = 6_000
_FORGOTTEN_AFTER_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDocument:
    """What a node says of itself."""

    node_id: str  #: new at each start
    address: str
    version: str
    started_at_ms: int
    seen_at_ms: int
    capacity: int = 0  #: handlers that run at once, at most
    running: int = 0
    is_draining: bool = False

    def is_alive(self, now_ms: int) -> bool:
        """Tell whether it was heard of lately."""
        return self.seen_at_ms > now_ms - _GONE_AFTER_MS


async def read_nodes(store: Store) -> list[NodeDocument]:
    """Return all nodes that are recorded, by start."""
    collection = Collection(store, _COLLECTION, NodeDocument)
    found = [held.document async for held in collection.every()]
    return sorted(found, key=lambda node: (node.started_at_ms, node.node_id))


class Nodes:
    """This node among the others."""

    def __init__(
        self,
        engine: Engine,
        *,
        me: NodeDocument,
        running: Callable[[], int],
        on_gone: Callable[[], None],
        predecessor: str = "",
    ) -> None:
        """``running`` counts invocations; ``on_gone`` is called when a node is found to be gone;
        ``predecessor`` is a node that this one takes the place of, and that has ended.
        """
        self._engine = engine
        self._collection = Collection(engine.store, _COLLECTION, NodeDocument)
        self._me = me
        self._running = running
        self._on_gone = on_gone
        self._predecessor = predecessor
        self._known: tuple[NodeDocument, ...] = ()
        self._alive: tuple[str, ...] = (me.node_id,)
        self._loop = Loop("nodes", self.run_once)
        engine.hearsay.listen(Topic.NODES, lambda _: self._loop.nudge())

    @property
    def known(self) -> tuple[NodeDocument, ...]:
        """All nodes that are recorded, the dead ones for a while, as they were last seen."""
        return self._known

    async def start(self) -> None:
        """Join the others; then say from time to time that this one lives."""
        await self._bury_predecessor()
        await self.run_once()
        self._engine.hearsay.is_alone = False
        self._engine.hearsay.tell(Topic.NODES)
        await self._look()
        self._loop.start()

    async def drain(self) -> None:
        """Say that this node begins nothing any more: its part of the work is the others'."""
        self._me = replace(self._me, is_draining=True)
        await self.run_once()
        self._engine.hearsay.tell(Topic.NODES)

    async def stop(self) -> None:
        """Leave."""
        await self._loop.stop()
        held = await self._collection.read(self._me.node_id)
        if held is not None:
            await self._engine.store.write_records([self._collection.remove(held)])
        self._engine.hearsay.tell(Topic.NODES)

    def is_alive(self, node_id: str) -> bool:
        """Tell whether a node lives, as far as is known."""
        return node_id in self._alive

    def share(self, concurrency_max: int) -> int:
        """Return this node's part of what all nodes together may run at once."""
        me, now_ms = self._me.node_id, self._engine.clock.now_ms()
        takers = [
            node.node_id
            for node in self._known
            if node.is_alive(now_ms) and not node.is_draining and node.node_id != me
        ]
        takers = sorted([*takers, me])
        part, rest = divmod(concurrency_max, len(takers))
        return part + (takers.index(me) < rest)

    async def run_once(self) -> float:
        """Say that this node lives, and see who else does; return the seconds until the next."""
        now_ms = self._engine.clock.now_ms()
        self._me = replace(self._me, seen_at_ms=now_ms, running=self._running())
        await self._engine.store.write_records([self._collection.put(self._me.node_id, self._me)])
        await self._look()
        return _BEAT_SECONDS

    async def _bury_predecessor(self) -> None:
        """Say that who was here before is gone, so that nobody has to wait to find it out."""
        held = await self._collection.read(self._predecessor) if self._predecessor else None
        if held is not None:
            await self._remove(held)

    async def _look(self) -> None:
        now_ms = self._engine.clock.now_ms()
        before = set(self._alive)
        self._known = tuple(await read_nodes(self._engine.store))
        alive = {node.node_id for node in self._known if node.is_alive(now_ms)}
        self._alive = tuple(sorted(alive | {self._me.node_id}))
        self._engine.hearsay.is_alone = len(self._alive) == 1
        if before - set(self._alive):
            _log.warning("nodes that are gone: %s", ", ".join(sorted(before - alive)))
            self._on_gone()
        for node in self._known:
            if node.seen_at_ms < now_ms - _FORGOTTEN_AFTER_MS:
                await self._forget(node)

    async def _forget(self, node: NodeDocument) -> None:
        held = await self._collection.read(node.node_id)
        if held is not None and held.document.seen_at_ms == node.seen_at_ms:
            await self._remove(held)

    async def _remove(self, held: Held[NodeDocument]) -> None:
        try:
            await self._engine.store.write_records([self._collection.remove(held)])
        except RecordConflictError:
            _log.debug("node %s lives after all, or is forgotten already", held.key)
