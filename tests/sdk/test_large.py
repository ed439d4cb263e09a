"""Much at once, and large results: split, made again, or stored by a checkpoint."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from perdure import AsyncDurableContext, DurableContext, durable_execution
from perdure.protocol.operations import OperationUpdate
from perdure.protocol.words import ExecutionStatus, OperationAction, OperationType
from perdure.sdk.conduct import ANSWER_CHARACTERS_MAX
from perdure.sdk.execution import DurableFunction
from perdure.sdk.operations.child import RESULT_CHARACTERS_MAX
from perdure.sdk.run import BATCH_BYTES_MAX, BATCH_UPDATES_MAX
from tests.sdk.service import Service

SUCCEEDED, FAILED = ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED
COLOURS = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def many_steps(count: int, result: str) -> DurableFunction:
    """Return a handler of so many steps beside each other."""

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> int:
        async def work(_: Any) -> str:
            return result

        done = await asyncio.gather(*(context.step(work) for _ in range(count)))
        return len(done)

    return handler


def payload_bytes(updates: Sequence[OperationUpdate]) -> int:
    return sum(len(update.payload or "") for update in updates)


def test_more_updates_than_a_checkpoint_takes_are_split() -> None:
    count = BATCH_UPDATES_MAX * 2 + 1
    service = Service(many_steps(count, ""))

    end = service.run()

    sizes = [len(batch) for batch in service.batches]
    assert (end.status, end.result, end.invocations) == (SUCCEEDED, count, 1)
    assert max(sizes) == BATCH_UPDATES_MAX
    assert sum(sizes) == 2 * count


def test_more_bytes_than_a_checkpoint_takes_are_split() -> None:
    service = Service(many_steps(20, "x" * 100_000))

    end = service.run()

    sizes = [payload_bytes(batch) for batch in service.batches]
    assert (end.status, end.result) == (SUCCEEDED, 20)
    assert BATCH_BYTES_MAX // 2 < max(sizes) <= BATCH_BYTES_MAX


def test_one_update_that_is_larger_goes_alone() -> None:
    service = Service(many_steps(3, "x" * (BATCH_BYTES_MAX + 1)))

    end = service.run()

    large = [batch for batch in service.batches if payload_bytes(batch)]
    assert (end.status, end.result) == (SUCCEEDED, 3)
    assert [len(batch) for batch in large] == [1, 1, 1]


def a_child(size: int, runs: list[str], *, is_async: bool) -> DurableFunction:
    """Return a handler with a child whose result has so many characters as JSON."""

    def sync_child(inner: DurableContext) -> str:
        runs.append("child")
        return inner.step(lambda _: runs.append("step") or "x", name="inner") * (size - 2)

    async def async_child(inner: AsyncDurableContext) -> str:
        runs.append("child")
        one = await inner.step(lambda _: runs.append("step") or "x", name="inner")
        return one * (size - 2)

    def sync_handler(event: Any, context: DurableContext) -> int:
        made = context.run_in_child_context(sync_child, name="large")
        context.wait(1)
        return len(made)

    async def async_handler(event: Any, context: AsyncDurableContext) -> int:
        made = await context.run_in_child_context(async_child, name="large")
        await context.wait(1)
        return len(made)

    return durable_execution(async_handler if is_async else sync_handler)


@COLOURS
def test_a_large_result_of_a_child_is_made_again_from_its_steps(is_async: bool) -> None:
    size = RESULT_CHARACTERS_MAX + 1
    runs: list[str] = []

    end = Service(a_child(size, runs, is_async=is_async)).run()

    child = next(operation for operation in end.operations if operation.name == "large")
    assert (end.status, end.result, end.invocations) == (SUCCEEDED, size - 2, 2)
    assert runs == ["child", "step", "child"]
    assert child.context_details is not None
    assert child.context_details.replay_children
    assert not child.context_details.result


@COLOURS
def test_a_result_that_just_fits_is_kept(is_async: bool) -> None:
    runs: list[str] = []

    end = Service(a_child(RESULT_CHARACTERS_MAX, runs, is_async=is_async)).run()

    assert (end.status, end.result) == (SUCCEEDED, RESULT_CHARACTERS_MAX - 2)
    assert runs == ["child", "step"]


def answering(size: int, *, is_async: bool) -> DurableFunction:
    """Return a handler whose answer has so many characters as JSON."""

    def sync_handler(event: Any, context: DurableContext) -> str:
        return "x" * (size - 2)

    async def async_handler(event: Any, context: AsyncDurableContext) -> str:
        return "x" * (size - 2)

    return durable_execution(async_handler if is_async else sync_handler)


@COLOURS
def test_an_answer_that_fits_is_given_as_it_is(is_async: bool) -> None:
    size = ANSWER_CHARACTERS_MAX
    service = Service(answering(size, is_async=is_async))

    answer = service.invoke()

    assert answer is not None
    assert (answer["Status"], len(answer["Result"])) == ("SUCCEEDED", size)
    assert service.batches == []
    assert len(service.ended().result) == size - 2


@COLOURS
def test_a_larger_answer_is_stored_by_a_checkpoint(is_async: bool) -> None:
    size = ANSWER_CHARACTERS_MAX + 1
    service = Service(answering(size, is_async=is_async))

    answer = service.invoke()

    assert answer == {"Status": "SUCCEEDED", "Result": ""}
    ((update,),) = service.batches
    assert (update.type, update.action) == (OperationType.EXECUTION, OperationAction.SUCCEED)
    end = service.ended()
    assert (end.status, len(end.result)) == (SUCCEEDED, size - 2)


@COLOURS
def test_an_error_as_large_fails_with_what_the_service_says_of_it(is_async: bool) -> None:
    message = "x" * ANSWER_CHARACTERS_MAX

    def sync_handler(event: Any, context: DurableContext) -> None:
        raise ValueError(message)

    async def async_handler(event: Any, context: AsyncDurableContext) -> None:
        raise ValueError(message)

    end = Service(durable_execution(async_handler if is_async else sync_handler)).run()

    assert (end.status, end.invocations) == (FAILED, 1)
    assert end.error is not None
    assert end.error.error_message == "Error object size must be less than 32768 bytes."
