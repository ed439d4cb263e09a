"""Whatever is asked of an execution, in whatever order, at rising instants: what always holds."""

import contextlib
import copy
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.core.commands import BeginInvocation, Checkpoint, Command
from perdure.core.errors import Refusal
from perdure.core.execution import Execution, Progress
from perdure.core.machine import apply
from perdure.core.operation import Operation
from perdure.core.outcome import CheckpointReply, InvocationInput, Outcome
from perdure.core.replay import replayed
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType

from .builders import NOW_MS, ROOT_ID
from .moves import Chance, Moves

SEEDS = st.integers(0, 2**32 - 1)
STEPS = st.integers(1, 200)
many = settings(max_examples=100, deadline=None)


def life(seed: int, steps: int) -> Iterator[tuple[Execution, Command, int, Outcome | Refusal]]:
    """Yield what is asked of an execution, before it is taken over, and what it comes to."""
    moves, now_ms = Moves(Chance(seed).below), NOW_MS
    outcome = apply(None, moves.start(ROOT_ID, now_ms), now_ms)
    execution = Execution.of(outcome.identity, outcome.progress, outcome.operations.values())
    for _ in range(steps):
        now_ms += moves.span_ms()
        command = moves.command(execution)
        if execution.progress.status is ExecutionStatus.DELETING:
            return
        try:
            outcome = apply(execution, command, now_ms)
        except Refusal as refusal:
            yield execution, command, now_ms, refusal
        else:
            yield execution, command, now_ms, outcome
            execution.advance(outcome)


def outcomes(seed: int, steps: int) -> Iterator[tuple[Execution, Command, int, Outcome]]:
    """Yield what was not refused."""
    for execution, command, now_ms, result in life(seed, steps):
        if isinstance(result, Outcome):
            yield execution, command, now_ms, result


@many
@given(SEEDS, STEPS)
def test_the_same_command_at_the_same_instant_gives_the_same_and_changes_no_argument(
    seed: int, steps: int
) -> None:
    """E5; and E1 to E8 hold, or apply would have raised."""
    for execution, command, now_ms, first in life(seed, steps):
        kept, asked = copy.deepcopy((execution, command))
        try:
            second: Outcome | Refusal = apply(kept, asked, now_ms)
        except Refusal as refusal:
            second = refusal
        if isinstance(first, Refusal):
            assert (type(first), str(first)) == (type(second), str(second))
        else:
            assert first == second
        assert (execution, command) == (kept, asked)


@many
@given(SEEDS, STEPS)
def test_apply_never_changes_what_it_is_given(seed: int, steps: int) -> None:
    for execution, command, now_ms, _ in life(seed, steps):
        before = copy.deepcopy((execution, command))
        with contextlib.suppress(Refusal):
            apply(execution, command, now_ms)
        assert (execution, command) == before


@many
@given(SEEDS, STEPS)
def test_advancing_in_place_equals_a_copy_and_what_a_store_would_load(
    seed: int, steps: int
) -> None:
    for execution, _, _, outcome in outcomes(seed, steps):
        copied = execution.after(outcome)
        advanced = copy.deepcopy(execution)
        advanced.advance(outcome)
        parts = (advanced.identity, advanced.progress, advanced.operations.values())
        assert advanced == copied == Execution.of(*parts)
        assert [*advanced.operations] == [*copied.operations]


@many
@given(SEEDS, STEPS)
def test_nothing_happens_before_its_time(seed: int, steps: int) -> None:
    """T1, X3, C5."""
    for execution, _, now_ms, outcome in outcomes(seed, steps):
        for after in outcome.operations.values():
            before = execution.operations.get(after.id)
            if before is not None and is_timers_work(before, after):
                due = (
                    execution.progress.timeout_at_ms if before.id == ROOT_ID else before.wakes_at_ms
                )
                assert due is not None
                assert now_ms >= due


def is_timers_work(before: Operation, after: Operation) -> bool:
    """Tell whether time alone makes ``after`` of ``before``."""
    return (
        (before.type is OperationType.WAIT and after.status is OperationStatus.SUCCEEDED)
        or (
            before.status is OperationStatus.PENDING and after.status is not OperationStatus.PENDING
        )
        or (
            before.type is not OperationType.CHAINED_INVOKE
            and after.status is OperationStatus.TIMED_OUT
        )
    )


@many
@given(SEEDS, STEPS)
def test_nothing_that_is_due_is_left_after_the_time_has_been_looked_at(
    seed: int, steps: int
) -> None:
    """E4, X2."""
    for _, command, now_ms, outcome in outcomes(seed, steps):
        if type(command).__name__ in ("Wake", "Checkpoint", "ReleaseLease"):
            is_replayed = isinstance(command, Checkpoint) and not outcome.is_change
            wake_at_ms = outcome.progress.wake_at_ms
            assert is_replayed or wake_at_ms is None or wake_at_ms > now_ms


@many
@given(SEEDS, STEPS)
def test_history_is_numbered_on_and_never_goes_back_in_time(seed: int, steps: int) -> None:
    """H1, E6."""
    events = [event for *_, outcome in outcomes(seed, steps) for event in outcome.events]
    assert [event.id for event in events] == [*range(2, len(events) + 2)]
    instants = [event.at_ms for event in events]
    assert instants == sorted(instants)


