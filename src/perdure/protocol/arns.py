"""Names of functions and executions, taken apart and put together.

Lambda takes a function by name, by ARN, or by part of an ARN, each with or without a qualifier. The
forms are those of botocore's pattern (NamespacedFunctionName), read from left to right as a regular
expression does, so that ``123456789012:name`` is an account and a name. It does not know which
functions exist.
"""

import re
from typing import Final, NamedTuple

from perdure.protocol.limits import FUNCTION_NAME_CHARACTERS_MAX

__all__ = [
    "ArnError",
    "ExecutionReference",
    "FunctionReference",
    "execution_arn",
    "function_arn",
    "parse_execution",
    "parse_function",
]

_FUNCTION: Final = re.compile(
    r"(?:arn:(?P<partition>aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account_id>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?\Z",
    re.ASCII,
)
_EXECUTION: Final = re.compile(
    r"arn:(?P<partition>[a-zA-Z0-9-]+):lambda:(?P<region>[a-zA-Z0-9-]+):(?P<account_id>\d{12})"
    r":function:(?P<name>[a-zA-Z0-9_-]+):(?P<version>\$LATEST|[0-9]+)"
    r"/durable-execution/(?P<execution_name>[a-zA-Z0-9_-]+)/(?P<execution_id>[a-zA-Z0-9_-]+)\Z",
    re.ASCII,
)
_SHOWN_CHARACTERS_MAX: Final = 200


class ArnError(ValueError):
    """The text is no name, ARN or part of one."""


class FunctionReference(NamedTuple):
    """What a caller said of a function; None: not said."""

    name: str
    qualifier: str | None = None
    region: str | None = None
    account_id: str | None = None
    partition: str | None = None


class ExecutionReference(NamedTuple):
    """The parts of an execution's ARN."""

    region: str
    account_id: str
    function_name: str
    version: str
    execution_name: str
    execution_id: str


def parse_function(identifier: str) -> FunctionReference:
    """Return the parts of a function's name, ARN or partial ARN.

    Raises:
        ArnError: it is none of them, or the name is too long.
    """
    match = _FUNCTION.match(identifier)
    if match is None:
        raise ArnError(f"{identifier[:_SHOWN_CHARACTERS_MAX]!r} is not a function's name or ARN")
    name = match["name"]
    if len(name) > FUNCTION_NAME_CHARACTERS_MAX:
        raise ArnError(
            f"the function's name is {len(name)} characters long;"
            f" the limit is {FUNCTION_NAME_CHARACTERS_MAX}"
        )
    return FunctionReference(
        name, match["qualifier"], match["region"], match["account_id"], match["partition"]
    )


def parse_execution(arn: str) -> ExecutionReference:
    """Return the parts of an execution's ARN.

    Raises:
        ArnError: it is none.
    """
    match = _EXECUTION.match(arn)
    if match is None:
        raise ArnError(f"{arn[:_SHOWN_CHARACTERS_MAX]!r} is not an execution's ARN")
    return ExecutionReference(
        match["region"],
        match["account_id"],
        match["name"],
        match["version"],
        match["execution_name"],
        match["execution_id"],
    )


def function_arn(region: str, account_id: str, name: str, qualifier: str | None = None) -> str:
    """Return a function's ARN, qualified if a qualifier is given."""
    arn = f"arn:aws:lambda:{region}:{account_id}:function:{name}"
    return arn if qualifier is None else f"{arn}:{qualifier}"


def execution_arn(
    unqualified_function_arn: str, version: str, execution_name: str, execution_id: str
) -> str:
    """Return the ARN of an execution of a version of a function."""
    execution = f"durable-execution/{execution_name}/{execution_id}"
    return f"{unqualified_function_arn}:{version}/{execution}"
