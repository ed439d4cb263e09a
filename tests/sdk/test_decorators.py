"""Decorators bind arguments; the operation passes the rest."""

import asyncio
from inspect import iscoroutinefunction
from typing import Any

import pytest

from perdure import (
    AsyncDurableContext,
    DurableContext,
    ParallelBranch,
    StepContext,
    WaitForCallbackContext,
    durable_execution,
    durable_parallel_branch,
    durable_step,
    durable_wait_for_callback,
    durable_with_child_context,
)
from perdure.sdk.decorators import name_of
from tests.sdk.service import Service


@durable_step
def add(step: StepContext, first: int, *, second: int) -> int:
    """Return the sum."""
    return first + second


@durable_step
async def add_later(step: StepContext, first: int, *, second: int) -> int:
    await asyncio.sleep(0)
    return first + second


@durable_with_child_context
def add_twice(context: DurableContext, first: int) -> int:
    return context.step(add(first, second=context.step(add(first, second=1))))


@durable_wait_for_callback
def hand_out(callback_id: str, context: WaitForCallbackContext, seen: list[str]) -> None:
    seen.append(callback_id)


@durable_parallel_branch()
def branch(context: DurableContext, number: int) -> int:
    return context.step(add(number, second=0))


@durable_parallel_branch(name="second")
def named_branch(context: DurableContext, number: int) -> int:
    return context.step(add(number, second=0))


def test_operations_take_bound_functions_and_their_names() -> None:
    seen: list[str] = []

    @durable_execution
    def handler(event: Any, context: DurableContext) -> list[Any]:
        return [
            context.step(add(1, second=2)),
            context.step(add(3, second=4), name="given"),
            context.run_in_child_context(add_twice(5)),
            context.wait_for_callback(hand_out(seen)),
            context.parallel([branch(6), named_branch(7)]).get_results(),
        ]

    ended = Service(handler, answer=lambda _: ("answer", None)).run()

    assert ended.result == [3, 7, 11, "answer", [6, 7]]
    names = [operation.name for operation in ended.operations]
    assert names[:3] == ["add", "given", "add_twice"]
    assert {"hand_out", "parallel-branch-0", "second"} <= set(names)
    callbacks = [o.callback_details for o in ended.operations if o.callback_details]
    assert seen == [callbacks[0].callback_id]


def test_a_bound_coroutine_function_is_one() -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> int:
        return await context.step(add_later(1, second=2))

    assert iscoroutinefunction(add_later(1, second=2))
    assert not iscoroutinefunction(add(1, second=2))
    ended = Service(handler).run()
    assert ended.result == 3
    assert [operation.name for operation in ended.operations] == ["add_later"]


def test_a_bound_function_leads_back_to_its_own() -> None:
    bound: Any = add(1, second=2)

    assert bound.__wrapped__.__doc__ == "Return the sum."


def test_a_branch_may_have_a_name_of_its_own() -> None:
    assert isinstance(branch(1), ParallelBranch)
    assert (branch(1).name, named_branch(1).name) == (None, "second")


@pytest.mark.parametrize(
    ("given", "function", "name"),
    [
        ("given", add(1, second=2), "given"),
        (None, add(1, second=2), "add"),
        (None, lambda: None, None),
        ("", add(1, second=2), "add"),
    ],
    ids=["given", "of the function", "none", "an empty one is none"],
)
def test_the_name_of_an_operation(given: str | None, function: Any, name: str | None) -> None:
    assert name_of(given, function) == name
