"""Bugs in the core: what its rules forbid, done all the same (RELIABILITY.md section 4.4)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from perdure.core import checkpoint, completions, controls, invocations, machine, updates
from perdure.core.commands import FinishInvocation
from perdure.core.draft import Draft
from perdure.core.errors import InvalidParameterValue, ResourceConflict
from perdure.core.outcome import Accepted
from perdure.core.transitions import TRANSITIONS
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationAction,
    OperationStatus,
    OperationType,
)

from .planting import bug, entry, patched

__all__: list[str] = []


@bug()
def any_token_is_taken() -> Iterator[None]:
    """A checkpoint is accepted whatever its token says: no compare-and-set (F1)."""
    with patched(checkpoint, "_check_token", lambda progress, token: None):
        yield


@bug()
def an_earlier_attempts_token_is_taken() -> Iterator[None]:
    """The token is not renewed by a new attempt: only its number counts (F5)."""

    def check(progress: Any, token: Any) -> None:
        if progress.ended_at_ms is None and token.sequence == progress.token_sequence:
            return
        original(progress, token)

    original = checkpoint._check_token
    with patched(checkpoint, "_check_token", check):
        yield


@bug()
def a_stale_token_is_a_conflict() -> Iterator[None]:
    """A stale token is answered 409, which ends a customer's execution (F3)."""

    def check(progress: Any, token: Any) -> None:
        try:
            original(progress, token)
        except InvalidParameterValue as refusal:
            raise ResourceConflict(refusal.message) from None

    original = checkpoint._check_token
    with patched(checkpoint, "_check_token", check):
        yield


@bug()
def a_retried_checkpoint_is_applied_again() -> Iterator[None]:
    """The same ClientToken again is no repetition, but another checkpoint (F4)."""

    def check(progress: Any, token: Any) -> None:
        last = progress.last_reply
        if last is not None and token.sequence == last.inbound_sequence:
            return
        original(progress, token)

    original = checkpoint._check_token
    with (
        patched(checkpoint, "_answer_again", lambda draft, command: None),
        patched(checkpoint, "_check_token", check),
    ):
        yield


@bug()
def answers_are_not_kept() -> Iterator[None]:
    """A checkpoint whose answer got lost is refused when it comes again (F4)."""
    with patched(checkpoint, "_answer_again", lambda draft, command: None):
        yield


@bug()
def news_are_marked_as_told() -> Iterator[None]:
    """What changed before this batch counts as told, and is not told (S7)."""

    def news(self: Draft, *, after_sequence: int) -> tuple[Any, ...]:
        told = original(self, after_sequence=after_sequence)
        return tuple(operation for operation in told if operation.id in self.operations)

    original = Draft.news
    with patched(Draft, "news", news):
        yield


@bug()
def waits_end_a_second_early() -> Iterator[None]:
    """A timer fires before its time (T1)."""

    def apply(draft: Draft, update: Any, wait: Any, status: Any) -> None:
        original(draft, update, wait, status)
        put = draft.operations[wait.id]
        if put.due_at_ms is not None:
            draft.operations[wait.id] = put._replace(due_at_ms=put.due_at_ms - 1000)

    original = updates._APPLIERS[OperationType.WAIT]
    with entry(updates._APPLIERS, OperationType.WAIT, apply):
        yield


@bug(servers=1, clock_jumps_seconds=2.0, early_looks_seconds=0.0)
def a_late_answer_is_taken() -> Iterator[None]:
    """A callback takes an answer after its timeout if nobody has noticed that yet (C1)."""
    with patched(completions, "fire_due", lambda draft: None):
        yield


@bug()
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
    with patched(machine, "heartbeat", heartbeat):
        yield


@bug()
def a_step_start_resets_the_attempt() -> Iterator[None]:
    """The START of a retry counts the attempts from the beginning (S5)."""

    def apply(draft: Draft, update: Any, step: Any, status: Any) -> None:
        if update.action is OperationAction.START:
            step = step._replace(attempt=0)
        original(draft, update, step, status)

    original = updates._APPLIERS[OperationType.STEP]
    with entry(updates._APPLIERS, OperationType.STEP, apply):
        yield


