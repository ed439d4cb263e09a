"""Time as the database has it (T1, T5)."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.store.postgres_clock import PostgresClock
from perdure.store.protocol import StoreUnavailableError

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


class Monotonic:
    """A node's monotonic clock, moved by the test."""

    def __init__(self) -> None:
        """Show something."""
        self.at_ms = 5_000.0

    def __call__(self) -> float:
        return self.at_ms


def a_clock(database_ms: int = NOW_MS) -> tuple[PostgresClock, Monotonic]:
    monotonic = Monotonic()
    clock = PostgresClock(monotonic_ms=monotonic)
    clock.hear(database_ms)
    return clock, monotonic


def test_it_shows_the_last_reading_and_what_has_gone_by_since() -> None:
    clock, monotonic = a_clock()
    assert clock.now_ms() == NOW_MS
    monotonic.at_ms += 1_000
    assert NOW_MS + 998 <= clock.now_ms() <= NOW_MS + 1_000
    clock.hear(NOW_MS + 1_010)
    assert clock.now_ms() == NOW_MS + 1_010


def test_a_reading_that_was_long_on_its_way_sets_nothing_back() -> None:
    clock, monotonic = a_clock()
    monotonic.at_ms += 1_000
    before = clock.now_ms()
    clock.hear(NOW_MS + 300)
    assert clock.now_ms() == before


def test_it_goes_on_where_the_database_s_clock_goes_backward() -> None:
    """T5: by monotonic time, so that nothing waits for an hour."""
    clock, monotonic = a_clock()
    clock.hear(NOW_MS - HOUR_MS)
    assert clock.now_ms() == NOW_MS
    monotonic.at_ms += 10_000
    clock.hear(NOW_MS - HOUR_MS + 10_000)
    assert NOW_MS + 9_900 <= clock.now_ms() <= NOW_MS + 10_000
    assert not clock.is_in_doubt()


def test_after_a_jump_forward_it_is_in_doubt_for_a_while() -> None:
    """T5."""
    clock, monotonic = a_clock()
    clock.hear(NOW_MS + 59_000)
    assert not clock.is_in_doubt()
    clock.hear(NOW_MS + HOUR_MS)
    assert clock.is_in_doubt()
    assert clock.now_ms() == NOW_MS + HOUR_MS
    monotonic.at_ms += 300_001
    assert not clock.is_in_doubt()


def test_it_never_shows_less_than_what_was_stored() -> None:
    """T5: after a restart on a database whose clock lies behind."""
    clock, monotonic = a_clock()
    clock.raise_floor(NOW_MS + HOUR_MS)
    assert clock.now_ms() == NOW_MS + HOUR_MS
    clock.raise_floor(NOW_MS)
    monotonic.at_ms += 1_000
    assert clock.now_ms() >= NOW_MS + HOUR_MS + 998


@given(
    st.lists(
        st.tuples(st.integers(0, 5_000), st.integers(0, 400), st.floats(-0.0005, 0.0005)),
        max_size=30,
    )
)
def test_it_never_shows_more_than_the_database_s_clock_nor_less_than_before(
    steps: list[tuple[int, int, float]],
) -> None:
    """T1: however long answers take, and however the two clocks drift apart."""
    clock, monotonic = a_clock()
    database_ms, shown = float(NOW_MS), 0
    for span_ms, way_ms, drift in steps:
        for part_ms in (span_ms, 0):
            monotonic.at_ms += part_ms
            database_ms += part_ms * (1 + drift)
            assert shown <= clock.now_ms() <= database_ms
            shown = clock.now_ms()
        reading = int(database_ms)
        monotonic.at_ms += way_ms
        database_ms += way_ms * (1 + drift)
        clock.hear(reading)
        assert shown <= clock.now_ms() <= database_ms
        shown = clock.now_ms()


def test_it_is_read_again_and_again_though_the_database_goes_away() -> None:
    answers = iter([NOW_MS + 1_000, NOW_MS + 2_000])

    async def story() -> None:
        clock, _ = a_clock()
        done = asyncio.Event()

        async def read() -> int:
            found = next(answers, None)
            if found is None:
                done.set()
                raise StoreUnavailableError("gone")
            return found

        reading = asyncio.create_task(clock.keep_reading(read, every_seconds=0))
        await asyncio.wait_for(done.wait(), 30)
        assert not reading.done()
        reading.cancel()
        assert clock.now_ms() == NOW_MS + 2_000

    asyncio.run(story())


def test_what_commits_bring_along_need_not_be_read() -> None:
    async def story() -> None:
        clock, _ = a_clock()

        async def read() -> int:
            raise AssertionError("it was just heard of")

        reading = asyncio.create_task(clock.keep_reading(read, every_seconds=3600))
        await asyncio.sleep(0)
        assert not reading.done()
        reading.cancel()

    asyncio.run(story())


@pytest.mark.parametrize("reading", [0, NOW_MS])
def test_before_the_first_reading_it_shows_nothing(reading: int) -> None:
    monotonic = Monotonic()
    clock = PostgresClock(monotonic_ms=monotonic)
    assert clock.now_ms() == 0
    clock.hear(reading)
    assert clock.now_ms() == reading
    assert not clock.is_in_doubt()
