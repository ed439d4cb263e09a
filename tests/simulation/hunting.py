"""Hunts for planted bugs: schedules one after another, until one of them finds it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .schedule import Report, play

__all__ = ["Catch", "hunt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """A bug that was found."""

    schedules: int
    report: Report


def hunt(
    plant: Callable[[], AbstractContextManager[None]], *, first_seed: int, schedules_max: int
) -> Catch | None:
    """Return what found the planted bug, or None if no schedule did."""
    with plant():
        for number in range(schedules_max):
            report = play(first_seed + number)
            if report.violations:
                return Catch(schedules=number + 1, report=report)
    return None
