"""A simulator that finds nothing is not trusted: it finds every bug planted in what it tests,
and the oracles alone find each of them too.
"""

import sys
from typing import Final

import pytest

from .bugs import BUGS
from .hunting import hunt

_SCHEDULES_MAX: Final = 500


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", list(BUGS))
@pytest.mark.parametrize("with_invariants", [True, False], ids=["asserting", "oracles-alone"])
def test_a_planted_bug_is_found(name: str, *, with_invariants: bool) -> None:
    catch = hunt(BUGS[name], schedules_max=_SCHEDULES_MAX, with_invariants=with_invariants)
    assert catch is not None, f"{name} was not found in {_SCHEDULES_MAX} schedules"
    sys.stdout.write(
        f"{name}: found after {catch.schedules} schedules: {catch.report.violations[0]}\n"
    )
