"""The calls that say how asynchronous invocations are retried, and where their records go.

Source: botocore, ``lambda/2015-03-31``: FunctionEventInvokeConfig.
"""

from dataclasses import dataclass, field
from typing import Annotated

from perdure.protocol.constraints import Number, Text
from perdure.protocol.identifiers import FunctionArn, FunctionIdentifier, Qualifier
from perdure.protocol.wire import IN_QUERY, IN_URI, Instant

__all__ = [
    "DeleteFunctionEventInvokeConfigRequest",
    "DestinationArn",
    "DestinationConfig",
    "EventAgeSeconds",
    "FunctionEventInvokeConfig",
    "GetFunctionEventInvokeConfigRequest",
    "ListFunctionEventInvokeConfigsRequest",
    "ListFunctionEventInvokeConfigsResponse",
    "OnFailure",
    "OnSuccess",
    "PutFunctionEventInvokeConfigRequest",
    "RetryAttempts",
    "UpdateFunctionEventInvokeConfigRequest",
]

RetryAttempts = Annotated[int, Number(0, 2)]
EventAgeSeconds = Annotated[int, Number(60, 21_600)]
DestinationArn = Annotated[
    str,
    Text(
        0,
        350,
        r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+"
        r":((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSuccess:
    """Where records of handled events go."""

    destination: DestinationArn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFailure:
    """Where records of events go that could not be handled."""

    destination: DestinationArn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationConfig:
    """Where records of asynchronous invocations go."""

    on_success: OnSuccess | None = None
    on_failure: OnFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionEventInvokeConfig:
    """How asynchronous invocations are handled, as it is."""

    last_modified: Instant | None = None
    function_arn: FunctionArn | None = None
    maximum_retry_attempts: RetryAttempts | None = None
    maximum_event_age_in_seconds: EventAgeSeconds | None = None
    destination_config: DestinationConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutFunctionEventInvokeConfigRequest:
    """Says how asynchronous invocations are handled; what is absent goes back to its default."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)
    maximum_retry_attempts: RetryAttempts | None = None
    maximum_event_age_in_seconds: EventAgeSeconds | None = None
    destination_config: DestinationConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFunctionEventInvokeConfigRequest:
    """Changes how asynchronous invocations are handled; what is absent stays."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)
    maximum_retry_attempts: RetryAttempts | None = None
    maximum_event_age_in_seconds: EventAgeSeconds | None = None
    destination_config: DestinationConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFunctionEventInvokeConfigRequest:
    """Asks how asynchronous invocations are handled."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFunctionEventInvokeConfigRequest:
    """Goes back to the defaults."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFunctionEventInvokeConfigsRequest:
    """Asks for a page of a function's configurations."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    marker: str | None = field(default=None, metadata=IN_QUERY)
    max_items: Annotated[int, Number(1, 50)] | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFunctionEventInvokeConfigsResponse:
    """A page of configurations."""

    function_event_invoke_configs: tuple[FunctionEventInvokeConfig, ...] | None = None
    next_marker: str | None = None
