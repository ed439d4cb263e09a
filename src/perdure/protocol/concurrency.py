"""The calls that bound how many invocations run at once, and the account they count for.

Source: botocore, ``lambda/2015-03-31``.
"""

from dataclasses import dataclass, field
from typing import Annotated

from perdure.protocol.constraints import Number
from perdure.protocol.identifiers import FunctionName
from perdure.protocol.wire import IN_URI

__all__ = [
    "AccountLimit",
    "AccountUsage",
    "DeleteFunctionConcurrencyRequest",
    "GetAccountSettingsRequest",
    "GetAccountSettingsResponse",
    "GetFunctionConcurrencyRequest",
    "GetFunctionConcurrencyResponse",
    "PutFunctionConcurrencyRequest",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutFunctionConcurrencyRequest:
    """Keeps a part of the account's concurrency for a function, and bounds it."""

    function_name: FunctionName = field(metadata=IN_URI)
    reserved_concurrent_executions: Annotated[int, Number(0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFunctionConcurrencyRequest:
    """Asks for the concurrency kept for a function."""

    function_name: FunctionName = field(metadata=IN_URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFunctionConcurrencyResponse:
    """The concurrency kept; absent: none."""

    reserved_concurrent_executions: Annotated[int, Number(0)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFunctionConcurrencyRequest:
    """Gives the concurrency back."""

    function_name: FunctionName = field(metadata=IN_URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimit:
    """What an account may have."""

    total_code_size: int | None = None
    code_size_unzipped: int | None = None
    code_size_zipped: int | None = None
    concurrent_executions: int | None = None
    unreserved_concurrent_executions: Annotated[int, Number(0)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUsage:
    """What an account has."""

    total_code_size: int | None = None
    function_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAccountSettingsRequest:
    """Asks for the account's limits and use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAccountSettingsResponse:
    """The account's limits and use."""

    account_limit: AccountLimit | None = None
    account_usage: AccountUsage | None = None
