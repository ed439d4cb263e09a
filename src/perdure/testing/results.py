"""What became of an execution, as a test looks at it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from perdure.protocol.words import (
    CLOSED_EXECUTION_STATUSES,
    EventType,
    ExecutionStatus,
    OperationType,
)
from perdure.sdk.words import InvocationStatus
from perdure.testing.history import Event
from perdure.testing.operations import Operation, Operations, create_operation
from perdure.testing.tree import draw

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from perdure.protocol import events as event_shapes
    from perdure.protocol import operations as shapes
    from perdure.sdk.error_object import ErrorObject

__all__ = ["DurableFunctionTestResult", "Invocation", "Standing"]


class Standing(NamedTuple):
    """Where an execution stands, beside its operations."""

    arn: str
    name: str
    status: ExecutionStatus
    result: str | None
    error: ErrorObject | None


@dataclass(frozen=True)
class Invocation:
    """One run of the handler."""

    request_id: str
    start_timestamp: datetime.datetime
    end_timestamp: datetime.datetime
    error: ErrorObject | None = None  #: what it ended with, if it gave no answer


@dataclass(frozen=True)
class DurableFunctionTestResult(Operations):
    """How an execution ended, or where it stands.

    Attributes:
        status: how the handler's answer reads; an execution that timed out or was stopped is
            FAILED, one that has not ended is PENDING.
        operations: those of the handler itself; each has its own children.
        result: the result, as JSON text. ``value`` is the result itself.
        error: why it failed.
        execution_status: how the service calls it.
        events: its history, with all data.
    """

    status: InvocationStatus
    operations: list[Operation]
    result: str | None = None
    error: ErrorObject | None = None
    execution_status: ExecutionStatus | None = None
    execution_arn: str = ""
    execution_name: str = ""
    events: list[Event] = field(default_factory=list[Event], repr=False)

    @classmethod
    def of(
        cls,
        operations: Sequence[shapes.Operation],
        events: Sequence[event_shapes.Event],
        standing: Standing,
    ) -> DurableFunctionTestResult:
        """Return a result of what the service says."""
        return cls(
            status=_answered(standing.status),
            operations=[
                create_operation(operation, operations)
                for operation in operations
                if operation.parent_id is None and operation.type is not OperationType.EXECUTION
            ],
            result=standing.result,
            error=standing.error,
            execution_status=standing.status,
            execution_arn=standing.arn,
            execution_name=standing.name,
            events=[Event.of(event) for event in events],
        )

    @property
    def value(self) -> Any:
        """The result, read from its JSON; None if there is none."""
        return json.loads(self.result) if self.result else None

    @property
    def found_in(self) -> Sequence[Operation]:
        """The handler's own operations."""
        return self.operations

    @property
    def invocations(self) -> list[Invocation]:
        """The runs of the handler that have ended, in order."""
        return [
            Invocation(
                details.request_id,
                details.start_timestamp,
                details.end_timestamp,
                details.error.payload if details.error else None,
            )
            for event in self.events
            if event.event_type is EventType.INVOCATION_COMPLETED
            for details in [event.details]
        ]

    def tree(self) -> str:
        """Return a drawing of the execution: its operations, with what became of each."""
        title = self.execution_name or "execution"
        count = len(self.invocations)
        head = [title, str(self.execution_status), f"{count} invocation{'s' * (count != 1)}"]
        if self.error is not None:
            head.append(f"{self.error.type or 'Error'}: {self.error.message}")
        elif self.result:
            head.append(self.result)
        return draw(head, self.operations)

    def __str__(self) -> str:
        """Return the drawing."""
        return self.tree()


def _answered(status: ExecutionStatus) -> InvocationStatus:
    if status is ExecutionStatus.SUCCEEDED:
        return InvocationStatus.SUCCEEDED
    if status in CLOSED_EXECUTION_STATUSES:
        return InvocationStatus.FAILED
    return InvocationStatus.PENDING
