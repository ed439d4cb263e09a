"""Functions are found by every form of name that Lambda takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.protocol.arns import (
    ArnError,
    ExecutionReference,
    FunctionReference,
    execution_arn,
    function_arn,
    parse_execution,
    parse_function,
)

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("identifier", "reference"),
    [
        ("f", FunctionReference("f")),
        ("f:7", FunctionReference("f", "7")),
        ("f:$LATEST", FunctionReference("f", "$LATEST")),
        ("f:live", FunctionReference("f", "live")),
        ("function:f", FunctionReference("f")),
        ("123456789012:f", FunctionReference("f", None, None, "123456789012")),
        (
            "123456789012:function:f:live",
            FunctionReference("f", "live", None, "123456789012"),
        ),
        (ARN, FunctionReference("f", None, "eu-central-1", "123456789012", "aws")),
        (f"{ARN}:2", FunctionReference("f", "2", "eu-central-1", "123456789012", "aws")),
        (
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f",
            FunctionReference("f", None, "us-gov-west-1", "123456789012", "aws-us-gov"),
        ),
    ],
)
def test_a_function_is_named_in_many_ways(identifier: str, reference: FunctionReference) -> None:
    assert parse_function(identifier) == reference


@pytest.mark.parametrize(
    "identifier",
    ["", "f:", "f:1:2", "f\n", "a b", "../f", "f/g", "é", f"{ARN}:", "arn:aws:s3:::bucket", "f.g"],
)
def test_anything_else_is_no_function(identifier: str) -> None:
    with pytest.raises(ArnError, match="is not a function's name or ARN"):
        parse_function(identifier)


def test_a_functions_name_has_64_characters_at_most() -> None:
    assert parse_function("f" * 64).name == "f" * 64
    with pytest.raises(ArnError, match=r"is 65 characters long; the limit is 64"):
        parse_function("f" * 65)


names = st.from_regex(r"\A[a-zA-Z_-][a-zA-Z0-9_-]{0,40}\Z")


@given(names, names, names, st.sampled_from(["1", "$LATEST"]))
def test_an_executions_arn_comes_apart_as_it_was_put_together(
    function: str, name: str, execution_id: str, version: str
) -> None:
    arn = execution_arn(
        function_arn("us-east-1", "000000000000", function), version, name, execution_id
    )
    assert parse_execution(arn) == ExecutionReference(
        "us-east-1", "000000000000", function, version, name, execution_id
    )


@pytest.mark.parametrize(
    "arn",
    [
        "",
        ARN,
        f"{ARN}:1/durable-execution/n",
        f"{ARN}:live/durable-execution/n/i",
        f"{ARN}:1/durable-execution/n/i/",
    ],
)
def test_anything_else_is_no_execution(arn: str) -> None:
    with pytest.raises(ArnError, match="is not an execution's ARN"):
        parse_execution(arn)


def test_a_qualified_arn_ends_with_its_qualifier() -> None:
    assert function_arn("eu-central-1", "123456789012", "f", "live") == f"{ARN}:live"
