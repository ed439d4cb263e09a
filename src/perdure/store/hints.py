"""What nodes tell each other so that they need not look: one Protocol.

A hint hurries, and nothing depends on it: whatever it is about is a row, and who missed the hint
finds the row. So hints may be lost, come twice, and come late.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

__all__ = ["LOST", "Hear", "Hints", "LocalHints"]

#: The topic heard after an interruption: hints may have been lost, so everybody looks.
LOST: Final = "lost"

#: Hears a topic and its keys.
Hear = Callable[[str, tuple[str, ...]], None]


class Hints(Protocol):
    """Passes hints between nodes. A node does not hear its own."""

    async def open(self) -> None:
        """Begin to hear others."""
        ...

    async def aclose(self) -> None:
        """Send what was published, and let go."""
        ...

    def publish(self, topic: str, keys: Sequence[str]) -> None:
        """Tell the other nodes, soon. Never blocks or raises."""
        ...

    def subscribe(self, hear: Hear) -> None:
        """Call ``hear`` with every topic and its keys; with ``LOST`` when some may be missing."""
        ...


class LocalHints:
    """For a node that is alone: there is nobody to tell, and nothing to hear."""

    async def open(self) -> None:
        """Begin."""

    async def aclose(self) -> None:
        """End."""

    def publish(self, topic: str, keys: Sequence[str]) -> None:
        """Tell nobody."""

    def subscribe(self, hear: Hear) -> None:
        """Never call ``hear``."""
