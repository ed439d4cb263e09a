"""How long an execution's handler has run: the sum of its invocations, which only history has.

It is read once for each event, and remembered for the executions that were asked for last.
"""

from collections import OrderedDict
from typing import Any, Final, NamedTuple

from perdure.core.execution import Progress
from perdure.protocol.words import EventType
from perdure.store.protocol import EventQuery, Store

__all__ = ["Billing"]

_KEPT_MAX: Final = 512
_PAGE: Final = 1_000
_PAGES_MAX: Final = 20  #: a request; the rest follows with the next ones


class _Sum(NamedTuple):
    last_event_id: int = 0
    billed_ms: int = 0


class Billing:
    """Adds up invocations."""

    def __init__(self, store: Store) -> None:
        """Read history from ``store``."""
        self._store = store
        self._sums: OrderedDict[str, _Sum] = OrderedDict()

    async def billed_ms(self, execution_id: str, progress: Progress) -> int:
        """Return for how long ended invocations have run, in milliseconds."""
        known = self._sums.get(execution_id, _Sum())
        for _ in range(_PAGES_MAX):
            if known.last_event_id >= progress.event_count:
                break
            query = EventQuery(execution_id=execution_id, after_id=known.last_event_id, limit=_PAGE)
            events = await self._store.events(query)
            if not events:
                break
            billed_ms = known.billed_ms
            for event in events:
                if event.type is EventType.INVOCATION_COMPLETED:
                    details: Any = event.details or {}
                    billed_ms += max(0, details["ended_at_ms"] - details["started_at_ms"])
            known = _Sum(events[-1].id, billed_ms)
        self._sums[execution_id] = known
        self._sums.move_to_end(execution_id)
        if len(self._sums) > _KEPT_MAX:
            self._sums.popitem(last=False)
        return known.billed_ms
