"""What changes, as server-sent events: an execution's history and state, and the counts of all.

No event of history is lost or repeated (H1): each message carries the number of the last one in it,
and a client that comes back says which it had. Commits of this node hurry a stream; what others
commit is found by looking from time to time. A client that reads slowly is sent less often.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

import msgspec

from perdure.console.counts import CountService
from perdure.console.exchanges import Request, Route, Stream
from perdure.console.executions import ExecutionService
from perdure.console.explaining import Explainer
from perdure.core.errors import InvalidParameterValue, ResourceNotFound, TooManyRequests
from perdure.core.execution import Execution
from perdure.core.history import HistoryReader
from perdure.core.outcome import Outcome
from perdure.protocol.wire import encode
from perdure.store.change import Change
from perdure.store.protocol import EventQuery

__all__ = ["StreamService"]

_STREAMS_MAX: Final = 128
_LOOK_SECONDS: Final = 2.0
_ROUND_SECONDS: Final = 0.2  #: at most five a second
_COUNT_SECONDS: Final = 1.0
_ALIVE_SECONDS: Final = 15.0
_PAGE: Final = 500
_MESSAGE_BYTES_MAX: Final = 1_048_576  #: of payloads; one event at least is in each message
_PAYLOAD_CHARACTERS_MAX: Final = 65_536  #: longer ones are left out of the state
_RETRY: Final = b"retry: 1000\n\n"
_ALIVE: Final = b": alive\n\n"
_EVENT_HEADER: Final = b"last-event-id"


class StreamService:
    """Streams changes to whoever watches."""

    def __init__(
        self, explainer: Explainer, executions: ExecutionService, counts: CountService
    ) -> None:
        """Hear of the commits of this node from now on."""
        self._explainer = explainer
        self._engine = explainer.engine
        self._executions = executions
        self._counts = counts
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._open = 0
        self._engine.listen(self._hear)

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the routes."""
        return (
            ("GET", "/console/api/stream", self._execution_stream),
            ("GET", "/console/api/stream/overview", self._overview_stream),
        )

    async def _execution_stream(self, request: Request) -> Stream:
        self._check_room()
        execution = await self._explainer.read(request.text("arn"))
        after = _resumed(request)
        with_data = request.query.get("data", "true") != "false"
        return Stream(self._follow(execution.identity.id, after, with_data=with_data))

    async def _overview_stream(self, request: Request) -> Stream:
        self._check_room()
        return Stream(self._follow_counts())

    def _check_room(self) -> None:
        if self._open >= _STREAMS_MAX:
            raise TooManyRequests(f"{self._open} streams are open, which is all there may be")

    def _hear(self, outcome: Outcome, change: Change) -> None:
        if self._watchers:
            for name in (change.execution_id, ""):
                for event in self._watchers.get(name, ()):
                    event.set()

    @contextlib.contextmanager
    def _watching(self, name: str):
        """Give an event that is set when an execution changes; an empty name: when any does."""
        event = asyncio.Event()
        watchers = self._watchers.setdefault(name, set())
        watchers.add(event)
        self._open += 1
        try:
            yield event
        finally:
            self._open -= 1
            watchers.discard(event)
            if not watchers:
                self._watchers.pop(name, None)

    async def _follow(
        self, execution_id: str, after: int, *, with_data: bool
    ) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        shown, sent_at = _Shown(), clock()
        with self._watching(execution_id) as changed:
            yield _RETRY
            while True:
                changed.clear()
                blocks, after, execution = await self._news(execution_id, after, with_data, shown)
                for block in blocks:
                    yield block
                    sent_at = clock()
                if execution is None or _is_all_told(execution, after):
                    yield _message("end", {"is_deleted": execution is None})
                    return
                if clock() - sent_at >= _ALIVE_SECONDS:
                    yield _ALIVE
                    sent_at = clock()
                if after >= execution.progress.event_count:
                    await _pause(changed, _ROUND_SECONDS, _LOOK_SECONDS)

    async def _news(
        self, execution_id: str, after: int, with_data: bool, shown: "_Shown"
    ) -> tuple[list[bytes], int, Execution | None]:
        """Return what is new as messages, the last event told, and the execution unless it is gone.

        Events first: each one's operation is in what is read after it.
        """
        query = EventQuery(execution_id=execution_id, after_id=after, limit=_PAGE)
        events = await self._engine.store.events(query)
        try:
            execution = await self._explainer.read_id(execution_id)
        except ResourceNotFound:
            return [], after, None
        reader = HistoryReader(
            execution.identity,
            execution.operations,
            lambda operation_id: self._explainer.seals.seal_callback(execution_id, operation_id),
            with_data=with_data,
        )
        blocks: list[bytes] = []
        batch: list[Any] = []
        size = 0
        for event in events:
            size += reader.size_bytes(event)
            if batch and size > _MESSAGE_BYTES_MAX:
                blocks.append(_message("history", batch, event_id=after))
                batch, size = [], reader.size_bytes(event)
            batch.append(encode(reader.shape(event)))
            after = event.id
        if batch:
            blocks.append(_message("history", batch, event_id=after))
        view = await self._executions.view(execution)
        if shown.is_new(execution, view):
            blocks.append(_message("execution", _light(view)))
        return blocks, after, execution

    async def _follow_counts(self) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        sent: Mapping[str, Any] = {}
        sent_at = clock()
        with self._watching("") as changed:
            yield _RETRY
            while True:
                changed.clear()
                counts = await self._counts.view()
                if counts != sent:
                    yield _message("counts", counts)
                    sent, sent_at = counts, clock()
                elif clock() - sent_at >= _ALIVE_SECONDS:
                    yield _ALIVE
                    sent_at = clock()
                await _pause(changed, _COUNT_SECONDS, _LOOK_SECONDS)


class _Shown:
    """What of an execution's state was sent last: what only moves with time does not count."""

    def __init__(self) -> None:
        self._last: tuple[int, Any] | None = None

    def is_new(self, execution: Execution, view: Mapping[str, Any]) -> bool:
        seen = (execution.progress.version, view["explain"])
        is_new = seen != self._last
        self._last = seen
        return is_new


def _is_all_told(execution: Execution, after: int) -> bool:
    return execution.is_closed and after >= execution.progress.event_count


def _light(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state without payloads too long to be sent again and again."""
    long = [
        name
        for name in ("input", "result")
        if view[name] is not None and len(view[name]) > _PAYLOAD_CHARACTERS_MAX
    ]
    return {**view, **dict.fromkeys(long), "left_out": long}


async def _pause(changed: asyncio.Event, least: float, most: float) -> None:
    """Wait until something changed, ``least`` seconds at least and ``most`` at most."""
    await asyncio.sleep(least)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(most - least):
            await changed.wait()


def _message(kind: str, data: Any, *, event_id: int | None = None) -> bytes:
    number = b"" if event_id is None else b"id: %d\n" % event_id
    return b"%bevent: %b\ndata: %b\n\n" % (number, kind.encode(), msgspec.json.encode(data))


def _resumed(request: Request) -> int:
    """Return the last event that the client has: a browser that comes back says so by itself.

    Raises:
        InvalidParameterValue: it is no number.
    """
    given = request.exchange.headers.get(_EVENT_HEADER, b"").decode("latin-1")
    if not given:
        return request.number("after") or 0
    if not (given.isascii() and given.isdigit() and len(given) <= 9):
        raise InvalidParameterValue(f"Last-Event-ID must be a number: {given[:40]!r}")
    return int(given)
