"""Whether this process is alive, may be given work, and what of it is not as it should be.

``/healthz`` says that it takes requests, and is what restarts a process that does not answer it.
``/readyz`` is for a load balancer: a node that drains is alive, and wants no new callers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from perdure.api.exchange import Exchange

__all__ = ["HealthService", "HealthSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSource:
    """Where the answers come from."""

    unreadable_rows: Callable[[], int] = int  #: how many the store has found (D6)
    is_ready: Callable[[], bool] = field(default=lambda: True)
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])  #: what does not change
    nodes: Callable[[], Sequence[Mapping[str, Any]]] = field(default=lambda: ())


class HealthService:
    """Answers ``/healthz``, ``/readyz`` and ``/healthz/nodes``."""

    def __init__(self, source: HealthSource) -> None:
        """Answer from ``source``."""
        self._source = source

    async def serve(self, exchange: Exchange) -> bool:
        """Answer a request if it is one of these."""
        source = self._source
        match exchange.path:
            case b"/healthz":
                status, document = 200, self._health()
            case b"/readyz":
                is_ready = source.is_ready()
                status = 200 if is_ready else 503
                document = {"status": "ready" if is_ready else "draining"}
            case b"/healthz/nodes":
                status, document = 200, {"nodes": source.nodes()}
            case _:
                return False
        await exchange.answer(status, msgspec.json.encode(document))
        return True

    def _health(self) -> dict[str, Any]:
        count = self._source.unreadable_rows()
        found: dict[str, Any] = {"status": "damaged", "unreadableRows": count}
        return {**(found if count else {"status": "ok"}), **self._source.about}
