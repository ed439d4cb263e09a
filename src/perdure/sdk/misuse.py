"""Errors in how a handler is written, told so that their place is found. AWS's SDK has none of
these; each is a kind of one that it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perdure.sdk.exceptions import NonDeterministicExecutionError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from perdure.protocol.operations import Operation
    from perdure.sdk.journal import Identity

__all__ = ["ReplayMismatchError", "WrongContextError"]


class WrongContextError(ValidationError):
    """An operation was asked for inside a step, or of a context that is not the innermost one."""


class ReplayMismatchError(NonDeterministicExecutionError):
    """The handler asked for another operation than the one that is recorded in its place.

    Attributes:
        recorded: the operation that an earlier run of the handler asked for there.
        requested: what this one asks for.
        location: the handler's line that does, as ``file:line``, if it is known.
    """

    def __init__(
        self,
        message: str,
        step_id: str | None = None,
        *,
        recorded: Operation | None = None,
        requested: Identity | None = None,
        location: str | None = None,
    ) -> None:
        """Say what differs, at which operation id, and hold both sides."""
        super().__init__(message, step_id)
        self.recorded = recorded
        self.requested = requested
        self.location = location

    @classmethod
    def between(
        cls,
        recorded: Operation,
        requested: Identity,
        differences: Sequence[str],
        *,
        location: str | None = None,
    ) -> Self:
        """Return the error that shows both operations side by side.

        Its first line is AWS's message.
        """
        lines = [
            f"Non-deterministic operation identity at id={requested.operation_id!r}: "
            + ", ".join(differences),
            "  recorded:  "
            + _shown(recorded.type, recorded.sub_type, recorded.name, recorded.parent_id),
            "  requested: "
            + _shown(
                requested.operation_type, requested.sub_type, requested.name, requested.parent_id
            ),
        ]
        if location is not None:
            lines.append(f"  at {location}")
        return cls(
            "\n".join(lines),
            requested.operation_id,
            recorded=recorded,
            requested=requested,
            location=location,
        )


def _shown(kind: str, sub_type: str | None, name: str | None, parent_id: str | None) -> str:
    """Return an operation as ``STEP (Step) "charge" in 5af3...``."""
    shown = f"{kind} ({sub_type})" if sub_type else f"{kind}"
    shown = f'{shown} "{name}"' if name else f"{shown} without a name"
    return f"{shown} in {parent_id}" if parent_id else shown
