"""Wait strategies decide what AWS's decide."""

from datetime import timedelta
from random import Random, seed  # noqa: TID251  # AWS's jitter draws from the module's generator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import config as aws_config
from aws_durable_execution_sdk_python import waits as aws
from aws_durable_execution_sdk_python.exceptions import (
    WaitForConditionError as AwsWaitForConditionError,
)
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk import waits as ours
from perdure.sdk.config import JitterStrategy
from perdure.sdk.exceptions import WaitForConditionError

SECONDS = st.integers(0, 1000)


def _decided(strategy: Any, state: int, attempt: int) -> object:
    try:
        decision = strategy(state, attempt)
    except (WaitForConditionError, AwsWaitForConditionError) as exhausted:
        return str(exhausted)
    return decision.should_continue, decision.delay_seconds


@given(
    st.integers(1, 8),
    SECONDS,
    SECONDS,
    st.floats(0.5, 4, allow_nan=False),
    st.sampled_from(list(JitterStrategy)),
)
def test_polls_are_awss(
    max_attempts: int, initial: int, most: int, rate: float, jitter: JitterStrategy
) -> None:
    shared: dict[str, Any] = {
        "should_continue_polling": lambda state: state < 5,
        "max_attempts": max_attempts,
        "backoff_rate": rate,
    }
    theirs = aws.create_wait_strategy(
        aws.WaitStrategyConfig(
            **shared,
            initial_delay=aws_config.Duration(initial),
            max_delay=aws_config.Duration(most),
            jitter_strategy=aws_config.JitterStrategy(jitter.value),
        )
    )
    mine = ours.create_wait_strategy(
        ours.WaitStrategyConfig(
            **shared, initial_delay=initial, max_delay=most, jitter_strategy=jitter
        ),
        chance=Random(7).random,
    )
    seed(7)
    for attempt in range(1, 10):
        for state in (attempt, attempt - 4):
            assert _decided(mine, state, attempt) == _decided(theirs, state, attempt)


def test_a_decision_takes_a_delay_in_every_form() -> None:
    decision = ours.WaitForConditionDecision.continue_waiting(timedelta(minutes=1))
    assert (decision.should_continue, decision.delay_seconds) == (True, 60)
    assert ours.WaitForConditionDecision.stop_polling().delay_seconds == 0


def test_a_condition_needs_a_strategy_and_a_state() -> None:
    config = ours.WaitForConditionConfig(lambda _state, _polls: _STOP, initial_state=0)
    assert (config.wait_strategy(0, 1), config.initial_state, config.serdes) == (_STOP, 0, None)
    with pytest.raises(TypeError, match="'initial_state'"):
        ours.WaitForConditionConfig(lambda _state, _polls: _STOP)  # type: ignore[call-arg]


_STOP = ours.WaitForConditionDecision.stop_polling()
