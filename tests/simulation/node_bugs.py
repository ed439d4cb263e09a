"""Bugs that show only where several nodes share the store: what is old is believed, what was told
once is waited for, what is claimed is taken for owned.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from perdure.engine import dispatcher, left, outbox, residents, ticker
from perdure.store import memory
from perdure.store.change import Change
from perdure.store.memory import MemoryStore
from perdure.store.protocol import CommitResult

from .planting import bug, patched

__all__: list[str] = []


@bug(servers=3)
def what_is_in_memory_is_believed() -> Iterator[None]:
    """A refusal is answered from memory, though another node has committed since (F9)."""

    def age(self: residents.Residents, resident: residents.Resident) -> None:
        """Let it stay current."""

    with patched(residents.Residents, "age", age):
        yield


@bug(servers=3)
def what_is_shown_may_be_old() -> Iterator[None]:
    """A reader is shown what is in memory (F9)."""

    def will_do(self: residents.Loan, resident: residents.Resident) -> bool:
        return resident.execution is not None

    with patched(residents.Loan, "_will_do", will_do):
        yield


@bug(servers=3, early_looks_seconds=0.05, slow_commits=0.2)
def a_claim_is_taken_for_a_lock() -> Iterator[None]:
    """Who begins an invocation does not compare versions: others are thought to keep away (F6)."""

    def apply(self: MemoryStore, change: Change) -> CommitResult:
        row = self._rows.get(change.execution_id)
        if row is not None and change.progress.lease_owner is not None and change.expected_version:
            change = replace(change, expected_version=row.progress.version)
        return original(self, change)

    original = MemoryStore.apply
    with patched(MemoryStore, "apply", apply):
        yield


@bug(servers=3, killed_servers_seconds=2.0)
def a_claim_outlives_its_owner() -> Iterator[None]:
    """What a node has claimed, no other takes, however long ago that was (X2)."""

    def is_free(held: Any, claim: Any) -> bool:
        return claim is None or held is None or held.owner == claim.owner

    with patched(memory, "_is_free", is_free):
        yield


@bug(servers=3, killed_servers_seconds=2.0)
def only_hints_tell_of_what_is_ready() -> Iterator[None]:
    """Nobody looks for executions that a node has left, unless it says so (X2)."""

    async def look(self: dispatcher.Dispatcher) -> float:
        return await original(self) if self._left.is_wanted else 2.0

    original = dispatcher.Dispatcher._look_for_left
    with patched(dispatcher.Dispatcher, "_look_for_left", look):
        yield


@bug(servers=3, reserved=1, lost_hints=1.0)
def what_a_node_may_not_run_it_keeps_from_others() -> Iterator[None]:
    """A look claims executions for which only another node has concurrency left (X2)."""

    async def keep(self: left.Left) -> None:
        """Leave the claim to run out."""

    with patched(left.Left, "give_back", keep):
        yield


@bug(servers=3, killed_servers_seconds=2.0)
def overdue_timers_are_left_to_their_node() -> Iterator[None]:
    """Only what is still to come is claimed; the node of what is overdue may be dead (T4)."""

    async def claim(self: ticker.Ticker, now_ms: int) -> None:
        known = set(self._known)
        await original(self, now_ms)
        for execution_id, at_ms in list(self._known.items()):
            if execution_id not in known and at_ms <= now_ms + ticker._SHARED_GRACE_MS:
                del self._known[execution_id]

    original = ticker.Ticker._claim_ahead
    with patched(ticker.Ticker, "_claim_ahead", claim):
        yield


@bug(servers=3, killed_servers_seconds=2.0)
def letters_are_delivered_by_their_node_alone() -> Iterator[None]:
    """What a dead node has not delivered, nobody delivers (D3)."""

    async def run_once(self: outbox.Outbox) -> float:
        return 3.0

    with patched(outbox.Outbox, "run_once", run_once):
        yield
