"""Child contexts: requirements 3-1 to 3-18."""

import time
from typing import Any

from .failures import crash
from .retries import retrying
from .sdk import (
    ChildConfig,
    ChildContextError,
    DurableContext,
    Duration,
    RetryPresets,
    StepConfig,
    StepContext,
    durable_execution,
)
from .serdes import UpperCase

NO_RETRY = StepConfig(retry_strategy=RetryPresets.none())
ONE_SECOND = Duration.from_seconds(1)

#: More than the 256 KB up to which a context's result is checkpointed whole.
LARGE_RESULT_CHARS = 300_000


def refuse(step: StepContext) -> None:
    raise ValueError("this step always fails")


def log_even_on_replay(context: DurableContext, message: str) -> None:
    """Log ``message`` through the context's own logger, whether or not the context replays."""
    context.logger.with_is_replaying(lambda: False).info("in the child context: %s", message)


@durable_execution
def basic(event: str, context: DurableContext) -> str:
    return context.run_in_child_context(lambda child: child.step(lambda _: event))


@durable_execution
def named(event: dict[str, str], context: DurableContext) -> str:
    def run(child: DurableContext) -> str:
        return child.step(lambda _: event["value"])

    return context.run_in_child_context(run, name=event["name"])


@durable_execution
def sequential_steps(event: str, context: DurableContext) -> str:
    def run(child: DurableContext) -> str:
        first = child.step(lambda _: event, name="first")
        return child.step(lambda _: first, name="second")

    return context.run_in_child_context(run, name="two_steps")


@durable_execution
def step_fails(event: None, context: DurableContext) -> None:
    def run(child: DurableContext) -> None:
        child.step(refuse, config=NO_RETRY)

    return context.run_in_child_context(run, name="failing")


@durable_execution
def failure_caught(event: str, context: DurableContext) -> str | None:
    def run(child: DurableContext) -> None:
        child.step(refuse, config=NO_RETRY)

    try:
        recovered = context.run_in_child_context(run, name="failing")
    except ChildContextError:
        recovered = event
    return context.step(lambda _: recovered, name="recover")


@durable_execution
def nested(event: str, context: DurableContext) -> str:
    def outer(child: DurableContext) -> str:
        value = child.step(lambda _: event, name="outer_step")
        return child.run_in_child_context(
            lambda grandchild: grandchild.step(lambda _: value, name="inner_step"), name="inner"
        )

    return context.run_in_child_context(outer, name="outer")


@durable_execution
def step_retried(event: str, context: DurableContext) -> str:
    def fail_once(step: StepContext) -> str:
        if step.attempt == 1:
            raise RuntimeError("the first attempt fails")
        return event

    def run(child: DurableContext) -> str:
        return child.step(fail_once, config=retrying(max_attempts=3))

    return context.run_in_child_context(run, name="retrying")


@durable_execution
def step_retries_exhausted(event: None, context: DurableContext) -> None:
    def run(child: DurableContext) -> None:
        child.step(refuse, config=retrying(max_attempts=2))

    return context.run_in_child_context(run, name="exhausting")


@durable_execution
def then_wait(event: str, context: DurableContext) -> str:
    result = context.run_in_child_context(lambda child: child.step(lambda _: event))
    context.wait(ONE_SECOND)
    return result


@durable_execution
def step_and_wait(event: str, context: DurableContext) -> str:
    def run(child: DurableContext) -> str:
        value = child.step(lambda _: event)
        child.wait(ONE_SECOND)
        return value

    return context.run_in_child_context(run, name="step_and_wait")


@durable_execution
def large_result(event: str, context: DurableContext) -> int:
    def run(child: DurableContext) -> str:
        log_even_on_replay(child, event)
        seed = child.step(lambda _: "x")
        return seed * LARGE_RESULT_CHARS

    result = context.run_in_child_context(run, name="large")
    context.wait(ONE_SECOND)
    return len(result)


@durable_execution
def interrupted(event: str, context: DurableContext) -> str:
    is_first_invocation = not context.is_replaying()

    def crash_in_first_invocation(step: StepContext) -> str:
        if is_first_invocation:
            # An at-least-once step does not wait for its START to be stored; give it time to be.
            time.sleep(1)  # noqa: TID251
            crash()
        return event

    return context.run_in_child_context(lambda child: child.step(crash_in_first_invocation))


@durable_execution
def wait_then_outer_step(event: str, context: DurableContext) -> str:
    def run(child: DurableContext) -> str:
        child.wait(ONE_SECOND)
        return event

    value = context.run_in_child_context(run, name="waiting")
    return context.step(lambda _: value, name="outer_step")


@durable_execution
def custom_serdes(event: str, context: DurableContext) -> str:
    return context.run_in_child_context(
        lambda child: child.step(lambda _: event),
        name="upper_case",
        config=ChildConfig(serdes=UpperCase()),
    )


@durable_execution
def fails_without_step(event: None, context: DurableContext) -> None:
    def run(child: DurableContext) -> None:
        raise ValueError("the child context itself fails")

    return context.run_in_child_context(run, name="failing")


@durable_execution
def nothing(event: None, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: None, name="nothing")


@durable_execution
def logger_only(event: str, context: DurableContext) -> str:
    def run(child: DurableContext) -> str:
        log_even_on_replay(child, event)
        return event

    result = context.run_in_child_context(run, name="logging")
    context.wait(ONE_SECOND)
    return result


@durable_execution
def step_and_wait_inside_and_after(event: str, context: DurableContext) -> str:
    def run(child: DurableContext) -> str:
        value = child.step(lambda _: event, name="inner_step")
        child.wait(ONE_SECOND)
        return value

    value = context.run_in_child_context(run, name="step_and_wait")
    result = context.step(lambda _: value, name="outer_step")
    context.wait(ONE_SECOND)
    return result
