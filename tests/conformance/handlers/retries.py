"""Retry strategies whose delays are known in advance."""

from collections.abc import Callable
from typing import Any

from .sdk import Duration, JitterStrategy, RetryStrategyConfig, StepConfig, create_retry_strategy


def every_second(max_attempts: int) -> Callable[[Exception, int], Any]:
    """Return a strategy of at most ``max_attempts`` attempts, one second apart."""
    return create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=max_attempts,
            initial_delay=Duration.from_seconds(1),
            backoff_rate=1,
            jitter_strategy=JitterStrategy.NONE,
        )
    )


def retrying(max_attempts: int) -> StepConfig:
    """Return the configuration of a step tried at most ``max_attempts`` times, one second apart."""
    return StepConfig(retry_strategy=every_second(max_attempts))
