"""The logs calls, answered from the log store.

Pages go by a line's instant and its place among the lines of that instant. Lines that arrive while
somebody reads on come after all that were there in the same millisecond, so none is lost or
repeated, unless a line comes with an instant that was passed already.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

from perdure.api.log_patterns import PatternError, compile_pattern
from perdure.core.errors import Refusal
from perdure.protocol import logs as shapes
from perdure.store import logs as stored
from perdure.store.logs import LogEvent, LogQuery, LogStore

__all__ = ["LogCalls", "LogRefusal"]

_PAGE_DEFAULT: Final = 10_000  #: Source: CloudWatch Logs model, FilterLogEvents
_PAGE_BYTES_MAX: Final = 1_048_576  #: Source: CloudWatch Logs model, 1 MB a response
_SCANNED_MAX: Final = 20_000  #: ours: lines looked at for one answer
_LIST_PAGE_DEFAULT: Final = 50  #: Source: CloudWatch Logs model, DescribeLogGroups

Item = TypeVar("Item")


class LogRefusal(Refusal):
    """The caller's request cannot be carried out; the code is the logs API's own."""

    def __init__(self, code: str, message: str) -> None:
        """Refuse with the error ``code``."""
        super().__init__(message)
        self.code = code  # pyright: ignore[reportAttributeAccessIssue] - a class has one, we have two


class _Position(NamedTuple):
    """Between two lines: after the line ``id`` of ``at_ms``, or before it, as one goes."""

    at_ms: int
    id: int


class LogCalls:
    """Answers the calls on logs."""

    def __init__(self, store: LogStore, *, region: str, account_id: str) -> None:
        """Read from ``store``; region and account are part of the groups' ARNs."""
        self._store = store
        self._arn_prefix = f"arn:aws:logs:{region}:{account_id}:log-group:"

    async def describe_log_groups(
        self, request: shapes.DescribeLogGroupsRequest
    ) -> shapes.DescribeLogGroupsResponse:
        """Return a page of groups by name."""
        if request.log_group_name_prefix and request.log_group_name_pattern:
            raise _invalid("give either logGroupNamePrefix or logGroupNamePattern")
        groups = await self._store.groups(request.log_group_name_prefix or "")
        pattern = (request.log_group_name_pattern or "").lower()
        wanted = {_group_name(identifier) for identifier in request.log_group_identifiers or ()}
        found = [
            group
            for group in groups
            if pattern in group.name.lower() and (not wanted or group.name in wanted)
        ]
        page, token = _list_page(
            found, [group.name for group in found], request.next_token, request.limit
        )
        return shapes.DescribeLogGroupsResponse(
            log_groups=tuple(self._group(group) for group in page), next_token=token
        )

    async def describe_log_streams(
        self, request: shapes.DescribeLogStreamsRequest
    ) -> shapes.DescribeLogStreamsResponse:
        """Return a page of a group's streams, by name or by their last line."""
        is_by_time = request.order_by is shapes.OrderBy.LAST_EVENT_TIME
        if is_by_time and request.log_stream_name_prefix:
            raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        name = await self._existing(request.log_group_name, request.log_group_identifier)
        streams = await self._store.streams(name, request.log_stream_name_prefix or "")

        def place(stream: stored.LogStream) -> str:
            at_ms = stream.last_event_at_ms or 0
            return f"{at_ms:015}/{stream.name}" if is_by_time else stream.name

        found = sorted(streams, key=place, reverse=request.descending or False)
        page, token = _list_page(
            found, [place(stream) for stream in found], request.next_token, request.limit
        )
        return shapes.DescribeLogStreamsResponse(
            log_streams=tuple(self._stream(stream) for stream in page), next_token=token
        )

    async def get_log_events(
        self, request: shapes.GetLogEventsRequest
    ) -> shapes.GetLogEventsResponse:
        """Return a page of a stream: by default its end; the tokens lead on both ways."""
        name = await self._existing(request.log_group_name, request.log_group_identifier)
        is_forward, position = _direction(request)
        query = LogQuery(
            group=name,
            streams=(request.log_stream_name,),
            start_ms=request.start_time,
            end_ms=request.end_time,
            newest_first=not is_forward,
        )
        limit = request.limit or _PAGE_DEFAULT
        events = _within_bytes((await self._after(query, position, limit))[:limit])
        if not is_forward:
            events = events[::-1]
        here = request.next_token
        first = f"b/{events[0].at_ms}/{events[0].id}" if events else (here or "b/0/0")
        last = f"f/{events[-1].at_ms}/{events[-1].id}" if events else (here or "f/0/0")
        return shapes.GetLogEventsResponse(
            events=tuple(
                shapes.OutputLogEvent(
                    timestamp=event.at_ms,
                    message=event.message,
                    ingestion_time=event.ingested_at_ms,
                )
                for event in events
            ),
            next_backward_token=f"b/{first[2:]}",
            next_forward_token=f"f/{last[2:]}",
        )

    async def filter_log_events(
        self, request: shapes.FilterLogEventsRequest
    ) -> shapes.FilterLogEventsResponse:
        """Return a page of the lines that match; perhaps none yet, with a token to go on."""
        if request.log_stream_names and request.log_stream_name_prefix:
            raise _invalid("give either logStreamNames or logStreamNamePrefix")
        try:
            matches = compile_pattern(request.filter_pattern or "")
        except PatternError as error:
            raise _invalid(f"Invalid filter pattern: {error}") from None
        name = await self._existing(request.log_group_name, request.log_group_identifier)
        streams = request.log_stream_names
        if request.log_stream_name_prefix:
            found = await self._store.streams(name, request.log_stream_name_prefix)
            streams = tuple(stream.name for stream in found)
        if streams == ():
            return shapes.FilterLogEventsResponse(events=(), searched_log_streams=())
        query = LogQuery(
            group=name, streams=streams, start_ms=request.start_time, end_ms=request.end_time
        )
        position = _position(request.next_token) if request.next_token else None
        scanned = await self._after(query, position, _SCANNED_MAX)
        limit = request.limit or _PAGE_DEFAULT
        shown: list[LogEvent] = []
        last: LogEvent | None = None
        for event in scanned[:_SCANNED_MAX]:
            if matches(event.message):
                if len(shown) == limit or _bytes(shown) > _PAGE_BYTES_MAX:
                    break
                shown.append(event)
            last = event
        else:
            last = last if len(scanned) > _SCANNED_MAX else None
        return shapes.FilterLogEventsResponse(
            events=tuple(_filtered(event) for event in shown),
            searched_log_streams=(),
            next_token=None if last is None else f"{last.at_ms}/{last.id}",
        )

    async def _after(
        self, query: LogQuery, position: _Position | None, limit: int
    ) -> Sequence[LogEvent]:
        """Return the lines after a position, and one more than ``limit`` if there are."""
        if position is None:
            return await self._store.events(replace(query, limit=limit + 1))
        if query.newest_first:
            end_ms = min(position.at_ms + 1, query.end_ms or position.at_ms + 1)
            query = replace(query, end_ms=end_ms)
        else:
            query = replace(query, start_ms=max(position.at_ms, query.start_ms or 0))
        asked = limit + 1
        while True:
            events = await self._store.events(replace(query, limit=asked))
            left = [
                event
                for event in events
                if (position > (event.at_ms, event.id)) == query.newest_first
                and position != (event.at_ms, event.id)
            ]
            if len(left) > limit or len(events) < asked:
                return left
            asked += len(events) - len(left)

    async def _existing(self, name: str | None, identifier: str | None) -> str:
        """Return the name of a group that is there."""
        if (name is None) == (identifier is None):
            raise _invalid("give either logGroupName or logGroupIdentifier")
        name = _group_name(name or identifier or "")
        if not any(group.name == name for group in await self._store.groups(name)):
            raise LogRefusal("ResourceNotFoundException", "The specified log group does not exist.")
        return name

    def _group(self, group: stored.LogGroup) -> shapes.LogGroup:
        arn = f"{self._arn_prefix}{group.name}"
        return shapes.LogGroup(
            log_group_name=group.name,
            creation_time=group.created_at_ms,
            metric_filter_count=0,
            arn=f"{arn}:*",
            log_group_arn=arn,
            stored_bytes=group.stored_bytes,
            log_group_class=shapes.LogGroupClass.STANDARD,
        )

    def _stream(self, stream: stored.LogStream) -> shapes.LogStream:
        return shapes.LogStream(
            log_stream_name=stream.name,
            creation_time=stream.created_at_ms,
            first_event_timestamp=stream.first_event_at_ms,
            last_event_timestamp=stream.last_event_at_ms,
            last_ingestion_time=stream.last_event_at_ms,
            arn=f"{self._arn_prefix}{stream.group}:log-stream:{stream.name}",
            stored_bytes=0,
        )


