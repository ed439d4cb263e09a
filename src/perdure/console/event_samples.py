"""Named test events: what a function is tried with from the page, kept with the other records."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.core.errors import (
    InvalidParameterValue,
    RequestTooLarge,
    ResourceConflict,
    ResourceNotFound,
)
from perdure.engine.functions.registry import Registry
from perdure.store.protocol import Store
from perdure.store.records import Record, RecordConflictError, RecordWrite

__all__ = ["EventSamples"]

_COLLECTION: Final = "test-event"
_NAME: Final = re.compile(r"[A-Za-z0-9_. -]{1,100}\Z", re.ASCII)
_PAYLOAD_BYTES_MAX: Final = 256 * 1024
_EVENTS_MAX: Final = 50  #: of a function
_PATH: Final = "/console/api/functions/{function}/test-events"


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    payload: str


class EventSamples:
    """Keeps test events."""

    def __init__(self, registry: Registry, store: Store) -> None:
        """Keep them in ``store``, for the functions in ``registry``."""
        self._registry = registry
        self._store = store

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the routes."""
        return (
            ("GET", _PATH, self._list),
            ("PUT", f"{_PATH}/{{event}}", self._put),
            ("DELETE", f"{_PATH}/{{event}}", self._delete),
        )

    async def _list(self, request: Request) -> Reply:
        records = await self._of(await self._function(request))
        events = [
            {"name": record.key.partition(":")[2], "payload": record.body.decode()}
            for record in records
        ]
        return json_reply({"events": events})

    async def _put(self, request: Request) -> Reply:
        function, event = await self._function(request), _event(request)
        payload = (await request.document(_Document)).payload
        size = len(payload.encode())
        if size > _PAYLOAD_BYTES_MAX:
            raise RequestTooLarge(
                f"the payload is {size:,} bytes; the limit is {_PAYLOAD_BYTES_MAX:,}"
            )
        try:
            msgspec.json.decode(payload, type=msgspec.Raw)
        except (msgspec.DecodeError, RecursionError) as problem:
            raise InvalidParameterValue(f"the payload is no JSON: {problem}") from None
        records = await self._of(function)
        key = f"{function}:{event}"
        if len(records) >= _EVENTS_MAX and all(record.key != key for record in records):
            raise InvalidParameterValue(
                f"{function} has {len(records)} test events; the limit is {_EVENTS_MAX}"
            )
        await self._write(RecordWrite(collection=_COLLECTION, key=key, body=payload.encode()))
        return json_reply({"name": event, "payload": payload})

    async def _delete(self, request: Request) -> Reply:
        key = f"{await self._function(request)}:{_event(request)}"
        if await self._store.read_record(_COLLECTION, key) is None:
            raise ResourceNotFound("there is no such test event")
        await self._write(RecordWrite(collection=_COLLECTION, key=key, body=None))
        return Reply(204)

    async def _write(self, write: RecordWrite) -> None:
        try:
            await self._store.write_records([write])
        except RecordConflictError:
            raise ResourceConflict("somebody else changed it at the same time") from None

    async def _function(self, request: Request) -> str:
        name = self._registry.refer_whole(request.labels["function"])
        await self._registry.get(name)
        return name

    async def _of(self, function: str) -> Sequence[Record]:
        return await self._store.list_records(
            _COLLECTION, prefix=f"{function}:", limit=_EVENTS_MAX + 1
        )


def _event(request: Request) -> str:
    event = request.labels["event"]
    if not _NAME.match(event):
        raise InvalidParameterValue(
            f"{event[:120]!r} names no test event: 1 to 100 letters, digits, spaces and - _ ."
        )
    return event
