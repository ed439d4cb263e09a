"""What a call is refused with, to be compared between AWS's SDK and ours."""

from collections.abc import Callable

from aws_durable_execution_sdk_python.exceptions import ValidationError as AwsValidationError

from perdure.sdk.exceptions import ValidationError

__all__ = ["refusal"]


def refusal(call: Callable[[], object]) -> str | None:
    """Return the message of the ValidationError that ``call`` raises; None when it does not."""
    try:
        call()
    except (ValidationError, AwsValidationError) as refused:
        return str(refused)
    return None
