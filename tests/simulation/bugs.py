"""Bugs, planted on purpose: each breaks one rule of the core, the engine or the store, and the
simulator has to find it (RELIABILITY.md section 4.4).

A bug is planted for the length of a ``with`` and leaves nothing behind.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Final

from perdure.core import checkpoint, completions, controls, invocations, machine, updates
from perdure.core.commands import FinishInvocation
from perdure.core.draft import Draft
from perdure.core.errors import InvalidParameterValue, ResourceConflict
from perdure.core.outcome import Accepted
from perdure.core.transitions import TRANSITIONS
from perdure.engine import dispatcher, engine, reaper, starting, states
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationAction,
    OperationStatus,
    OperationType,
)
from perdure.store.change import Change
from perdure.store.memory import MemoryStore
from perdure.store.protocol import Agenda, CommitResult, StoreUnknownError

__all__ = ["BUGS", "without_invariants"]

Bug = Callable[[], AbstractContextManager[None]]
BUGS: Final[dict[str, Bug]] = {}


def _bug(plant: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
    BUGS[plant.__name__] = contextmanager(plant)
    return plant


@contextmanager
def _patched(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _entry(table: Any, key: Any, value: Any) -> Iterator[None]:
    before = table.get(key)
    table[key] = value
    try:
        yield
    finally:
        if before is None:
            del table[key]
        else:
            table[key] = before


@contextmanager
def without_invariants() -> Iterator[None]:
    """Have the core assert nothing: what is found then, the oracles have found alone."""
    with _patched(machine, "check", lambda *_: None):
        yield


# Tokens and attempts.


@_bug
def any_token_is_taken() -> Iterator[None]:
    """A checkpoint is accepted whatever its token says: no compare-and-set (F1)."""
    with _patched(checkpoint, "_check_token", lambda progress, token: None):
        yield


@_bug
def an_earlier_attempts_token_is_taken() -> Iterator[None]:
    """The token is not renewed by a new attempt: only its number counts (F5)."""

    def check(progress: Any, token: Any) -> None:
        if progress.ended_at_ms is None and token.sequence == progress.token_sequence:
            return
        original(progress, token)

    original = checkpoint._check_token
    with _patched(checkpoint, "_check_token", check):
        yield


@_bug
def a_stale_token_is_a_conflict() -> Iterator[None]:
    """A stale token is answered 409, which ends a customer's execution (F3)."""

    def check(progress: Any, token: Any) -> None:
        try:
            original(progress, token)
        except InvalidParameterValue as refusal:
            raise ResourceConflict(refusal.message) from None

    original = checkpoint._check_token
    with _patched(checkpoint, "_check_token", check):
        yield


@_bug
def a_retried_checkpoint_is_applied_again() -> Iterator[None]:
    """The same ClientToken again is no repetition, but another checkpoint (F4)."""

    def check(progress: Any, token: Any) -> None:
        last = progress.last_reply
        if last is not None and token.sequence == last.inbound_sequence:
            return
        original(progress, token)

    original = checkpoint._check_token
    with (
        _patched(checkpoint, "_answer_again", lambda draft, command: None),
        _patched(checkpoint, "_check_token", check),
    ):
        yield


@_bug
def answers_are_not_kept() -> Iterator[None]:
    """A checkpoint whose answer got lost is refused when it comes again (F4)."""
    with _patched(checkpoint, "_answer_again", lambda draft, command: None):
        yield


@_bug
def news_are_marked_as_told() -> Iterator[None]:
    """What changed before this batch counts as told, and is not told (S7)."""

    def deliver(self: Draft) -> tuple[Any, ...]:
        original(self)
        return tuple(self.operations.values())

    original = Draft.deliver
    with _patched(Draft, "deliver", deliver):
        yield


@_bug
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
    with _patched(states, "page", page):
        yield


# Commits.


@_bug
def acknowledged_before_the_commit() -> Iterator[None]:
    """The caller is answered while the commit is still on its way (D1)."""
    on_their_way: list[Any] = []

    async def commit(self: Any, change: Change) -> CommitResult:
        on_their_way.append(asyncio.get_running_loop().create_task(original(self, change)))
        await asyncio.sleep(0)
        return CommitResult.COMMITTED

    original = engine.Engine._commit
    with _patched(engine.Engine, "_commit", commit):
        yield


@_bug
def an_unknown_commit_counts_as_done() -> Iterator[None]:
    """Whether the commit happened cannot be told, and success is answered (D4)."""

    async def commit(self: Any, change: Change) -> CommitResult:
        try:
            return await self.store.commit(change)
        except StoreUnknownError:
            return CommitResult.COMMITTED

    with _patched(engine.Engine, "_commit", commit):
        yield


