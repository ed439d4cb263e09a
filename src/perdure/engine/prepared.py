"""What is made of something before that is certain, so that it is at hand once it is."""

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Prepared"]

Given = TypeVar("Given")
Made = TypeVar("Made")


class Prepared(Generic[Given, Made]):
    """Makes the same of what is foreseen and of what has come about: once, if they are one."""

    __slots__ = ("_foreseen", "_is_wanted", "_made", "_make")

    def __init__(self, make: Callable[[Given], Made]) -> None:
        """Make with ``make``; nothing yet."""
        self._make = make
        self._foreseen: Given | None = None
        self._made: Made | None = None
        self._is_wanted = True

    def foresee(self, given: Given) -> None:
        """Make it of what is about to come about, and may yet turn out to be something else.

        Once it was asked for, it is too late: nothing is done.
        """
        if self._is_wanted:
            self._foreseen, self._made = given, self._make(given)

    def of(self, given: Given) -> Made:
        """Return what was made of this very object, or make it now."""
        self._is_wanted = False
        if self._made is None or self._foreseen is not given:
            return self._make(given)
        return self._made
