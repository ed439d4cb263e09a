"""Executions as readers are shown them: in a listing, and one by itself."""

from perdure.core.execution import Execution, Identity, Progress
from perdure.protocol import executions as shapes
from perdure.protocol.configurations import DurableConfig
from perdure.protocol.wire import Instant

__all__ = ["description", "summary"]


def summary(identity: Identity, progress: Progress) -> shapes.ExecutionSummary:
    """Return an execution as a listing shows it."""
    return shapes.ExecutionSummary(
        durable_execution_arn=identity.arn,
        durable_execution_name=identity.name,
        function_arn=f"{identity.function_arn}:{identity.version}",
        status=progress.status,
        start_timestamp=Instant(identity.started_at_ms),
        end_timestamp=None if progress.ended_at_ms is None else Instant(progress.ended_at_ms),
    )


def description(execution: Execution, *, with_data: bool) -> shapes.GetDurableExecutionResponse:
    """Return an execution by itself; its input and its outcome only ``with_data``."""
    identity, progress = execution.identity, execution.progress
    root = execution.operations[identity.id]
    pause, timeout_at_ms = progress.pause, progress.timeout_at_ms
    return shapes.GetDurableExecutionResponse(
        durable_execution_arn=identity.arn,
        durable_execution_name=identity.name,
        function_arn=f"{identity.function_arn}:{identity.version}",
        start_timestamp=Instant(identity.started_at_ms),
        status=progress.status,
        input_payload=root.input if with_data else None,
        result=root.payload if with_data else None,
        error=root.error if with_data else None,
        end_timestamp=None if progress.ended_at_ms is None else Instant(progress.ended_at_ms),
        version=identity.version,
        trace_header=shapes.TraceHeader(x_amzn_trace_id=identity.trace_id)
        if identity.trace_id
        else None,
        execution_data_included=with_data,
        durable_config=DurableConfig(
            retention_period_in_days=identity.retention_days,
            execution_timeout=identity.execution_timeout_seconds,
        ),
        pause_details=None
        if pause is None
        else shapes.PauseDetails(
            pause_request_timestamp=Instant(pause.requested_at_ms),
            execution_timeout_paused=pause.is_timeout_paused,
            reason=pause.reason,
        ),
        expected_execution_timeout_timestamp=None
        if timeout_at_ms is None
        else Instant(timeout_at_ms),
    )
