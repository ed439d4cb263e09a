"""Chance that can be had again: a coin whose throws follow from its seed."""

from __future__ import annotations

import hashlib

__all__ = ["Coin"]


class Coin:
    """Throws that look random, and are the same for the same seed."""

    def __init__(self, seed: int) -> None:
        """Begin with the first throw."""
        self.seed = seed
        self._throws = 0

    def toss(self) -> bool:
        """Return heads or tails."""
        self._throws += 1
        return hashlib.sha256(f"{self.seed}/{self._throws}".encode()).digest()[0] % 2 == 0
