"""Spans: AWS's to the second, ours to the millisecond."""

from datetime import timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import config as aws
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk.duration import Duration, as_duration
from perdure.sdk.exceptions import ValidationError
from tests.sdk.refusals import refusal

NUMBERS = st.integers(-(10**6), 10**9) | st.floats(-(10.0**4), 10.0**9, allow_nan=False)
CONSTRUCTORS = st.sampled_from(["from_seconds", "from_minutes", "from_hours", "from_days"])


@given(CONSTRUCTORS, NUMBERS)
def test_whole_seconds_are_awss(constructor: str, value: float) -> None:
    refused = refusal(lambda: getattr(aws.Duration, constructor)(value))
    assert refusal(lambda: getattr(Duration, constructor)(value)) == refused
    if refused is None:
        expected = getattr(aws.Duration, constructor)(value).to_seconds()
        duration = getattr(Duration, constructor)(value)
        assert duration.to_seconds() == duration.seconds == expected
        assert type(duration.seconds) is type(duration.milliseconds) is int


@given(st.integers(0, 10**13))
def test_milliseconds_survive_every_form(value_ms: int) -> None:
    duration = Duration.from_milliseconds(value_ms)
    assert duration.to_milliseconds() == value_ms
    assert 0 <= duration.milliseconds < 1000
    assert Duration.from_timedelta(duration.to_timedelta()) == duration
    assert Duration(milliseconds=value_ms) == duration


@given(st.integers(0, 10**9))
def test_a_fraction_of_a_second_is_kept(value_ms: int) -> None:
    assert Duration.from_seconds(value_ms / 1000).to_milliseconds() == value_ms


def test_a_fraction_never_makes_a_second() -> None:
    assert Duration.from_seconds(1.9999999) == Duration(1, milliseconds=999)


def test_nothing_is_the_default() -> None:
    assert Duration() == Duration(0) == Duration.from_days(0)


def test_equal_spans_are_one() -> None:
    assert len({Duration(60), Duration.from_minutes(1), Duration(59, milliseconds=1000)}) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Duration(5), Duration(5)),
        (timedelta(minutes=2, microseconds=1500), Duration(120, milliseconds=1)),
        (7, Duration(7)),
        (0.25, Duration(milliseconds=250)),
    ],
)
def test_every_form_of_a_span_is_taken(value: Any, expected: Duration) -> None:
    assert as_duration(value) == expected


@pytest.mark.parametrize("value", [-1, timedelta(seconds=-1), timedelta(microseconds=-1)])
def test_a_negative_span_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="Duration seconds must be positive"):
        as_duration(value)


@pytest.mark.parametrize("value", ["5", None, True])
def test_what_is_no_span_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="a Duration, a timedelta or a number of seconds"):
        as_duration(value)
