"""Failed calls fail what AWS's SDK lets them fail."""

from itertools import product
from typing import Any

import pytest
from aws_durable_execution_sdk_python import exceptions as aws

from perdure.sdk import service_errors as ours
from perdure.sdk.client import ServiceError
from perdure.sdk.exceptions import TerminationReason

CODES = [None, "", "KMSNotFoundException", "InvalidParameterValueException", "Other"]
MESSAGES = [None, "", "Invalid checkpoint token: x", "an Invalid checkpoint token"]
STATUSES = [None, 0, 200, 399, 400, 404, 429, 499, 500, 502]
ERRORS = [None, {}, *({"Code": c, "Message": m} for c, m in product(CODES, MESSAGES))]
METADATA = [None, {}, *({"HTTPStatusCode": status} for status in STATUSES)]
RESPONSES = [
    {},
    *({"Error": e, "ResponseMetadata": m} for e, m in product(ERRORS, METADATA)),
]


class _Refused(Exception):
    """An error of botocore's form."""

    def __init__(self, response: dict[str, Any]) -> None:
        super().__init__("refused")
        self.response = response


@pytest.mark.parametrize("name", ["BotoClientError", "CheckpointError", "GetExecutionStateError"])
def test_calls_fail_what_they_fail_in_aws(name: str) -> None:
    for response in RESPONSES:
        theirs = getattr(aws, name).from_exception(_Refused(response))
        mine = getattr(ours, name).from_exception(_Refused(response))
        assert mine.error_category.value == theirs.error_category.value
        assert mine.is_retryable() == mine.is_retriable() == theirs.is_retryable()
        assert mine.termination_reason.value == theirs.termination_reason.value
        assert mine.build_logger_extras() == theirs.build_logger_extras()
        assert (str(mine), mine.error) == (str(theirs), theirs.error)
        assert mine.response_metadata == theirs.response_metadata


def test_an_error_that_says_nothing_fails_the_invocation() -> None:
    error = ours.CheckpointError.from_exception(OSError("gone"))
    assert error.is_retryable()
    assert error.termination_reason is TerminationReason.CHECKPOINT_FAILED
    assert error.build_logger_extras() == {}


@pytest.mark.parametrize(("status", "is_retryable"), [(400, False), (500, True), (None, True)])
def test_our_clients_errors_are_read_as_botocores(status: int | None, is_retryable: bool) -> None:
    refused = ServiceError("no", code="SomeException", status=status)
    assert ours.CheckpointError.from_exception(refused).is_retryable() is is_retryable


def test_the_earlier_name_of_the_category_is_kept() -> None:
    assert ours.CheckpointErrorCategory is ours.DurableApiErrorCategory