@_bug
def a_failed_commit_is_the_callers_fault() -> Iterator[None]:
    """A commit error is answered with a 4xx, which the SDKs take as final (D4)."""

    async def commit(self: Any, change: Change) -> CommitResult:
        try:
            return await self.store.commit(change)
        except StoreUnknownError as error:
            raise InvalidParameterValue(str(error)) from error

    with _patched(engine.Engine, "_commit", commit):
        yield


@_bug
def the_store_compares_no_versions() -> Iterator[None]:
    """Checked, then written, with room for others in between (F1)."""

    def apply(self: MemoryStore, change: Change) -> CommitResult:
        row = self._rows.get(change.execution_id)
        if row is not None and change.expected_version:
            change = replace(change, expected_version=row.progress.version)
        return original(self, change)

    original = MemoryStore.apply
    with _patched(MemoryStore, "apply", apply):
        yield


@_bug
def names_are_checked_outside_the_commit() -> Iterator[None]:
    """Two starts of one name at the same time both find it free (I1)."""

    def apply(self: MemoryStore, change: Change) -> CommitResult:
        if change.identity is not None:
            self._names.pop((change.identity.function_arn, change.identity.name), None)
        return original(self, change)

    original = MemoryStore.apply
    with _patched(MemoryStore, "apply", apply):
        yield


@_bug
def messages_are_in_memory_only() -> Iterator[None]:
    """Letters are handed on after the commit, and are not in it (D3)."""

    def apply(self: MemoryStore, change: Change) -> CommitResult:
        return original(self, replace(change, letters=()))

    original = MemoryStore.apply
    with _patched(MemoryStore, "apply", apply):
        yield


# Time and wake-ups.


def _blind(agenda: Agenda) -> AbstractContextManager[None]:
    async def upcoming(self: MemoryStore, asked: Agenda, *, before_ms: int, limit: int) -> Any:
        if asked is agenda:
            return []
        return await original(self, asked, before_ms=before_ms, limit=limit)

    original = MemoryStore.upcoming
    return _patched(MemoryStore, "upcoming", upcoming)


@_bug
def timers_are_in_memory_only() -> Iterator[None]:
    """Nobody looks into the store for what is due (T4)."""
    with _blind(Agenda.WAKE):
        yield


@_bug
def wakes_are_in_memory_only() -> Iterator[None]:
    """A wake-up is lost if the server dies between the commit and the notice (D3, X2)."""
    with _blind(Agenda.READY):
        yield


@_bug
def leases_are_never_taken_back() -> Iterator[None]:
    """An invocation whose server died keeps its lease for ever (X2)."""

    async def release(self: Any, before_ms: int, *, is_dead: bool) -> int:
        return 0

    with _patched(reaper.Reaper, "_release", release):
        yield


@_bug
def waits_end_a_second_early() -> Iterator[None]:
    """A timer fires before its time (T1)."""

    def apply(draft: Draft, update: Any, wait: Any, status: Any) -> None:
        original(draft, update, wait, status)
        put = draft.operations[wait.id]
        if put.due_at_ms is not None:
            draft.operations[wait.id] = put._replace(due_at_ms=put.due_at_ms - 1000)

    original = updates._APPLIERS[OperationType.WAIT]
    with _entry(updates._APPLIERS, OperationType.WAIT, apply):
        yield


@_bug
def a_late_answer_is_taken() -> Iterator[None]:
    """A callback takes an answer after its timeout if nobody has noticed that yet (C1)."""
    with _patched(completions, "fire_due", lambda draft: None):
        yield


@_bug
def a_heartbeat_extends_the_timeout() -> Iterator[None]:
    """A heartbeat begins the total time anew (C5)."""

    def heartbeat(draft: Draft, command: Any) -> Any:
        outcome = original(draft, command)
        callback = draft.operations.get(command.operation_id)
        if callback is None or callback.seconds is None:
            return outcome
        draft = Draft(draft.base, draft.now_ms)
        draft.put(
            callback,
            due_at_ms=draft.now_ms + callback.seconds * 1000,
            heartbeat_due_at_ms=callback.heartbeat_due_at_ms,
        )
        return draft.finish(Accepted(at_ms=draft.now_ms))

    original = completions.heartbeat
    with _patched(machine, "heartbeat", heartbeat):
        yield


# Operations and ends.


