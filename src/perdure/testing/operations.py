"""The operations of an execution, as a test looks at them: one class for each type, in a tree.

Names and members follow AWS's testing package.
"""

from __future__ import annotations

import contextlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.error_object import ErrorObject
from perdure.sdk.exceptions import SerDesError
from perdure.sdk.serdes import deserialize
from perdure.testing.clock import instant_of
from perdure.testing.exceptions import DurableFunctionsTestError, InvalidParameterValueException

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from perdure.protocol import operations as shapes

__all__ = [
    "OPERATION_FACTORIES",
    "CallbackOperation",
    "ContextOperation",
    "ExecutionOperation",
    "InvokeOperation",
    "Operation",
    "OperationFactory",
    "Operations",
    "StepOperation",
    "WaitOperation",
    "create_operation",
]

Kind = TypeVar("Kind", bound="Operation")


@dataclass(frozen=True)
class Operation:
    """What every operation has."""

    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    parent_id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    sub_type: str | None = field(default=None, kw_only=True)
    start_timestamp: datetime.datetime | None = field(default=None, kw_only=True)
    end_timestamp: datetime.datetime | None = field(default=None, kw_only=True)

    @property
    def duration(self) -> datetime.timedelta | None:
        """How long it took, in the execution's own time; None if it has not ended."""
        if self.start_timestamp is None or self.end_timestamp is None:
            return None
        return self.end_timestamp - self.start_timestamp

    @property
    def children(self) -> Sequence[Operation]:
        """The operations that belong to this one."""
        return getattr(self, "child_operations", ())

    @property
    def failure(self) -> ErrorObject | None:
        """The error it ended with, of whatever type it is."""
        return getattr(self, "error", None)

    @property
    def value(self) -> Any:
        """The result: read as the SDK writes it unless told otherwise, else as JSON, else the text
        itself; None if there is none.
        """
        text = getattr(self, "result", None)
        if text is None:
            return None
        for read in (_read_extended, json.loads):
            with contextlib.suppress(SerDesError, ValueError):
                return read(text)
        return text


class Operations(ABC):
    """Something with operations under it; finds them."""

    @property
    @abstractmethod
    def found_in(self) -> Sequence[Operation]:
        """The operations directly under this."""

    def get_operation_by_name(self, name: str) -> Operation:
        """Return the first operation directly under this that is called ``name``.

        Raises ``DurableFunctionsTestError`` if there is none.
        """
        return self.get_operation(name)

    def get_operation(self, name: str, index: int = 0) -> Operation:
        """Return the ``index``-th operation called ``name``, in the order they began."""
        named = [operation for operation in self.found_in if operation.name == name]
        if 0 <= index < len(named):
            return named[index]
        raise _missing(f"named {name!r}" + (f" at {index}" if index else ""), self.found_in)

    def get_operation_by_index(self, index: int) -> Operation:
        """Return the ``index``-th operation directly under this, in the order they began."""
        if 0 <= index < len(self.found_in):
            return self.found_in[index]
        raise _missing(f"at {index}", self.found_in)

    def get_operation_by_id(self, operation_id: str) -> Operation:
        """Return the operation with an id, however deep it lies."""
        for operation in self.get_all_operations():
            if operation.operation_id == operation_id:
                return operation
        raise _missing(f"with the id {operation_id!r}", self.found_in)

    def get_all_operations(self) -> list[Operation]:
        """Return every operation under this, however deep, each before its children."""
        return list(_walk(self.found_in))

    def get_step(self, name: str) -> StepOperation:
        """Return the step called ``name``."""
        return self._get(name, StepOperation)

    def get_wait(self, name: str) -> WaitOperation:
        """Return the wait called ``name``."""
        return self._get(name, WaitOperation)

    def get_context(self, name: str) -> ContextOperation:
        """Return the child context called ``name``: also a map, a parallel, or one of its items."""
        return self._get(name, ContextOperation)

    def get_callback(self, name: str) -> CallbackOperation:
        """Return the callback called ``name``."""
        return self._get(name, CallbackOperation)

    def get_invoke(self, name: str) -> InvokeOperation:
        """Return the chained invoke called ``name``."""
        return self._get(name, InvokeOperation)

    def get_execution(self, name: str) -> ExecutionOperation:
        """Return the execution's own operation, if it is among these."""
        return self._get(name, ExecutionOperation)

    def _get(self, name: str, kind: type[Kind]) -> Kind:
        operation = self.get_operation_by_name(name)
        if type(operation) is not kind:
            raise DurableFunctionsTestError(
                f"the operation {name!r} is a {operation.operation_type}, no {kind.__name__}"
            )
        return operation


@dataclass(frozen=True)
class ExecutionOperation(Operation):
    """The execution itself."""

    input_payload: str | None = None

    @classmethod
    def from_svc_operation(
        cls,
        operation: shapes.Operation,
        all_operations: Sequence[shapes.Operation] | None = None,
    ) -> Self:
        """Return it as a test sees it."""
        details = operation.execution_details
        return cls(
            *_identity(operation, OperationType.EXECUTION),
            **_common(operation),
            input_payload=details.input_payload if details else None,
        )


@dataclass(frozen=True)
class ContextOperation(Operation, Operations):
    """A child context, with what is in it."""

    child_operations: list[Operation]
    result: str | None = None
    error: ErrorObject | None = None

    @property
    def found_in(self) -> Sequence[Operation]:
        """What is in it."""
        return self.child_operations

    @classmethod
    def from_svc_operation(
        cls,
        operation: shapes.Operation,
        all_operations: Sequence[shapes.Operation] | None = None,
    ) -> Self:
        """Return it as a test sees it."""
        details = operation.context_details
        return cls(
            *_identity(operation, OperationType.CONTEXT),
            **_common(operation),
            child_operations=_children(operation, all_operations),
            result=details.result if details else None,
            error=ErrorObject.of(details.error) if details else None,
        )


