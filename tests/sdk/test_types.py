"""The small contexts, and the parts of an ARN."""

import logging

import pytest
from aws_durable_execution_sdk_python.types import DurableExecutionArn as AwsArn
from hypothesis import example, given
from hypothesis import strategies as st

from perdure.sdk.types import (
    DurableExecutionArn,
    StepContext,
    WaitForCallbackContext,
    WaitForConditionCheckContext,
)

PART = st.text(st.sampled_from("ab1:/-_$.\n"), max_size=4)
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST/durable-execution/one/two"


@given(PART, PART, PART, PART, PART, st.sampled_from(["", "\n", "\n\n", "/x"]))
@example("aws", "eu-west-1", "f", "$LATEST", "one/two", "")
def test_an_arn_is_taken_apart_as_aws_does(
    partition: str, region: str, name: str, version: str, execution: str, end: str
) -> None:
    arn = (
        f"arn:{partition}:lambda:{region}:1:function:{name}:{version}"
        f"/durable-execution/{execution}{end}"
    )
    for text in (arn, arn.replace("durable", "other")):
        theirs, ours = AwsArn.from_arn(text), DurableExecutionArn.from_arn(text)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert vars(ours) == vars(theirs)


def test_the_parts_of_an_arn_have_names() -> None:
    assert DurableExecutionArn.from_arn(ARN) == DurableExecutionArn("f", "one", "two")


@pytest.mark.parametrize("kind", [StepContext, WaitForConditionCheckContext])
def test_functions_are_told_their_attempt(
    kind: type[StepContext | WaitForConditionCheckContext],
) -> None:
    logger = logging.getLogger(__name__)
    context = kind(logger, 2)
    assert (context.logger, context.attempt) == (logger, 2)


def test_a_submitter_is_given_a_logger() -> None:
    logger = logging.getLogger(__name__)
    assert WaitForCallbackContext(logger).logger is logger
