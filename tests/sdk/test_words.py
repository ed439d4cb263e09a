"""The words are AWS's."""

import pytest
from aws_durable_execution_sdk_python import lambda_service as aws

from perdure import lambda_service as ours

WORDS = [
    "CallbackTimeoutType",
    "InvocationStatus",
    "OperationAction",
    "OperationStatus",
    "OperationSubType",
    "OperationType",
]


@pytest.mark.parametrize("name", WORDS)
def test_the_words_are_awss(name: str) -> None:
    theirs, mine = getattr(aws, name), getattr(ours, name)
    assert {word.name: word.value for word in mine} == {word.name: word.value for word in theirs}


def test_a_subtype_is_a_string() -> None:
    assert ours.OperationSubType.MAP == "Map"
