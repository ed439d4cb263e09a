"""Randomness, as the engine's parts are given it: a Protocol, so that the simulator can repeat
itself.
"""

import secrets
from typing import Protocol

__all__ = ["Entropy", "SystemEntropy"]


class Entropy(Protocol):
    """Gives random values."""

    def token(self, size: int) -> bytes:
        """Return ``size`` random bytes that nobody can guess."""
        ...

    def fraction(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""
        ...


class SystemEntropy:
    """The operating system's."""

    def token(self, size: int) -> bytes:
        """Return ``size`` random bytes that nobody can guess."""
        return secrets.token_bytes(size)

    def fraction(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""
        return int.from_bytes(secrets.token_bytes(6), "big") / (1 << 48)
