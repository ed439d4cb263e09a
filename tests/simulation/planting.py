"""How a bug is planted: a part of the core, the engine or the store is replaced for the length of
a ``with``, and put back.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from perdure.core import machine

__all__ = ["BUGS", "Bug", "bug", "entry", "patched", "without_invariants"]

Plant = Callable[[], Iterator[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One bug. ``stress``: the faults without which it hardly shows, for the hunt to turn up."""

    plant: Callable[[], AbstractContextManager[None]]
    stress: Mapping[str, float]


BUGS: Final[dict[str, Bug]] = {}


def bug(**stress: float) -> Callable[[Plant], Plant]:
    """Register what plants a bug: the text before and after its ``yield``."""

    def register(plant: Plant) -> Plant:
        BUGS[plant.__name__] = Bug(plant=contextmanager(plant), stress=stress)
        return plant

    return register


@contextmanager
def patched(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Have ``owner.name`` be ``value``."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def entry(table: Any, key: Any, value: Any) -> Iterator[None]:
    """Have ``table[key]`` be ``value``."""
    before = table.get(key)
    table[key] = value
    try:
        yield
    finally:
        if before is None:
            del table[key]
        else:
            table[key] = before


@contextmanager
def without_invariants() -> Iterator[None]:
    """Have the core assert nothing: what is found then, the oracles have found alone."""
    with patched(machine, "check", lambda *_: None):
        yield
