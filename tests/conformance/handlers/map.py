"""Map operations: requirements 9-1 to 9-20."""

from collections.abc import Sequence
from typing import Any

from .batches import counts, projection, summary
from .sdk import (
    CompletionConfig,
    DurableContext,
    Duration,
    JsonSerDes,
    MapConfig,
    NestingType,
    durable_execution,
)
from .serdes import JoinedBatch, Prefixed

ONE_AT_A_TIME = MapConfig(max_concurrency=1)

#: Four items of this many characters exceed the 256 KB up to which a result is checkpointed whole.
LARGE_ITEM_CHARS = 70_000


def itself(iteration: DurableContext, item: Any, index: int, items: Sequence[Any]) -> Any:
    return item


def upper(iteration: DurableContext, item: str, index: int, items: Sequence[str]) -> str:
    return item.upper()


def step_of(iteration: DurableContext, item: Any, index: int, items: Sequence[Any]) -> Any:
    return iteration.step(lambda _: item)


def unless_fail(iteration: DurableContext, item: str, index: int, items: Sequence[str]) -> str:
    """Return ``item``, or fail if it is the word ``fail``."""
    if item == "fail":
        raise ValueError(f"item {index} fails")
    return item


def one_at_a_time(completion: CompletionConfig) -> MapConfig:
    """Return a configuration that takes the items in turn until ``completion`` is met."""
    return MapConfig(max_concurrency=1, completion_config=completion)


@durable_execution
def basic(event: list[str], context: DurableContext) -> list[str]:
    def greet(iteration: DurableContext, item: str, index: int, items: Sequence[str]) -> str:
        return iteration.step(lambda _: f"Hello, {item}!")

    return context.map(event, greet, name="map", config=ONE_AT_A_TIME).get_results()


@durable_execution
def unnamed(event: list[int], context: DurableContext) -> list[int]:
    def double(iteration: DurableContext, item: int, index: int, items: Sequence[int]) -> int:
        return item * 2

    return context.map(event, double, config=ONE_AT_A_TIME).get_results()


@durable_execution
def indexed(event: list[int], context: DurableContext) -> list[int]:
    def add_index(iteration: DurableContext, item: int, index: int, items: Sequence[int]) -> int:
        return item + index

    return context.map(event, add_index, name="indexed", config=ONE_AT_A_TIME).get_results()


@durable_execution
def empty(event: list[Any], context: DurableContext) -> list[Any]:
    return context.map(event, itself, name="empty").get_results()


@durable_execution
def fail_fast(event: None, context: DurableContext) -> dict[str, Any]:
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=0))
    return summary(
        context.map(["ok", "fail", "never"], unless_fail, name="failfast", config=config)
    )


@durable_execution
def error_thrown(event: None, context: DurableContext) -> list[str]:
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=0))
    result = context.map(["fail", "never"], unless_fail, name="throwing", config=config)
    result.throw_if_error()
    return result.get_results()


@durable_execution
def min_successful(event: None, context: DurableContext) -> dict[str, Any]:
    config = one_at_a_time(CompletionConfig(min_successful=2))
    result = context.map(["r0", "r1", "r2", "r3"], itself, name="min-successful", config=config)
    return projection(result, "completionReason", "successCount", "totalCount")


@durable_execution
def failure_tolerated(event: None, context: DurableContext) -> dict[str, Any]:
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=1))
    return summary(context.map(["r0", "fail", "r2"], unless_fail, name="tolerated", config=config))


@durable_execution
def failure_count_exceeded(event: None, context: DurableContext) -> dict[str, Any]:
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=1))
    items = ["fail", "fail", "never"]
    return counts(context.map(items, unless_fail, name="tolerated-exceeded", config=config))


@durable_execution
def failure_percentage_exceeded(event: None, context: DurableContext) -> dict[str, Any]:
    config = one_at_a_time(CompletionConfig(tolerated_failure_percentage=25))
    items = ["fail", "fail", "never", "never"]
    return counts(context.map(items, unless_fail, name="tolerated-pct", config=config))


@durable_execution
def concurrent(event: None, context: DurableContext) -> list[str]:
    config = MapConfig(max_concurrency=2)
    return context.map(["r0", "r1", "r2"], itself, name="concurrent", config=config).get_results()


@durable_execution
def flat(event: None, context: DurableContext) -> list[str]:
    config = MapConfig(max_concurrency=1, nesting_type=NestingType.FLAT)
    return context.map(["fa", "fb"], step_of, name="flat", config=config).get_results()


@durable_execution
def named_items(event: list[int], context: DurableContext) -> list[int]:
    def times_ten(iteration: DurableContext, item: int, index: int, items: Sequence[int]) -> int:
        return item * 10

    config = MapConfig(max_concurrency=1, item_namer=lambda item, index: f"item-{item}")
    return context.map(event, times_ten, name="named-items", config=config).get_results()


@durable_execution
def item_serdes(event: None, context: DurableContext) -> list[str]:
    config = MapConfig(max_concurrency=1, item_serdes=Prefixed())
    return context.map(["x", "y"], upper, name="serdes", config=config).get_results()


@durable_execution
def suspended(event: None, context: DurableContext) -> list[str]:
    def wait_before_second(
        iteration: DurableContext, item: str, index: int, items: Sequence[str]
    ) -> str:
        if index == 1:
            iteration.wait(Duration.from_seconds(1))
        return iteration.step(lambda _: item)

    items = ["r0", "r1"]
    return context.map(
        items, wait_before_second, name="suspend", config=ONE_AT_A_TIME
    ).get_results()


@durable_execution
def large_result(event: None, context: DurableContext) -> dict[str, Any]:
    def produce(iteration: DurableContext, item: str, index: int, items: Sequence[str]) -> str:
        return item * LARGE_ITEM_CHARS

    result = context.map(["a", "b", "c", "d"], produce, name="large", config=ONE_AT_A_TIME)
    return projection(result, "successCount", "totalCount")


@durable_execution
def then_wait(event: None, context: DurableContext) -> list[str]:
    result = context.map(["a", "b"], upper, name="then-wait", config=ONE_AT_A_TIME)
    context.wait(Duration.from_seconds(1))
    return result.get_results()


@durable_execution
def failure_then_wait(event: None, context: DurableContext) -> dict[str, Any]:
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=1))
    result = context.map(["ok", "fail"], unless_fail, name="fail-then-wait", config=config)
    context.wait(Duration.from_seconds(1))
    return summary(result)


#: With a serializer for the whole result, the items' own must be named to stay the default.
JOINED = MapConfig(max_concurrency=1, serdes=JoinedBatch(), item_serdes=JsonSerDes())


@durable_execution
def operation_serdes(event: None, context: DurableContext) -> list[str]:
    return context.map(["x", "y"], upper, name="op-serde", config=JOINED).get_results()


@durable_execution
def operation_serdes_then_wait(event: None, context: DurableContext) -> list[str]:
    result = context.map(["x", "y"], upper, name="op-serde-replay", config=JOINED)
    context.wait(Duration.from_seconds(1))
    return result.get_results()
