"""The ids of operations: made of nothing but their places in the code, so that every replay finds
what an earlier run has recorded. They are AWS's, to the byte.
"""

from __future__ import annotations

from perdure.sdk.records import record

try:  # hashlib's own source of it, without hashlib's search for all others: a tenth of cold start
    from _blake2 import blake2b
except ImportError:  # pragma: no cover - not CPython
    from hashlib import blake2b

__all__ = ["OperationIdNamespace", "operation_id"]


def operation_id(prefix: str | None, position: int) -> str:
    """Return the id of the operation at ``position`` (from 1) of the context that has ``prefix``.

    The prefix is the id of the operation that the context belongs to; None: the handler's own.
    """
    place = f"{prefix}-{position}" if prefix else str(position)
    return blake2b(place.encode()).hexdigest()[:64]


@record
class OperationIdNamespace:
    """The ids in one context."""

    prefix: str | None = None

    def create_id_for_step(self, step: int) -> str:
        """Return the id of the operation at position ``step``, from 1."""
        return operation_id(self.prefix, step)
