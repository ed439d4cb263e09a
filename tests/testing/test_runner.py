"""The local runner: executions, their results and operations, and the time they see."""

import datetime
import json
import logging
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure import (
    AsyncDurableContext,
    DurableContext,
    Duration,
    ParallelConfig,
    StepConfig,
    durable_execution,
    durable_with_child_context,
)
from perdure.config import CompletionConfig
from perdure.exceptions import InvocationError
from perdure.lambda_service import InvocationStatus, OperationStatus, OperationType
from perdure.protocol.words import EventType, ExecutionStatus
from perdure.sdk.client import ServiceError
from perdure.testing import (
    DurableChildContextTestRunner,
    DurableFunctionsTestError,
    DurableFunctionTestResult,
    DurableFunctionTestRunner,
    effects,
)
from perdure.testing.clock import START, RealClock, SkipClock, instant_ms
from perdure.testing.exceptions import ResourceNotFoundException
from perdure.testing.runner import (
    CallbackOperation,
    ContextOperation,
    StepOperation,
    WaitOperation,
)
from perdure.testing.waiting import is_alone
from tests.testing.handlers import BOTH_ORDERS, order

NO_RETRY = StepConfig(retry_strategy=None)
INPUT = {"items": ["a", "b"]}
KEEPING = ["off", "on", "random"]
both_orders = pytest.mark.parametrize("handler", BOTH_ORDERS, ids=["sync", "async"])
every_keeping = pytest.mark.parametrize("keep", KEEPING)


@both_orders
@every_keeping
def test_an_order_is_carried_out_in_no_time(handler: Any, keep: Any) -> None:
    with DurableFunctionTestRunner(handler, keep_handlers=keep) as runner:
        result = runner.run(INPUT)

    assert result.status is InvocationStatus.SUCCEEDED
    assert result.execution_status is ExecutionStatus.SUCCEEDED
    assert result.value == {"items": ["r-a", "r-b"], "charge": "paid at attempt 2"}
    assert json.loads(result.result or "") == result.value
    assert result.error is None
    assert runner.now == START + datetime.timedelta(hours=1, seconds=30)


@both_orders
def test_operations_are_found_by_name_index_and_id(handler: Any) -> None:
    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run(INPUT)

    assert [operation.name for operation in result.operations] == ["items", "cooling-off", "charge"]
    items = result.get_context("items")
    assert isinstance(items, ContextOperation)
    assert len(items.child_operations) == 2
    assert {item.children[0].name for item in items.child_operations} == {"reserve"}
    reserve = items.get_context("map-item-1").get_operation_by_index(0)
    assert isinstance(reserve, StepOperation)
    assert (reserve.name, reserve.value) == ("reserve", "r-b")
    assert result.get_operation_by_id(reserve.operation_id) == reserve
    assert result.get_operation_by_index(1) is result.get_operation_by_name("cooling-off")
    assert result.get_operation("charge", 0) is result.get_step("charge")
    assert len(result.get_all_operations()) == 7


def test_operations_tell_times_and_attempts() -> None:
    with DurableFunctionTestRunner(order) as runner:
        result = runner.run(INPUT)

    wait = result.get_wait("cooling-off")
    assert isinstance(wait, WaitOperation)
    assert wait.start_timestamp == START
    assert wait.scheduled_end_timestamp == wait.end_timestamp == START + datetime.timedelta(hours=1)
    assert wait.duration == datetime.timedelta(hours=1)
    assert wait.status is OperationStatus.SUCCEEDED
    charge = result.get_step("charge")
    assert charge.operation_type is OperationType.STEP
    assert charge.attempt == 2
    assert charge.duration == datetime.timedelta(seconds=30)
    assert charge.next_attempt_timestamp is None


def test_what_is_not_there_is_told_with_what_is() -> None:
    with DurableFunctionTestRunner(order) as runner:
        result = runner.run(INPUT)

    with pytest.raises(DurableFunctionsTestError, match=r"'refund'.*'items', 'cooling-off'"):
        result.get_step("refund")
    with pytest.raises(DurableFunctionsTestError, match="at 3"):
        result.get_operation_by_index(3)
    with pytest.raises(DurableFunctionsTestError, match="'charge' at 1"):
        result.get_operation("charge", 1)
    with pytest.raises(DurableFunctionsTestError, match="with the id"):
        result.get_operation_by_id("0")
    with pytest.raises(DurableFunctionsTestError, match="is a STEP, no WaitOperation"):
        result.get_wait("charge")
    with pytest.raises(DurableFunctionsTestError, match="no CallbackOperation"):
        result.get_callback("charge")
    with pytest.raises(DurableFunctionsTestError, match="no InvokeOperation"):
        result.get_invoke("charge")
    with pytest.raises(DurableFunctionsTestError, match="no ExecutionOperation"):
        result.get_execution("charge")
    assert not issubclass(CallbackOperation, StepOperation)


