"""The heads of requests that were answered, as they came, and what they turned out to be.

The checkpoints of an execution have few different heads, and so have those who invoke one function.
The same bytes mean the same, whoever sends them: they are not taken apart again.
"""

from typing import Final, NamedTuple

from uvicorn._types import HTTPScope

from perdure.api.exchange import Head

__all__ = ["KnownHead", "KnownHeads"]

_KNOWN_MAX: Final = 1_024
_KNOWN_BYTES_MAX: Final = 2_048


class KnownHead(NamedTuple):
    """What a request with some head is."""

    body_bytes: int
    scope: HTTPScope  #: without client and server; shared by requests, so nobody changes it
    head: Head


class KnownHeads:
    """Remembers heads of requests, by how they came."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[bytes, KnownHead] = {}

    def find(self, text: bytes, body_bytes: int) -> KnownHead | None:
        """Return what is known of a request with this head, and a body of just this length."""
        known = self._known.get(text)
        return known if known is not None and known.body_bytes == body_bytes else None

    def add(self, text: bytes, known: KnownHead) -> None:
        """Know one more; of too many, none."""
        if len(text) > _KNOWN_BYTES_MAX:
            return
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[text] = known
