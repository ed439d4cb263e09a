"""What a call of the service can end with, and whether another invocation may do better.

The classes are AWS's; the name of their root is botocore's only by history. An error of any client
will do that has botocore's ``response``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from perdure.sdk.exceptions import InvocationError, TerminationReason

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "AwsErrorMetadata",
    "AwsErrorObj",
    "BotoClientError",
    "CheckpointError",
    "CheckpointErrorCategory",
    "DurableApiErrorCategory",
    "GetExecutionStateError",
]

_THROTTLED: Final = 429
_INVALID_PARAMETER: Final = "InvalidParameterValueException"
_STALE_TOKEN: Final = "Invalid checkpoint token"

#: Answered as 502, and yet nothing but the key's owner can mend it.
_PERMANENT_CODES: Final = frozenset(
    {
        "KMSAccessDeniedException",
        "KMSDisabledException",
        "KMSInvalidStateException",
        "KMSNotFoundException",
    }
)


class AwsErrorObj(TypedDict):
    """The ``Error`` of a botocore response."""

    Code: str | None
    Message: str | None


class AwsErrorMetadata(TypedDict):
    """The ``ResponseMetadata`` of a botocore response."""

    RequestId: str | None
    HostId: str | None
    HTTPStatusCode: int | None
    HTTPHeaders: str | None
    RetryAttempts: str | None


class DurableApiErrorCategory(Enum):
    """What fails with the call: this invocation, or the execution."""

    INVOCATION = "INVOCATION"
    EXECUTION = "EXECUTION"


CheckpointErrorCategory = DurableApiErrorCategory  #: its earlier name


class BotoClientError(InvocationError):
    """A call of the service failed. ``is_retryable`` tells what that means for the execution."""

    def __init__(
        self,
        message: str,
        error_category: DurableApiErrorCategory = DurableApiErrorCategory.INVOCATION,
        error: AwsErrorObj | None = None,
        response_metadata: AwsErrorMetadata | None = None,
        termination_reason: TerminationReason = TerminationReason.INVOCATION_ERROR,
    ) -> None:
        """Hold what the service said."""
        super().__init__(message, termination_reason)
        self.error: AwsErrorObj | None = error
        self.response_metadata: AwsErrorMetadata | None = response_metadata
        self.error_category: DurableApiErrorCategory = error_category

    @classmethod
    def from_exception(cls, exception: Exception) -> Self:
        """Return a client's ``exception`` as this class, with what its ``response`` says."""
        response = cast("dict[str, Any]", getattr(exception, "response", {}))
        error = cast("AwsErrorObj | None", response.get("Error"))
        metadata = cast("AwsErrorMetadata | None", response.get("ResponseMetadata"))
        return cls(
            message=str(exception),
            error_category=_category(error, metadata),
            error=error,
            response_metadata=metadata,
        )

    def is_retryable(self) -> bool:
        """Tell whether another invocation may do better."""
        return self.error_category is DurableApiErrorCategory.INVOCATION

    is_retriable = is_retryable  #: its earlier name

    def build_logger_extras(self) -> dict[str, object]:
        """Return what the service said, for the ``extra`` of a log line."""
        said = {"Error": self.error, "ResponseMetadata": self.response_metadata}
        return {name: value for name, value in said.items() if value}


class CheckpointError(BotoClientError):
    """A checkpoint failed."""

    def __init__(
        self,
        message: str,
        error_category: DurableApiErrorCategory = DurableApiErrorCategory.INVOCATION,
        error: AwsErrorObj | None = None,
        response_metadata: AwsErrorMetadata | None = None,
    ) -> None:
        """Hold what the service said."""
        super().__init__(
            message, error_category, error, response_metadata, TerminationReason.CHECKPOINT_FAILED
        )


class GetExecutionStateError(BotoClientError):
    """The rest of the execution's state could not be read."""

    def __init__(
        self,
        message: str,
        error_category: DurableApiErrorCategory = DurableApiErrorCategory.INVOCATION,
        error: AwsErrorObj | None = None,
        response_metadata: AwsErrorMetadata | None = None,
    ) -> None:
        """Hold what the service said."""
        super().__init__(message, error_category, error, response_metadata)


def _category(
    error: AwsErrorObj | None, metadata: AwsErrorMetadata | None
) -> DurableApiErrorCategory:
    """Tell what fails with the call.

    A request that is wrong will be wrong again: 4xx fails the execution, and so does a key that
    cannot be used. Except 429, and a checkpoint token that another checkpoint has replaced: the
    next invocation brings a new one.
    """
    code = (error and error.get("Code")) or ""
    status = (metadata and metadata.get("HTTPStatusCode")) or 0
    if code in _PERMANENT_CODES:
        return DurableApiErrorCategory.EXECUTION
    if not error or not 400 <= status < 500 or status == _THROTTLED:
        return DurableApiErrorCategory.INVOCATION
    if code == _INVALID_PARAMETER and (error.get("Message") or "").startswith(_STALE_TOKEN):
        return DurableApiErrorCategory.INVOCATION
    return DurableApiErrorCategory.EXECUTION
