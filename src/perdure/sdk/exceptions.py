"""Everything the SDK raises. It is at the bottom: it imports nothing of the SDK.

    Exception
        DurableExecutionsError
            UnrecoverableError                      ends the invocation, or the execution
                ExecutionError                      the execution fails, and is not tried again
                    NonDeterministicExecutionError
                        ReplayMismatchError             (``perdure.sdk.misuse``)
                InvocationError                     the invocation fails, and is tried again
                    BotoClientError                     (``perdure.sdk.service_errors``)
                        CheckpointError
                        GetExecutionStateError
                    RetryableSerDesError
                    StepInterruptedError
            DurableOperationError                   an operation failed
                StepError, InvokeError, ChildContextError, WaitForConditionError
                CallbackError
                    CallbackExternalError, CallbackTimeoutError, CallbackSubmitterError
                BatchCompletionError                    (``perdure.sdk.batches``)
            SerDesError                             a value cannot be written or read
            ValidationError                         the caller's arguments are wrong
                WrongContextError                       (``perdure.sdk.misuse``)
            InvalidStateError, OrderedLockError, PluginLoadError
    BaseException, so that ``except Exception`` of a handler lets it pass
        SuspendExecution
            TimedSuspendExecution
        BackgroundThreadError, OrphanedChildException

Names, members and messages are those of AWS's SDK. So are the names on the wire: an error is
recorded under the name that AWS's SDK gives it, and read under either (see ``error_type_of``).
"""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime
    from typing import Self

__all__ = [
    "BackgroundThreadError",
    "CallbackError",
    "CallbackExternalError",
    "CallbackSubmitterError",
    "CallbackTimeoutError",
    "ChildContextError",
    "DurableExecutionsError",
    "DurableOperationError",
    "ExecutionError",
    "InvalidStateError",
    "InvocationError",
    "InvokeError",
    "NonDeterministicExecutionError",
    "OrderedLockError",
    "OrphanedChildException",
    "PluginLoadError",
    "RetryableSerDesError",
    "SerDesError",
    "StepError",
    "StepInterruptedError",
    "SuspendExecution",
    "TerminationReason",
    "TimedSuspendExecution",
    "UnrecoverableError",
    "ValidationError",
    "WaitForConditionError",
    "error_type_of",
    "register_operation_error",
]

_AWS: Final = "aws_durable_execution_sdk_python"

#: Where AWS's SDK keeps what ours keeps in these modules; ours are named by their public door.
_WIRE_MODULES: Final = {
    "perdure.sdk.exceptions": f"{_AWS}.exceptions",
    "perdure.sdk.service_errors": f"{_AWS}.exceptions",
    "perdure.sdk.batches": f"{_AWS}.concurrency.models",
    "perdure.sdk.misuse": "perdure.exceptions",
}


def error_type_of(kind: type[BaseException]) -> str:
    """Return the name under which an exception of class ``kind`` is recorded: its ErrorType.

    Builtins go by their bare name, the SDK's own by that of AWS's SDK, all others by module and
    name. Source: ``ErrorObject.from_exception`` of AWS's SDK 3.0.
    """
    module = kind.__module__
    if module == "builtins":
        return kind.__qualname__
    return f"{_WIRE_MODULES.get(module, module)}.{kind.__qualname__}"


class TerminationReason(Enum):
    """Why an execution, or an invocation of it, ended."""

    UNHANDLED_ERROR = "UNHANDLED_ERROR"
    INVOCATION_ERROR = "INVOCATION_ERROR"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    CHECKPOINT_FAILED = "CHECKPOINT_FAILED"
    NON_DETERMINISTIC_EXECUTION = "NON_DETERMINISTIC_EXECUTION"
    STEP_INTERRUPTED = "STEP_INTERRUPTED"
    SERIALIZATION_ERROR = "SERIALIZATION_ERROR"


