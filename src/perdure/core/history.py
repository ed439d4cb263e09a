"""How an execution's history looks on the wire: recorded events, put together with their
operations.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from perdure.core.event import Event, error_of
from perdure.core.execution import Identity
from perdure.core.operation import Operation
from perdure.core.render import CallbackIds
from perdure.protocol import events as shapes
from perdure.protocol.operations import ErrorObject
from perdure.protocol.wire import Instant, pascal_case
from perdure.protocol.words import EventType

__all__ = ["HistoryReader"]


class HistoryReader:
    """Puts events of one execution together with its operations."""

    def __init__(
        self,
        identity: Identity,
        operations: Mapping[str, Operation],
        callback_id: CallbackIds,
        *,
        with_data: bool,
    ) -> None:
        """Read for one execution; ``with_data`` False leaves every payload out, and says so."""
        self.identity = identity
        self._operations = operations
        self.callback_id = callback_id
        self.with_data = with_data

    def shape(self, event: Event) -> shapes.Event:
        """Return the event in its wire shape."""
        operation = self._operations[event.operation_id or self.identity.id]
        member = _MEMBERS[event.type]
        details: Any = _READERS[event.type](self, event, operation)
        if event.operation_id is None:
            named: dict[str, Any] = {"id": self.identity.id, "name": self.identity.name}
            if event.type is EventType.INVOCATION_COMPLETED:
                named = {}
        else:
            named = {
                "id": operation.id,
                "name": operation.name,
                "parent_id": operation.parent_id,
                "sub_type": operation.sub_type,
            }
        return shapes.Event(
            event_type=event.type,
            event_id=event.id,
            event_timestamp=Instant(event.at_ms),
            **named,
            **{member: details},
        )

    def size_bytes(self, event: Event) -> int:
        """Return roughly how much the event's payloads weigh in its wire shape."""
        if not self.with_data or event.type is EventType.INVOCATION_COMPLETED:
            return 0
        operation = self._operations[event.operation_id or self.identity.id]
        if event.type in _WITH_INPUT:
            return len(operation.input or "")
        return operation.size_bytes - len(operation.input or "")

    def result(self, payload: str | None) -> shapes.EventResult:
        """Return a result, or that it was left out."""
        if not self.with_data:
            return shapes.EventResult(truncated=payload is not None)
        return shapes.EventResult(payload=payload, truncated=False)

    def input(self, payload: str | None) -> shapes.EventInput:
        """Return an input, or that it was left out."""
        if not self.with_data:
            return shapes.EventInput(truncated=payload is not None)
        return shapes.EventInput(payload=payload, truncated=False)

    def error(self, error: ErrorObject | None) -> shapes.EventError:
        """Return an error, or that it was left out."""
        if not self.with_data:
            return shapes.EventError(truncated=error is not None)
        return shapes.EventError(payload=error or ErrorObject(), truncated=False)


def _execution_started(reader: HistoryReader, event: Event, root: Operation) -> object:
    return shapes.ExecutionStartedDetails(
        input=reader.input(root.input),
        execution_timeout=reader.identity.execution_timeout_seconds,
    )


def _wait_started(reader: HistoryReader, event: Event, wait: Operation) -> object:
    return shapes.WaitStartedDetails(
        duration=wait.seconds or 0, scheduled_end_timestamp=Instant(wait.wait_ends_at_ms)
    )


def _wait_succeeded(reader: HistoryReader, event: Event, wait: Operation) -> object:
    return shapes.WaitSucceededDetails(duration=wait.seconds)


def _step_succeeded(reader: HistoryReader, event: Event, step: Operation) -> object:
    details = event.details or {}
    payload: Any = details["payload"] if "delay_seconds" in details else step.payload
    return shapes.StepSucceededDetails(result=reader.result(payload), retry_details=_retry(details))


def _step_failed(reader: HistoryReader, event: Event, step: Operation) -> object:
    details = event.details or {}
    kept: Any = details.get("error")
    error = step.error if kept is None else error_of(kept)
    return shapes.StepFailedDetails(error=reader.error(error), retry_details=_retry(details))


def _chained_invoke_started(reader: HistoryReader, event: Event, invoke: Operation) -> object:
    return shapes.ChainedInvokeStartedDetails(
        function_name=invoke.target or "",
        tenant_id=invoke.tenant_id,
        input=reader.input(invoke.input),
        executed_version=invoke.child_version,
        durable_execution_arn=invoke.child_arn,
    )


def _callback_started(reader: HistoryReader, event: Event, callback: Operation) -> object:
    return shapes.CallbackStartedDetails(
        callback_id=reader.callback_id(callback.id),
        heartbeat_timeout=callback.heartbeat_seconds,
        timeout=callback.seconds,
    )


