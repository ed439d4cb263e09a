"""What a value on the wire must satisfy: declared beside its type, checked by the codec.

A constraint is attached with ``Annotated``: ``Name = Annotated[str, Text(1, 64, "[a-z]+")]``. Its
numbers and patterns are botocore's, spelled as there, so that a test can compare them. Patterns
match the whole value, ASCII only unless they name Unicode classes; they are compiled when they are
first needed, so that a handler's cold start does not pay for them.
"""

import re
from collections.abc import Callable, Sized
from dataclasses import dataclass
from functools import cache
from typing import Final

__all__ = ["Constraint", "Items", "Number", "Text"]


#: The one place where botocore's patterns are not ASCII (tags), and what it is in Python.
_JAVA_LETTERS: Final = r"\p{L}\p{Z}\p{N}"
_PYTHON_LETTERS: Final = r"\w \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True, slots=True)
class Text:
    """Bounds a string by characters, or a blob by bytes, and by ``pattern``."""

    min: int = 0
    max: int | None = None
    pattern: str | None = None

    @property
    def match(self) -> Callable[[str], object] | None:
        """Whatever tells whether a string matches, or None if there is no pattern."""
        return _compiled(self.pattern).match if self.pattern else None

    def problem(self, value: str | bytes) -> str | None:
        """Return what is wrong with ``value``, naming the limit, or None."""
        size = len(value)
        unit = "bytes" if isinstance(value, bytes) else "characters"
        if size < self.min:
            return f"is {size} {unit} long; the least is {self.min}"
        if self.max is not None and size > self.max:
            return f"is {size:,} {unit} long; the limit is {self.max:,}"
        if self.pattern and isinstance(value, str) and not _compiled(self.pattern).match(value):
            return f"does not match {self.pattern}"
        return None


@dataclass(frozen=True, slots=True)
class Number:
    """Bounds an integer or a float, both ends included."""

    min: float | None = None
    max: float | None = None

    def problem(self, value: float) -> str | None:
        """Return what is wrong with ``value``, naming the limit, or None."""
        if self.min is not None and value < self.min:
            return f"is below the least, {self.min:g}"
        if self.max is not None and value > self.max:
            return f"is above the limit, {self.max:,}"
        return None


@dataclass(frozen=True, slots=True)
class Items:
    """Bounds the number of entries of a list or a map."""

    min: int = 0
    max: int | None = None

    def problem(self, value: Sized) -> str | None:
        """Return what is wrong with ``value``, naming the limit, or None."""
        if len(value) < self.min:
            return f"has {len(value)} entries; the least is {self.min}"
        if self.max is not None and len(value) > self.max:
            return f"has {len(value):,} entries; the limit is {self.max:,}"
        return None


Constraint = Text | Number | Items


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    flags = re.UNICODE if _JAVA_LETTERS in pattern else re.ASCII
    return re.compile(rf"(?:{pattern.replace(_JAVA_LETTERS, _PYTHON_LETTERS)})\Z", flags)