def _group_name(identifier: str) -> str:
    """Return the name in a group's ARN, or the name itself."""
    if not identifier.startswith("arn:"):
        return identifier
    return identifier.partition(":log-group:")[2].removesuffix(":*")


def _list_page(
    items: Sequence[Item], places: Sequence[str], token: str | None, limit: int | None
) -> tuple[Sequence[Item], str | None]:
    """Return the items after the one whose place the token is, and the next token."""
    begin = 0
    if token is not None:
        if token not in places:
            raise _invalid("The specified nextToken is invalid.")
        begin = places.index(token) + 1
    end = begin + (limit or _LIST_PAGE_DEFAULT)
    return items[begin:end], places[end - 1] if end < len(items) else None


def _direction(request: shapes.GetLogEventsRequest) -> tuple[bool, _Position | None]:
    """Return whether a page goes forward, and from where."""
    token = request.next_token
    if token is None:
        return request.start_from_head or False, None
    if token[:2] not in ("f/", "b/"):
        raise _invalid("The specified nextToken is invalid.")
    return token[0] == "f", _position(token[2:])


def _position(token: str) -> _Position:
    at_ms, _, line_id = token.partition("/")
    if not (at_ms.isdecimal() and line_id.isdecimal() and len(token) < 40 and token.isascii()):
        raise _invalid("The specified nextToken is invalid.")
    return _Position(int(at_ms), int(line_id))


def _bytes(events: Sequence[LogEvent]) -> int:
    return sum(len(event.message) for event in events)


def _within_bytes(events: Sequence[LogEvent]) -> Sequence[LogEvent]:
    """Return the first of the events, as many as one answer may hold; at least one."""
    size = 0
    for count, event in enumerate(events):
        size += len(event.message)
        if count and size > _PAGE_BYTES_MAX:
            return events[:count]
    return events


def _filtered(event: LogEvent) -> shapes.FilteredLogEvent:
    return shapes.FilteredLogEvent(
        log_stream_name=event.stream,
        timestamp=event.at_ms,
        message=event.message,
        ingestion_time=event.ingested_at_ms,
        event_id=f"{event.at_ms:015}{event.id:021}",
    )


def _invalid(message: str) -> LogRefusal:
    return LogRefusal("InvalidParameterException", message)
