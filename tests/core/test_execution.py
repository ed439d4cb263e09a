"""An execution in memory: what follows from its operations, and how it takes over an outcome."""

import pytest

from perdure.core.commands import AnswerCallback, Wake
from perdure.core.execution import Execution, waits_outside
from perdure.core.machine import apply
from perdure.core.operation import Operation
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType

from .builders import (
    NOW_MS,
    Story,
    a_callback,
    a_checkpoint,
    a_step,
    a_suspended_story,
    a_wait,
    an_execution,
    an_operation,
)

STARTED, SUCCEEDED = OperationStatus.STARTED, OperationStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("operation", "waits"),
    [
        (an_operation(OperationType.WAIT), True),
        (an_operation(OperationType.CALLBACK), True),
        (an_operation(OperationType.CHAINED_INVOKE), True),
        (an_operation(OperationType.WAIT, SUCCEEDED), False),
        (an_operation(OperationType.CALLBACK, OperationStatus.TIMED_OUT), False),
        (an_operation(OperationType.CHAINED_INVOKE, OperationStatus.STOPPED), False),
        (an_operation(OperationType.STEP), False),
        (an_operation(OperationType.STEP, OperationStatus.READY), False),
        (an_operation(OperationType.STEP, OperationStatus.PENDING, due_at_ms=NOW_MS), True),
        (an_operation(OperationType.CONTEXT), False),
        (an_operation(OperationType.EXECUTION), False),
    ],
    ids=lambda value: f"{value.type}-{value.status}" if isinstance(value, Operation) else "",
)
def test_what_waits_outside_is_what_the_handler_does_not_finish(
    operation: Operation, waits: bool
) -> None:
    assert waits_outside(operation) is waits


def test_an_execution_is_found_again_from_its_parts() -> None:
    """What a store keeps is enough."""
    story = Story()
    story.checkpoint(a_callback(timeout_seconds=5), a_wait(9), a_step())
    story.tell(AnswerCallback(operation_id="callback"))
    parts = story.execution
    assert Execution.of(parts.identity, parts.progress, parts.operations.values()) == parts
    assert (parts.pending, parts.unseen) == ({"wait": NOW_MS + 9_000}, {"callback": None})


def test_taking_over_an_outcome_in_place_equals_a_copy_that_has_taken_it_over() -> None:
    story = Story()
    story.checkpoint(a_callback(), a_wait(9))
    story.tell(AnswerCallback(operation_id="callback"))
    execution = story.execution
    outcome = apply(execution, a_checkpoint(execution, a_step()), NOW_MS)
    copy = execution.after(outcome)
    assert copy != execution
    execution.advance(outcome)
    assert (execution, execution.unseen) == (copy, {})


@pytest.mark.parametrize("status", ExecutionStatus)
def test_an_execution_is_closed_when_its_status_says_so(status: ExecutionStatus) -> None:
    is_open = status in ("RUNNING", "PAUSING", "PAUSED")
    assert an_execution(status=status).is_closed is not is_open


def test_an_execution_is_leased_while_its_invocation_runs() -> None:
    assert Story().execution.is_leased
    assert not a_suspended_story(a_wait()).execution.is_leased


def test_a_preview_of_an_outcome_equals_the_execution_that_takes_it_over() -> None:
    story = Story()
    story.checkpoint(a_callback(timeout_seconds=5), a_wait(9), a_step())
    before = story.execution.after(apply(story.execution, Wake(), NOW_MS))
    outcome = apply(story.execution, AnswerCallback(operation_id="callback"), NOW_MS)
    preview, taken = story.execution.preview(outcome), story.execution.after(outcome)
    assert dict(preview.operations) == dict(taken.operations)
    assert (preview.progress, preview.pending, preview.unseen) == (
        taken.progress,
        taken.pending,
        taken.unseen,
    )
    assert story.execution == before
