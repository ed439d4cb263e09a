"""What is found in a source file: its handlers."""

from dataclasses import dataclass

__all__ = ["Handler", "SourceError"]


class SourceError(Exception):
    """The file cannot be understood; the message says where and why, on one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A function that can be invoked."""

    name: str  #: as the module calls it
    is_durable: bool
