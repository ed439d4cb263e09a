"""What a service in process raises.

EmbeddedError
├── ServiceClosed             the service is not open, or was closed meanwhile
├── StoreFailed               the file must not be used any more by this process (D4)
├── ServiceBusy               it cannot be done now: the disk is full, or too many want the same
├── FunctionNotFound          no function is registered under the name
├── ExecutionNotFound         there is no such execution, or not any more
├── ExecutionAlreadyStarted   the execution name is taken, with another input
├── ExecutionNotOpen          the execution is in a state that forbids the call
├── CallbackNotFound          there is no such callback, or it was answered before
├── CallbackTooLate           the callback's time was over before its answer came
├── RequestRefused            a value is not acceptable; ``code`` is AWS's word for why
└── ExecutionEnded            an execution ended without a result; ``error`` says why
    ├── ExecutionFailed
    ├── ExecutionTimedOut
    └── ExecutionStopped
"""

from typing import Final

from perdure.core.errors import (
    CallbackTimedOut,
    Refusal,
    ResourceConflict,
    ResourceNotFound,
    TooManyRequests,
    Unavailable,
)
from perdure.core.errors import ExecutionAlreadyStarted as NameTaken
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationStatus

__all__ = [
    "CallbackNotFound",
    "CallbackTooLate",
    "EmbeddedError",
    "ExecutionAlreadyStarted",
    "ExecutionEnded",
    "ExecutionFailed",
    "ExecutionNotFound",
    "ExecutionNotOpen",
    "ExecutionStopped",
    "ExecutionTimedOut",
    "FunctionNotFound",
    "RequestRefused",
    "ServiceBusy",
    "ServiceClosed",
    "StoreFailed",
    "ended_error",
    "translated",
]


class EmbeddedError(Exception):
    """Something that a service in process says."""


class ServiceClosed(EmbeddedError):
    """The service is not open, or was closed meanwhile."""


class StoreFailed(EmbeddedError):
    """Whether a commit happened cannot be told: open the file anew, best in a new process (D4)."""


class ServiceBusy(EmbeddedError):
    """It cannot be done now; trying again later may help."""


class FunctionNotFound(EmbeddedError):
    """No function is registered under the name."""


class ExecutionNotFound(EmbeddedError):
    """There is no such execution, or not any more."""


class ExecutionAlreadyStarted(EmbeddedError):
    """The execution name is taken, with another input; ``arn`` is the execution that has it."""

    def __init__(self, message: str, arn: str | None) -> None:
        """Name the execution that has the name."""
        super().__init__(message)
        self.arn = arn


class ExecutionNotOpen(EmbeddedError):
    """The execution is in a state that forbids the call."""


class CallbackNotFound(EmbeddedError):
    """There is no such callback, or it was answered before."""


class CallbackTooLate(EmbeddedError):
    """The callback's time was over before its answer came."""


class RequestRefused(EmbeddedError):
    """A value is not acceptable; ``code`` is AWS's word for why."""

    def __init__(self, message: str, code: str) -> None:
        """Say why."""
        super().__init__(message)
        self.code = code


class ExecutionEnded(EmbeddedError):
    """An execution ended without a result.

    Attributes:
        arn: which.
        error: what is recorded of the reason.
    """

    def __init__(self, arn: str, error: ErrorObject) -> None:
        """Say which, and why."""
        parts = (error.error_type, error.error_message)
        super().__init__(": ".join(part for part in parts if part) or "no reason is recorded")
        self.arn = arn
        self.error = error


class ExecutionFailed(ExecutionEnded):
    """Its handler raised, or it could not go on."""


class ExecutionTimedOut(ExecutionEnded):
    """Its execution timeout was over."""


class ExecutionStopped(ExecutionEnded):
    """It was stopped."""


_ENDS: Final[dict[OperationStatus, type[ExecutionEnded]]] = {
    OperationStatus.FAILED: ExecutionFailed,
    OperationStatus.TIMED_OUT: ExecutionTimedOut,
    OperationStatus.STOPPED: ExecutionStopped,
}


def ended_error(arn: str, status: OperationStatus, error: ErrorObject | None) -> ExecutionEnded:
    """Return what the result of an execution that ended so is."""
    return _ENDS[status](arn, error or ErrorObject())


def translated(refusal: Refusal) -> EmbeddedError:
    """Return what the engine refuses in the words of this package."""
    message = refusal.message
    match refusal:
        case NameTaken():
            return ExecutionAlreadyStarted(message, refusal.durable_execution_arn)
        case CallbackTimedOut():
            return CallbackTooLate(message)
        case ResourceNotFound():
            return ExecutionNotFound(message)
        case ResourceConflict():
            return ExecutionNotOpen(message)
        case Unavailable() | TooManyRequests():
            return ServiceBusy(message)
        case _:
            return RequestRefused(message, refusal.code)
