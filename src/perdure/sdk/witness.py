"""Who watches a handler at work: the testing library, which counts the runs of steps' functions.

The witness travels in the context of the invocation's thread or task, and so into every function
of the author's. On a server there is none.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from perdure.sdk.journal import Identity

__all__ = ["WITNESS", "Witness"]


class Witness(Protocol):
    """Is told of what a handler does beside its operations."""

    def attempted(self, identity: Identity, attempt: int) -> None:
        """Note that a step's function is about to run, for its ``attempt``-th time (from 1)."""
        ...


#: The witness of the handler that is running in this thread or task.
WITNESS: Final[ContextVar[Witness | None]] = ContextVar("perdure_witness", default=None)
