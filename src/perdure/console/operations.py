"""How the service is doing: this node, its workers, what is queued, the store, health, and the
last half hour.
"""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.console.series import INTERVAL_MS, Series
from perdure.engine.dispatcher import Dispatcher
from perdure.engine.engine import Engine
from perdure.engine.nodes import NodeDocument
from perdure.runtime.pool import WorkerPool
from perdure.store.protocol import Agenda

__all__ = ["NodeFacts", "OperationsService", "StoreFacts", "problems_of"]

_COUNTED_MAX: Final = 1_000
_NEVER_MS: Final = 1 << 62
_LATE_MS: Final = 10_000
_ROOM_BYTES_MIN: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """What is known of the store."""

    kind: str
    size_bytes: int
    free_bytes: int | None  #: None: the data is on another machine
    unreadable_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What is known of this node, and how to ask for the rest."""

    id: str
    version: str
    address: str
    started_at_ms: int
    capacity: int
    store: Callable[[], Awaitable[StoreFacts]]
    nodes: Callable[[], Sequence[NodeDocument]]  #: those that share the store, with this one
    letters: Callable[[], int]
    sync_callers: Callable[[], int]


class OperationsService:
    """Answers ``/console/api/operations``."""

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        pool: WorkerPool,
        series: Series,
        facts: NodeFacts,
    ) -> None:
        """Ask the parts of this node."""
        self._engine = engine
        self._dispatcher = dispatcher
        self._pool = pool
        self._series = series
        self._facts = facts

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the one route."""
        return (("GET", "/console/api/operations", self._show),)

    async def _show(self, request: Request) -> Reply:
        store = await self._facts.store()
        queues = await self._queues()
        now_ms = self._engine.clock.now_ms()
        problems = problems_of(store, queues, now_ms, is_draining=self._dispatcher.is_draining)
        node = self._node(now_ms)
        return json_reply(
            {
                "node": {**node, "pid": os.getpid(), "cpu_count": os.cpu_count()},
                "nodes": [node, *self._others(now_ms)],
                "workers": self._workers(),
                "queues": queues,
                "store": {
                    "kind": store.kind,
                    "size_bytes": store.size_bytes,
                    "free_bytes": store.free_bytes,
                    "unreadable_rows": store.unreadable_rows,
                },
                "health": {"status": "degraded" if problems else "ok", "problems": problems},
                "series": {"interval_ms": INTERVAL_MS, "points": list(self._series.points)},
            }
        )

    def _node(self, now_ms: int) -> dict[str, Any]:
        facts = self._facts
        return {
            "id": facts.id,
            "started_at_ms": facts.started_at_ms,
            "version": facts.version,
            "is_self": True,
            "address": facts.address,
            "running": self._dispatcher.running,
            "capacity": facts.capacity,
            "last_seen_at_ms": now_ms,
        }

    def _others(self, now_ms: int) -> list[dict[str, Any]]:
        return [
            {
                "id": other.node_id,
                "started_at_ms": other.started_at_ms,
                "version": other.version,
                "is_self": False,
                "address": other.address,
                "running": other.running,
                "capacity": other.capacity,
                "last_seen_at_ms": other.seen_at_ms,
            }
            for other in self._facts.nodes()
            if other.node_id != self._facts.id and other.is_alive(now_ms)
        ]

    async def _queues(self) -> dict[str, Any]:
        store, now_ms = self._engine.store, self._engine.clock.now_ms()
        ready = await store.upcoming(Agenda.READY, before_ms=now_ms + 1, limit=_COUNTED_MAX)
        due = await store.upcoming(Agenda.WAKE, before_ms=now_ms, limit=_COUNTED_MAX)
        coming = due or await store.upcoming(Agenda.WAKE, before_ms=_NEVER_MS, limit=1)
        return {
            "ready": len(ready),
            "ready_since_ms": ready[0].at_ms if ready else None,
            "running": self._dispatcher.running,
            "letters": self._facts.letters(),
            "due_timers": len(due),
            "next_due_at_ms": coming[0].at_ms if coming else None,
            "sync_callers": self._facts.sync_callers(),
            "counted_max": _COUNTED_MAX,
        }

    def _workers(self) -> list[dict[str, Any]]:
        keepers = self._dispatcher.keepers
        return [
            {
                "id": worker.id,
                "function": worker.function.function_name,
                "version": worker.function.version,
                "runtime": worker.function.runtime,
                "pid": worker.pid,
                "state": worker.state.name,
                "runs": len(worker.slots.runs),
                "kept_handlers": keepers.count(worker.id),
                "memory_bytes": worker.memory_bytes(),
                "started_at_ms": worker.started_at_ms,
                "idle_ms": worker.idle_ms(),
            }
            for worker in self._pool.workers()
        ]


def problems_of(
    store: StoreFacts, queues: Mapping[str, Any], now_ms: int, *, is_draining: bool
) -> list[str]:
    """Return what somebody should look at, each with what to do."""
    problems: list[str] = []
    if store.unreadable_rows:
        problems.append(
            f"{store.unreadable_rows:,} stored rows cannot be read: what they belong to is left"
            " alone; restore a copy of the data, and see the log for which they are"
        )
    if store.free_bytes is not None and store.free_bytes < _ROOM_BYTES_MIN:
        problems.append(
            f"{store.free_bytes:,} bytes are free where the data is; below"
            f" {_ROOM_BYTES_MIN:,} it is time to make room"
        )
    next_due_at_ms = queues["next_due_at_ms"]
    if next_due_at_ms is not None and now_ms - next_due_at_ms > _LATE_MS:
        problems.append(f"timers are {(now_ms - next_due_at_ms) // 1_000} s late")
    ready_since_ms = queues["ready_since_ms"]
    if ready_since_ms is not None and now_ms - ready_since_ms > _LATE_MS:
        problems.append(
            f"executions have waited for a worker for {(now_ms - ready_since_ms) // 1_000} s:"
            " raise --concurrency, or look at reserved concurrency"
        )
    if is_draining:
        problems.append("this node is shutting down")
    return problems
