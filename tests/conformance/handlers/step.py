"""Steps: requirements 1-1 to 1-20."""

from typing import Any

from .failures import TransientError, crash
from .retries import every_second, retrying
from .sdk import (
    DurableContext,
    Duration,
    JitterStrategy,
    RetryPresets,
    RetryStrategyConfig,
    StepConfig,
    StepContext,
    StepError,
    StepSemantics,
    create_retry_strategy,
    durable_execution,
    durable_step,
)
from .serdes import UpperCase

NO_RETRY = StepConfig(retry_strategy=RetryPresets.none())


@durable_step
def say_hello(step: StepContext, name: str) -> str:
    return f"Hello, {name}!"


@durable_step
def refuse(step: StepContext) -> None:
    raise ValueError("this step always fails")


@durable_step
def succeed_at(step: StepContext, attempt: int) -> str:
    if step.attempt < attempt:
        raise RuntimeError(f"attempt {step.attempt} fails")
    return "Operation succeeded"


@durable_execution
def basic(event: str, context: DurableContext) -> str:
    return context.step(say_hello(event))


@durable_execution
def named(event: str, context: DurableContext) -> str:
    return context.step(say_hello(event), name="custom_step_name")


@durable_execution
def sequential(event: None, context: DurableContext) -> str:
    first = context.step(lambda _: "first", name="first")
    return context.step(lambda _: f"{first}_second", name="second")


@durable_execution
def complex_object(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    def build(step: StepContext) -> dict[str, Any]:
        user = {"name": event["name"], "tags": event["tags"]}
        return {"user": user, "count": len(event["tags"])}

    return context.step(build)


@durable_execution
def nothing(event: None, context: DurableContext) -> None:
    return context.step(lambda _: None)


@durable_execution
def custom_serdes(event: str, context: DurableContext) -> str:
    return context.step(lambda _: event, config=StepConfig(serdes=UpperCase()))


@durable_execution
def logged(event: str, context: DurableContext) -> str:
    def greet(step: StepContext) -> str:
        step.logger.info("Greeting step started for: %s", event)
        greeting = f"Hello, {event}!"
        step.logger.info("Greeting step completed with: %s", greeting)
        return greeting

    return context.step(greet)


@durable_execution
def then_wait(event: None, context: DurableContext) -> str:
    result = context.step(lambda _: "computed")
    context.wait(Duration.from_seconds(2))
    return result


@durable_execution
def replay_skips_succeeded(event: None, context: DurableContext) -> str:
    def compute(step: StepContext) -> str:
        step.logger.info("step executed")
        return "cached_value"

    result = context.step(compute)
    context.wait(Duration.from_seconds(1))
    return result


@durable_execution
def replay_raises_failed(event: None, context: DurableContext) -> str:
    def fail(step: StepContext) -> str:
        step.logger.info("step executed")
        raise ValueError("this step fails for good")

    try:
        outcome = context.step(fail, config=NO_RETRY)
    except StepError as error:
        outcome = f"caught: {error}"
    context.wait(Duration.from_seconds(1))
    return outcome


@durable_execution
def retried(event: None, context: DurableContext) -> str:
    return context.step(succeed_at(2), config=retrying(max_attempts=3))


@durable_execution
def retries_exhausted(event: None, context: DurableContext) -> None:
    return context.step(refuse(), config=retrying(max_attempts=4))


@durable_execution
def default_retries(event: None, context: DurableContext) -> str:
    return context.step(succeed_at(3))


@durable_execution
def custom_retries(event: None, context: DurableContext) -> str:
    strategy = create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=5,
            initial_delay=Duration.from_seconds(2),
            backoff_rate=3,
            jitter_strategy=JitterStrategy.NONE,
        )
    )
    return context.step(succeed_at(3), config=StepConfig(retry_strategy=strategy))


@durable_execution
def retried_for_its_error(event: None, context: DurableContext) -> str:
    def fail_once(step: StepContext) -> str:
        if step.attempt == 1:
            raise TransientError("not yet")
        return "done"

    strategy = create_retry_strategy(
        RetryStrategyConfig(
            initial_delay=Duration.from_seconds(1),
            jitter_strategy=JitterStrategy.NONE,
            retryable_error_types=[TransientError],
        )
    )
    return context.step(fail_once, config=StepConfig(retry_strategy=strategy))


@durable_execution
def not_retried_for_its_error(event: None, context: DurableContext) -> None:
    def fail(step: StepContext) -> None:
        raise TransientError("not worth a retry")

    strategy = create_retry_strategy(RetryStrategyConfig(retryable_error_types=[TimeoutError]))
    return context.step(fail, config=StepConfig(retry_strategy=strategy))


@durable_execution
def at_most_once(event: str, context: DurableContext) -> None:
    def crash_always(step: StepContext) -> None:
        step.logger.info("at most once, then a crash: %s", event)
        crash()

    config = StepConfig(
        retry_strategy=RetryPresets.none(), step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY
    )
    return context.step(crash_always, name="at_most_once_flaky_step", config=config)


@durable_execution
def at_most_once_retried(event: str, context: DurableContext) -> str:
    def crash_once(step: StepContext) -> str:
        step.logger.info("attempt %d: %s", step.attempt, event)
        if step.attempt == 1:
            crash()
        return "succeeded on second attempt"

    config = StepConfig(
        retry_strategy=every_second(max_attempts=2),
        step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY,
    )
    return context.step(crash_once, config=config)


@durable_execution
def fails(event: None, context: DurableContext) -> None:
    return context.step(refuse(), config=NO_RETRY)


@durable_execution
def failure_caught(event: None, context: DurableContext) -> str | None:
    try:
        result = context.step(refuse(), config=NO_RETRY)
    except StepError:
        result = "fallback_result"
    return context.step(lambda _: result, name="after_failure")