def test_invocations_and_events_tell_how_it_went() -> None:
    with DurableFunctionTestRunner(order) as runner:
        result = runner.run(INPUT, execution_name="order-1")
        bare = runner.get_execution_history(result.execution_arn)

    assert [i.error for i in result.invocations] == [None] * 3
    assert result.invocations[1].start_timestamp == START + datetime.timedelta(hours=1)
    assert len({invocation.request_id for invocation in result.invocations}) == 3
    kinds = [event.event_type for event in result.events]
    assert kinds[0] is EventType.EXECUTION_STARTED
    assert kinds[-1] is EventType.EXECUTION_SUCCEEDED
    assert kinds.count(EventType.STEP_FAILED) == 1
    failed = result.events[kinds.index(EventType.STEP_FAILED)]
    assert failed.name == "charge"
    assert failed.step_failed_details.error.payload.message == "the gateway is away"
    assert failed.step_failed_details.retry_details.next_attempt_delay_seconds == 30
    assert failed.step_succeeded_details is None
    started = next(e for e in bare.events if e.event_type == "WaitStarted")
    assert started.wait_started_details.scheduled_end_timestamp == START + datetime.timedelta(
        hours=1
    )
    assert bare.events[-1].details.result.truncated is True
    assert result.events[-1].details.result.truncated is False
    with pytest.raises(AttributeError, match="has no colour"):
        _ = failed.colour


def test_the_same_run_is_the_same_to_the_byte() -> None:
    def run() -> DurableFunctionTestResult:
        with DurableFunctionTestRunner(simple) as runner:
            return runner.run({"n": 1})

    assert run() == run()


@durable_execution
def simple(event: Any, context: DurableContext) -> Any:
    """Do a step, wait, do another."""
    first = context.step(lambda _: event, name="first")
    context.wait(5)
    return context.step(lambda _: first, name="second")


def test_a_failure_is_told() -> None:
    @durable_execution
    def fails(event: Any, context: DurableContext) -> Any:
        raise ValueError("no such order")

    with DurableFunctionTestRunner(fails) as runner:
        result = runner.run()

    assert result.status is InvocationStatus.FAILED
    assert result.execution_status is ExecutionStatus.FAILED
    assert result.error is not None
    assert (result.error.type, result.error.message) == ("ValueError", "no such order")
    assert (result.result, result.value) == (None, None)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (None, {}),
        ({"n": 1}, {"n": 1}),
        ('{"n": 1}', {"n": 1}),
        ("World", "World"),
        ([1], [1]),
        (0, 0),
    ],
)
def test_the_input_is_json_or_is_made_json(given: Any, seen: Any) -> None:
    @durable_execution
    def echo(event: Any, context: DurableContext) -> Any:
        return event

    with DurableFunctionTestRunner(echo) as runner:
        assert runner.run(given).value == seen


def test_waits_end_in_their_order() -> None:
    ended: list[int] = []

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> Any:
        async def branch(child: AsyncDurableContext, hours: int) -> None:
            await child.wait(Duration.from_hours(hours))
            ended.append(hours)

        await context.parallel([lambda c, h=h: branch(c, h) for h in (3, 1, 2)])

    with DurableFunctionTestRunner(handler, keep_handlers=True) as runner:
        runner.run()
        assert ended == [1, 2, 3]
        assert runner.now == START + datetime.timedelta(hours=3)


def test_the_first_to_come_wins_whatever_the_time() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        result = context.parallel(
            [
                lambda c: (c.wait(Duration.from_days(2)), "slow")[1],
                lambda c: (c.wait(Duration.from_days(1)), "fast")[1],
            ],
            config=ParallelConfig(completion_config=CompletionConfig.first_successful()),
        )
        return result.get_results()

    with DurableFunctionTestRunner(handler) as runner:
        assert runner.run().value == ["fast"]
        assert runner.now == START + datetime.timedelta(days=1)


def test_skipped_time_begins_where_it_is_told() -> None:
    start = datetime.datetime(2024, 2, 28, 23, tzinfo=datetime.UTC)
    with DurableFunctionTestRunner(order, start_at=start) as runner:
        result = runner.run(INPUT)

    assert result.events[0].event_timestamp == start
    assert runner.now.day == 29


def test_a_clock_never_goes_back() -> None:
    clock = SkipClock(datetime.datetime(2025, 1, 1))  # noqa: DTZ001 - without a zone it is UTC
    clock.move_to(instant_ms(START) - 5)
    assert clock.now_ms() == instant_ms(START)