@many
@given(SEEDS, STEPS)
def test_what_has_finished_never_changes(seed: int, steps: int) -> None:
    """S1, X1."""
    finished: dict[str, Operation] = {}
    end: Progress | None = None
    for _, _, _, outcome in outcomes(seed, steps):
        for operation in outcome.operations.values():
            assert operation.id not in finished
            if operation.is_finished:
                finished[operation.id] = operation
        if end is not None:
            assert outcome.progress.ended_at_ms == end.ended_at_ms
        if outcome.progress.ended_at_ms is not None:
            end = outcome.progress


@many
@given(SEEDS, STEPS)
def test_a_token_is_accepted_at_most_once(seed: int, steps: int) -> None:
    """F1, F2, F5: whatever was accepted carried the one token that was current."""
    accepted: set[tuple[int, int]] = set()
    for execution, command, _, outcome in outcomes(seed, steps):
        if isinstance(command, Checkpoint) and outcome.is_change:
            place = (command.token.epoch, command.token.sequence)
            progress = execution.progress
            assert place == (progress.epoch, progress.token_sequence)
            assert place not in accepted
            accepted.add(place)


@many
@given(SEEDS, STEPS)
def test_epochs_rise_by_one_with_each_invocation(seed: int, steps: int) -> None:
    """F5, E3."""
    begun = [
        outcome.progress.epoch
        for _, command, _, outcome in outcomes(seed, steps)
        if isinstance(command, BeginInvocation)
    ]
    assert begun == [*range(1, len(begun) + 1)]


@many
@given(SEEDS, STEPS)
def test_the_same_checkpoint_again_gets_the_same_answer_as_long_as_nothing_else_was_accepted(
    seed: int, steps: int
) -> None:
    """F4."""
    last: tuple[Checkpoint, CheckpointReply] | None = None
    for execution, command, now_ms, outcome in outcomes(seed, steps):
        if last is not None and not isinstance(command, BeginInvocation):
            again = apply(execution, last[0], now_ms)
            assert (again.reply, again.is_change) == (last[1], False)
        if isinstance(command, BeginInvocation):
            last = None
        elif isinstance(command, Checkpoint) and outcome.is_change:
            assert isinstance(outcome.reply, CheckpointReply)
            last = (command, outcome.reply) if command.client_token else None


@many
@given(SEEDS, STEPS)
def test_what_a_handler_was_told_adds_up_to_the_state(seed: int, steps: int) -> None:
    """S7: its input and the answers to its checkpoints leave no gap, while it is told at all."""
    told: dict[str, Operation] | None = None
    for execution, _, _, outcome in outcomes(seed, steps):
        match outcome.reply:
            case InvocationInput():
                told = {o.id: o for o in replayed(execution.after(outcome).operations)}
            case CheckpointReply() if outcome.is_change and told is not None:
                told |= {operation.id: operation for operation in outcome.reply.operations}
                if outcome.reply.token is None:
                    told = None
                    continue
                state = execution.after(outcome).operations
                shown = {operation.id for operation in replayed(state)}
                assert {i: o for i, o in told.items() if i in shown} == {
                    i: o for i, o in state.items() if i in shown
                }
            case _:
                if not outcome.progress.nonce_sha256:
                    told = None


@many
@given(SEEDS, STEPS)
def test_what_is_new_and_what_a_kept_handler_knows_are_the_state(seed: int, steps: int) -> None:
    """K1: whatever came meanwhile, and however the invocation before has ended; and of no poll is
    the answer heard unless its token is used, for it may be a copy's that came late.
    """
    known: dict[str, Operation] | None = None
    unheard: dict[str, Operation] = {}
    for execution, command, _, outcome in outcomes(seed, steps):
        match outcome.reply:
            case InvocationInput():
                state = execution.after(outcome).operations
                unheard = {}
                if known is None:
                    known = dict(state)
                known |= {operation.id: operation for operation in outcome.reply.changes}
                shown = {operation.id for operation in replayed(state)}
                assert {i: known.get(i) for i in shown} == {i: state[i] for i in shown}
            case CheckpointReply() if outcome.is_change and known is not None:
                assert isinstance(command, Checkpoint)
                known |= unheard
                unheard = {operation.id: operation for operation in outcome.reply.operations}
                if command.updates or not command.client_token:
                    known |= unheard
            case _:
                pass


@many
@given(SEEDS, STEPS)
def test_who_wants_an_invocation_is_never_forgotten(seed: int, steps: int) -> None:
    """X2: an open execution is leased, ready, owed to, waits for something outside, or knows no
    other end than its own timeout, and has been told all it waits for.
    """
    for execution, _, _, outcome in outcomes(seed, steps):
        after, progress = execution.after(outcome), outcome.progress
        if progress.ended_at_ms is None and progress.lease_until_ms is None:
            is_cared_for = progress.ready_at_ms is not None or progress.owes_invocation
            assert is_cared_for or after.pending
