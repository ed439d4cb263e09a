"""The heads of requests that were answered, as they came, and what they turned out to be.

The checkpoints of an execution have few different heads, and so have those who invoke one function.
The same bytes mean the same, whoever sends them: they are not taken apart again.
"""

from typing import Final

from uvicorn._types import HTTPScope

__all__ = ["KnownHeads"]

_KNOWN_MAX: Final = 1_024
_HEAD_BYTES_MAX: Final = 2_048


class KnownHeads:
    """Remembers heads of requests, each with the length of its body."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[bytes, tuple[int, HTTPScope]] = {}

    def find(self, head: bytes, body_bytes: int) -> HTTPScope | None:
        """Return the scope of a request that has this head, and a body of just this length."""
        known = self._known.get(head)
        return known[1] if known is not None and known[0] == body_bytes else None

    def add(self, head: bytes, body_bytes: int, scope: HTTPScope) -> None:
        """Know one more; of too many, none."""
        if len(head) > _HEAD_BYTES_MAX:
            return
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[head] = body_bytes, scope
