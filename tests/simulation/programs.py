"""Random durable functions: trees of operations whose result can be told from the seed.

A program's result is an object with one value for each of its leaves, by path. ``expectation`` says
what each may be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .dice import Dice

__all__ = [
    "Answers",
    "Callback",
    "Child",
    "Condition",
    "Fail",
    "Invoke",
    "Item",
    "Opening",
    "Parallel",
    "Program",
    "Step",
    "Wait",
    "draw_programs",
]


class Opening(Enum):
    """How a step tells the service that an attempt begins."""

    AHEAD = "ahead"  #: START is stored before the body runs
    ALONG = "along"  #: START travels with whatever is sent next
    NONE = "none"  #: only the outcome is sent


class Answers(Enum):
    """What becomes of a callback."""

    ONE = "one"  #: answered once, no timeout
    RIVALS = "rivals"  #: several answer differently; one wins
    NEVER = "never"  #: times out; an answer comes long after
    RACE = "race"  #: answered about when it times out
    BEATS = "beats"  #: kept alive by heartbeats, then answered
    LATE = "late"  #: kept alive by heartbeats, answered after its total timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Code that runs; ``script`` says of each attempt whether it succeeds."""

    path: str
    opening: Opening
    is_at_most_once: bool
    is_retried: bool  #: at most once: an interrupted attempt is followed by another
    script: tuple[bool, ...]
    delay_seconds: int
    body_seconds: float
    is_caught: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Time that passes."""

    path: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """An answer from outside; ``is_submitted``: AWS's wait_for_callback, with its own context."""

    path: str
    answers: Answers
    timeout_seconds: int
    heartbeat_seconds: int
    is_submitted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child context; a failure inside is its failure, and is caught."""

    path: str
    items: "tuple[Item, ...]"
    replay_children: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Branches that run at the same time; ``is_first``: the first to end decides, the others are
    left.
    """

    path: str
    branches: tuple[Child, ...]
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """Another function's result."""

    path: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """AWS's wait_for_condition: a step that keeps a state between its attempts."""

    path: str
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """The handler raises."""

    path: str


Item = Step | Wait | Callback | Child | Parallel | Invoke | Condition | Fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One function."""

    name: str
    items: tuple[Item, ...]
    is_durable: bool = True
    is_ended_by_checkpoint: bool = False  #: its result is too large to return
    lingers: int = 0  #: how often it asks for news before it suspends
    timeout_seconds: int = 50 * 86_400  #: of its executions
    is_out_of_time: bool = False  #: its executions are to end as TIMED_OUT
    may_time_out: bool = False  #: they may
    is_rude: bool = False  #: now and then it asks for what has to be refused


_SMALL: Final = (0.0, 0.0, 0.01, 0.2, 1.5)


class _Author:
    """Writes programs."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._number = 0
        self._budget = 0
        self._targets: Sequence[str] = ()

    def write(self, name: str, targets: Sequence[str]) -> Program:
        dice = self._dice
        self._targets = targets
        self._number = 0
        self._budget = dice.integer(2, 9)
        items = self._items(0)
        if dice.chance(0.08):
            items = (*items, Fail(path=self._path("f")))
        is_out_of_time = dice.chance(0.08)
        may_time_out = not is_out_of_time and dice.chance(0.08)
        timeout_seconds = Program.__dataclass_fields__["timeout_seconds"].default
        if is_out_of_time:
            timeout_seconds = dice.integer(3, 8)
            items = (*items, Wait(path=self._path("w"), seconds=10_000_000))
        elif may_time_out:
            timeout_seconds = dice.integer(2, 12)
        return Program(
            name=name,
            items=items,
            is_ended_by_checkpoint=dice.chance(0.15),
            lingers=dice.pick((0, 0, 1, 3)),
            timeout_seconds=timeout_seconds,
            is_out_of_time=is_out_of_time,
            may_time_out=may_time_out,
            is_rude=dice.chance(0.3),
        )

    def _path(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    def _items(self, depth: int) -> tuple[Item, ...]:
        items: list[Item] = []
        for _ in range(self._dice.integer(1, 4)):
            if self._budget <= 0 and items:
                break
            self._budget -= 1
            items.append(self._item(depth))
        return tuple(items)

    def _item(self, depth: int) -> Item:
        drawn = self._dice.fraction()
        if drawn < 0.36:
            return self._step()
        if drawn < 0.50:
            return Wait(path=self._path("w"), seconds=self._dice.integer(1, 5))
        if drawn < 0.64:
            return self._callback()
        if drawn < 0.74 and self._targets:
            return Invoke(path=self._path("i"), target=self._dice.pick(self._targets))
        if drawn < 0.80:
            return Condition(path=self._path("c"), rounds=self._dice.integer(1, 3))
        if depth < 2 and drawn < 0.88:
            return self._child(depth)
        if depth < 2:
            return self._parallel(depth)
        return self._step()

    def _step(self) -> Step:
        dice = self._dice
        is_at_most_once = dice.chance(0.4)
        fails = 0 if is_at_most_once else dice.pick((0, 0, 0, 1, 2))
        succeeds = dice.chance(0.85) or is_at_most_once
        return Step(
            path=self._path("s"),
            opening=Opening.AHEAD if is_at_most_once else dice.pick(tuple(Opening)),
            is_at_most_once=is_at_most_once,
            is_retried=dice.chance(0.7),
            script=(False,) * fails + ((True,) if succeeds else (False,)),
            delay_seconds=dice.integer(1, 3),
            body_seconds=dice.pick(_SMALL),
            is_caught=dice.chance(0.8),
        )

    def _callback(self) -> Callback:
        answers = self._dice.pick(tuple(Answers))
        has_timeout = answers in (Answers.NEVER, Answers.RACE, Answers.LATE)
        has_beats = answers in (Answers.BEATS, Answers.LATE)
        return Callback(
            path=self._path("k"),
            answers=answers,
            timeout_seconds=self._dice.integer(2, 6) if has_timeout else 0,
            heartbeat_seconds=3 if has_beats else 0,
            is_submitted=self._dice.chance(0.5),
        )

    def _child(self, depth: int) -> Child:
        return Child(
            path=self._path("x"),
            items=self._items(depth + 1),
            replay_children=self._dice.chance(0.4),
        )

    def _parallel(self, depth: int) -> Parallel:
        is_wide = self._dice.chance(0.2)
        is_first = self._dice.chance(0.25)
        count = self._dice.integer(6, 12) if is_wide else self._dice.integer(2, 3)
        path = self._path("p")
        branches = tuple(
            Child(path=self._path("b"), items=(self._step(),), replay_children=False)
            if is_wide
            else self._child(1 if is_first else depth)
            for _ in range(count)
        )
        return Parallel(path=path, branches=branches, is_first=is_first)


def draw_programs(dice: Dice) -> dict[str, Program]:
    """Return a few functions by name; one may invoke those after it."""
    author = _Author(dice)
    programs: dict[str, Program] = {}
    if dice.chance(0.6):
        programs["plain"] = Program(name="plain", items=(), is_durable=False)
    for number in range(dice.integer(1, 3)):
        name = f"f{number}"
        programs[name] = author.write(name, tuple(programs))
    return programs
