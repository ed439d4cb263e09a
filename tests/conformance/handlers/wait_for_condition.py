"""Waiting for a condition: requirements 6-1 to 6-13."""

from collections.abc import Callable
from typing import Any

from .sdk import (
    DurableContext,
    Duration,
    JitterStrategy,
    WaitForConditionCheckContext,
    WaitForConditionConfig,
    WaitForConditionError,
    WaitStrategyConfig,
    create_wait_strategy,
    durable_execution,
)
from .serdes import Reversed


def polling(
    should_continue: Callable[[Any], bool], *, delay_seconds: int = 1, max_attempts: int = 60
) -> Callable[[Any, int], Any]:
    """Return a strategy that polls at a fixed delay while ``should_continue`` says so."""
    return create_wait_strategy(
        WaitStrategyConfig(
            should_continue_polling=should_continue,
            max_attempts=max_attempts,
            initial_delay=Duration.from_seconds(delay_seconds),
            backoff_rate=1,
            jitter_strategy=JitterStrategy.NONE,
        )
    )


def increment(state: int, check: WaitForConditionCheckContext) -> int:
    return state + 1


def refuse(state: Any, check: WaitForConditionCheckContext) -> Any:
    raise ValueError("the check fails")


def count_up(
    context: DurableContext,
    *,
    start: int = 0,
    threshold: int,
    delay_seconds: int = 1,
    name: str | None = None,
) -> int:
    """Poll an incrementing counter until it reaches ``threshold``."""
    strategy = polling(lambda state: state < threshold, delay_seconds=delay_seconds)
    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=start)
    return context.wait_for_condition(increment, config, name=name)


@durable_execution
def basic(event: int, context: DurableContext) -> int:
    return count_up(context, threshold=event)


@durable_execution
def immediate(event: int, context: DurableContext) -> int:
    strategy = polling(lambda state: state < event)
    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=5)
    return context.wait_for_condition(lambda state, check: state, config)


@durable_execution
def named(event: int, context: DurableContext) -> int:
    return count_up(context, threshold=event, name="poll-status")


@durable_execution
def initial_state(event: int, context: DurableContext) -> int:
    return count_up(context, start=5, threshold=event)


@durable_execution
def fixed_delay(event: int, context: DurableContext) -> int:
    return count_up(context, threshold=event, delay_seconds=2)


@durable_execution
def attempts_exhausted(event: int, context: DurableContext) -> int:
    strategy = polling(lambda state: True, max_attempts=3)
    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=event)
    return context.wait_for_condition(increment, config)


@durable_execution
def check_fails(event: None, context: DurableContext) -> Any:
    config = WaitForConditionConfig(wait_strategy=polling(lambda state: True), initial_state=0)
    return context.wait_for_condition(refuse, config)


@durable_execution
def failure_caught(event: None, context: DurableContext) -> Any:
    config = WaitForConditionConfig(wait_strategy=polling(lambda state: True), initial_state=0)
    try:
        return context.wait_for_condition(refuse, config)
    except WaitForConditionError:
        return "recovered"


@durable_execution
def object_state(event: None, context: DurableContext) -> dict[str, Any]:
    def check_status(state: dict[str, Any], check: WaitForConditionCheckContext) -> dict[str, Any]:
        attempts = state["attempts"] + 1
        return {"status": "DONE" if attempts == 2 else "PENDING", "attempts": attempts}

    config = WaitForConditionConfig(
        wait_strategy=polling(lambda state: state["status"] == "PENDING"),
        initial_state={"status": "PENDING", "attempts": 0},
    )
    return context.wait_for_condition(check_status, config)


@durable_execution
def nothing(event: None, context: DurableContext) -> None:
    config = WaitForConditionConfig(wait_strategy=polling(lambda state: False), initial_state=None)
    return context.wait_for_condition(lambda state, check: None, config)


@durable_execution
def custom_serdes(event: None, context: DurableContext) -> str:
    config = WaitForConditionConfig(
        wait_strategy=polling(lambda state: len(state) < 2), initial_state="", serdes=Reversed()
    )
    return context.wait_for_condition(lambda state, check: f"{state}x", config)


@durable_execution
def before_step(event: int, context: DurableContext) -> int:
    count = count_up(context, threshold=event)
    return context.step(lambda _: count * 10)


@durable_execution
def sequential(event: None, context: DurableContext) -> int:
    first = count_up(context, threshold=2)
    return count_up(context, start=first, threshold=4)
