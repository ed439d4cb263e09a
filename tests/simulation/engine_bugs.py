"""Bugs in the engine and the store: commits, wake-ups, messages, versions (RELIABILITY.md section
4.4).
"""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from perdure.core.errors import InvalidParameterValue
from perdure.engine import dispatcher, engine, invoker, keepers, reaper, runs, starting, states
from perdure.store.change import Change
from perdure.store.memory import MemoryStore
from perdure.store.protocol import Agenda, CommitResult, StoreUnknownError

from .planting import bug, patched

__all__: list[str] = []


@bug()
def a_page_of_the_state_skips_one() -> Iterator[None]:
    """The marker of a page points one operation too far (S7)."""

    def page(identity: Any, operations: Any, seals: Any, *, limit: int, now_ms: int) -> Any:
        listed = list(operations)
        found, marker = original(identity, listed, seals, limit=limit, now_ms=now_ms)
        if marker is not None and len(listed) > len(found):
            position = str(listed[len(found)].position)
            marker = seals.seal_marker(f"state:{identity.id}", position, now_ms)
        return found, marker

    original = states.page
    with patched(states, "page", page):
        yield


@bug()
def acknowledged_before_the_commit() -> Iterator[None]:
    """The caller is answered while the commit is still on its way (D1)."""
    on_their_way: list[Any] = []

    async def commit(self: Any, change: Change) -> CommitResult:
        on_their_way.append(asyncio.get_running_loop().create_task(original(self, change)))
        await asyncio.sleep(0)
        return CommitResult.COMMITTED

    original = engine.Engine._commit
    with patched(engine.Engine, "_commit", commit):
        yield


@bug()
def an_unknown_commit_counts_as_done() -> Iterator[None]:
    """Whether the commit happened cannot be told, and success is answered (D4)."""

    async def commit(self: Any, change: Change) -> CommitResult:
        try:
            return await self.store.commit(change)
        except StoreUnknownError:
            return CommitResult.COMMITTED

    with patched(engine.Engine, "_commit", commit):
        yield


@bug()
def a_failed_commit_is_the_callers_fault() -> Iterator[None]:
    """A commit error is answered with a 4xx, which the SDKs take as final (D4)."""

    async def commit(self: Any, change: Change) -> CommitResult:
        try:
            return await self.store.commit(change)
        except StoreUnknownError as error:
            raise InvalidParameterValue(str(error)) from error

    with patched(engine.Engine, "_commit", commit):
        yield


@bug()
def the_store_compares_no_versions() -> Iterator[None]:
    """Checked, then written, with room for others in between (F1)."""

    def apply(self: MemoryStore, change: Change) -> CommitResult:
        row = self._rows.get(change.execution_id)
        if row is not None and change.expected_version:
            change = replace(change, expected_version=row.progress.version)
        return original(self, change)

    original = MemoryStore.apply
    with patched(MemoryStore, "apply", apply):
        yield


@bug()
def names_are_checked_outside_the_commit() -> Iterator[None]:
    """Two starts of one name at the same time both find it free (I1)."""

    def apply(self: MemoryStore, change: Change) -> CommitResult:
        if change.identity is not None:
            self._names.pop((change.identity.function_arn, change.identity.name), None)
        return original(self, change)

    original = MemoryStore.apply
    with patched(MemoryStore, "apply", apply):
        yield


@bug()
def messages_are_in_memory_only() -> Iterator[None]:
    """Letters are handed on after the commit, and are not in it (D3)."""

    def apply(self: MemoryStore, change: Change) -> CommitResult:
        return original(self, replace(change, letters=()))

    original = MemoryStore.apply
    with patched(MemoryStore, "apply", apply):
        yield


def _blind(agenda: Agenda) -> AbstractContextManager[None]:
    async def upcoming(self: MemoryStore, asked: Agenda, **options: Any) -> Any:
        return [] if asked is agenda else await original(self, asked, **options)

    original = MemoryStore.upcoming
    return patched(MemoryStore, "upcoming", upcoming)


@bug()
def timers_are_in_memory_only() -> Iterator[None]:
    """Nobody looks into the store for what is due (T4)."""
    with _blind(Agenda.WAKE):
        yield


@bug()
def wakes_are_in_memory_only() -> Iterator[None]:
    """A wake-up is lost if the server dies between the commit and the notice (D3, X2)."""
    with _blind(Agenda.READY):
        yield


@bug()
def leases_are_never_taken_back() -> Iterator[None]:
    """An invocation whose server died keeps its lease for ever (X2)."""

    async def release(self: Any, before_ms: int, *, is_dead: bool) -> int:
        return 0

    with patched(reaper.Reaper, "_release", release):
        yield


@bug(servers=3, slow_commits=0.2, early_looks_seconds=0.05)
def a_child_is_started_under_a_new_id() -> Iterator[None]:
    """Every delivery of a chained invoke starts a child of its own (I4)."""

    async def child(self: Any, letter: Any, parent_id: str, *, now_ms: int) -> Any:
        execution_id = self._entropy.token(16).hex()
        arn = letter.child_arn and letter.child_arn.replace(letter.child_id, execution_id)
        letter = replace(letter, child_id=execution_id, child_arn=arn)
        return await original(self, letter, parent_id, now_ms=now_ms)

    original = starting.Starter.child
    with patched(starting.Starter, "child", child):
        yield


class _Forgetful:
    """Functions whose pinned version is what the alias points to now."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._functions, name)

    async def resolve_pinned(self, function_arn: str, version: str, code_sha256: str) -> Any:
        return await self._functions.resolve(function_arn, "live", draw=lambda: 0.0)


@bug()
def the_alias_decides_the_version() -> Iterator[None]:
    """A running execution goes on with whatever the alias points to (V1)."""

    def begin(self: Any, engine: Any, invoker: Any, functions: Any, *others: Any) -> None:
        original(self, engine, invoker, _Forgetful(functions), *others)

    original = dispatcher.Dispatcher.__init__
    with patched(dispatcher.Dispatcher, "__init__", begin):
        yield


@bug(kept_handlers=1.0)
def a_kept_handler_is_not_told_of_the_last_change() -> Iterator[None]:
    """One of the changes is left out of the short envelope (K1)."""

    def shorten(identity: Any, given: Any, nonce: bytes, seals: Any) -> Any:
        return original(identity, replace(given, changes=given.changes[:-1]), nonce, seals)

    original = states.short_envelope
    with patched(runs, "short_envelope", shorten):
        yield


@bug(kept_handlers=1.0, busy_workers=0.5, servers=3)
def a_handler_goes_on_that_others_have_overtaken() -> Iterator[None]:
    """Whoever kept the handler once is believed to keep it as it stands (K2, F5)."""

    def keeper(self: keepers.Keepers, arn: str, *, epoch: int) -> str | None:
        kept = self._kept.get(arn)
        return None if kept is None else kept.worker_id

    with patched(keepers.Keepers, "keeper", keeper):
        yield


@bug(kept_handlers=1.0, busy_workers=0.5)
def any_worker_is_given_the_changes_alone() -> Iterator[None]:
    """The short envelope goes to whichever worker is there (K2)."""

    def payload_for(self: invoker.InvocationRequest, worker_id: str) -> bytes:
        if self.resumption is None:
            return self.payload
        return replace(self, event=self.resumption.payload).payload

    with patched(invoker.InvocationRequest, "payload_for", payload_for):
        yield
