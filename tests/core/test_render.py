"""Operations in their wire shapes."""

from typing import Any

import pytest

from perdure.core.operation import Operation
from perdure.core.render import operation_shape
from perdure.protocol import operations as shapes
from perdure.protocol.wire import Instant
from perdure.protocol.words import OperationStatus, OperationType

from .builders import BOOM, NOW_MS, an_operation

SUCCEEDED, FAILED = OperationStatus.SUCCEEDED, OperationStatus.FAILED


def a_shape(operation: Operation, **members: Any) -> shapes.Operation:
    """Return the members that every type has, and ``members``."""
    ended_at_ms = operation.ended_at_ms
    return shapes.Operation(
        id="op",
        type=operation.type,
        start_timestamp=Instant(NOW_MS),
        status=operation.status,
        parent_id=operation.parent_id,
        name=operation.name,
        sub_type=operation.sub_type,
        end_timestamp=None if ended_at_ms is None else Instant(ended_at_ms),
        **members,
    )


@pytest.mark.parametrize(
    ("operation", "details"),
    [
        (
            an_operation(OperationType.EXECUTION, input="in", payload="out", name="order-1"),
            {"execution_details": shapes.ExecutionDetails(input_payload="in")},
        ),
        (
            an_operation(OperationType.EXECUTION),
            {"execution_details": shapes.ExecutionDetails()},
        ),
        (
            an_operation(OperationType.CONTEXT, sub_type="Map", parent_id="p"),
            {"context_details": shapes.ContextDetails()},
        ),
        (
            an_operation(
                OperationType.CONTEXT, SUCCEEDED, payload="", replay_children=True, ended_at_ms=9
            ),
            {"context_details": shapes.ContextDetails(result="", replay_children=True)},
        ),
        (
            an_operation(OperationType.CONTEXT, FAILED, error=BOOM, ended_at_ms=9),
            {"context_details": shapes.ContextDetails(error=BOOM)},
        ),
        (
            an_operation(OperationType.STEP, name="charge"),
            {"step_details": shapes.StepDetails(attempt=0)},
        ),
        (
            an_operation(
                OperationType.STEP, OperationStatus.PENDING, attempt=2, due_at_ms=5, error=BOOM
            ),
            {
                "step_details": shapes.StepDetails(
                    attempt=2, next_attempt_timestamp=Instant(5), error=BOOM
                )
            },
        ),
        (
            an_operation(OperationType.STEP, SUCCEEDED, attempt=1, payload="1", ended_at_ms=9),
            {"step_details": shapes.StepDetails(attempt=1, result="1")},
        ),
        (
            an_operation(OperationType.WAIT, seconds=10, due_at_ms=NOW_MS + 10_000),
            {"wait_details": shapes.WaitDetails(scheduled_end_timestamp=Instant(NOW_MS + 10_000))},
        ),
        (
            an_operation(OperationType.WAIT, SUCCEEDED, seconds=10, ended_at_ms=9),
            {"wait_details": shapes.WaitDetails(scheduled_end_timestamp=Instant(NOW_MS + 10_000))},
        ),
        (
            an_operation(OperationType.CALLBACK, seconds=60),
            {"callback_details": shapes.CallbackDetails(callback_id="id-of-op")},
        ),
        (
            an_operation(OperationType.CALLBACK, SUCCEEDED, payload="1", ended_at_ms=9),
            {"callback_details": shapes.CallbackDetails(callback_id="id-of-op", result="1")},
        ),
        (
            an_operation(OperationType.CALLBACK, FAILED, error=BOOM, ended_at_ms=9),
            {"callback_details": shapes.CallbackDetails(callback_id="id-of-op", error=BOOM)},
        ),
        (
            an_operation(OperationType.CHAINED_INVOKE, input="in", target="g:1"),
            {"chained_invoke_details": shapes.ChainedInvokeDetails()},
        ),
        (
            an_operation(OperationType.CHAINED_INVOKE, SUCCEEDED, payload="1", ended_at_ms=9),
            {"chained_invoke_details": shapes.ChainedInvokeDetails(result="1")},
        ),
        (
            an_operation(
                OperationType.CHAINED_INVOKE, OperationStatus.STOPPED, error=BOOM, ended_at_ms=9
            ),
            {"chained_invoke_details": shapes.ChainedInvokeDetails(error=BOOM)},
        ),
    ],
    ids=lambda value: f"{value.type}-{value.status}" if isinstance(value, Operation) else "",
)
def test_an_operation_shows_what_its_type_has(
    operation: Operation, details: dict[str, object]
) -> None:
    shape = operation_shape(operation, lambda operation_id: f"id-of-{operation_id}")
    assert shape == a_shape(operation, **details)
