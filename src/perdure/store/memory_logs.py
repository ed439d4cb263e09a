"""A log store in memory: for tests and the testing library, and the reference for the other one."""

import dataclasses
from collections.abc import Sequence

from perdure.clock import Clock
from perdure.store.logs import LogEvent, LogGroup, LogQuery, LogStream

__all__ = ["MemoryLogStore"]


class MemoryLogStore:
    """Keeps every line it is given, until its group is deleted."""

    def __init__(self, *, clock: Clock) -> None:
        """Hold nothing; ``clock`` says when a line arrived."""
        self._clock = clock
        self._events: list[LogEvent] = []
        self._created_at_ms: dict[tuple[str, str | None], int] = {}
        self._last_id = 0

    def append(self, events: Sequence[LogEvent]) -> None:
        """Keep events."""
        now_ms = self._clock.now_ms()
        for event in events:
            self._last_id += 1
            self._created_at_ms.setdefault((event.group, None), now_ms)
            self._created_at_ms.setdefault((event.group, event.stream), now_ms)
            stored = dataclasses.replace(event, id=self._last_id, ingested_at_ms=now_ms)
            self._events.append(stored)

    async def groups(self, prefix: str = "") -> Sequence[LogGroup]:
        """Return the groups whose names start with ``prefix``, by name."""
        names = {group for group, stream in self._created_at_ms if stream is None}
        return [self._group(name) for name in sorted(names) if name.startswith(prefix)]

    async def streams(self, group: str, prefix: str = "") -> Sequence[LogStream]:
        """Return the streams of ``group``, by name; none if there is no such group."""
        names = [stream for one, stream in self._created_at_ms if one == group and stream]
        return [self._stream(group, name) for name in sorted(names) if name.startswith(prefix)]

    async def events(self, query: LogQuery) -> Sequence[LogEvent]:
        """Return the events that match, by instant and then by id."""
        found = [event for event in self._events if _matches(query, event)]
        found.sort(key=lambda event: (event.at_ms, event.id), reverse=query.newest_first)
        return found[: query.limit]

    async def delete_group(self, group: str) -> None:
        """Remove a group and all its events."""
        self._events = [event for event in self._events if event.group != group]
        for key in [key for key in self._created_at_ms if key[0] == group]:
            del self._created_at_ms[key]

    def _group(self, name: str) -> LogGroup:
        lines = [event.message for event in self._events if event.group == name]
        return LogGroup(
            name=name,
            created_at_ms=self._created_at_ms[name, None],
            stored_bytes=sum(len(line.encode(errors="replace")) for line in lines),
        )

    def _stream(self, group: str, name: str) -> LogStream:
        instants = [
            event.at_ms for event in self._events if event.group == group and event.stream == name
        ]
        return LogStream(
            group=group,
            name=name,
            created_at_ms=self._created_at_ms[group, name],
            first_event_at_ms=min(instants, default=None),
            last_event_at_ms=max(instants, default=None),
        )


def _matches(query: LogQuery, event: LogEvent) -> bool:
    """Tell whether a query asks for a stored event."""
    return (
        event.group == query.group
        and (query.streams is None or event.stream in query.streams)
        and (query.start_ms is None or event.at_ms >= query.start_ms)
        and (query.end_ms is None or event.at_ms < query.end_ms)
        and event.id > query.after_id
        and (query.before_id is None or event.id < query.before_id)
    )
