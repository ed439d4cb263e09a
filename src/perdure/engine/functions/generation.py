"""Counts the writes to functions, whichever node makes them: what was read before one may be old.

Where nodes share the store, a record counts with every write. Its revision is read again before
something is believed from memory, unless that was done a moment ago; a hint makes it be read at
once. An idle node asks nothing.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from perdure.engine.functions.records import RecordStore
from perdure.store.records import RecordWrite

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Generation"]

_COLLECTION: Final = "generation"
_KEY: Final = "functions"
_BELIEVED_SECONDS: Final = 0.2


class Generation:
    """The number of the last write, as far as this node knows."""

    def __init__(self, store: RecordStore) -> None:
        """Count writes to ``store``."""
        self.number = 0
        self.is_shared = False  #: others write to the store, too
        self.on_raised: Callable[[], None] = lambda: None
        self._store = store
        self._revision = -1
        self._read_at = 0.0
        self._is_doubted = True  #: somebody may have written since it was read
        self._lock = asyncio.Lock()

    def marks(self) -> list[RecordWrite]:
        """Return what has to be written with every change, for the other nodes to see."""
        return [RecordWrite(collection=_COLLECTION, key=_KEY, body=b"")] if self.is_shared else []

    def raise_number(self) -> None:
        """Note a write of this node's."""
        self.number += 1
        self._is_doubted = True
        self.on_raised()

    def doubt(self) -> None:
        """Note that another node may have written."""
        self._is_doubted = True

    @property
    def is_believed(self) -> bool:
        """Tell whether the number need not be read again now."""
        if not self.is_shared:
            return True
        now = asyncio.get_running_loop().time()
        return not self._is_doubted and now - self._read_at < _BELIEVED_SECONDS

    async def refresh(self) -> None:
        """Count what other nodes have written; what is believed then is but a moment old."""
        if self.is_believed:
            return
        async with self._lock:
            if self.is_believed:
                return
            asked_at = asyncio.get_running_loop().time()
            is_doubted, self._is_doubted = self._is_doubted, False
            try:
                record = await self._store.read_record(_COLLECTION, _KEY)
            except BaseException:
                self._is_doubted = is_doubted
                raise
            self._read_at = asked_at
            revision = 0 if record is None else record.revision
            if revision != self._revision:
                self._revision = revision
                self.number += 1
