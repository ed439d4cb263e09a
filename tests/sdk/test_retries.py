"""Retry strategies decide what AWS's decide."""

import inspect
import re
from datetime import timedelta
from random import Random, seed  # noqa: TID251  # AWS's jitter draws from the module's generator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import config as aws_config
from aws_durable_execution_sdk_python import retries as aws
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk import config as ours_config
from perdure.sdk import retries as ours
from perdure.sdk.duration import Duration

ERRORS = [ValueError("too many"), KeyError("rate"), TimeoutError("timed out\nat last")]
JITTERS = st.sampled_from(["NONE", "FULL", "HALF"])
SECONDS = st.integers(0, 1000)
FILTERS = st.fixed_dictionaries(
    {
        "retryable_errors": st.none()
        | st.lists(st.sampled_from(["many", "rate", re.compile("time.*"), re.compile("^m")])),
        "retryable_error_types": st.none()
        | st.lists(st.sampled_from([ValueError, LookupError, Exception])),
    }
)


def _config(kind: str, jitter: str, seconds: dict[str, int], **values: Any) -> tuple[Any, Any]:
    """Return the same config of AWS's and of ours."""
    theirs = {name: aws_config.Duration(value) for name, value in seconds.items()}
    return (
        getattr(aws, kind)(jitter_strategy=aws_config.JitterStrategy(jitter), **theirs, **values),
        getattr(ours, kind)(
            jitter_strategy=ours_config.JitterStrategy(jitter), **seconds, **values
        ),
    )


@given(
    st.integers(1, 12),
    st.fixed_dictionaries({"initial_delay": SECONDS, "max_delay": SECONDS}),
    st.floats(0.5, 4, allow_nan=False),
    JITTERS,
    FILTERS,
)
def test_exponential_delays_are_awss(
    max_attempts: int, seconds: dict[str, int], rate: float, jitter: str, filters: dict[str, Any]
) -> None:
    theirs, mine = _config(
        "RetryStrategyConfig",
        jitter,
        seconds,
        max_attempts=max_attempts,
        backoff_rate=rate,
        **filters,
    )
    strategy = ours.create_retry_strategy(mine, chance=Random(7).random)
    _decide_the_same(aws.create_retry_strategy(theirs), strategy)


@given(
    st.integers(1, 12),
    st.fixed_dictionaries({"initial_delay": SECONDS, "increment": SECONDS, "max_delay": SECONDS}),
    JITTERS,
    FILTERS,
)
def test_linear_delays_are_awss(
    max_attempts: int, seconds: dict[str, int], jitter: str, filters: dict[str, Any]
) -> None:
    theirs, mine = _config(
        "LinearRetryStrategyConfig", jitter, seconds, max_attempts=max_attempts, **filters
    )
    strategy = ours.create_linear_retry_strategy(mine, chance=Random(7).random)
    _decide_the_same(aws.create_linear_retry_strategy(theirs), strategy)


def _decide_the_same(theirs: Any, mine: Any) -> None:
    seed(7)
    for attempt in range(1, 14):
        for error in ERRORS:
            wanted, decision = theirs(error, attempt), mine(error, attempt)
            assert decision.should_retry == wanted.should_retry
            assert decision.delay_seconds == wanted.delay_seconds


@pytest.mark.parametrize(
    "preset",
    ["none", "default", "transient", "resource_availability", "critical", "linear", "fixed"],
)
def test_presets_are_awss(preset: str) -> None:
    theirs, mine = getattr(aws.RetryPresets, preset)(), getattr(ours.RetryPresets, preset)()
    assert _parameters(mine) == _parameters(theirs)


def test_a_fixed_interval_may_be_given() -> None:
    mine = ours.RetryPresets.fixed(timedelta(seconds=9))
    assert _parameters(mine) == _parameters(aws.RetryPresets.fixed(aws_config.Duration(9)))


@pytest.mark.parametrize("name", ["create_retry_strategy", "create_linear_retry_strategy"])
def test_the_strategies_without_a_config_are_awss(name: str) -> None:
    assert _parameters(getattr(ours, name)()) == _parameters(getattr(aws, name)())


def _parameters(strategy: Any) -> dict[str, object]:
    config: Any = inspect.getclosurevars(strategy).nonlocals["config"]
    values = {name: getattr(config, name) for name in inspect.signature(type(config)).parameters}
    return {
        name: value.to_seconds() if hasattr(value, "to_seconds") else value
        for name, value in values.items()
    }


def test_a_config_is_read_at_every_decision() -> None:
    config = ours.RetryStrategyConfig(max_attempts=1)
    strategy = ours.create_retry_strategy(config)
    assert not strategy(ValueError(), 1).should_retry
    config.max_attempts = 2
    config.initial_delay = timedelta(seconds=3)
    config.jitter_strategy = ours_config.JitterStrategy.NONE
    assert strategy(ValueError(), 1) == ours.RetryDecision.retry(3)


def test_a_decision_takes_a_delay_in_every_form() -> None:
    assert ours.RetryDecision.retry(timedelta(minutes=1)).delay_seconds == 60
    assert ours.RetryDecision(True, 2.5).delay == Duration(2, milliseconds=500)
    assert ours.RetryDecision.no_retry() == ours.RetryDecision(False, Duration())
