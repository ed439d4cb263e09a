"""An execution's history, folded into one line for each operation. Pure: events in, lines out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from perdure.protocol.events import Event
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationStatus,
    OperationType,
)

__all__ = ["OperationLine", "Timeline", "fold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationLine:
    """One operation, as its events tell it."""

    id: str
    type: OperationType
    status: OperationStatus
    name: str
    depth: int  #: 0: directly in the execution
    started_at_ms: int
    ended_at_ms: int | None = None
    attempts: int = 0  #: of a step: those that have ended
    note: str = ""  #: what it waits for, or why it failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One execution, as its events tell it."""

    status: ExecutionStatus | None = None  #: None: it has not started
    started_at_ms: int = 0
    ended_at_ms: int | None = None
    latest_at_ms: int = 0  #: the instant of the last event
    invocations: int = 0  #: those that have ended
    error: ErrorObject | None = None
    operations: Sequence[OperationLine] = ()  #: as they started, children after their context


class _Kind(NamedTuple):
    type: OperationType
    status: OperationStatus


_OPERATIONS: Final[Mapping[EventType, _Kind]] = {
    EventType.CONTEXT_STARTED: _Kind(OperationType.CONTEXT, OperationStatus.STARTED),
    EventType.CONTEXT_SUCCEEDED: _Kind(OperationType.CONTEXT, OperationStatus.SUCCEEDED),
    EventType.CONTEXT_FAILED: _Kind(OperationType.CONTEXT, OperationStatus.FAILED),
    EventType.WAIT_STARTED: _Kind(OperationType.WAIT, OperationStatus.STARTED),
    EventType.WAIT_SUCCEEDED: _Kind(OperationType.WAIT, OperationStatus.SUCCEEDED),
    EventType.WAIT_CANCELLED: _Kind(OperationType.WAIT, OperationStatus.CANCELLED),
    EventType.STEP_STARTED: _Kind(OperationType.STEP, OperationStatus.STARTED),
    EventType.STEP_SUCCEEDED: _Kind(OperationType.STEP, OperationStatus.SUCCEEDED),
    EventType.STEP_FAILED: _Kind(OperationType.STEP, OperationStatus.FAILED),
    EventType.CHAINED_INVOKE_STARTED: _Kind(OperationType.CHAINED_INVOKE, OperationStatus.STARTED),
    EventType.CHAINED_INVOKE_SUCCEEDED: _Kind(
        OperationType.CHAINED_INVOKE, OperationStatus.SUCCEEDED
    ),
    EventType.CHAINED_INVOKE_FAILED: _Kind(OperationType.CHAINED_INVOKE, OperationStatus.FAILED),
    EventType.CHAINED_INVOKE_TIMED_OUT: _Kind(
        OperationType.CHAINED_INVOKE, OperationStatus.TIMED_OUT
    ),
    EventType.CHAINED_INVOKE_STOPPED: _Kind(OperationType.CHAINED_INVOKE, OperationStatus.STOPPED),
    EventType.CALLBACK_STARTED: _Kind(OperationType.CALLBACK, OperationStatus.STARTED),
    EventType.CALLBACK_SUCCEEDED: _Kind(OperationType.CALLBACK, OperationStatus.SUCCEEDED),
    EventType.CALLBACK_FAILED: _Kind(OperationType.CALLBACK, OperationStatus.FAILED),
    EventType.CALLBACK_TIMED_OUT: _Kind(OperationType.CALLBACK, OperationStatus.TIMED_OUT),
}
_EXECUTIONS: Final[Mapping[EventType, ExecutionStatus]] = {
    EventType.EXECUTION_STARTED: ExecutionStatus.RUNNING,
    EventType.EXECUTION_SUCCEEDED: ExecutionStatus.SUCCEEDED,
    EventType.EXECUTION_FAILED: ExecutionStatus.FAILED,
    EventType.EXECUTION_TIMED_OUT: ExecutionStatus.TIMED_OUT,
    EventType.EXECUTION_STOPPED: ExecutionStatus.STOPPED,
    EventType.EXECUTION_PAUSED: ExecutionStatus.PAUSED,
    EventType.EXECUTION_RESUMED: ExecutionStatus.RUNNING,
}
_OPEN: Final = frozenset({ExecutionStatus.RUNNING, ExecutionStatus.PAUSED})