def test_real_time_passes_by_itself() -> None:
    with DurableFunctionTestRunner(simple, skip_time=False) as runner:
        arn = runner.run_async({"n": 1})
        with pytest.raises(TimeoutError, match="did not end"):
            runner.wait_for_result(arn, timeout=0)
        before = runner.now
    assert abs(before - datetime.datetime.now(datetime.UTC)).total_seconds() < 60  # noqa: TID251


def test_real_time_wakes_who_waits() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        context.wait(1, name="second")

    with DurableFunctionTestRunner(handler, skip_time=False) as runner:
        result = runner.run(execution_timeout=30)
    duration = result.get_wait("second").duration
    assert duration is not None
    assert duration >= datetime.timedelta(seconds=1)


def test_an_execution_may_have_a_limit_in_its_own_time() -> None:
    with DurableFunctionTestRunner(order, durable_timeout=datetime.timedelta(minutes=30)) as runner:
        result = runner.run(INPUT)

    assert result.status is InvocationStatus.FAILED
    assert result.execution_status is ExecutionStatus.TIMED_OUT
    assert runner.now == START + datetime.timedelta(minutes=30)


def test_whoever_waits_for_nothing_is_told_where_it_stands() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.create_callback(name="for-ever").result()

    with (
        DurableFunctionTestRunner(handler) as runner,
        pytest.raises(TimeoutError, match=r"did not end: [\s\S]*Callback for-ever  STARTED"),
    ):
        runner.run(execution_timeout=1)


def test_nobody_is_left_to_answer_unless_another_thread_is() -> None:
    is_over = threading.Event()
    thread = threading.Thread(target=is_over.wait)
    thread.start()
    assert not is_alone()
    is_over.set()
    thread.join()


def test_a_handler_that_waits_for_the_world_does_not_hold_up_time() -> None:
    is_over = threading.Event()

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> Any:
        async def timer(child: AsyncDurableContext) -> str:
            await child.wait(Duration.from_days(1))
            is_over.set()
            return "timer"

        async def world(child: AsyncDurableContext) -> str:
            return await child.step(lambda _: is_over.wait(30) and "world")

        result = await context.parallel([timer, world])
        return result.get_results()

    with DurableFunctionTestRunner(handler, patience=0.05) as runner:
        assert runner.run().value == ["timer", "world"]


def test_a_handler_that_never_answers_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        raise InvocationError("the database is away")

    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run()

    assert result.execution_status is ExecutionStatus.FAILED
    assert len(result.invocations) == 5
    assert result.error is not None
    assert result.error.message == "the database is away"
    assert result.invocations[0].error is not None
    assert result.invocations[0].error.type == "InvocationError"


def test_a_handler_may_answer_nonsense() -> None:
    class Durable:
        """Answers what it is told."""

        __globals__ = {"__name__": "aws_durable_execution_sdk_python.execution"}

        def __init__(self, answer: Any) -> None:
            self._answer = answer

        def __call__(self, event: Any, context: Any) -> Any:
            return self._answer

    for answer in (None, {}, {"Status": "DONE"}, {"Status": "SUCCEEDED", "Result": 5}):
        with DurableFunctionTestRunner(Durable(answer)) as runner:
            result = runner.run()
        assert result.error is not None
        assert "is not an invocation's" in (result.error.message or "")


def test_what_is_no_durable_function_is_told_so() -> None:
    with DurableFunctionTestRunner(lambda event, context: 1) as runner:
        result = runner.run()
    assert result.error is not None
    assert "was not made by durable_execution" in (result.error.message or "")


@durable_execution
def long(event: Any, context: DurableContext) -> Any:
    """Record much, then go on."""
    results = [context.step(lambda _, n=n: "x" * 500 + str(n)) for n in range(20)]
    context.wait(1)
    return [result[500:] for result in results]


@durable_execution
async def long_async(event: Any, context: AsyncDurableContext) -> Any:
    """Record much, then go on."""
    results = [await context.step(lambda _, n=n: "x" * 500 + str(n)) for n in range(20)]
    await context.wait(1)
    return [result[500:] for result in results]


@pytest.mark.parametrize("handler", [long, long_async])
def test_a_long_state_comes_in_pages(handler: Any) -> None:
    with DurableFunctionTestRunner(handler, max_invocation_page_bytes=2_000) as runner:
        assert runner.run().value == [str(n) for n in range(20)]


class Raw:
    """A handler that speaks the protocol by itself, as one of AWS's SDK is called."""

    __globals__ = {"__name__": "aws_durable_execution_sdk_python.execution"}

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.refusals: list[Any] = []

    def __call__(self, event: Any, context: Any) -> Any:
        for token in self.tokens:
            try:
                event.service_client.checkpoint(event.durable_execution_arn, token, [], "")
            except ServiceError as error:
                self.refusals.append(error.response)
        return {"Status": "SUCCEEDED"}