@bug()
def a_success_overwrites() -> Iterator[None]:
    """A finished step can succeed once more (S1)."""
    key = (OperationStatus.SUCCEEDED, OperationAction.SUCCEED)
    with entry(TRANSITIONS[OperationType.STEP], key, OperationStatus.SUCCEEDED):
        yield


@bug()
def a_late_verdict_changes_the_end() -> Iterator[None]:
    """An invocation that returns after the execution's end decides it once more (X1)."""

    def finish(draft: Draft, command: FinishInvocation) -> Any:
        status = command.verdict.status
        if draft.progress.ended_at_ms is None or status is None or status == "PENDING":
            return original(draft, command)
        draft.update(status=ExecutionStatus(status), ended_at_ms=draft.now_ms)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    original = invocations.finish_invocation
    with patched(machine, "finish_invocation", finish):
        yield


@bug()
def a_stop_overwrites_the_end() -> Iterator[None]:
    """A stop that comes after the end is the end (X1, X6)."""

    def stop(draft: Draft, command: Any) -> Any:
        if draft.progress.ended_at_ms is None or draft.progress.status is ExecutionStatus.DELETING:
            return original(draft, command)
        draft.update(status=ExecutionStatus.STOPPED)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    original = controls.stop
    with patched(machine, "stop", stop):
        yield


@bug()
def a_running_execution_can_be_deleted() -> Iterator[None]:
    """Delete asks for nothing (R1)."""

    def delete(draft: Draft, command: Any) -> Any:
        draft.update(status=ExecutionStatus.DELETING, expires_at_ms=draft.now_ms)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    with patched(machine, "delete", delete):
        yield


@bug(slow_returns=1.0)
def pending_forgets_what_came_meanwhile() -> Iterator[None]:
    """What completes while the invocation runs is not noticed when it suspends (X8)."""
    with patched(Draft, "has_unseen", lambda self: False):
        yield


@bug(duplicated=0.4, slow_returns=1.0)
def the_answer_to_a_late_copy_counts_as_heard() -> Iterator[None]:
    """A poll comes again, late, and finds what the handler is never told (X8, K1)."""

    def see(draft: Draft, sequence: int) -> None:
        original(draft, max(sequence, draft.sequence))

    original = Draft.see
    with patched(Draft, "see", see):
        yield


@bug(kept_handlers=1.0, slow_returns=1.0)
def the_end_of_an_invocation_counts_as_an_answer() -> Iterator[None]:
    """What changed between the last answer and PENDING counts as told to the handler (K1)."""

    def finish(draft: Draft, command: FinishInvocation) -> Any:
        outcome = original(draft, command)
        progress = outcome.progress
        if not outcome.is_change or command.verdict.status != "PENDING":
            return outcome
        progress = progress._replace(seen_sequence=progress.sequence)
        return replace(outcome, progress=progress, is_delivery=True)

    original = invocations.finish_invocation
    with patched(machine, "finish_invocation", finish):
        yield


@bug()
def an_event_number_is_left_out() -> Iterator[None]:
    """After a failed step, history goes on with the number after the next (H1)."""

    def record(self: Draft, kind: EventType, *arguments: Any, **details: Any) -> None:
        original(self, kind, *arguments, **details)
        if kind is EventType.STEP_FAILED:
            self.events[-1] = self.events[-1]._replace(id=self.events[-1].id + 1)

    original = Draft.record
    with patched(Draft, "record", record):
        yield


@bug(servers=3, slow_commits=0.2, early_looks_seconds=0.05)
def a_childs_outcome_is_taken_twice() -> Iterator[None]:
    """The outcome of a child is put down as often as it is delivered (I4)."""

    def finish(draft: Draft, command: Any) -> Any:
        invoke = draft.operation(command.operation_id)
        if invoke is None or not invoke.is_finished or draft.progress.ended_at_ms is not None:
            return original(draft, command)
        draft.put(invoke, payload=command.payload, ended_at_ms=draft.now_ms)
        return draft.finish(Accepted(at_ms=draft.now_ms))

    original = completions.finish_chained_invoke
    with patched(machine, "finish_chained_invoke", finish):
        yield
