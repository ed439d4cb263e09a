"""What an execution must come to, told from its program, and from what was seen outside where two
outcomes may win.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .programs import (
    Callback,
    Child,
    Condition,
    Fail,
    Invoke,
    Item,
    Parallel,
    Program,
    Step,
    Wait,
)

__all__ = ["FAILED", "INTERRUPTED", "TIMED_OUT", "Expectation", "Seen", "expect", "problem_with"]

INTERRUPTED = "interrupted"
TIMED_OUT = "timed out"
FAILED = "failed: "


class Seen(Protocol):
    """What was seen from outside of one execution."""

    def callback(self, item: Callback) -> frozenset[str]:
        """Return what the callback may have come to."""
        ...

    def child(self, item: Invoke) -> frozenset[str]:
        """Return what the chained invoke may have come to."""
        ...


@dataclass(slots=True)
class Expectation:
    """The values that each leaf may have, and the failure that ends it all."""

    leaves: dict[str, frozenset[str]] = field(default_factory=dict)
    failure: str | None = None


def expect(program: Program, version: str, seen: Seen) -> Expectation:
    """Return what a run of ``program`` must come to if nobody ends it from outside."""
    return _expect(program.items, version, seen)


def problem_with(expected: Expectation, found: Mapping[str, str]) -> str | None:
    """Return how a result differs from what was expected, or None."""
    for path, allowed in expected.leaves.items():
        if found.get(path) not in allowed:
            return f"{path} is {found.get(path)!r}, not one of {sorted(allowed)}"
    extra = sorted(found.keys() - expected.leaves.keys())
    return f"{extra} should not be there" if extra else None


def _expect(items: tuple[Item, ...], version: str, seen: Seen) -> Expectation:
    total = Expectation()
    for item in items:
        part = _leaf(item, version, seen)
        total.leaves.update(part.leaves)
        if part.failure is not None:
            total.failure = part.failure
            break
    return total


def _leaf(item: Item, version: str, seen: Seen) -> Expectation:
    match item:
        case Step():
            return _step(item, version)
        case Wait():
            return Expectation({item.path: frozenset({"waited"})})
        case Callback():
            return Expectation({item.path: seen.callback(item)})
        case Invoke():
            return Expectation({item.path: seen.child(item)})
        case Condition():
            return Expectation({item.path: frozenset({f"{version}:{item.path}:{item.rounds}"})})
        case Fail():
            return Expectation(failure=item.path)
        case Child():
            return _child(item, version, seen)
        case Parallel() if item.is_first:
            return Expectation({item.path: frozenset({"first"})})
        case Parallel():
            return Expectation(dict(_branches(item, version, seen)))


def _step(item: Step, version: str) -> Expectation:
    if any(item.script):
        allowed = {f"{version}:{item.path}"}
        if item.is_at_most_once and not item.is_retried:
            allowed.add(INTERRUPTED)
        return Expectation({item.path: frozenset(allowed)})
    if item.is_caught:
        return Expectation({item.path: frozenset({FAILED + item.path})})
    return Expectation(failure=item.path)


def _child(item: Child, version: str, seen: Seen) -> Expectation:
    inner = _expect(item.items, version, seen)
    if inner.failure is None:
        return inner
    return Expectation({item.path: frozenset({FAILED + inner.failure})})


def _branches(item: Parallel, version: str, seen: Seen) -> Iterator[tuple[str, frozenset[str]]]:
    for branch in item.branches:
        yield from _child(branch, version, seen).leaves.items()