def _invocation_completed(reader: HistoryReader, event: Event, root: Operation) -> object:
    details: Any = event.details or {}
    kept = details.get("error")
    return shapes.InvocationCompletedDetails(
        start_timestamp=Instant(details["started_at_ms"]),
        end_timestamp=Instant(details["ended_at_ms"]),
        request_id=details.get("request_id") or "",
        error=None if kept is None else reader.error(error_of(kept)),
    )


def _execution_paused(reader: HistoryReader, event: Event, root: Operation) -> object:
    details: Any = event.details or {}
    reason = details.get("reason")
    return shapes.ExecutionPausedDetails(
        pause_request_timestamp=Instant(event.at_ms),
        execution_timeout_paused=details["timeout_paused"],
        reason=None
        if reason is None
        else shapes.EventPauseReason(
            payload=reason if reader.with_data else None, truncated=not reader.with_data
        ),
    )


def _execution_resumed(reader: HistoryReader, event: Event, root: Operation) -> object:
    details: Any = event.details or {}
    reason = details.get("reason")
    return shapes.ExecutionResumedDetails(
        resume_request_timestamp=Instant(event.at_ms),
        reason=None
        if reason is None
        else shapes.EventResumeReason(
            payload=reason if reader.with_data else None, truncated=not reader.with_data
        ),
    )


_WITH_INPUT: Final = {EventType.EXECUTION_STARTED, EventType.CHAINED_INVOKE_STARTED}
_Reader = Callable[[HistoryReader, Event, Operation], object]


def _plain(details: type[Any]) -> _Reader:
    return lambda reader, event, operation: details()


def _with_result(details: type[Any]) -> _Reader:
    return lambda reader, event, operation: details(result=reader.result(operation.payload))


def _with_error(details: type[Any]) -> _Reader:
    return lambda reader, event, operation: details(error=reader.error(operation.error))


def _retry(details: Mapping[str, Any]) -> shapes.RetryDetails:
    return shapes.RetryDetails(
        current_attempt=details.get("attempt"),
        next_attempt_delay_seconds=details.get("delay_seconds"),
    )


_READERS: Final[Mapping[EventType, _Reader]] = {
    EventType.EXECUTION_STARTED: _execution_started,
    EventType.EXECUTION_SUCCEEDED: _with_result(shapes.ExecutionSucceededDetails),
    EventType.EXECUTION_FAILED: _with_error(shapes.ExecutionFailedDetails),
    EventType.EXECUTION_TIMED_OUT: _with_error(shapes.ExecutionTimedOutDetails),
    EventType.EXECUTION_STOPPED: _with_error(shapes.ExecutionStoppedDetails),
    EventType.EXECUTION_PAUSED: _execution_paused,
    EventType.EXECUTION_RESUMED: _execution_resumed,
    EventType.CONTEXT_STARTED: _plain(shapes.ContextStartedDetails),
    EventType.CONTEXT_SUCCEEDED: _with_result(shapes.ContextSucceededDetails),
    EventType.CONTEXT_FAILED: _with_error(shapes.ContextFailedDetails),
    EventType.WAIT_STARTED: _wait_started,
    EventType.WAIT_SUCCEEDED: _wait_succeeded,
    EventType.WAIT_CANCELLED: _plain(shapes.WaitCancelledDetails),
    EventType.STEP_STARTED: _plain(shapes.StepStartedDetails),
    EventType.STEP_SUCCEEDED: _step_succeeded,
    EventType.STEP_FAILED: _step_failed,
    EventType.CHAINED_INVOKE_STARTED: _chained_invoke_started,
    EventType.CHAINED_INVOKE_SUCCEEDED: _with_result(shapes.ChainedInvokeSucceededDetails),
    EventType.CHAINED_INVOKE_FAILED: _with_error(shapes.ChainedInvokeFailedDetails),
    EventType.CHAINED_INVOKE_TIMED_OUT: _with_error(shapes.ChainedInvokeTimedOutDetails),
    EventType.CHAINED_INVOKE_STOPPED: _with_error(shapes.ChainedInvokeStoppedDetails),
    EventType.CALLBACK_STARTED: _callback_started,
    EventType.CALLBACK_SUCCEEDED: _with_result(shapes.CallbackSucceededDetails),
    EventType.CALLBACK_FAILED: _with_error(shapes.CallbackFailedDetails),
    EventType.CALLBACK_TIMED_OUT: _with_error(shapes.CallbackTimedOutDetails),
    EventType.INVOCATION_COMPLETED: _invocation_completed,
}


def _member(kind: EventType) -> str:
    attributes = {pascal_case(name): name for name in shapes.Event.__dataclass_fields__}
    return attributes[f"{kind}Details"]


_MEMBERS: Final = {kind: _member(kind) for kind in EventType}
