"""How executions look in the console's JSON."""

from collections.abc import Mapping
from typing import Any, Final

from perdure.core.execution import Execution, Identity, Progress
from perdure.core.explanation import Explanation, OpenWait
from perdure.protocol.arns import parse_function
from perdure.protocol.operations import ErrorObject
from perdure.protocol.wire import encode

__all__ = ["error_view", "execution_view", "explanation_view", "function_name", "summary_view"]

_HEADLINE: Final = "arn", "id", "name"


def function_name(function_arn: str) -> str:
    """Return the name in a function's ARN."""
    return parse_function(function_arn).name


def summary_view(identity: Identity, progress: Progress, waits_for: str | None) -> dict[str, Any]:
    """Return an execution as lists show it."""
    return {
        "arn": identity.arn,
        "id": identity.id,
        "name": identity.name,
        "function_name": function_name(identity.function_arn),
        "version": identity.version,
        "status": progress.status,
        "is_paused": progress.pause is not None,
        "started_at_ms": identity.started_at_ms,
        "ended_at_ms": progress.ended_at_ms,
        "waits_for": waits_for,
    }


def execution_view(
    execution: Execution, explanation: Explanation, billed_ms: int, now_ms: int
) -> dict[str, Any]:
    """Return all of an execution but its history."""
    identity, progress = execution.identity, execution.progress
    root = execution.operations[identity.id]
    lived_ms = (now_ms if progress.ended_at_ms is None else progress.ended_at_ms) - (
        identity.started_at_ms
    )
    running_ms = 0 if progress.invoked_at_ms is None else max(0, now_ms - progress.invoked_at_ms)
    if progress.lease_until_ms is None:
        running_ms = 0
    view = summary_view(identity, progress, None if execution.is_closed else explanation.sentence)
    return {
        **view,
        "deadline_at_ms": progress.timeout_at_ms,
        "input": root.input,
        "result": root.payload,
        "error": error_view(root.error),
        "billed_ms": billed_ms + running_ms,
        "waiting_ms": max(0, lived_ms - billed_ms - running_ms),
        "operation_count": progress.operation_count,
        "stored_bytes": progress.stored_bytes,
        "invocation_count": progress.epoch,
        "last_event_id": progress.event_count,
        "code_sha256": identity.code_sha256,
        "trace_id": identity.trace_id,
        "pause": None
        if progress.pause is None
        else {
            "requested_at_ms": progress.pause.requested_at_ms,
            "reason": progress.pause.reason,
            "is_timeout_paused": progress.pause.is_timeout_paused,
        },
        "parent_execution_id": None if identity.parent is None else identity.parent.execution_id,
        "explain": explanation_view(explanation),
    }


def explanation_view(explanation: Explanation) -> dict[str, Any]:
    """Return why an execution does not go on."""
    return {
        "sentence": explanation.sentence,
        "kind": explanation.kind,
        "waits": [_wait_view(wait) for wait in explanation.waits],
        "wait_count": explanation.wait_count,
        "worker": {"available": explanation.worker.is_available, "text": explanation.worker.text},
    }


def _wait_view(wait: OpenWait) -> Mapping[str, Any]:
    operation = wait.operation
    view: dict[str, Any] = {
        "operation_id": operation.id,
        "name": operation.name,
        "type": operation.type,
        "sub_type": operation.sub_type,
        "path": list(wait.path),
        "since_ms": operation.started_at_ms,
        "until_ms": wait.until_ms,
        "unblocks": wait.unblocks,
        "attempt": operation.attempt or None,
        "last_error": None if operation.error is None else _short_error(operation.error),
    }
    if wait.callback_id is not None:
        view["callback_id"] = wait.callback_id
    if operation.child_arn is not None:
        view["chained_execution_arn"] = operation.child_arn
    return view


def _short_error(error: ErrorObject) -> dict[str, str | None]:
    return {"type": error.error_type, "message": error.error_message}


def error_view(error: ErrorObject | None) -> dict[str, Any] | None:
    """Return an error under the names of the Lambda API."""
    return None if error is None else encode(error)
