"""What an execution has recorded, and what a handler's next request therefore means.

Pure: it is given operations and asked about identities; it calls nobody, reads no clock and takes
no lock. ``decide`` is the whole of replay: everything an operation does follows from its verdict.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from perdure.protocol.operations import ErrorObject, Operation
from perdure.protocol.words import OperationStatus, OperationType

__all__ = [
    "Begun",
    "Decision",
    "Diverged",
    "Failed",
    "Fresh",
    "Identity",
    "Journal",
    "Replayed",
    "Waiting",
]


class Identity(NamedTuple):
    """What an operation is by its place in the code: the same at every replay."""

    operation_id: str
    operation_type: OperationType
    sub_type: str
    parent_id: str | None
    name: str | None


class Fresh:
    """Nothing is recorded: the operation is to be started."""

    __slots__ = ()


class Replayed(NamedTuple):
    """It has succeeded; ``payload`` is its result."""

    payload: str | None
    operation: Operation
    replay_children: bool = False  #: the result is too large to be kept: it is made again


class Failed(NamedTuple):
    """It has failed, timed out, or was stopped or cancelled."""

    error: ErrorObject | None
    operation: Operation


class Waiting(NamedTuple):
    """It goes on when the service says so, not before ``until_ms`` where that is known."""

    operation: Operation
    until_ms: int | None


class Begun(NamedTuple):
    """It is the handler's turn: an attempt was begun (``is_started``) or may begin.

    ``attempts_ended`` were made before; ``payload`` is what the last one left for the next.
    """

    operation: Operation
    attempts_ended: int
    payload: str | None
    is_started: bool


class Diverged(NamedTuple):
    """What is recorded under this id is another operation; ``differences`` says how."""

    operation: Operation
    differences: tuple[str, ...]


Decision = Fresh | Replayed | Failed | Waiting | Begun | Diverged

_FRESH: Final = Fresh()
_FAILURES: Final = frozenset(
    {
        OperationStatus.FAILED,
        OperationStatus.CANCELLED,
        OperationStatus.TIMED_OUT,
        OperationStatus.STOPPED,
    }
)
FINISHED: Final = _FAILURES | {OperationStatus.SUCCEEDED}
#: Once started, these go on by time or by others; the handler has nothing to do for them.
_OF_OTHERS: Final = frozenset(
    {OperationType.WAIT, OperationType.CALLBACK, OperationType.CHAINED_INVOKE}
)


class Journal:
    """The recorded operations, as far as the handler has heard."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        """Begin with what the invocation brought."""
        self._operations = {operation.id: operation for operation in operations}

    def merge(self, operations: Iterable[Operation]) -> None:
        """Take what a checkpoint's answer, or another invocation, says has changed."""
        for operation in operations:
            self._operations[operation.id] = operation

    def find(self, operation_id: str) -> Operation | None:
        """Return what is recorded under an id."""
        return self._operations.get(operation_id)

    def all(self) -> dict[str, Operation]:
        """Return a copy of everything, by id."""
        return dict(self._operations)

    def execution(self) -> Operation | None:
        """Return the EXECUTION operation, which carries the input."""
        for operation in self._operations.values():
            if operation.type is OperationType.EXECUTION:
                return operation
        return None

    def has_history(self) -> bool:
        """Tell whether an earlier invocation recorded something."""
        return any(
            operation.type is not OperationType.EXECUTION for operation in self._operations.values()
        )

    def decide(self, identity: Identity) -> Decision:
        """Return what a request for ``identity`` means."""
        operation = self._operations.get(identity.operation_id)
        if operation is None:
            return _FRESH
        if differences := _differences(identity, operation):
            return Diverged(operation, differences)
        return verdict(operation)


def verdict(operation: Operation) -> Decision:
    """Return what an operation's recorded state means to its handler."""
    status = operation.status
    if status is OperationStatus.SUCCEEDED:
        details = operation.context_details
        is_replayed = details is not None and bool(details.replay_children)
        return Replayed(payload_of(operation), operation, is_replayed)
    if status in _FAILURES:
        return Failed(error_of(operation), operation)
    if status is OperationStatus.PENDING:
        step = operation.step_details
        return Waiting(operation, step.next_attempt_timestamp if step else None)
    if operation.type in _OF_OTHERS:
        wait = operation.wait_details
        return Waiting(operation, wait.scheduled_end_timestamp if wait else None)
    step = operation.step_details
    return Begun(
        operation,
        attempts_ended=(step.attempt or 0) if step else 0,
        payload=step.result if step else None,
        is_started=status is OperationStatus.STARTED,
    )


def payload_of(operation: Operation) -> str | None:
    """Return an operation's result, whatever its type."""
    details = _details(operation)
    return details.result if details else None


def error_of(operation: Operation) -> ErrorObject | None:
    """Return an operation's error, whatever its type."""
    details = _details(operation)
    return details.error if details else None


def _details(operation: Operation):
    return (
        operation.step_details
        or operation.context_details
        or operation.callback_details
        or operation.chained_invoke_details
    )


def _differences(identity: Identity, operation: Operation) -> tuple[str, ...]:
    # The common case first, without building anything.
    if (
        operation.type is identity.operation_type
        and operation.sub_type == identity.sub_type
        and (operation.name or None) == (identity.name or None)
        and (operation.parent_id or None) == (identity.parent_id or None)
    ):
        return ()
    pairs = (
        ("type", operation.type.value, identity.operation_type.value),
        ("subtype", operation.sub_type, identity.sub_type),
        ("name", operation.name or None, identity.name or None),
        ("parent_id", operation.parent_id or None, identity.parent_id or None),
    )
    return tuple(
        f"{word} checkpoint={recorded!r} current={requested!r}"
        for word, recorded, requested in pairs
        if recorded != requested
    )
