"""What was found unreadable in a store since it was opened: each is logged once, and counted, so
that health can say so (D6).
"""

import logging
from typing import Final

__all__ = ["Damage"]

_log = logging.getLogger(__name__)

_NOTED_MAX: Final = 10_000


class Damage:
    """Remembers what cannot be read."""

    def __init__(self) -> None:
        """Begin with nothing found."""
        self._noted: set[str] = set()

    def note(self, what: str, problem: object) -> None:
        """Log that ``what`` cannot be read, unless that was logged before."""
        if what not in self._noted and len(self._noted) < _NOTED_MAX:
            self._noted.add(what)
            _log.critical("%s cannot be read: %s", what, problem)

    def __len__(self) -> int:
        """Return how much was found."""
        return len(self._noted)
