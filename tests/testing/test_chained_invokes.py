"""Chained invokes: of registered functions, ordinary and durable, and of those that are not."""

import datetime
import json
from typing import Any

import pytest

from perdure import (
    AsyncDurableContext,
    DurableContext,
    InvokeConfig,
    InvokeError,
    durable_execution,
)
from perdure.lambda_service import OperationStatus
from perdure.protocol.words import EventType
from perdure.testing import DurableFunctionTestRunner
from perdure.testing.clock import START


@durable_execution
def parent(event: Any, context: DurableContext) -> Any:
    """Invoke what it is told, with the rest."""
    try:
        return context.invoke(event["target"], event.get("payload"), name="call")
    except InvokeError as error:
        return f"failed: {error.error_type}: {error}"


@durable_execution
async def child(event: Any, context: AsyncDurableContext) -> Any:
    """Wait a day, and answer."""
    await context.wait(datetime.timedelta(days=1))
    return await context.step(lambda _: {"got": event}, name="answer")


def run(target: str, payload: Any = None, **registered: Any) -> Any:
    """Return the result of invoking ``target``."""
    with DurableFunctionTestRunner(parent) as runner:
        for name, handler in registered.items():
            runner.register_function(name, handler)
        return runner.run({"target": target, "payload": payload}).value


def test_an_ordinary_function_is_called_once() -> None:
    seen: list[Any] = []

    def price(event: Any, context: Any) -> Any:
        seen.append((event, context.function_name, context.get_remaining_time_in_millis()))
        return {"price": 5}

    assert run("price", {"item": "a"}, price=price) == {"price": 5}
    assert seen == [({"item": "a"}, "price", 900_000)]


def test_an_ordinary_function_may_be_a_coroutine_function() -> None:
    async def price(event: Any, context: Any) -> Any:
        return event["item"] * 2

    assert run("price", {"item": "a"}, price=price) == "aa"


def test_a_functions_failure_is_the_invokes() -> None:
    def price(event: Any, context: Any) -> Any:
        raise LookupError("no such item")

    with DurableFunctionTestRunner(parent) as runner:
        result = runner.register_function("price", price).run({"target": "price"})

    assert result.value == "failed: LookupError: no such item"
    call = result.get_invoke("call")
    assert call.status is OperationStatus.FAILED
    assert call.error is not None
    assert call.error.type == "LookupError"


@pytest.mark.parametrize("keep", ["off", "on"])
def test_a_durable_function_is_an_execution_of_its_own(keep: Any) -> None:
    with DurableFunctionTestRunner(parent, keep_handlers=keep) as runner:
        runner.register_durable_function("child", child)
        result = runner.run({"target": "child", "payload": [1]})

        call = result.get_invoke("call")
        assert result.value == call.value == {"got": [1]}
        assert call.duration == datetime.timedelta(days=1)
        started = next(e for e in result.events if e.event_type is EventType.CHAINED_INVOKE_STARTED)
        arn = started.chained_invoke_started_details.durable_execution_arn
        history = runner.get_execution_history(arn, include_execution_data=True)
        assert history.events[0].details.input.payload == "[1]"
        assert runner.wait_for_result(arn).get_step("answer").value == {"got": [1]}


def test_a_childs_limit_counts_in_its_own_time() -> None:
    with DurableFunctionTestRunner(parent) as runner:
        runner.register_durable_function("child", child, execution_timeout=60)
        result = runner.run({"target": "child"})

    assert result.get_invoke("call").status is OperationStatus.TIMED_OUT
    assert result.value.startswith("failed: ChainedInvoke.Timeout: ")
    assert runner.now == START + datetime.timedelta(minutes=1)


def test_in_real_time_a_childs_limit_is_the_default() -> None:
    @durable_execution
    def at_once(event: Any, context: DurableContext) -> Any:
        return 1

    with DurableFunctionTestRunner(parent, skip_time=False) as runner:
        runner.register_durable_function("child", at_once)
        result = runner.run({"target": "child"})
        arn = next(
            e.details.durable_execution_arn
            for e in result.events
            if e.event_type is EventType.CHAINED_INVOKE_STARTED
        )
        start = runner.get_execution_history(arn).events[0]
    assert start.details.execution_timeout == 120


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("price:7", "the seventh"),
        ("price", "any"),
        ("price:live", "any"),
        ("arn:aws:lambda:us-west-2:123456789012:function:price:7", "the seventh"),
        ("arn:aws:lambda:us-west-2:999999999999:function:price", "another account"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:price", "another region"),
        ("prices", "Function not found: prices"),
    ],
)
def test_functions_are_found_by_name_and_qualifier(target: str, answer: str) -> None:
    registered = {"price:7": lambda _, __: "the seventh", "price": lambda _, __: "any"}
    assert answer in run(target, **registered)


def test_a_name_that_is_none_is_found_if_it_is_registered() -> None:
    assert "Function not found: no.such" in run("no.such")


def test_children_of_children_come_back() -> None:
    @durable_execution
    def deep(event: Any, context: DurableContext) -> Any:
        if event == 0:
            return 0
        return 1 + context.invoke("deep", event - 1, name="deeper")

    with DurableFunctionTestRunner(deep) as runner:
        runner.register_durable_function("deep", deep)
        assert runner.run(5).value == 5
        assert len(runner.trees()) == 6


def test_a_tenant_goes_along() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.invoke("who", None, config=InvokeConfig(tenant_id="blue"))

    with DurableFunctionTestRunner(handler) as runner:
        runner.register_function("who", lambda _, context: context.tenant_id)
        assert runner.run().value == "blue"


def test_what_is_too_large_fails_the_child() -> None:
    result = run("large", large=lambda _, __: "x" * 1_100_000)
    assert "payload size must be less" in json.dumps(result)
