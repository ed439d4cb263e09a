"""An error as handlers and plugins see it: AWS's ``ErrorObject``, with its members' names.

The protocol's shape of the same name is what travels (see ``failures``, which makes exceptions of
it, and it of exceptions); this one has AWS's Python names and, for those who read it, a list.

Source: ``aws_durable_execution_sdk_python.lambda_service.ErrorObject``, 3.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, overload

from perdure.protocol.operations import ErrorObject as WireError
from perdure.sdk.exceptions import DurableOperationError
from perdure.sdk.failures import failure_of, record_of
from perdure.sdk.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

__all__ = ["ErrorObject"]

_Class = type  # the member ``type`` hides the builtin below


@record
class ErrorObject:
    """A failure of user code, or the service's word for one."""

    message: str | None
    type: str | None
    data: str | None
    stack_trace: list[str] | None

    @overload
    @classmethod
    def of(cls, error: WireError) -> Self: ...
    @overload
    @classmethod
    def of(cls, error: WireError | None) -> Self | None: ...
    @classmethod
    def of(cls, error: WireError | None) -> Self | None:
        """Return what was recorded of an error, None if nothing was."""
        if error is None:
            return None
        trace = None if error.stack_trace is None else list(error.stack_trace)
        return cls(error.error_message, error.error_type, error.error_data, trace)

    def to_wire(self) -> WireError:
        """Return the error as the protocol's shape."""
        return WireError(
            error_message=self.message,
            error_type=self.type,
            error_data=self.data,
            stack_trace=None if self.stack_trace is None else tuple(self.stack_trace),
        )

    @classmethod
    def from_exception(cls, exception: BaseException) -> Self:
        """Return what is recorded of an exception.

        An operation's error keeps the data and the trace it was made of. That of other exceptions
        is not recorded: neither does AWS's SDK.
        """
        return cls.of(record_of(exception))

    @classmethod
    def from_branch(cls, exception: Exception) -> Self:
        """Return what a batch's item says of the exception that ended its branch.

        The type is the one that left the branch, not that of the ChildContextError around it.
        """
        if isinstance(exception, DurableOperationError):
            return cls(
                exception.message, exception.error_type, exception.data, exception.stack_trace
            )
        return cls.from_exception(exception)

    @classmethod
    def from_message(cls, message: str) -> Self:
        """Return an error that says ``message`` and nothing else."""
        return cls(message, None, None, None)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the error that ``to_dict`` gave ``data`` for."""
        return cls(
            data.get("ErrorMessage"),
            data.get("ErrorType"),
            data.get("ErrorData"),
            data.get("StackTrace"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the error under its names on the wire, without what is None."""
        members = {
            "ErrorMessage": self.message,
            "ErrorType": self.type,
            "ErrorData": self.data,
            "StackTrace": self.stack_trace,
        }
        return {name: value for name, value in members.items() if value is not None}

    def to_durable_operation_error(self) -> DurableOperationError:
        """Return the exception as the class it is recorded under, if that is one of ours."""
        return DurableOperationError.from_error_fields(
            self.type, self.message, self.data, self.stack_trace
        )

    def raise_as_operation_error(
        self, operation_error_cls: _Class[DurableOperationError]
    ) -> NoReturn:
        """Raise a failed operation's exception, caused by what is recorded: see ``failure_of``."""
        raise failure_of(self.to_wire(), operation_error_cls)
