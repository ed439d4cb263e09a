"""Small versioned documents beside the executions: functions, versions, aliases, settings, code.

A record is named by a collection and a key, holds bytes, and carries a revision that every write
raises. The store knows nothing of what is inside.
"""

from dataclasses import dataclass

__all__ = ["Record", "RecordConflictError", "RecordWrite"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One stored document."""

    collection: str
    key: str
    revision: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordWrite:
    """One document to put, or to remove (``body`` None), if it still has the revision it was read
    with.

    ``expected_revision`` None: whatever is there; 0: nothing may be there.
    """

    collection: str
    key: str
    body: bytes | None
    expected_revision: int | None = None


class RecordConflictError(Exception):
    """Somebody else wrote one of the records first; nothing was written."""
