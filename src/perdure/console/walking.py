"""Goes through executions, a bounded piece at a time: one request never looks at all there are.

A walk stops when it has found what was asked for, looked at its most, or used its time; where it
stopped is a marker, from which the next one goes on. Where statuses are asked for, the store is
asked for windows of time that double as long as it answers at once: it looks at what it leaves out.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, NamedTuple, TypeVar

from perdure.core.errors import InvalidParameterValue
from perdure.core.execution import Identity, Progress
from perdure.engine.seals import Seals
from perdure.store.protocol import ExecutionQuery, Store

__all__ = ["Bounds", "EnoughError", "Found", "Position", "Row", "Walker"]

Row = tuple[Identity, Progress]
#: (started_at_ms, id) of the last execution that was looked at.
Position = tuple[int, str]
Item = TypeVar("Item")

_BATCH: Final = 500
_WINDOW_MS: Final = 600_000
_QUICK_SECONDS: Final = 0.02
_FIRST_ID, _LAST_ID = "0" * 32, "f" * 32
_ID_CHARACTERS: Final = 32


class EnoughError(Exception):
    """An execution was not looked at: that is for the next request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far one request goes."""

    found: int
    scanned: int = 2_000
    seconds: float = 0.25


class Found(NamedTuple, Generic[Item]):
    """What a walk has found, and where it goes on; None: there is no more."""

    items: list[Item]
    position: Position | None
    scanned: int


class Walker:
    """Walks through the executions of a store."""

    def __init__(self, store: Store, seals: Seals) -> None:
        """``seals`` makes the markers."""
        self._store = store
        self._seals = seals

    async def walk(
        self,
        query: ExecutionQuery,
        bounds: Bounds,
        accept: Callable[[Row], Awaitable[Item | None]],
        *,
        now_ms: int,
    ) -> Found[Item]:
        """Return what ``accept`` makes of the executions of ``query``; it says None to leave one
        out, and raises ``EnoughError`` to stop before it.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + bounds.seconds
        items: list[Item] = []
        scanned, position, last = 0, query.after, query.after
        async for batch, position in self._batches(query, now_ms):
            for row in batch:
                try:
                    item = await accept(row)
                except EnoughError:
                    return Found(items, last, scanned)
                if item is not None and len(items) == bounds.found:
                    return Found(items, last, scanned)
                if item is not None:
                    items.append(item)
                scanned += 1
                last = _place(row)
                if scanned >= bounds.scanned or clock() > deadline:
                    return Found(items, last, scanned)
            last = position
            if last is not None and clock() > deadline:
                return Found(items, last, scanned)
        return Found(items, None, scanned)

    def seal(self, scope: str, position: Position | None, now_ms: int) -> str | None:
        """Return the marker of a position."""
        if position is None:
            return None
        return self._seals.seal_marker(scope, f"{position[0]},{position[1]}", now_ms)

    def open(self, scope: str, marker: str, now_ms: int) -> Position | None:
        """Return a marker's position; None at the start.

        Raises:
            InvalidParameterValue: it is none of ours.
        """
        if not marker:
            return None
        at_ms, _, execution_id = self._seals.open_marker(scope, marker, now_ms).partition(",")
        if len(execution_id) != _ID_CHARACTERS:
            raise InvalidParameterValue("Marker is not one that this call returned")
        return int(at_ms), execution_id

    async def _batches(
        self, query: ExecutionQuery, now_ms: int
    ) -> AsyncIterator[tuple[Sequence[Row], Position | None]]:
        """Yield executions, and where to go on after them."""
        clock = asyncio.get_running_loop().time
        width_ms = _WINDOW_MS
        while True:
            asked = replace(query, limit=_BATCH)
            window = None if query.statuses is None else _window(query, width_ms, now_ms)
            if window is not None:
                asked = replace(asked, **window.bounds)
            began = clock()
            batch = await self._store.list(asked)
            if len(batch) == _BATCH:
                position = _place(batch[-1])
            elif window is None or window.is_last:
                yield batch, None
                return
            else:
                position = window.end
                if clock() - began < _QUICK_SECONDS:
                    width_ms *= 4
            yield batch, position
            query = replace(query, after=position)


class _Window(NamedTuple):
    """A piece of time: what to ask for, where it ends, whether anything can be beyond."""

    bounds: dict[str, int]
    end: Position
    is_last: bool


def _window(query: ExecutionQuery, width_ms: int, now_ms: int) -> _Window:
    if query.newest_first:
        newest = now_ms if query.after is None else query.after[0]
        low = newest - width_ms
        least = -1 if query.started_after_ms is None else query.started_after_ms
        return _Window({"started_after_ms": max(low, least)}, (low + 1, _FIRST_ID), low <= least)
    oldest = query.started_after_ms or 0
    if query.after is not None:
        oldest = query.after[0]
    high = oldest + width_ms
    most = query.started_before_ms
    end = high if most is None else min(high, most)
    is_last = high > now_ms if most is None else high >= most
    bounds = {} if is_last and most is None else {"started_before_ms": end}
    return _Window(bounds, (high - 1, _LAST_ID), is_last)


def _place(row: Row) -> Position:
    return row[0].started_at_ms, row[0].id
