"""The console's views of executions: lists with filters, one in detail, and why it waits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from perdure.console.billing import Billing
from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.console.explaining import Explainer
from perdure.console.views import execution_view, explanation_view, summary_view
from perdure.console.walking import Bounds, EnoughError, Row, Walker
from perdure.core import phrases
from perdure.core.errors import InvalidParameterValue
from perdure.core.execution import Execution, Identity, Progress
from perdure.core.explanation import known_as
from perdure.engine.functions.registry import Registry
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, ExecutionStatus
from perdure.store.protocol import CorruptRowError, ExecutionQuery

__all__ = ["ExecutionService"]

_READ_BYTES_MAX: Final = 16 * 1024 * 1024  #: of payloads, looked through for a text in one request
_READ_COUNT_MAX: Final = 500  #: executions, as above
_SHOWN_OPERATIONS_MAX: Final = 5_000  #: read in one request to say what listed ones wait for


class ExecutionService:
    """Answers what the console asks about executions."""

    def __init__(self, explainer: Explainer, walker: Walker, registry: Registry) -> None:
        """Read through ``explainer`` and ``walker``; know functions by ``registry``."""
        self._explainer = explainer
        self._engine = explainer.engine
        self._store = explainer.engine.store
        self._walker = walker
        self._registry = registry
        self._billing = Billing(self._store)

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the routes."""
        return (
            ("GET", "/console/api/executions", self._list),
            ("GET", "/console/api/execution", self._get),
            ("GET", "/console/api/explain", self._explain),
        )

    async def view(self, execution: Execution) -> dict[str, Any]:
        """Return all of an execution but its history."""
        explanation = await self._explainer.explain(execution)
        billed_ms = await self._billing.billed_ms(execution.identity.id, execution.progress)
        return execution_view(execution, explanation, billed_ms, self._engine.clock.now_ms())

    async def _get(self, request: Request) -> Reply:
        return json_reply(await self.view(await self._asked(request)))

    async def _explain(self, request: Request) -> Reply:
        execution = await self._asked(request)
        return json_reply(explanation_view(await self._explainer.explain(execution)))

    async def _asked(self, request: Request) -> Execution:
        return await self._explainer.read(request.text("arn"))

    async def _list(self, request: Request) -> Reply:
        now_ms = self._engine.clock.now_ms()
        query = self._query(request)
        wanted = _Filter(request.text("name"), request.text("text").lower())
        scope = f"console:{query}:{wanted.name}:{wanted.text}"
        position = self._walker.open(scope, request.text("marker"), now_ms)
        limit = request.limit()
        rows: list[Row] = []
        if wanted.name and position is None:
            rows = await self._named(query, wanted)
        found = await self._walker.walk(
            replace(query, after=position),
            Bounds(found=max(1, limit - len(rows))),
            lambda row: self._accepted(row, wanted),
            now_ms=now_ms,
        )
        rows = [*rows, *found.items]
        return json_reply(
            {
                "executions": await self._summaries(rows),
                "next_marker": self._walker.seal(scope, found.position, now_ms),
                "scanned": found.scanned,
            }
        )

    def _query(self, request: Request) -> ExecutionQuery:
        function, statuses = request.text("function"), request.text("status")
        return ExecutionQuery(
            function_arn=self._registry.arn(function) if function else None,
            version=request.text("version") or None,
            statuses=frozenset(_status(word) for word in statuses.split(",") if word) or None,
            started_after_ms=request.number("started_after_ms"),
            started_before_ms=request.number("started_before_ms"),
            newest_first=request.query.get("newest_first", "true") != "false",
        )

    async def _named(self, query: ExecutionQuery, wanted: "_Filter") -> list[Row]:
        """Return the executions that have exactly the name: an index finds them."""
        found = await self._store.list(replace(query, name=wanted.name))
        return [row for row in found if await self._has_text(row, wanted)]

    async def _accepted(self, row: Row, wanted: "_Filter") -> Row | None:
        name = row[0].name
        # One that has exactly the name has come first.
        if wanted.name and (not name.startswith(wanted.name) or name == wanted.name):
            return None
        return row if await self._has_text(row, wanted) else None

    async def _has_text(self, row: Row, wanted: "_Filter") -> bool:
        if not wanted.text:
            return True
        wanted.spend(row[1])
        try:
            execution = await self._store.load(row[0].id)
        except CorruptRowError:
            return False
        if execution is None:
            return False
        root = execution.operations[row[0].id]
        return any(wanted.is_in(text) for text in (root.input, root.payload))

    async def _summaries(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        left = _SHOWN_OPERATIONS_MAX
        summaries: list[dict[str, Any]] = []
        for identity, progress in rows:
            waits_for = None
            if progress.status not in CLOSED_EXECUTION_STATUSES:
                left -= progress.operation_count + 1
                waits_for = await self._waits_for(identity, progress, can_read=left >= 0)
            summaries.append(summary_view(identity, progress, waits_for))
        return summaries

    async def _waits_for(
        self, identity: Identity, progress: Progress, *, can_read: bool
    ) -> str | None:
        """Return in a few words what an open execution waits for."""
        if progress.quarantine is not None:
            return "left alone by the service"
        if progress.pause is not None:
            return "paused"
        if progress.lease_until_ms is not None:
            return "handler runs"
        if progress.ready_at_ms is not None:
            return "next invocation" if progress.failures else "a worker"
        if not can_read:
            return None
        try:
            execution = await self._store.load(identity.id)
        except CorruptRowError:
            return None
        if execution is None or not execution.pending:
            return None
        operations = execution.operations
        return phrases.few_words([known_as(operations, operations[i]) for i in execution.pending])


class _Filter:
    """What the store cannot filter by, and how much may be read to find it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._escaped = msgspec.json.encode(text).decode()[1:-1]
        self._bytes_left = _READ_BYTES_MAX
        self._count_left = _READ_COUNT_MAX

    def is_in(self, payload: str | None) -> bool:
        """Tell whether a payload holds the text, as it is or as a JSON string has it."""
        lowered = (payload or "").lower()
        return self.text in lowered or self._escaped in lowered

    def spend(self, progress: Progress) -> None:
        """Count one more execution that is read.

        Raises:
            EnoughError: it is one too many; the first one never is.
        """
        is_first = self._count_left == _READ_COUNT_MAX
        self._bytes_left -= progress.stored_bytes
        self._count_left -= 1
        if not is_first and (self._bytes_left < 0 or self._count_left < 0):
            raise EnoughError


def _status(word: str) -> ExecutionStatus:
    try:
        return ExecutionStatus(word)
    except ValueError:
        allowed = ", ".join(ExecutionStatus)
        raise InvalidParameterValue(f"status {word[:40]!r} is not one of {allowed}") from None
