"""Operations where none can be, and handlers that are not what they were: told, and where."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from perdure import (
    AsyncDurableContext,
    DurableContext,
    StepConfig,
    durable_execution,
)
from perdure.protocol.words import ExecutionStatus
from perdure.sdk.misuse import WrongContextError
from perdure.sdk.retries import RetryDecision
from tests.sdk.service import Ended, Service

FAILED = ExecutionStatus.FAILED
NO_RETRY = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())


def ended(handler: Callable[..., Any]) -> Ended:
    return Service(durable_execution(handler)).run()


def message(end: Ended) -> str:
    assert end.error is not None
    assert end.error.error_message is not None
    return end.error.error_message


def a_helper(context: DurableContext, depth: int) -> Any:
    """Ask for an operation, some calls down."""
    return a_helper(context, depth - 1) if depth else context.step(lambda _: 1, name="inner")


async def an_async_helper(context: AsyncDurableContext, depth: int) -> Any:
    """Ask for an operation, some calls down."""
    if depth:
        return await an_async_helper(context, depth - 1)
    return await context.step(lambda _: 1, name="inner")


SYNC_OPERATIONS: dict[str, Callable[[DurableContext], Any]] = {
    "step": lambda context: context.step(lambda _: 1),
    "wait": lambda context: context.wait(1),
    "create_callback": lambda context: context.create_callback(),
    "wait_for_callback": lambda context: context.wait_for_callback(lambda *_: None),
    "invoke": lambda context: context.invoke("target", None),
    "run_in_child_context": lambda context: context.run_in_child_context(lambda _: 1),
    "map": lambda context: context.map([1], lambda *_: 1),
    "parallel": lambda context: context.parallel([lambda _: 1]),
    "a nested helper": lambda context: a_helper(context, 3),
}


@pytest.mark.parametrize("misplaced", SYNC_OPERATIONS.values(), ids=SYNC_OPERATIONS)
def test_no_operation_can_be_asked_for_inside_a_step(
    misplaced: Callable[[DurableContext], Any],
) -> None:
    raised: list[WrongContextError] = []

    def handler(event: Any, context: DurableContext) -> None:
        def work(_: Any) -> None:
            with pytest.raises(WrongContextError) as caught:
                misplaced(context)
            raised.append(caught.value)

        context.step(work, name="outer")

    end = ended(handler)

    assert 'inside the step "outer"' in str(raised[0])
    assert "run_in_child_context" in str(raised[0])
    assert [operation.name for operation in end.operations] == ["outer"]


def test_unless_it_is_caught_the_step_fails_by_it() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda _: context.wait(1), name="outer", config=NO_RETRY)

    end = ended(handler)

    assert end.status is FAILED
    assert 'inside the step "outer"' in message(end)
    assert [operation.name for operation in end.operations] == ["outer"]


ASYNC_OPERATIONS: dict[str, Callable[[AsyncDurableContext], Any]] = {
    "step": lambda context: context.step(lambda _: 1),
    "wait": lambda context: context.wait(1),
    "map": lambda context: context.map([1], lambda *_: 1),
    "a nested helper": lambda context: an_async_helper(context, 3),
    "a task of its own": lambda context: asyncio.create_task(an_async_helper(context, 3)),
    "under gather": lambda context: asyncio.gather(an_async_helper(context, 3)),
}


@pytest.mark.parametrize("misplaced", ASYNC_OPERATIONS.values(), ids=ASYNC_OPERATIONS)
def test_no_operation_can_be_asked_for_inside_an_async_step(
    misplaced: Callable[[AsyncDurableContext], Any],
) -> None:
    raised: list[WrongContextError] = []

    async def handler(event: Any, context: AsyncDurableContext) -> None:
        async def work(_: Any) -> None:
            with pytest.raises(WrongContextError) as caught:
                await misplaced(context)
            raised.append(caught.value)

        await context.step(work, name="outer")

    end = ended(handler)

    assert 'inside the step "outer"' in str(raised[0])
    assert [operation.name for operation in end.operations] == ["outer"]


def test_a_blocking_step_of_an_async_handler_is_a_step_as_well() -> None:
    raised: list[str] = []

    async def handler(event: Any, context: AsyncDurableContext) -> None:
        def work(_: Any) -> None:
            with pytest.raises(WrongContextError) as caught:
                context.wait(1)
            raised.append(str(caught.value))

        await context.step(work, name="outer")

    ended(handler)

    assert 'inside the step "outer"' in raised[0]


def test_a_child_uses_the_context_it_was_given() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        def child(_: DurableContext) -> None:
            context.step(lambda _: 1)

        context.run_in_child_context(child, name="child")

    end = ended(handler)

    assert end.status is FAILED
    assert 'while "child" is running' in message(end)
    assert [operation.name for operation in end.operations] == ["child"]


def test_an_async_child_uses_the_context_it_was_given() -> None:
    async def handler(event: Any, context: AsyncDurableContext) -> None:
        async def child(_: AsyncDurableContext) -> None:
            await context.step(lambda _: 1)

        await context.run_in_child_context(child, name="child")

    end = ended(handler)

    assert end.status is FAILED
    assert 'while "child" is running' in message(end)
    assert [operation.name for operation in end.operations] == ["child"]


def test_a_branch_uses_the_context_it_was_given() -> None:
    def handler(event: Any, context: DurableContext) -> list[str]:
        batch = context.parallel([lambda _: context.step(lambda _: 1)], name="both")
        return [str(error.message) for error in batch.get_errors()]

    end = ended(handler)

    assert "use the context that the innermost function was given" in end.result[0]


def line_of(function: Callable[..., Any], text: str) -> int:
    """Return the number of the line of ``function`` that has ``text``."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


def check_difference(end: Ended, line: int) -> None:
    """Both operations are shown, with the handler's line that asks for the second."""
    assert end.status is FAILED
    assert end.error is not None
    assert end.error.error_type == "perdure.exceptions.ReplayMismatchError"
    text = message(end)
    assert "'pay'" in text or '"pay"' in text
    assert "'ship'" in text or '"ship"' in text
    assert f"{__file__}:{line}" in text


def test_a_handler_that_changes_fails_with_both_operations_and_its_line() -> None:
    runs: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        runs.append(1)
        if len(runs) == 1:
            context.step(lambda _: 1, name="pay")
        else:
            context.step(lambda _: 1, name="ship")
        context.wait(5)

    check_difference(ended(handler), line_of(handler, 'name="ship"'))


def test_an_async_handler_that_changes_fails_with_both_operations_and_its_line() -> None:
    runs: list[int] = []

    async def handler(event: Any, context: AsyncDurableContext) -> None:
        runs.append(1)
        if len(runs) == 1:
            await context.step(lambda _: 1, name="pay")
        else:
            await context.step(lambda _: 1, name="ship")
        await context.wait(5)

    check_difference(ended(handler), line_of(handler, 'name="ship"'))


def test_a_step_in_the_place_of_a_wait_is_a_difference_of_type() -> None:
    runs: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        runs.append(1)
        if len(runs) == 1:
            context.wait(5, name="pay")
        else:
            context.step(lambda _: 1, name="ship")

    end = ended(handler)

    check_difference(end, line_of(handler, 'name="ship"'))
    assert "type checkpoint='WAIT' current='STEP'" in message(end)