def test_wrong_tokens_are_refused() -> None:
    handler = Raw(["nonsense", "1.7", "8.0", "1.0"])
    with DurableFunctionTestRunner(handler) as runner:
        assert runner.run().status is InvocationStatus.SUCCEEDED

    assert len(handler.refusals) == 3
    for refusal in handler.refusals:
        assert refusal["Error"]["Code"] == "InvalidParameterValueException"
        assert refusal["Error"]["Message"].startswith("Invalid checkpoint token")
        assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_a_handler_does_after_its_end_does_not_count() -> None:
    is_running, is_stopped, is_over = threading.Event(), threading.Event(), threading.Event()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        def work(_: Any) -> None:
            is_running.set()
            is_stopped.wait(10)
            effects.record("late")

        try:
            context.step(work, name="work")
            context.step(lambda _: effects.record("later"), name="more")
        finally:
            is_over.set()

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        assert is_running.wait(10)
        runner.stop_execution(arn)
        is_stopped.set()
        assert is_over.wait(10)
        result = runner.wait_for_result(arn)

    assert result.execution_status is ExecutionStatus.STOPPED
    assert not runner.trial.effects
    assert result.operations == []


def test_real_time_cannot_be_moved() -> None:
    with pytest.raises(AssertionError, match="by itself"):
        RealClock().move_to(0)


def test_a_handler_sees_a_lambda_context() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        given = context.lambda_context
        assert given is not None
        given.log("not shown")
        return [
            given.function_name,
            given.invoked_function_arn,
            given.tenant_id,
            given.get_remaining_time_in_millis(),
        ]

    with DurableFunctionTestRunner(handler, region="eu-west-1", invocation_timeout=60) as runner:
        result = runner.run(function_name="f", account_id="000000000001", tenant_id="blue")

    assert result.value == [
        "f",
        "arn:aws:lambda:eu-west-1:000000000001:function:f:$LATEST",
        "blue",
        60_000,
    ]


def test_there_is_no_other_store() -> None:
    with pytest.raises(DurableFunctionsTestError, match="in memory"):
        DurableFunctionTestRunner(order, store="sqlite")  # type: ignore[arg-type]


def test_an_execution_that_is_not_there_is_told_so() -> None:
    with DurableFunctionTestRunner(order) as runner, pytest.raises(ResourceNotFoundException):
        runner.get_result("arn:aws:lambda:nowhere")


@durable_with_child_context
def twice(child: DurableContext, number: int, *, by: int = 2) -> int:
    """Multiply in a step."""
    return child.step(lambda _: number * by, name="multiply")


@durable_with_child_context
async def twice_async(child: AsyncDurableContext, number: int, *, by: int = 2) -> int:
    """Multiply in a step."""
    return await child.step(lambda _: number * by, name="multiply")


@pytest.mark.parametrize("function", [twice, twice_async])
def test_a_child_context_can_be_run_alone(function: Any) -> None:
    with DurableChildContextTestRunner(function, 4, by=3) as runner:
        result = runner.run()
    assert result.value == 12
    assert result.get_step("multiply").value == 12


def test_a_runner_that_is_closed_runs_nothing_more() -> None:
    runner = DurableFunctionTestRunner(order)
    runner.close()
    arn = runner.run_async(INPUT)
    assert runner.get_result(arn).execution_status is ExecutionStatus.RUNNING
    assert runner.get_result(arn).status is InvocationStatus.PENDING


def test_a_handler_that_still_runs_is_ended_with_its_runner() -> None:
    is_running, is_closed, is_over = threading.Event(), threading.Event(), threading.Event()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.step(lambda _: is_running.set() or is_closed.wait(10), name="first")
            context.step(lambda _: effects.record("second"), name="second")
        finally:
            is_over.set()

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        assert is_running.wait(10)
    is_closed.set()
    assert is_over.wait(10)

    assert not runner.trial.effects
    assert runner.get_result(arn).operations == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6), st.sampled_from(KEEPING))
def test_any_waits_take_what_they_say(seconds: list[int], keep: Any) -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> None:
        for number in event:
            context.wait(Duration.from_seconds(number))

    with DurableFunctionTestRunner(handler, keep_handlers=keep) as runner:
        result = runner.run(seconds)
        assert runner.now - START == datetime.timedelta(seconds=sum(seconds))
        assert len(result.invocations) == len(seconds) + 1


def test_a_wrong_engine_is_told_where_the_test_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    from perdure.testing import service

    def broken(*_: Any) -> Any:
        raise RuntimeError("the engine is broken")

    monkeypatch.setattr(service.LocalService, "_finish", broken)
    with (
        DurableFunctionTestRunner(order) as runner,
        pytest.raises(RuntimeError, match="the engine is broken"),
    ):
        runner.run(INPUT)
