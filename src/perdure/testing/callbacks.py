"""What answers callbacks in the place of the world outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from perdure.core.commands import AnswerCallback
from perdure.sdk.failures import record_of
from perdure.testing.texts import as_text

if TYPE_CHECKING:
    from perdure.core.operation import Operation
    from perdure.testing.held import Held

__all__ = ["Responder", "Responders"]

#: Is given a callback's id; returns its result. What it raises is the callback's failure.
Responder = Callable[[str], Any]


class Responders:
    """Responders by the name of the callback."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_name: dict[str | None, Responder] = {}

    def register(self, name: str | None, respond: Responder) -> None:
        """Have ``respond`` answer the callbacks called ``name``; None: all others."""
        self._by_name[name] = respond

    def copy_from(self, other: Responders) -> None:
        """Know those of ``other`` too."""
        self._by_name |= other._by_name

    def find(self, held: Held, callback: Operation) -> Callable[[], AnswerCallback] | None:
        """Return what makes the answer to a callback, if anything does."""
        named = (
            respond
            for name, respond in self._by_name.items()
            if name is not None and held.answers_to(callback, name)
        )
        respond = next(named, self._by_name.get(None))
        if respond is None:
            return None
        callback_id, operation_id = held.callback_id(callback.id), callback.id
        return lambda: _answer(respond, callback_id, operation_id)


def _answer(respond: Responder, callback_id: str, operation_id: str) -> AnswerCallback:
    try:
        payload = as_text(respond(callback_id))
    except Exception as error:  # noqa: BLE001 - the callback's failure
        return AnswerCallback(operation_id=operation_id, error=record_of(error))
    return AnswerCallback(operation_id=operation_id, payload=payload)
