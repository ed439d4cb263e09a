"""Chance, as jitter needs it: the one place of the SDK that has any.

It comes from the operating system, not from a generator seeded at start: environments restored
from one snapshot would otherwise all wait for the same time, which is what jitter is there to
prevent. Whoever needs to know the outcome passes a ``Chance`` of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final, TypeAlias

__all__ = ["Chance", "client_tokens", "fraction"]

#: Returns a number from 0 up to, but not including, 1.
Chance: TypeAlias = Callable[[], float]

_BITS: Final = 53  # of a float's mantissa


def fraction() -> float:
    """Return a number drawn evenly from 0 up to, but not including, 1."""
    return (int.from_bytes(os.urandom(7), "big") >> 3) / (1 << _BITS)


def client_tokens() -> Iterator[str]:
    """Return tokens that no other run uses: each makes one checkpoint recognisable when it is sent
    again.
    """
    prefix = os.urandom(12).hex()
    return (f"{prefix}-{number}" for number in count(1))
