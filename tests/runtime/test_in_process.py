"""Handlers beside the engine: what they are given, what becomes of what they do."""

import asyncio
import threading
from typing import Any

import pytest

from perdure import AsyncDurableContext, DurableContext, InvocationError, durable_execution
from perdure.clock import ManualClock
from perdure.embedded import DurableService, ExecutionFailed
from tests.embedded.stages import EPOCH_MS, opened, suspended
from tests.serving import eventually


def test_a_handler_is_given_lambdas_context() -> None:
    def show(event: Any, context: Any) -> Any:
        context.log(f"request {context.aws_request_id}")
        return {
            "name": context.function_name,
            "version": context.function_version,
            "arn": context.invoked_function_arn,
            "left_ms": context.get_remaining_time_in_millis(),
            "is_named": bool(context.aws_request_id),
            "tenant": context.tenant_id,
        }

    with DurableService(":memory:", clock=ManualClock(EPOCH_MS)) as service:
        service.register("show", show, execution_timeout=90)
        assert service.call("show") == {
            "name": "show",
            "version": "$LATEST",
            "arn": "arn:aws:lambda:us-east-1:000000000000:function:show:$LATEST",
            "left_ms": 90_000,
            "is_named": True,
            "tenant": None,
        }


def test_what_a_handler_cannot_settle_is_tried_again() -> None:
    clock = ManualClock(EPOCH_MS)
    attempts: list[int] = []

    @durable_execution
    def stubborn(event: Any, context: DurableContext) -> str:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise InvocationError("not yet")
        return "at last"

    with opened(":memory:", clock, stubborn=stubborn) as service:
        handle = service.start("stubborn")
        for times in (1, 2):
            suspended(handle, times=times)
            clock.advance(60)
        assert handle.result() == "at last"
        (first, *_) = [e for e in handle.history() if e.event_type == "InvocationCompleted"]
        details = first.invocation_completed_details
        assert details is not None
        assert details.error is not None
        assert details.error.payload is not None
        assert details.error.payload.error_type == "InvocationError"


@pytest.mark.parametrize("name", ["x" * 257, "día"], ids=["too long", "not ASCII"])
def test_what_the_wire_refuses_is_refused_here(name: str) -> None:
    @durable_execution
    def odd(event: Any, context: DurableContext) -> None:
        context.step(lambda _: None, name=name)

    with opened(":memory:", odd=odd) as service, pytest.raises(ExecutionFailed):
        service.call("odd")


def test_a_kept_handler_goes_on_where_it_stands() -> None:
    entered: list[str] = []

    @durable_execution
    def sync(event: Any, context: DurableContext) -> str:
        entered.append("sync")
        context.wait(60)
        return threading.current_thread().name

    @durable_execution
    async def loop(event: Any, context: AsyncDurableContext) -> str:
        entered.append("loop")
        await context.wait(60)
        return "here"

    clock = ManualClock(EPOCH_MS)
    with opened(":memory:", clock, sync=sync, loop=loop) as service:
        handles = [suspended(service.start("sync")), suspended(service.start("loop"))]
        clock.advance(60)
        for handle in handles:
            handle.result()
    assert sorted(entered) == ["loop", "sync"]


def test_a_stopped_execution_keeps_no_handler() -> None:
    left = threading.Event()

    @durable_execution
    def wait(event: Any, context: DurableContext) -> None:
        try:
            context.wait(60)
        finally:
            left.set()

    with opened(":memory:", ManualClock(EPOCH_MS), wait=wait) as service:
        handle = suspended(service.start("wait"))
        handle.stop()
        assert left.wait(10)
        assert handle.status == "STOPPED"


def test_a_stopped_coroutine_is_cancelled() -> None:
    begun, cancelled = threading.Event(), threading.Event()

    @durable_execution
    async def busy(event: Any, context: AsyncDurableContext) -> None:
        async def step(_: Any) -> None:
            try:
                begun.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        await context.step(step, name="busy")

    with opened(":memory:", busy=busy) as service:
        handle = service.start("busy")
        assert begun.wait(10)
        handle.stop()
        assert cancelled.wait(10)


def test_checkpoints_of_a_stopped_thread_are_refused() -> None:
    begun, may_go_on = threading.Event(), threading.Event()
    went_on: list[int] = []

    @durable_execution
    def busy(event: Any, context: DurableContext) -> None:
        def step(_: Any) -> None:
            begun.set()
            assert may_go_on.wait(10)

        context.step(step, name="first")
        went_on.append(1)

    with opened(":memory:", busy=busy) as service:
        handle = service.start("busy")
        assert begun.wait(10)
        handle.stop()
        may_go_on.set()
        eventually(lambda: handle.status == "STOPPED")
        assert "StepSucceeded" not in [event.event_type for event in handle.history()]
    assert went_on == []


def test_results_are_json() -> None:
    @durable_execution
    def odd(event: Any, context: DurableContext) -> Any:
        return {1, 2}

    with opened(":memory:", odd=odd, plain=lambda event, context: {1, 2}) as service:
        for name in ("odd", "plain"):
            with pytest.raises(ExecutionFailed, match="not JSON serializable"):
                service.call(name)
