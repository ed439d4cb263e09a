"""Hunts for planted bugs: schedules one after another, until one of them finds it."""

import contextlib
from dataclasses import dataclass

from .bugs import Bug, without_invariants
from .schedule import Report, play

__all__ = ["Catch", "hunt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """A bug that was found."""

    schedules: int
    report: Report


def hunt(bug: Bug, *, schedules_max: int, with_invariants: bool = True) -> Catch | None:
    """Return what found the bug, or None if no schedule did.

    ``with_invariants`` False: the core asserts nothing, and the oracles have to find it alone.
    """
    with contextlib.ExitStack() as planted:
        if not with_invariants:
            planted.enter_context(without_invariants())
        planted.enter_context(bug.plant())
        for seed in range(1, schedules_max + 1):
            report = play(seed, stress=bug.stress)
            if report.violations:
                return Catch(schedules=seed, report=report)
    return None
