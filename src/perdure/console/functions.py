"""Functions as the console lists them: with how their last executions went."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.engine.functions.documents import FunctionDocument
from perdure.engine.functions.registry import Registry, marker_key, marker_of
from perdure.store.protocol import ExecutionQuery, Store

__all__ = ["FunctionService"]

_RECENT: Final = 100
_PAGE: Final = 50


class FunctionService:
    """Lists functions."""

    def __init__(self, registry: Registry, store: Store) -> None:
        """List what is in ``registry``; look for executions in ``store``."""
        self._registry = registry
        self._store = store

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the one route."""
        return (("GET", "/console/api/functions", self._list),)

    async def _list(self, request: Request) -> Reply:
        limit = request.limit(default=_PAGE, most=_PAGE)
        after = marker_key(request.text("marker") or None)
        page = await self._registry.functions.page(after=after, limit=limit + 1)
        shown = page[:limit]
        views = [await self._view(held.key, held.document) for held in shown]
        marker = marker_of(shown[-1].key) if len(page) > limit else None
        return json_reply({"functions": views, "next_marker": marker})

    async def _view(self, name: str, document: FunctionDocument) -> dict[str, Any]:
        configuration = document.latest.configuration
        arn = configuration.function_arn or self._registry.arn(name)
        recent = await self._store.list(
            ExecutionQuery(function_arn=arn, limit=_RECENT, newest_first=True)
        )
        statuses = Counter(progress.status for _, progress in recent)
        last = None
        if recent:
            identity, progress = recent[0]
            last = {
                "arn": identity.arn,
                "status": progress.status,
                "started_at_ms": identity.started_at_ms,
            }
        return {
            "name": name,
            "arn": arn,
            "runtime": configuration.runtime,
            "state": configuration.state or "Active",
            "last_update_status": configuration.last_update_status or "Successful",
            "is_durable": configuration.durable_config is not None,
            "description": configuration.description or "",
            "code_size": configuration.code_size or 0,
            "last_modified": configuration.last_modified,
            "last_version": document.last_version,
            "reserved_concurrency": document.reserved_concurrency,
            "last_execution": last,
            "recent": dict(statuses),
        }
