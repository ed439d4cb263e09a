"""Refusals: what a caller did wrong, typed, with AWS's names. Nothing changes when one is raised.

    Refusal
    ├── InvalidParameterValue       a field, or the request as a whole, is not acceptable
    │   └── InvalidCheckpointToken  the token is forged, stale, of another attempt, or the execution
    has ended
    ├── InvalidRequestContent       the payload is no JSON
    ├── RequestTooLarge             the payload is larger than its kind of call allows
    ├── ResourceNotFound            no such function, execution, callback
    ├── ResourceConflict            the resource is in a state that forbids the call
    ├── ExecutionAlreadyStarted     the name is taken by an execution with another input
    ├── CallbackTimedOut            the callback's time was over before its answer came
    ├── RecursiveInvocation         a chain of invokes is too deep
    ├── TooManyRequests             overload or a concurrency bound; the caller tries again
    └── Unavailable                 the service cannot tell or do it now; the caller tries again

``api/errors.py`` gives each its HTTP status and its shape.
"""

from typing import ClassVar

__all__ = [
    "CallbackTimedOut",
    "ExecutionAlreadyStarted",
    "InvalidCheckpointToken",
    "InvalidParameterValue",
    "InvalidRequestContent",
    "RecursiveInvocation",
    "Refusal",
    "RequestTooLarge",
    "ResourceConflict",
    "ResourceNotFound",
    "TooManyRequests",
    "Unavailable",
]


class Refusal(Exception):
    """The caller's request cannot be carried out; ``code`` is the error's name on the wire."""

    code: ClassVar[str] = "ServiceException"

    def __init__(self, message: str) -> None:
        """Say why, with the value and the limit."""
        super().__init__(message)
        self.message = message


class InvalidParameterValue(Refusal):
    """A field, or the request as a whole, is not acceptable."""

    code = "InvalidParameterValueException"


class InvalidCheckpointToken(InvalidParameterValue):
    """The checkpoint token does not (or no longer) allow what was asked (F1, F3)."""

    def __init__(self, detail: str = "") -> None:
        """Start the message as AWS's SDKs expect it."""
        super().__init__("Invalid checkpoint token" + (f": {detail}" if detail else ""))


class InvalidRequestContent(Refusal):
    """The payload of an invocation is no JSON."""

    code = "InvalidRequestContentException"


class RequestTooLarge(Refusal):
    """The payload is larger than its kind of call allows."""

    code = "RequestTooLargeException"


class ResourceNotFound(Refusal):
    """There is no such function, execution or callback."""

    code = "ResourceNotFoundException"


class ResourceConflict(Refusal):
    """The resource exists already, or is in a state that forbids the call."""

    code = "ResourceConflictException"


class ExecutionAlreadyStarted(Refusal):
    """The name is taken by an execution with another input (I1)."""

    code = "DurableExecutionAlreadyStartedException"

    def __init__(self, message: str, *, durable_execution_arn: str | None = None) -> None:
        """Name the execution that has the name."""
        super().__init__(message)
        self.durable_execution_arn = durable_execution_arn


class CallbackTimedOut(Refusal):
    """The callback's time was over before its answer came."""

    code = "CallbackTimeoutException"


class RecursiveInvocation(Refusal):
    """A chain of invokes is deeper than the limit (I5)."""

    code = "RecursiveInvocationException"


class TooManyRequests(Refusal):
    """Overload, or a concurrency bound: the caller tries again."""

    code = "TooManyRequestsException"


class Unavailable(Refusal):
    """The service cannot tell or do it now: the caller tries again."""

    code = "ServiceException"
