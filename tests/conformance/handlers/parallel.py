"""Parallel operations: requirements 8-1 to 8-22."""

from collections.abc import Callable
from typing import Any

from .batches import counts, projection, summary
from .sdk import (
    CompletionConfig,
    DurableContext,
    Duration,
    NestingType,
    ParallelBranch,
    ParallelConfig,
    durable_execution,
)
from .serdes import Enveloped

Branch = Callable[[DurableContext], Any]

ONE_AT_A_TIME = ParallelConfig(max_concurrency=1)


def returning(value: Any) -> Branch:
    """Return a branch that returns ``value`` without any operation."""
    return lambda branch: value


def stepping(value: Any) -> Branch:
    """Return a branch that returns ``value`` from a step."""
    return lambda branch: branch.step(lambda _: value)


def failing(branch: DurableContext) -> None:
    raise ValueError("this branch fails")


def one_at_a_time(completion: CompletionConfig) -> ParallelConfig:
    """Return a configuration that runs the branches in turn until ``completion`` is met."""
    return ParallelConfig(max_concurrency=1, completion_config=completion)


@durable_execution
def basic(event: None, context: DurableContext) -> list[str]:
    branches = [stepping("task-1"), stepping("task-2")]
    return context.parallel(branches, name="parallel", config=ONE_AT_A_TIME).get_results()


@durable_execution
def unnamed(event: None, context: DurableContext) -> list[str]:
    branches = [returning("alpha"), returning("beta")]
    return context.parallel(branches, config=ONE_AT_A_TIME).get_results()


@durable_execution
def named_branches(event: None, context: DurableContext) -> list[str]:
    branches = [
        ParallelBranch(func=returning("one"), name="first"),
        ParallelBranch(func=returning("two"), name="second"),
    ]
    return context.parallel(branches, name="named", config=ONE_AT_A_TIME).get_results()


@durable_execution
def mixed_types(event: None, context: DurableContext) -> list[Any]:
    branches = [returning("hello"), returning(42), returning({"k": "v"})]
    return context.parallel(branches, name="hetero", config=ONE_AT_A_TIME).get_results()


@durable_execution
def empty(event: None, context: DurableContext) -> list[Any]:
    return context.parallel([], name="empty").get_results()


@durable_execution
def fail_fast(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [returning("ok"), failing, returning("never")]
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=0))
    return summary(context.parallel(branches, name="failfast", config=config))


@durable_execution
def error_thrown(event: None, context: DurableContext) -> list[Any]:
    branches = [failing, returning("never")]
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=0))
    result = context.parallel(branches, name="throwing", config=config)
    result.throw_if_error()
    return result.get_results()


@durable_execution
def min_successful(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [returning(value) for value in ("r0", "r1", "r2", "r3")]
    config = one_at_a_time(CompletionConfig(min_successful=2))
    result = context.parallel(branches, name="min-successful", config=config)
    return projection(result, "completionReason", "successCount", "totalCount")


@durable_execution
def failure_tolerated(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [returning("r0"), failing, returning("r2")]
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=1))
    return summary(context.parallel(branches, name="tolerated", config=config))


@durable_execution
def failure_count_exceeded(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [failing, failing, returning("never")]
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=1))
    return counts(context.parallel(branches, name="tolerated-exceeded", config=config))


@durable_execution
def concurrent(event: None, context: DurableContext) -> list[str]:
    branches = [returning("r0"), returning("r1"), returning("r2")]
    config = ParallelConfig(max_concurrency=2)
    return context.parallel(branches, name="concurrent", config=config).get_results()


@durable_execution
def flat(event: None, context: DurableContext) -> list[str]:
    branches = [stepping("fa"), stepping("fb")]
    config = ParallelConfig(max_concurrency=1, nesting_type=NestingType.FLAT)
    return context.parallel(branches, name="flat", config=config).get_results()


@durable_execution
def failure_percentage_exceeded(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [failing, failing, returning("never"), returning("never")]
    config = one_at_a_time(CompletionConfig(tolerated_failure_percentage=25))
    return counts(context.parallel(branches, name="tolerated-pct", config=config))


@durable_execution
def suspended(event: None, context: DurableContext) -> list[str]:
    def wait_then_return(branch: DurableContext) -> str:
        branch.wait(Duration.from_seconds(2))
        return "b1"

    branches = [stepping("b0"), wait_then_return]
    return context.parallel(branches, name="replay", config=ONE_AT_A_TIME).get_results()


@durable_execution
def item_serdes(event: None, context: DurableContext) -> list[str]:
    branches = [returning("x"), returning("y")]
    config = ParallelConfig(max_concurrency=1, item_serdes=Enveloped())
    return context.parallel(branches, name="serde", config=config).get_results()


@durable_execution
def all_fail(event: None, context: DurableContext) -> dict[str, Any]:
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=3))
    return summary(context.parallel([failing] * 3, name="all-fail", config=config))


@durable_execution
def min_successful_not_reached(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [returning("r0"), failing, returning("r2")]
    config = one_at_a_time(CompletionConfig(min_successful=3))
    return summary(context.parallel(branches, name="min-not-reached", config=config))


@durable_execution
def tolerance_exceeded_first(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [failing, failing, returning("never"), returning("never")]
    config = one_at_a_time(CompletionConfig(min_successful=3, tolerated_failure_count=1))
    return counts(context.parallel(branches, name="combined", config=config))


@durable_execution
def invalid_concurrency(event: None, context: DurableContext) -> list[str]:
    branches = [returning("r0"), returning("r1")]
    config = ParallelConfig(max_concurrency=0)
    return context.parallel(branches, name="bad-concurrency", config=config).get_results()


@durable_execution
def accessors(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [returning("r0"), failing, returning("r2")]
    config = one_at_a_time(CompletionConfig(tolerated_failure_count=1))
    result = context.parallel(branches, name="accessors", config=config)
    return {
        "hasFailure": result.has_failure,
        "successCount": len(result.succeeded()),
        "failureCount": len(result.failed()),
        "errorCount": len(result.get_errors()),
    }


@durable_execution
def nested(event: None, context: DurableContext) -> list[list[str]]:
    def inner(branch: DurableContext) -> list[str]:
        branches = [stepping("i1"), stepping("i2")]
        return branch.parallel(branches, name="inner", config=ONE_AT_A_TIME).get_results()

    return context.parallel([inner], name="outer", config=ONE_AT_A_TIME).get_results()


@durable_execution
def failure_percentage_met(event: None, context: DurableContext) -> dict[str, Any]:
    branches = [failing, returning("r1"), returning("r2"), returning("r3")]
    config = one_at_a_time(CompletionConfig(tolerated_failure_percentage=25))
    return summary(context.parallel(branches, name="pct-boundary", config=config))
