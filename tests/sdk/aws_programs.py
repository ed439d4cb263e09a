"""Handlers of several operations each, written once: for AWS's SDK and, by their imports, for ours.

They are what AWS's own local test runner is given. Each takes an event that may be empty.
"""

from typing import Any

from aws_durable_execution_sdk_python import (
    CallbackExternalError,
    ChildContextError,
    DurableContext,
    InvokeError,
    StepError,
    WithRetryConfig,
    durable_execution,
    with_retry,
)
from aws_durable_execution_sdk_python.config import (
    CallbackConfig,
    ChildConfig,
    CompletionConfig,
    Duration,
    JitterStrategy,
    MapConfig,
    NestingType,
    ParallelConfig,
    StepConfig,
    StepSemantics,
)
from aws_durable_execution_sdk_python.retries import (
    RetryPresets,
    RetryStrategyConfig,
    create_retry_strategy,
)
from aws_durable_execution_sdk_python.serdes import JsonSerDes
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

ONCE = StepConfig(retry_strategy=RetryPresets.none())
THRICE = create_retry_strategy(
    RetryStrategyConfig(max_attempts=3, jitter_strategy=JitterStrategy.NONE)
)


def failing(message: str) -> Any:
    """Return a step that fails."""

    def fail(step: Any) -> None:
        raise ValueError(message)

    return fail


def passing_at(attempt: int) -> Any:
    """Return a step that succeeds at an attempt."""

    def flaky(step: Any) -> int:
        if step.attempt < attempt:
            raise ConnectionError(f"attempt {step.attempt}")
        return step.attempt

    return flaky


@durable_execution
def steps_and_waits(event: Any, context: DurableContext) -> Any:
    first = context.step(lambda _: {"n": 1, "text": "é"}, name="first")
    context.wait(Duration.from_hours(1), name="an hour")
    empty = context.step(lambda _: "", name="empty")
    nothing = context.step(lambda _: None, name="nothing")
    context.wait(Duration.from_days(3))
    return [event, first, empty, nothing, context.step(lambda _: [first, 2])]


@durable_execution
def retries(event: Any, context: DurableContext) -> Any:
    def block(inner: DurableContext, attempt: int) -> int:
        inner.step(passing_at(2), name=f"of {attempt}", config=StepConfig(THRICE))
        if attempt < 2:
            raise LookupError("again")
        return attempt

    once_each = StepConfig(THRICE, StepSemantics.AT_MOST_ONCE_PER_RETRY)
    at = context.step(passing_at(3), name="third time", config=StepConfig(THRICE))
    most = context.step(passing_at(2), name="at most once", config=once_each)
    whole = with_retry(context, block, WithRetryConfig(THRICE), name="block")
    return [at, most, whole]


@durable_execution
def failures(event: Any, context: DurableContext) -> Any:
    seen: list[Any] = []
    try:
        context.step(failing("no"), name="bad", config=ONCE)
    except StepError as error:
        seen.append([error.message, error.error_type])
    try:
        context.run_in_child_context(lambda c: c.step(failing("deep"), config=ONCE), name="child")
    except ChildContextError as error:
        cause = error.__cause__
        seen.append([error.message, type(cause).__name__])
    try:
        context.invoke("absent-minded", {"x": 1}, name="invoke")
    except InvokeError as error:
        seen.append(error.message)
    return seen


@durable_execution
def failed_execution(event: Any, context: DurableContext) -> Any:
    context.step(lambda _: 1, name="good")
    context.wait(Duration.from_seconds(5))
    raise KeyError("the handler's own")


@durable_execution
def children(event: Any, context: DurableContext) -> Any:
    def inner(c: DurableContext) -> int:
        c.wait(Duration.from_minutes(2))
        return c.step(lambda _: 4)

    def outer(c: DurableContext) -> list[int]:
        return [c.step(lambda _: 3), c.run_in_child_context(inner, name="inner")]

    large = context.run_in_child_context(
        lambda c: c.step(lambda _: "x" * 200_000) * 2, name="large"
    )
    virtual = context.run_in_child_context(
        lambda c: c.step(lambda _: 9), name="virtual", config=ChildConfig(is_virtual=True)
    )
    context.wait(Duration.from_seconds(1))
    return [context.run_in_child_context(outer, name="outer"), len(large), virtual]


@durable_execution
def batches(event: Any, context: DurableContext) -> Any:
    def square(c: DurableContext, item: int, index: int, items: Any) -> int:
        c.wait(Duration.from_seconds(item))
        if item == 3:
            raise ValueError("three")
        return c.step(lambda _: item * item, name=f"square {index}")

    tolerant = MapConfig(
        max_concurrency=2, completion_config=CompletionConfig(tolerated_failure_count=1)
    )
    squares = context.map([1, 2, 3, 4], square, name="squares", config=tolerant)
    flat = context.parallel(
        [lambda c: c.step(lambda _: "a"), lambda c: c.step(lambda _: "b")],
        name="flat",
        config=ParallelConfig(nesting_type=NestingType.FLAT),
    )
    first = context.parallel(
        [lambda c: c.wait(Duration.from_days(9)), lambda c: c.step(lambda _: "quick")],
        name="first",
        config=ParallelConfig(completion_config=CompletionConfig.first_successful()),
    )
    return [
        squares.get_results(),
        squares.completion_reason.value,
        [item.index for item in squares.failed()],
        flat.get_results(),
        first.get_results(),
        first.completion_reason.value,
    ]


@durable_execution
def conditions(event: Any, context: DurableContext) -> Any:
    def decide(state: int, polls: int) -> WaitForConditionDecision:
        if state >= 3:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(Duration.from_minutes(polls))

    config = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
    return context.wait_for_condition(lambda state, check: state + 1, config, name="three")


@durable_execution
def invokes(event: Any, context: DurableContext) -> Any:
    plain = context.invoke("double", {"n": 4}, name="plain")
    durable = context.invoke("steps-and-waits:$LATEST", {"n": 5}, name="durable")
    return [plain, durable]


@durable_execution
def callbacks(event: Any, context: DurableContext) -> Any:
    handed_out: list[str] = []
    callback = context.create_callback("first", CallbackConfig(serdes=JsonSerDes()))
    context.step(lambda _: handed_out.append(callback.callback_id), name="hand out")
    answer = callback.result()
    second = context.wait_for_callback(lambda callback_id, _: None, name="second")
    try:
        context.wait_for_callback(lambda callback_id, _: None, name="third")
    except CallbackExternalError as error:
        refused = error.message
    return [answer, second, refused]
