"""Refusals carry AWS's names."""

import pytest

from perdure.core import errors

CODES = {
    "CallbackTimedOut": "CallbackTimeoutException",
    "ExecutionAlreadyStarted": "DurableExecutionAlreadyStartedException",
    "InvalidCheckpointToken": "InvalidParameterValueException",
    "InvalidParameterValue": "InvalidParameterValueException",
    "InvalidRequestContent": "InvalidRequestContentException",
    "RecursiveInvocation": "RecursiveInvocationException",
    "Refusal": "ServiceException",
    "RequestTooLarge": "RequestTooLargeException",
    "ResourceConflict": "ResourceConflictException",
    "ResourceNotFound": "ResourceNotFoundException",
    "TooManyRequests": "TooManyRequestsException",
    "Unavailable": "ServiceException",
}


@pytest.mark.parametrize("name", errors.__all__)
def test_a_refusal_has_its_name_on_the_wire(name: str) -> None:
    refusal = getattr(errors, name)("why")
    assert (refusal.code, isinstance(refusal, errors.Refusal)) == (CODES[name], True)


@pytest.mark.parametrize(
    ("detail", "message"),
    [("", "Invalid checkpoint token"), ("why", "Invalid checkpoint token: why")],
    ids=["without a detail", "with one"],
)
def test_a_bad_tokens_message_starts_as_the_sdks_expect(detail: str, message: str) -> None:
    """F3."""
    refusal = errors.InvalidCheckpointToken(detail)
    assert (refusal.message, str(refusal)) == (message, message)


def test_a_taken_name_says_by_whom() -> None:
    """I1."""
    refusal = errors.ExecutionAlreadyStarted("taken", durable_execution_arn="arn")
    assert (refusal.message, refusal.durable_execution_arn) == ("taken", "arn")