def fold(events: Iterable[Event]) -> Timeline:
    """Return what ``events``, in order and from the first, tell of their execution."""
    folding = _Folding()
    for event in events:
        folding.add(event)
    return replace(folding.timeline, operations=folding.ordered())


@dataclass(slots=True)
class _Folding:
    timeline: Timeline = Timeline()
    operations: dict[str, OperationLine] = field(default_factory=dict[str, OperationLine])
    children: dict[str | None, list[str]] = field(default_factory=dict[str | None, list[str]])

    def add(self, event: Event) -> None:
        at_ms = event.event_timestamp or 0
        self.timeline = replace(self.timeline, latest_at_ms=at_ms)
        if event.event_type is None:
            return
        if kind := _OPERATIONS.get(event.event_type):
            self._add_operation(event, kind, at_ms)
        elif status := _EXECUTIONS.get(event.event_type):
            self._add_status(event, status, at_ms)
        else:
            self.timeline = replace(self.timeline, invocations=self.timeline.invocations + 1)

    def ordered(self) -> list[OperationLine]:
        """Return the operations, each followed by its children."""
        lines: list[OperationLine] = []
        pending = list(reversed(self.children.get(None, ())))
        while pending:
            identifier = pending.pop()
            lines.append(self.operations[identifier])
            pending.extend(reversed(self.children.get(identifier, ())))
        return lines

    def _add_status(self, event: Event, status: ExecutionStatus, at_ms: int) -> None:
        is_start = self.timeline.status is None
        self.timeline = replace(
            self.timeline,
            status=status,
            started_at_ms=at_ms if is_start else self.timeline.started_at_ms,
            ended_at_ms=None if status in _OPEN else at_ms,
            error=_error(event),
        )

    def _add_operation(self, event: Event, kind: _Kind, at_ms: int) -> None:
        identifier = event.id or ""
        line = self.operations.get(identifier)
        if line is None:
            parent = self.operations.get(event.parent_id or "")
            self.children.setdefault(parent and parent.id, []).append(identifier)
            line = OperationLine(
                id=identifier,
                type=kind.type,
                status=kind.status,
                name=event.name or "",
                depth=parent.depth + 1 if parent else 0,
                started_at_ms=at_ms,
            )
        retry_seconds = _retry_seconds(event)
        is_open = kind.status is OperationStatus.STARTED or retry_seconds is not None
        self.operations[identifier] = replace(
            line,
            status=kind.status if retry_seconds is None else OperationStatus.PENDING,
            ended_at_ms=None if is_open else at_ms,
            attempts=_attempts(event) or line.attempts,
            note=_note(event, retry_seconds),
        )


def _attempts(event: Event) -> int | None:
    details = event.step_succeeded_details or event.step_failed_details
    return details.retry_details.current_attempt if details else None


def _retry_seconds(event: Event) -> int | None:
    details = event.step_succeeded_details or event.step_failed_details
    return details.retry_details.next_attempt_delay_seconds if details else None


def _note(event: Event, retry_seconds: int | None) -> str:
    error = _error(event)
    reason = "" if error is None else error.error_message or error.error_type or ""
    if retry_seconds is not None:
        return f"again in {retry_seconds} s" + (f": {reason}" if reason else "")
    if event.wait_started_details:
        return f"{event.wait_started_details.duration} s"
    if event.callback_started_details:
        return event.callback_started_details.callback_id
    if event.chained_invoke_started_details:
        return event.chained_invoke_started_details.function_name
    return reason


def _error(event: Event) -> ErrorObject | None:
    for details in (
        event.execution_failed_details,
        event.execution_timed_out_details,
        event.execution_stopped_details,
        event.context_failed_details,
        event.step_failed_details,
        event.chained_invoke_failed_details,
        event.chained_invoke_timed_out_details,
        event.chained_invoke_stopped_details,
        event.callback_failed_details,
        event.callback_timed_out_details,
        event.wait_cancelled_details,
    ):
        if details is not None and details.error is not None:
            return details.error.payload
    return None
