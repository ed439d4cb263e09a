"""Chance, all of it from the seed: one stream for each purpose, so that a change in one part leaves
the others as they were.
"""

import random  # noqa: TID251 - the one place; everything else is handed a Dice
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Dice", "SimulatedEntropy"]

Item = TypeVar("Item")


class Dice:
    """One stream of chance."""

    def __init__(self, seed: int, purpose: str) -> None:
        """Begin the stream of ``purpose`` in the schedule ``seed``."""
        self._random = random.Random(f"{seed}/{purpose}")
        self.fraction = self._random.random
        self.below = self._random.randrange

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``; draw nothing if it is 0."""
        return probability > 0 and self.fraction() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number in the range."""
        return low + (high - low) * self.fraction()

    def integer(self, low: int, high: int) -> int:
        """Return a whole number in the range, both ends included."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of ``items``."""
        return items[self.below(len(items))]

    def randbytes(self, size: int) -> bytes:
        """Return ``size`` bytes."""
        return self._random.randbytes(size)


class SimulatedEntropy:
    """What the engine takes for randomness."""

    def __init__(self, dice: Dice) -> None:
        """Draw from ``dice``."""
        self._dice = dice

    def token(self, size: int) -> bytes:
        """Return ``size`` bytes."""
        return self._dice.randbytes(size)

    def fraction(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""
        return self._dice.fraction()
