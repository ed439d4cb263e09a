"""How long a condition is polled for: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
    WaitStrategy,
    WaitStrategyConfig,
    create_wait_strategy,
)

__all__ = [
    "WaitForConditionConfig",
    "WaitForConditionDecision",
    "WaitStrategy",
    "WaitStrategyConfig",
    "create_wait_strategy",
]