class DurableExecutionsError(Exception):
    """The root of what the SDK raises for handlers to see."""


class PluginLoadError(DurableExecutionsError):
    """A plugin named in the configuration could not be loaded."""


class UnrecoverableError(DurableExecutionsError):
    """The handler cannot go on."""

    def __init__(self, message: str, termination_reason: TerminationReason) -> None:
        """Say what happened, and which kind of end it is."""
        super().__init__(message)
        self.termination_reason = termination_reason


class ExecutionError(UnrecoverableError):
    """The execution fails, and is not tried again."""

    def __init__(
        self,
        message: str,
        termination_reason: TerminationReason = TerminationReason.EXECUTION_ERROR,
    ) -> None:
        """Say what happened."""
        super().__init__(message, termination_reason)


class InvocationError(UnrecoverableError):
    """The invocation fails; the service invokes the handler again."""

    def __init__(
        self,
        message: str,
        termination_reason: TerminationReason = TerminationReason.INVOCATION_ERROR,
    ) -> None:
        """Say what happened."""
        super().__init__(message, termination_reason)

    def is_retryable(self) -> bool:
        """Tell whether another invocation may do better."""
        return True


class NonDeterministicExecutionError(ExecutionError):
    """The handler asked for another operation than the one that is recorded in its place."""

    def __init__(self, message: str, step_id: str | None = None) -> None:
        """Say what differs, at which operation id."""
        super().__init__(message, TerminationReason.NON_DETERMINISTIC_EXECUTION)
        self.step_id = step_id


class ValidationError(DurableExecutionsError):
    """An argument of a durable operation, or of its configuration, is wrong."""


class InvalidStateError(DurableExecutionsError):
    """The object does not allow this now."""


class DurableOperationError(DurableExecutionsError):
    """An operation failed; its subclass says which kind of operation.

    It is made of what is recorded, on the first run as on replay, so that both see the same. So is
    its ``__cause__``: a ``DurableOperationError`` (or the subclass that was recorded), never the
    exception that was raised.

    Attributes:
        message: what the exception said that left the operation.
        error_type: that exception's recorded type, as in ``"ValueError"``.
        data: what else was recorded of it, if anything.
        stack_trace: the lines of its stack, if they were recorded.
    """

    def __init__(
        self,
        message: str | None = None,
        error_type: str | None = None,
        data: str | None = None,
        stack_trace: list[str] | None = None,
    ) -> None:
        """Hold what is recorded; without an ``error_type``, the type is this class's own."""
        super().__init__(message)
        self.message: str | None = message
        self.error_type: str = error_type or error_type_of(type(self))
        self.data: str | None = data
        self.stack_trace: list[str] | None = stack_trace

    @classmethod
    def from_error_fields(
        cls,
        error_type: str | None,
        message: str | None,
        data: str | None,
        stack_trace: list[str] | None,
    ) -> DurableOperationError:
        """Return the recorded error as the class it is recorded under, if that is one of ours."""
        kind = _operation_errors.get(error_type or "", DurableOperationError)
        return kind(message=message, error_type=error_type, data=data, stack_trace=stack_trace)


class StepError(DurableOperationError):
    """A step failed, and its retry strategy gave up."""


class InvokeError(DurableOperationError):
    """The invoked function failed, timed out or was stopped."""


class ChildContextError(DurableOperationError):
    """A child context, or a map or parallel in one, failed."""


class WaitForConditionError(DurableOperationError):
    """The check of a condition failed, or its wait strategy gave up."""


class CallbackError(DurableOperationError):
    """A callback failed; its subclass says why. By itself: the SDK is at fault."""


class CallbackExternalError(CallbackError):
    """The other side sent a failure."""


class CallbackTimeoutError(CallbackError):
    """No answer, or no heartbeat, came in time."""


class CallbackSubmitterError(CallbackError):
    """The submitter of a ``wait_for_callback`` failed: the callback id was not handed out."""


