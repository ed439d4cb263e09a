"""What the runtime writes a function's log lines to, and the API reads them from: one Protocol.

Log lines are kept apart from executions: they are written in batches, without an fsync of their
own, and losing the last second of them in a crash loses no result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perdure.protocol.quick import quick

__all__ = ["LogEvent", "LogGroup", "LogQuery", "LogStore", "LogStream"]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One line of a log. ``id`` rises with arrival; 0 before it is stored."""

    group: str
    stream: str
    at_ms: int
    message: str
    ingested_at_ms: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """A function's log."""

    name: str
    created_at_ms: int
    stored_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    """A worker's part of a function's log."""

    group: str
    name: str
    created_at_ms: int
    first_event_at_ms: int | None
    last_event_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which events to read: bounds are inclusive at the start, exclusive at the end."""

    group: str
    streams: Sequence[str] | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    after_id: int = 0
    before_id: int | None = None
    limit: int = 10_000
    newest_first: bool = False


class LogStore(Protocol):
    """Keeps log lines."""

    def append(self, events: Sequence[LogEvent]) -> None:
        """Take events; they are stored in a fraction of a second. Never blocks or raises."""
        ...

    async def groups(self, prefix: str = "") -> Sequence[LogGroup]:
        """Return the groups whose names start with ``prefix``, by name."""
        ...

    async def streams(self, group: str, prefix: str = "") -> Sequence[LogStream]:
        """Return the streams of ``group``, by name; none if there is no such group."""
        ...

    async def events(self, query: LogQuery) -> Sequence[LogEvent]:
        """Return the events that match, by instant and then by id, after all appended before are
        stored.
        """
        ...

    async def delete_group(self, group: str) -> None:
        """Remove a group and all its events."""
        ...
