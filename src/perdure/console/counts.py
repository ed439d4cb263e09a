"""How many executions have which status: counted by the store over the newest, remembered for a
moment.

To count takes time that grows with what is counted: so it is bounded, and the longer it took, the
longer it is remembered.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.console.views import function_name
from perdure.store.protocol import Store, Tally

__all__ = ["CountService"]

_COUNTED_MAX: Final = 100_000
_FRESH_SECONDS: Final = 0.5
_REST: Final = 20  #: of the time, so many parts are left to others


class CountService:
    """Counts executions."""

    def __init__(self, store: Store) -> None:
        """Count in ``store``."""
        self._store = store
        self._lock = asyncio.Lock()
        self._tally: Sequence[Tally] = ()
        self._fresh_until = 0.0

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the one route."""
        return (("GET", "/console/api/counts", self._counts),)

    async def tally(self) -> Sequence[Tally]:
        """Return the counts, at most a moment old."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            began = clock()
            if began >= self._fresh_until:
                self._tally = await self._store.tally(limit=_COUNTED_MAX)
                ended = clock()
                self._fresh_until = ended + max(_FRESH_SECONDS, _REST * (ended - began))
            return self._tally

    async def view(self) -> Mapping[str, Any]:
        """Return the counts as JSON has them."""
        by_status: dict[str, int] = {}
        by_function: dict[str, dict[str, int]] = {}
        counted = 0
        for tally in await self.tally():
            by_status[tally.status] = by_status.get(tally.status, 0) + tally.executions
            of_function = by_function.setdefault(function_name(tally.function_arn), {})
            of_function[tally.status] = of_function.get(tally.status, 0) + tally.executions
            counted += tally.executions
        return {
            "by_status": by_status,
            "by_function": by_function,
            "is_capped": counted >= _COUNTED_MAX,
        }

    async def _counts(self, request: Request) -> Reply:
        return json_reply(await self.view())
