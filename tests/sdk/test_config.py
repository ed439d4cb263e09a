"""Configurations hold what AWS's hold, and take spans in every form."""

from datetime import timedelta
from random import Random, seed  # noqa: TID251  # AWS's jitter draws from the module's generator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import config as aws
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk import config as ours
from perdure.sdk.duration import Duration
from tests.sdk.refusals import refusal

DELAYS = st.floats(0, 10_000, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "seconds"), [(Duration(90), 90), (timedelta(minutes=1.5), 90), (90.5, 90)]
)
def test_timeouts_are_taken_in_every_form(value: Any, seconds: int) -> None:
    config = ours.CallbackConfig(timeout=value, heartbeat_timeout=value)
    assert (config.timeout_seconds, config.heartbeat_timeout_seconds) == (seconds, seconds)
    assert isinstance(config.timeout, Duration)


def test_a_callback_waits_for_ever_unless_told() -> None:
    config = ours.WaitForCallbackConfig()
    assert (config.timeout, config.heartbeat_timeout) == (Duration(), Duration())


@given(st.sampled_from(["StepConfig", "ChildConfig", "CallbackConfig"]), st.text() | st.none())
def test_sub_types_are_refused_as_aws_does(name: str, sub_type: str | None) -> None:
    _refuses_the_same(name, sub_type=sub_type)


@pytest.mark.parametrize("sub_type", ["a" * 32, "a" * 33, "A-z_9", "", "é"])
def test_the_bounds_of_a_sub_type_are_awss(sub_type: str) -> None:
    _refuses_the_same("StepConfig", sub_type=sub_type)
    _refuses_the_same("WaitForCallbackConfig", sub_type=sub_type)


@pytest.mark.parametrize("name", ["MapConfig", "ParallelConfig"])
@pytest.mark.parametrize("max_concurrency", [None, 1, 0, -1])
def test_a_batch_must_be_able_to_begin(name: str, max_concurrency: int | None) -> None:
    _refuses_the_same(name, max_concurrency=max_concurrency)


def _refuses_the_same(name: str, **values: Any) -> None:
    wanted = refusal(lambda: getattr(aws, name)(**values))
    assert refusal(lambda: getattr(ours, name)(**values)) == wanted


def test_a_branch_is_called_as_its_function() -> None:
    branch = ours.ParallelBranch(lambda first, *, second: (first, second), "pair")
    assert branch(1, second=2) == (1, 2)


@given(st.sampled_from(list(ours.JitterStrategy)), DELAYS, st.integers(0, 2**32))
def test_delays_are_spread_as_aws_spreads_them(
    strategy: ours.JitterStrategy, delay: float, number: int
) -> None:
    theirs = aws.JitterStrategy(strategy.value)
    seed(number)
    spread = theirs.apply_jitter(delay)
    assert strategy.apply_jitter(delay, chance=Random(number).random) == spread
    seed(number)
    final = theirs.finalize_delay(delay)
    assert strategy.finalize_delay(delay, chance=Random(number).random) == final


@given(DELAYS)
def test_a_spread_delay_stays_within_its_bounds(delay: float) -> None:
    assert ours.JitterStrategy.NONE.apply_jitter(delay) == delay
    assert delay / 2 <= ours.JitterStrategy.HALF.apply_jitter(delay) <= delay
    assert 0 <= ours.JitterStrategy.FULL.apply_jitter(delay) <= delay
    assert 1 <= ours.JitterStrategy.FULL.finalize_delay(delay) <= max(1, delay + 1)
