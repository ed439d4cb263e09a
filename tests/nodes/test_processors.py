"""The stopwatch that the proof measures with."""

import os

import pytest

from tests.nodes.processors import Reading, Stopwatch, reader


@pytest.mark.parametrize(
    ("busy", "own", "seconds"),
    [(0, 0, 4), (8, 8, 4), (4, 0, 2), (8, 4, 2), (8, 0, 4 / 3), (2, 3, 4), (4, -1, 2)],
    ids=["idle", "own", "others", "both", "others alone", "out of step", "one has ended"],
)
def test_time_counts_as_far_as_others_do_not_have_the_processors(
    busy: float, own: float, seconds: float
) -> None:
    """Four seconds of two processors."""
    readings = iter([Reading(10, 100, 50), Reading(14, 100 + busy, 50 + own)])
    watch = Stopwatch(lambda: next(readings), processors=2)
    assert (watch.look(), watch.elapsed) == (seconds, 4)


def test_what_others_did_is_added_up() -> None:
    readings = iter([Reading(0, 0, 0), Reading(1, 1, 0), Reading(2, 1, 0), Reading(3, 2, 0)])
    watch = Stopwatch(lambda: next(readings), processors=2)
    assert [watch.look() for _ in range(3)] == [0.5, 1.5, 2]


def test_the_processors_of_this_machine_can_be_read() -> None:
    read = reader(lambda: [os.getpid()])
    first, second = read(), read()
    assert 0 < first.own <= second.own
    assert first.at <= second.at
    assert 0 < first.busy <= second.busy
