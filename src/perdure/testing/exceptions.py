"""What the runners raise, under AWS's names.

    DurableFunctionsTestError                 the test asks for what is not there
    DurableFunctionsLocalRunnerError
    └── AwsApiException                       the service would refuse the call
        ├── InvalidParameterValueException    an argument is not acceptable
        ├── ResourceNotFoundException         there is no such execution or callback
        └── CallbackTimeoutException          the callback's time was over

A ``TimeoutError`` says that the execution did not get there in the time that was given, and shows
where it stands.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AwsApiException",
    "CallbackTimeoutException",
    "DurableFunctionsLocalRunnerError",
    "DurableFunctionsTestError",
    "InvalidParameterValueException",
    "ResourceNotFoundException",
    "api_exception",
]


class DurableFunctionsTestError(Exception):
    """The test asks for what is not there."""


class DurableFunctionsLocalRunnerError(Exception):
    """The runner cannot do what it was asked for."""


class AwsApiException(DurableFunctionsLocalRunnerError):
    """The service would refuse the call; ``code`` is its word for why."""

    http_status_code: int = 500
    code: ClassVar[str] = "ServiceException"

    def __init__(self, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.message = message

    def to_dict(self) -> dict[str, Any]:
        """Return the refusal as it would travel."""
        return {"Type": self.code, "message": self.message}


class InvalidParameterValueException(AwsApiException):
    """An argument is not acceptable."""

    http_status_code = 400
    code = "InvalidParameterValueException"


class ResourceNotFoundException(AwsApiException):
    """There is no such execution or callback."""

    http_status_code = 404
    code = "ResourceNotFoundException"

    def __init__(self, Message: str) -> None:
        """Say what is not there. The argument is called as in AWS's model."""
        super().__init__(Message)
        self.Message = Message

    def to_dict(self) -> dict[str, Any]:
        """Return the refusal as it would travel."""
        return {"Type": self.code, "Message": self.Message}


class CallbackTimeoutException(AwsApiException):
    """The callback's time was over before its answer came."""

    http_status_code = 408
    code = "CallbackTimeoutException"


_KINDS: dict[str, type[AwsApiException]] = {
    kind.code: kind
    for kind in (
        InvalidParameterValueException,
        ResourceNotFoundException,
        CallbackTimeoutException,
    )
}


def api_exception(code: str, message: str) -> AwsApiException:
    """Return the exception for a refusal that the service calls ``code``."""
    return _KINDS.get(code, AwsApiException)(message)