@_bug
def a_step_start_resets_the_attempt() -> Iterator[None]:
    """The START of a retry counts the attempts from the beginning (S5)."""

    def apply(draft: Draft, update: Any, step: Any, status: Any) -> None:
        if update.action is OperationAction.START:
            step = step._replace(attempt=0)
        original(draft, update, step, status)

    original = updates._APPLIERS[OperationType.STEP]
    with _entry(updates._APPLIERS, OperationType.STEP, apply):
        yield


@_bug
def a_success_overwrites() -> Iterator[None]:
    """A finished step can succeed once more (S1)."""
    key = (OperationStatus.SUCCEEDED, OperationAction.SUCCEED)
    with _entry(TRANSITIONS[OperationType.STEP], key, OperationStatus.SUCCEEDED):
        yield


@_bug
def a_late_verdict_changes_the_end() -> Iterator[None]:
    """An invocation that returns after the execution's end decides it once more (X1)."""

    def finish(draft: Draft, command: FinishInvocation) -> Any:
        status = command.verdict.status
        if draft.progress.ended_at_ms is None or status is None or status == "PENDING":
            return original(draft, command)
        draft.update(status=ExecutionStatus(status), ended_at_ms=draft.now_ms)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    original = invocations.finish_invocation
    with _patched(machine, "finish_invocation", finish):
        yield


@_bug
def a_stop_overwrites_the_end() -> Iterator[None]:
    """A stop that comes after the end is the end (X1, X6)."""

    def stop(draft: Draft, command: Any) -> Any:
        if draft.progress.ended_at_ms is None or draft.progress.status is ExecutionStatus.DELETING:
            return original(draft, command)
        draft.update(status=ExecutionStatus.STOPPED)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    original = controls.stop
    with _patched(machine, "stop", stop):
        yield


@_bug
def a_running_execution_can_be_deleted() -> Iterator[None]:
    """Delete asks for nothing (R1)."""

    def delete(draft: Draft, command: Any) -> Any:
        draft.update(status=ExecutionStatus.DELETING, expires_at_ms=draft.now_ms)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    with _patched(machine, "delete", delete):
        yield


@_bug
def pending_forgets_what_came_meanwhile() -> Iterator[None]:
    """What completes while the invocation runs is not noticed when it suspends (X8)."""
    with _patched(Draft, "has_unseen", lambda self: False):
        yield


@_bug
def an_event_number_is_left_out() -> Iterator[None]:
    """After a failed step, history goes on with the number after the next (H1)."""

    def record(self: Draft, kind: EventType, *arguments: Any, **details: Any) -> None:
        original(self, kind, *arguments, **details)
        if kind is EventType.STEP_FAILED:
            self.events[-1] = self.events[-1]._replace(id=self.events[-1].id + 1)

    original = Draft.record
    with _patched(Draft, "record", record):
        yield


# Others.


@_bug
def a_child_is_started_under_a_new_id() -> Iterator[None]:
    """Every delivery of a chained invoke starts a child of its own (I4)."""

    async def child(self: Any, letter: Any, parent_id: str, *, now_ms: int) -> Any:
        execution_id = self._entropy.token(16).hex()
        arn = letter.child_arn and letter.child_arn.replace(letter.child_id, execution_id)
        letter = replace(letter, child_id=execution_id, child_arn=arn)
        return await original(self, letter, parent_id, now_ms=now_ms)

    original = starting.Starter.child
    with _patched(starting.Starter, "child", child):
        yield


@_bug
def a_childs_outcome_is_taken_twice() -> Iterator[None]:
    """The outcome of a child is put down as often as it is delivered (I4)."""

    def finish(draft: Draft, command: Any) -> Any:
        invoke = draft.operation(command.operation_id)
        if invoke is None or not invoke.is_finished or draft.progress.ended_at_ms is not None:
            return original(draft, command)
        draft.put(invoke, payload=command.payload, ended_at_ms=draft.now_ms)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    original = completions.finish_chained_invoke
    with _patched(machine, "finish_chained_invoke", finish):
        yield


class _Forgetful:
    """Functions whose pinned version is what the alias points to now."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._functions, name)

    async def resolve_pinned(self, function_arn: str, version: str, code_sha256: str) -> Any:
        return await self._functions.resolve(function_arn, "live", draw=lambda: 0.0)


@_bug
def the_alias_decides_the_version() -> Iterator[None]:
    """A running execution goes on with whatever the alias points to (V1)."""

    def begin(self: Any, engine: Any, invoker: Any, functions: Any, *others: Any) -> None:
        original(self, engine, invoker, _Forgetful(functions), *others)

    original = dispatcher.Dispatcher.__init__
    with _patched(dispatcher.Dispatcher, "__init__", begin):
        yield
