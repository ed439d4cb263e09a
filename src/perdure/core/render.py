"""How operations look on the wire. ``callback_id`` makes the id a callback is answered with: the
core has no key.
"""

from collections.abc import Callable
from typing import Any, Final

from perdure.core.operation import Operation
from perdure.protocol import operations as shapes
from perdure.protocol.wire import Instant
from perdure.protocol.words import OperationType

__all__ = ["CallbackIds", "operation_shape"]

#: Gives the callback id for an operation id.
CallbackIds = Callable[[str], str]


def operation_shape(operation: Operation, callback_id: CallbackIds) -> shapes.Operation:
    """Return the operation in its wire shape."""
    ended_at_ms = operation.ended_at_ms
    return shapes.Operation(
        id=operation.id,
        type=operation.type,
        start_timestamp=Instant(operation.started_at_ms),
        status=operation.status,
        parent_id=operation.parent_id,
        name=operation.name,
        sub_type=operation.sub_type,
        end_timestamp=None if ended_at_ms is None else Instant(ended_at_ms),
        **_DETAILS[operation.type](operation, callback_id),
    )


def _execution(operation: Operation, _: CallbackIds) -> dict[str, Any]:
    return {"execution_details": shapes.ExecutionDetails(input_payload=operation.input)}


def _context(operation: Operation, _: CallbackIds) -> dict[str, Any]:
    return {
        "context_details": shapes.ContextDetails(
            replay_children=operation.replay_children or None,
            result=operation.payload,
            error=operation.error,
        )
    }


def _step(operation: Operation, _: CallbackIds) -> dict[str, Any]:
    due_at_ms = operation.due_at_ms
    return {
        "step_details": shapes.StepDetails(
            attempt=operation.attempt,
            next_attempt_timestamp=None if due_at_ms is None else Instant(due_at_ms),
            result=operation.payload,
            error=operation.error,
        )
    }


def _wait(operation: Operation, _: CallbackIds) -> dict[str, Any]:
    end = Instant(operation.wait_ends_at_ms)
    return {"wait_details": shapes.WaitDetails(scheduled_end_timestamp=end)}


def _callback(operation: Operation, callback_id: CallbackIds) -> dict[str, Any]:
    return {
        "callback_details": shapes.CallbackDetails(
            callback_id=callback_id(operation.id),
            result=operation.payload,
            error=operation.error,
        )
    }


def _chained_invoke(operation: Operation, _: CallbackIds) -> dict[str, Any]:
    return {
        "chained_invoke_details": shapes.ChainedInvokeDetails(
            result=operation.payload, error=operation.error
        )
    }


_DETAILS: Final[dict[OperationType, Callable[[Operation, CallbackIds], dict[str, Any]]]] = {
    OperationType.EXECUTION: _execution,
    OperationType.CONTEXT: _context,
    OperationType.STEP: _step,
    OperationType.WAIT: _wait,
    OperationType.CALLBACK: _callback,
    OperationType.CHAINED_INVOKE: _chained_invoke,
}