_operation_errors: Final[dict[str, type[DurableOperationError]]] = {}


def register_operation_error(error_cls: type[DurableOperationError]) -> None:
    """Let what is recorded as ``error_cls`` be read as it.

    Its constructor must take the keywords of ``DurableOperationError``.
    """
    _operation_errors[error_type_of(error_cls)] = error_cls


for _kind in (
    StepError,
    InvokeError,
    ChildContextError,
    WaitForConditionError,
    CallbackError,
    CallbackExternalError,
    CallbackTimeoutError,
    CallbackSubmitterError,
):
    register_operation_error(_kind)


class SerDesError(DurableExecutionsError):
    """A value cannot be written or read, now or later.

    It reaches the handler as itself, whatever the operation. Its members are those of
    ``DurableOperationError``.
    """

    def __init__(
        self,
        message: str | None = None,
        error_type: str | None = None,
        data: str | None = None,
        stack_trace: list[str] | None = None,
    ) -> None:
        """Hold what is recorded; without an ``error_type``, the type is this class's own."""
        super().__init__(message)
        self.message: str | None = message
        self.error_type: str = error_type or error_type_of(type(self))
        self.data: str | None = data
        self.stack_trace: list[str] | None = stack_trace


class StepInterruptedError(InvocationError):
    """A step that may run once an attempt began, and its end was never recorded."""

    def __init__(self, message: str, step_id: str | None = None) -> None:
        """Say which step it is."""
        super().__init__(message, TerminationReason.STEP_INTERRUPTED)
        self.step_id = step_id


class RetryableSerDesError(InvocationError):
    """A value cannot be written or read now: for a serdes to raise, when what it needs is away.

    The handler does not see it, nor does a batch count it as a failed item: the invocation fails,
    and is tried again.
    """

    def __init__(
        self,
        message: str,
        termination_reason: TerminationReason = TerminationReason.SERIALIZATION_ERROR,
    ) -> None:
        """Say what is away."""
        super().__init__(message, termination_reason)


class BackgroundThreadError(BaseException):
    """What carries checkpoints to the service failed; it passes by every ``except Exception``."""

    def __init__(self, message: str, source_exception: Exception) -> None:
        """Carry the exception of that thread."""
        super().__init__(message)
        self.source_exception = source_exception


class SuspendExecution(BaseException):
    """The handler has nothing left to do for now: the invocation ends with PENDING."""

    def __init__(self, message: str) -> None:
        """Say what is waited for."""
        super().__init__(message)


class TimedSuspendExecution(SuspendExecution):
    """Nothing is left to do before an instant, in epoch seconds."""

    def __init__(self, message: str, scheduled_timestamp: float) -> None:
        """Say what is waited for, and until when."""
        super().__init__(message)
        self.scheduled_timestamp = scheduled_timestamp

    @classmethod
    def from_delay(cls, message: str, delay_seconds: int) -> Self:
        """Return a suspension of ``delay_seconds``, from now."""
        return cls(message, time.time_ns() / 1_000_000_000 + delay_seconds)

    @classmethod
    def from_datetime(cls, message: str, datetime_timestamp: datetime.datetime) -> Self:
        """Return a suspension until ``datetime_timestamp``."""
        return cls(message, datetime_timestamp.timestamp())


class OrderedLockError(DurableExecutionsError):
    """Those in line for a lock cannot have it: one before them failed while it had it."""

    def __init__(self, message: str, source_exception: Exception | None = None) -> None:
        """Say what failed, and carry it."""
        cause = f" {type(source_exception).__name__}: {source_exception}"
        super().__init__(message + cause if source_exception else message)
        self.source_exception: Exception | None = source_exception


class OrphanedChildException(BaseException):
    """A branch wants to record something, and its batch is over."""

    def __init__(self, message: str, operation_id: str) -> None:
        """Say which operation is not recorded any more."""
        super().__init__(message)
        self.operation_id = operation_id
