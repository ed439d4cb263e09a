"""A trial: the runs that one test makes, with what happened in them, and at most one killing.

Every checkpoint and every answer of an invocation is a place where a handler can die. A trial
counts them as they come; told to kill at one of them, it has the service end that invocation there:
*before*, nothing of the checkpoint is stored; *after*, all of it is, and the handler was not told;
*answer*, the handler has ended or suspended, and nobody heard.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from perdure.testing.service import LocalService

__all__ = [
    "Effect",
    "Keep",
    "Kill",
    "Moment",
    "Point",
    "StepRun",
    "Trial",
    "current_trial",
    "default_keep",
    "during",
    "keeping",
    "watch",
    "watching",
]

#: Whether suspended handlers are kept: never, always, or by a coin at each invocation.
Keep = Literal["off", "on", "random"]


class Moment(StrEnum):
    """When a handler dies."""

    BEFORE = "before"  #: the checkpoint is not stored
    AFTER = "after"  #: it is stored, and the handler does not hear of it
    ANSWER = "answer"  #: the handler has answered, and the answer is lost


class Kill(NamedTuple):
    """Where to kill.

    A place is known by what is stored or answered there, not by its number: which updates go into
    one checkpoint may differ from run to run.
    """

    moment: Moment
    key: str


class Point(NamedTuple):
    """One place where a handler could have been killed."""

    moment: Moment
    number: int  #: of the checkpoint, or of the answer, from 1
    what: str  #: what the checkpoint was to store, or the answer was
    kill: Kill  #: how to kill here

    def __str__(self) -> str:
        if self.moment is Moment.ANSWER:
            return f"before answer {self.number} [{self.what}] was heard"
        return f"{self.moment} checkpoint {self.number} [{self.what}]"


class StepRun(NamedTuple):
    """One attempt of one step."""

    execution: str  #: its ARN
    operation_id: str
    name: str | None
    attempt: int


class Effect(NamedTuple):
    """Something that a handler did to the world, as its author declared it."""

    name: str
    key: str
    step: str | None  #: the step it was done in; None: in no step


@dataclass
class Trial:
    """What a test's runs do and count."""

    keep: Keep | None = None  #: overrides what the runners say
    kill: Kill | None = None
    points: list[Point] = field(default_factory=list[Point])
    killed: Point | None = None
    step_runs: Counter[StepRun] = field(default_factory=Counter[StepRun])
    effects: Counter[Effect] = field(default_factory=Counter[Effect])
    services: list[LocalService] = field(default_factory=list["LocalService"])

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def key(self, place: str) -> str:
        """Return a key for what happens at ``place`` now: another one when it happens again."""
        with self._lock:
            self._counts[place] += 1
            return f"{place} #{self._counts[place]}"

    def comes_to(self, moment: Moment, what: str, keys: Sequence[str]) -> bool:
        """Count a place where a handler can die; tell whether it dies here."""
        with self._lock:
            self._counts[moment] += 1
            point = Point(moment, self._counts[moment], what, Kill(moment, keys[-1]))
            self.points.append(point)
            is_meant = self.kill is not None and self.kill in (Kill(moment, key) for key in keys)
            if self.killed is not None or not is_meant:
                return False
            self.killed = point
            return True

    def attempted(self, run: StepRun) -> None:
        """Count a run of a step's function."""
        with self._lock:
            self.step_runs[run] += 1

    def affected(self, effect: Effect) -> None:
        """Count an effect."""
        with self._lock:
            self.effects[effect] += 1


_trials: Final[list[Trial]] = []
_default_keep: Final[list[Keep]] = []


def default_keep() -> Keep:
    """Return whether handlers are kept where a test does not say."""
    return _default_keep[-1] if _default_keep else "off"


@contextmanager
def keeping(keep: Keep) -> Generator[None]:
    """Keep handlers, or do not, inside, where a test does not say."""
    _default_keep.append(keep)
    try:
        yield
    finally:
        _default_keep.pop()


def current_trial() -> Trial | None:
    """Return the trial that is being made, if any."""
    return _trials[-1] if _trials else None


#: Gives drawings of executions, for whoever reads a failed test.
Trees = Callable[[], "list[str]"]
_watches: Final[list[list[Trees]]] = []


def watch(trees: Trees) -> None:
    """Let the test that runs now, if it is watched, show these drawings if it fails."""
    for seen in _watches:
        seen.append(trees)


@contextmanager
def watching() -> Generator[list[Trees]]:
    """Collect what gives the drawings of the executions that are started inside."""
    seen: list[Trees] = []
    _watches.append(seen)
    try:
        yield seen
    finally:
        _watches.remove(seen)


@contextmanager
def during(trial: Trial) -> Generator[Trial]:
    """Let every runner that is made inside belong to ``trial``."""
    _trials.append(trial)
    try:
        yield trial
    finally:
        _trials.remove(trial)
