"""Callbacks that wait for an answer, of all running executions: found a piece at a time.

No index knows them. A request walks through running executions, the newest first, reads as many as
its bounds allow, and says where the next one goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.console.views import function_name
from perdure.console.walking import Bounds, EnoughError, Position, Row, Walker
from perdure.core.errors import InvalidParameterValue
from perdure.core.execution import Execution
from perdure.core.explanation import WAIT_FOR_CALLBACK, known_as
from perdure.core.operation import Operation
from perdure.engine.functions.registry import Registry
from perdure.engine.seals import Seals
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType
from perdure.store.protocol import CorruptRowError, ExecutionQuery, Store

__all__ = ["InboxService"]

_OPERATIONS_MAX: Final = 50_000  #: read in one request; the execution that passes it is the next's
_RESULT_CHARACTERS_MAX: Final = 4_096
_OPEN: Final = frozenset({ExecutionStatus.RUNNING, ExecutionStatus.PAUSING, ExecutionStatus.PAUSED})


class InboxService:
    """Answers ``/console/api/callbacks``."""

    def __init__(self, walker: Walker, registry: Registry, store: Store, seals: Seals) -> None:
        """Walk with ``walker``; ``seals`` makes the ids that callbacks are answered with."""
        self._walker = walker
        self._registry = registry
        self._store = store
        self._seals = seals

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the one route."""
        return (("GET", "/console/api/callbacks", self._list),)

    async def _list(self, request: Request) -> Reply:
        now_ms = self._registry.now_ms()
        function, name = request.text("function"), request.text("name")
        limit = request.limit()
        scope = f"inbox:{function}:{name}"
        query = ExecutionQuery(
            function_arn=self._registry.arn(function) if function else None,
            statuses=_OPEN,
            newest_first=True,
        )
        marker, _, told = request.text("marker").partition(".")
        position = self._walker.open(scope, marker, now_ms)
        found = _Found(name, limit, position, _number(told))
        walked = await self._walker.walk(
            replace(query, after=position),
            Bounds(found=limit),
            lambda row: self._read(row, found),
            now_ms=now_ms,
        )
        next_marker = self._walker.seal(scope, found.halfway or walked.position, now_ms)
        if found.halfway is not None:
            next_marker = f"{next_marker}.{found.told}"
        return json_reply(
            {
                "callbacks": found.views,
                "next_marker": next_marker,
                "scanned": walked.scanned,
            }
        )

    async def _read(self, row: Row, found: "_Found") -> bool | None:
        found.spend(row[1].operation_count)
        try:
            execution = await self._store.load(row[0].id)
        except CorruptRowError:
            return None
        if execution is not None and not execution.is_closed:
            found.take(execution, self._seals)
        return None


class _Found:
    """What a request has found so far.

    ``halfway``: the place just before an execution that has more callbacks than there was room for,
    of which ``told`` were told.
    """

    def __init__(self, name: str, limit: int, position: Position | None, told: int) -> None:
        self.views: list[dict[str, Any]] = []
        self.halfway: Position | None = None
        self.told = told
        self._name = name
        self._limit = limit
        self._begins = position
        self._operations_left = _OPERATIONS_MAX
        self._is_first = True

    def spend(self, operation_count: int) -> None:
        """Count one more execution that is read.

        Raises:
            EnoughError: it is one too many, or the page is full.
        """
        self._operations_left -= operation_count + 1
        if len(self.views) >= self._limit or (self._operations_left < 0 and not self._is_first):
            raise EnoughError
        self._is_first = False

    def take(self, execution: Execution, seals: Seals) -> None:
        """Take in an execution's callbacks, as far as the page has room.

        Raises:
            EnoughError: it has more.
        """
        place = _place_before(execution)
        told, self.told = (self.told if place == self._begins else 0), 0
        for number, operation in enumerate(_callbacks(execution, self._name)):
            if number < told:
                continue
            if len(self.views) >= self._limit:
                self.halfway, self.told = place, number
                raise EnoughError
            self.views.append(_view(execution, operation, seals))


def _callbacks(execution: Execution, name: str) -> Iterator[Operation]:
    for operation_id in execution.pending:
        operation = execution.operations[operation_id]
        is_callback = operation.type is OperationType.CALLBACK
        if is_callback and _name(execution, operation).startswith(name):
            yield operation


def _place_before(execution: Execution) -> Position:
    """Return a place from which a walk, the newest first, comes to the execution next."""
    identity = execution.identity
    return identity.started_at_ms, f"{int(identity.id, 16) + 1:032x}"


def _view(execution: Execution, callback: Operation, seals: Seals) -> dict[str, Any]:
    identity = execution.identity
    return {
        "callback_id": seals.seal_callback(identity.id, callback.id),
        "name": _name(execution, callback) or None,
        "execution_arn": identity.arn,
        "execution_name": identity.name,
        "function_name": function_name(identity.function_arn),
        "version": identity.version,
        "operation_id": callback.id,
        "started_at_ms": callback.started_at_ms,
        "timeout_at_ms": callback.due_at_ms,
        "heartbeat_timeout_at_ms": callback.heartbeat_due_at_ms,
        "submitter": _submitter(execution, callback),
    }


def _name(execution: Execution, callback: Operation) -> str:
    """Return what people call the callback; empty if it has no name."""
    return known_as(execution.operations, callback).name or ""


def _submitter(execution: Execution, callback: Operation) -> dict[str, Any] | None:
    """Return the step that told somebody of the callback: the one beside it."""
    parent = execution.operations.get(callback.parent_id or "")
    if parent is None or parent.sub_type != WAIT_FOR_CALLBACK:
        return None
    for operation in execution.operations.values():
        if operation.type is OperationType.STEP and operation.parent_id == parent.id:
            is_done = operation.status is OperationStatus.SUCCEEDED
            result = (operation.payload or "")[:_RESULT_CHARACTERS_MAX] if is_done else None
            return {"name": operation.name, "status": operation.status, "result": result or None}
    return None


def _number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 8):
        raise InvalidParameterValue("Marker is not one that this call returned")
    return int(text)
