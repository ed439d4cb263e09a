"""What handlers do to the world, declared where they do it, so that what is done twice is found.

    def charge(step_context):
        effects.record("charge", order.id)
        return gateway.charge(order)

Outside of a test it costs a look at a context variable, and does nothing.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from perdure.sdk.scopes import ACTIVE
from perdure.sdk.witness import WITNESS
from perdure.testing.trials import Effect, current_trial

__all__ = ["EffectWitness", "record"]


@runtime_checkable
class EffectWitness(Protocol):
    """A witness that counts effects."""

    def affected(self, effect: Effect) -> None:
        """Count an effect of the handler that it watches."""
        ...


def record(name: str, key: object = "") -> None:
    """Declare that the effect ``name`` happens now; ``key`` says to what: an order, an address.

    The same name and key again is the same effect again.
    """
    place = ACTIVE.get()
    step = place.scope.name or "(a step without a name)" if place and place.scope.is_work else None
    effect = Effect(name, str(key), step)
    witness = WITNESS.get()
    if isinstance(witness, EffectWitness):
        witness.affected(effect)
    elif (trial := current_trial()) is not None:
        trial.affected(effect)
