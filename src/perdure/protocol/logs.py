"""The few calls of CloudWatch Logs that ``aws logs tail`` and log checks need.

Source: botocore, ``logs/2014-03-28``. Members are in camelCase there, and instants are epoch
milliseconds.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.wire import camel_case

__all__ = [
    "DataProtectionStatus",
    "DescribeLogGroupsRequest",
    "DescribeLogGroupsResponse",
    "DescribeLogStreamsRequest",
    "DescribeLogStreamsResponse",
    "EpochMilliseconds",
    "FilterLogEventsRequest",
    "FilterLogEventsResponse",
    "FilteredLogEvent",
    "GetLogEventsRequest",
    "GetLogEventsResponse",
    "InheritedProperty",
    "LogGroup",
    "LogGroupClass",
    "LogGroupIdentifier",
    "LogGroupName",
    "LogStream",
    "LogStreamName",
    "NextToken",
    "OrderBy",
    "OutputLogEvent",
    "SearchedLogStream",
]

LogGroupName = Annotated[str, Text(1, 512, r"[\.\-_/#A-Za-z0-9]+")]
LogGroupIdentifier = Annotated[str, Text(1, 2048, r"[\w#+=/:,.@-]*")]
LogStreamName = Annotated[str, Text(1, 512, r"[^:*]*")]
NextToken = Annotated[str, Text(1)]
EpochMilliseconds = Annotated[int, Number(0)]


class OrderBy(StrEnum):
    """How streams are ordered."""

    LOG_STREAM_NAME = "LogStreamName"
    LAST_EVENT_TIME = "LastEventTime"


class LogGroupClass(StrEnum):
    """How a group is kept."""

    STANDARD = "STANDARD"
    INFREQUENT_ACCESS = "INFREQUENT_ACCESS"
    DELIVERY = "DELIVERY"
    ESSENTIALS = "ESSENTIALS"


class DataProtectionStatus(StrEnum):
    """Whether a group's data is masked."""

    ACTIVATED = "ACTIVATED"
    DELETED = "DELETED"
    ARCHIVED = "ARCHIVED"
    DISABLED = "DISABLED"


class InheritedProperty(StrEnum):
    """What a group takes from its account."""

    ACCOUNT_DATA_PROTECTION = "ACCOUNT_DATA_PROTECTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """A function's log."""

    wire_case: ClassVar = camel_case

    log_group_name: LogGroupName | None = None
    creation_time: EpochMilliseconds | None = None
    retention_in_days: int | None = None
    metric_filter_count: int | None = None
    arn: str | None = None
    stored_bytes: EpochMilliseconds | None = None
    kms_key_id: Annotated[str, Text(0, 256)] | None = None
    data_protection_status: DataProtectionStatus | None = None
    inherited_properties: tuple[InheritedProperty, ...] | None = None
    log_group_class: LogGroupClass | None = None
    log_group_arn: str | None = None
    deletion_protection_enabled: bool | None = None
    bearer_token_authentication_enabled: bool | None = None
    retention_policy_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    """A worker's part of a function's log."""

    wire_case: ClassVar = camel_case

    log_stream_name: LogStreamName | None = None
    creation_time: EpochMilliseconds | None = None
    first_event_timestamp: EpochMilliseconds | None = None
    last_event_timestamp: EpochMilliseconds | None = None
    last_ingestion_time: EpochMilliseconds | None = None
    upload_sequence_token: Annotated[str, Text(1)] | None = None
    arn: str | None = None
    stored_bytes: EpochMilliseconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLogEvent:
    """One line of a stream."""

    wire_case: ClassVar = camel_case

    timestamp: EpochMilliseconds | None = None
    message: Annotated[str, Text(1)] | None = None
    ingestion_time: EpochMilliseconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredLogEvent:
    """One line of a group."""

    wire_case: ClassVar = camel_case

    log_stream_name: LogStreamName | None = None
    timestamp: EpochMilliseconds | None = None
    message: Annotated[str, Text(1)] | None = None
    ingestion_time: EpochMilliseconds | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedLogStream:
    """How far a stream was searched."""

    wire_case: ClassVar = camel_case

    log_stream_name: LogStreamName | None = None
    searched_completely: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeLogGroupsRequest:
    """Asks for a page of groups."""

    wire_case: ClassVar = camel_case

    account_identifiers: (
        Annotated[tuple[Annotated[str, Text(12, 12, r"^\d{12}$")], ...], Items(0, 20)] | None
    ) = None
    log_group_name_prefix: LogGroupName | None = None
    log_group_name_pattern: Annotated[str, Text(0, 512, r"[\.\-_/#A-Za-z0-9]*")] | None = None
    next_token: NextToken | None = None
    limit: Annotated[int, Number(1, 50)] | None = None
    include_linked_accounts: bool | None = None
    log_group_class: LogGroupClass | None = None
    log_group_identifiers: Annotated[tuple[LogGroupIdentifier, ...], Items(1, 50)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeLogGroupsResponse:
    """A page of groups."""

    wire_case: ClassVar = camel_case

    log_groups: tuple[LogGroup, ...] | None = None
    next_token: NextToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeLogStreamsRequest:
    """Asks for a page of a group's streams."""

    wire_case: ClassVar = camel_case

    log_group_name: LogGroupName | None = None
    log_group_identifier: LogGroupIdentifier | None = None
    log_stream_name_prefix: LogStreamName | None = None
    order_by: OrderBy | None = None
    descending: bool | None = None
    next_token: NextToken | None = None
    limit: Annotated[int, Number(1, 50)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeLogStreamsResponse:
    """A page of streams."""

    wire_case: ClassVar = camel_case

    log_streams: tuple[LogStream, ...] | None = None
    next_token: NextToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetLogEventsRequest:
    """Asks for a page of a stream."""

    wire_case: ClassVar = camel_case

    log_stream_name: LogStreamName
    log_group_name: LogGroupName | None = None
    log_group_identifier: LogGroupIdentifier | None = None
    start_time: EpochMilliseconds | None = None
    end_time: EpochMilliseconds | None = None
    next_token: NextToken | None = None
    limit: Annotated[int, Number(1, 10_000)] | None = None
    start_from_head: bool | None = None
    unmask: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetLogEventsResponse:
    """A page of lines; the tokens lead on, forward and backward."""

    wire_case: ClassVar = camel_case

    events: tuple[OutputLogEvent, ...] | None = None
    next_forward_token: NextToken | None = None
    next_backward_token: NextToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterLogEventsRequest:
    """Asks for a page of the lines of a group that match."""

    wire_case: ClassVar = camel_case

    log_group_name: LogGroupName | None = None
    log_group_identifier: LogGroupIdentifier | None = None
    log_stream_names: Annotated[tuple[LogStreamName, ...], Items(1, 100)] | None = None
    log_stream_name_prefix: LogStreamName | None = None
    start_time: EpochMilliseconds | None = None
    end_time: EpochMilliseconds | None = None
    filter_pattern: Annotated[str, Text(0, 1_024)] | None = None
    next_token: NextToken | None = None
    limit: Annotated[int, Number(1, 10_000)] | None = None
    start_from_head: bool | None = None
    interleaved: bool | None = None
    unmask: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterLogEventsResponse:
    """A page of lines."""

    wire_case: ClassVar = camel_case

    events: tuple[FilteredLogEvent, ...] | None = None
    searched_log_streams: tuple[SearchedLogStream, ...] | None = None
    next_token: NextToken | None = None
