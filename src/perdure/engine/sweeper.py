"""Has chores done from time to time: old log lines removed, code that no execution needs any more.

A chore that fails is logged, and comes again with the next round.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from perdure.engine.loops import Loop
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, ExecutionStatus
from perdure.store.protocol import ExecutionQuery, Store

__all__ = ["Sweeper", "is_code_needed"]

_log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 600.0
_PAGE: Final = 500
_OPEN: Final = frozenset(ExecutionStatus) - CLOSED_EXECUTION_STATUSES


class Sweeper:
    """Does chores."""

    def __init__(self, chores: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        """Name the chores, for the log."""
        self._chores = chores
        self._loop = Loop("sweeper", self.run_once)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Do every chore once; return the seconds until the next round."""
        for name, chore in self._chores.items():
            try:
                await chore()
            except Exception:  # noqa: BLE001 - the edge of a chore: logged, and done again
                _log.exception("%s: this chore failed", name)
        return _EVERY_SECONDS


async def is_code_needed(store: Store, function_arn: str, code_sha256: str) -> bool:
    """Tell whether an open execution is pinned to this code (V1)."""
    after: tuple[int, str] | None = None
    while True:
        query = ExecutionQuery(function_arn=function_arn, statuses=_OPEN, after=after, limit=_PAGE)
        found = await store.list(query)
        if any(identity.code_sha256 == code_sha256 for identity, _ in found):
            return True
        if len(found) < _PAGE:
            return False
        last = found[-1][0]
        after = (last.started_at_ms, last.id)