@dataclass(frozen=True)
class StepOperation(ContextOperation):
    """A step, or a condition that is waited for."""

    attempt: int = 0
    next_attempt_timestamp: datetime.datetime | None = None

    @classmethod
    def from_svc_operation(
        cls,
        operation: shapes.Operation,
        all_operations: Sequence[shapes.Operation] | None = None,
    ) -> Self:
        """Return it as a test sees it."""
        details = operation.step_details
        following = details.next_attempt_timestamp if details else None
        return cls(
            *_identity(operation, OperationType.STEP),
            **_common(operation),
            child_operations=_children(operation, all_operations),
            result=details.result if details else None,
            error=ErrorObject.of(details.error) if details else None,
            attempt=(details.attempt or 0) if details else 0,
            next_attempt_timestamp=None if following is None else instant_of(following),
        )


@dataclass(frozen=True)
class WaitOperation(Operation):
    """A wait."""

    scheduled_end_timestamp: datetime.datetime | None = None

    @classmethod
    def from_svc_operation(
        cls,
        operation: shapes.Operation,
        all_operations: Sequence[shapes.Operation] | None = None,
    ) -> Self:
        """Return it as a test sees it."""
        details = operation.wait_details
        end = details.scheduled_end_timestamp if details else None
        return cls(
            *_identity(operation, OperationType.WAIT),
            **_common(operation),
            scheduled_end_timestamp=None if end is None else instant_of(end),
        )


@dataclass(frozen=True)
class CallbackOperation(ContextOperation):
    """A callback."""

    callback_id: str | None = None

    @classmethod
    def from_svc_operation(
        cls,
        operation: shapes.Operation,
        all_operations: Sequence[shapes.Operation] | None = None,
    ) -> Self:
        """Return it as a test sees it."""
        details = operation.callback_details
        return cls(
            *_identity(operation, OperationType.CALLBACK),
            **_common(operation),
            child_operations=_children(operation, all_operations),
            result=details.result if details else None,
            error=ErrorObject.of(details.error) if details else None,
            callback_id=details.callback_id if details else None,
        )


@dataclass(frozen=True)
class InvokeOperation(Operation):
    """A chained invoke."""

    result: str | None = None
    error: ErrorObject | None = None

    @classmethod
    def from_svc_operation(
        cls,
        operation: shapes.Operation,
        all_operations: Sequence[shapes.Operation] | None = None,
    ) -> Self:
        """Return it as a test sees it."""
        details = operation.chained_invoke_details
        return cls(
            *_identity(operation, OperationType.CHAINED_INVOKE),
            **_common(operation),
            result=details.result if details else None,
            error=ErrorObject.of(details.error) if details else None,
        )


class OperationFactory(Protocol):
    """Makes an operation of what the service says of it."""

    @classmethod
    def from_svc_operation(
        cls,
        operation: shapes.Operation,
        all_operations: Sequence[shapes.Operation] | None = None,
    ) -> Operation:
        """Return ``operation``, with its children from among ``all_operations``."""
        ...


OPERATION_FACTORIES: Final[dict[OperationType, type[OperationFactory]]] = {
    OperationType.EXECUTION: ExecutionOperation,
    OperationType.CONTEXT: ContextOperation,
    OperationType.STEP: StepOperation,
    OperationType.WAIT: WaitOperation,
    OperationType.CHAINED_INVOKE: InvokeOperation,
    OperationType.CALLBACK: CallbackOperation,
}


def create_operation(
    svc_operation: shapes.Operation, all_operations: Sequence[shapes.Operation] | None = None
) -> Operation:
    """Return an operation, with its children from among ``all_operations``."""
    factory = OPERATION_FACTORIES[svc_operation.type]
    return factory.from_svc_operation(svc_operation, all_operations)


def _read_extended(text: str) -> Any:
    read: Callable[..., Any] = deserialize
    return read(None, text, "", "")


def _identity(
    operation: shapes.Operation, wanted: OperationType
) -> tuple[str, OperationType, OperationStatus]:
    if operation.type is not wanted:
        raise InvalidParameterValueException(f"the operation is a {operation.type}, no {wanted}")
    return operation.id, operation.type, operation.status


def _common(operation: shapes.Operation) -> dict[str, Any]:
    end = operation.end_timestamp
    return {
        "parent_id": operation.parent_id,
        "name": operation.name,
        "sub_type": operation.sub_type,
        "start_timestamp": instant_of(operation.start_timestamp),
        "end_timestamp": None if end is None else instant_of(end),
    }


def _children(
    parent: shapes.Operation, all_operations: Sequence[shapes.Operation] | None
) -> list[Operation]:
    return [
        create_operation(operation, all_operations)
        for operation in all_operations or ()
        if operation.parent_id == parent.id
    ]


def _walk(operations: Sequence[Operation]) -> Iterator[Operation]:
    for operation in operations:
        yield operation
        yield from _walk(operation.children)


def _missing(which: str, operations: Sequence[Operation]) -> DurableFunctionsTestError:
    names = ", ".join(repr(o.name) if o.name else f"a {o.operation_type}" for o in operations)
    return DurableFunctionsTestError(f"no operation {which} found; there are: {names or 'none'}")
