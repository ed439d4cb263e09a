"""Histories: what an event tells, and the operations that follow from a history alone."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure import DurableContext, Duration, RetryDecision, StepConfig, durable_execution
from perdure.protocol import events as event_shapes
from perdure.protocol import operations as shapes
from perdure.protocol.wire import Instant, encode
from perdure.protocol.words import EventType, OperationStatus
from perdure.testing import DurableFunctionTestRunner
from perdure.testing.exceptions import InvalidParameterValueException
from perdure.testing.history import decode_events, operations_of
from perdure.testing.operations import (
    OPERATION_FACTORIES,
    ExecutionOperation,
    create_operation,
)
from perdure.testing.runner import DurableFunctionTestResult
from tests.testing.handlers import BOTH_APPROVALS, BOTH_ORDERS

Program = Callable[[DurableContext], Any]


def fail(_: Any) -> Any:
    """Raise."""
    raise ValueError("no")


def flaky(step: Any) -> int:
    """Fail twice."""
    if step.attempt < 3:
        raise ValueError("not yet")
    return step.attempt


RETRYING = StepConfig(
    retry_strategy=lambda _, attempt: (
        RetryDecision.retry(Duration.from_seconds(5)) if attempt < 3 else RetryDecision.no_retry()
    )
)


def failing_step(context: DurableContext) -> Any:
    """Let a step fail for good."""
    try:
        context.step(fail, name="fails", config=RETRYING)
    except Exception as error:  # noqa: BLE001 - any
        return str(error)


OPERATIONS: list[Program] = [
    lambda c: c.step(lambda _: "done", name="step"),
    lambda c: c.step(flaky, name="flaky", config=RETRYING),
    failing_step,
    lambda c: c.wait(7, name="wait"),
    lambda c: c.create_callback(name="callback").result(),
    lambda c: c.wait_for_callback(lambda _, __: None, name="waits"),
    lambda c: c.invoke("double", 4, name="double"),
    lambda c: c.invoke("durable", 4, name="durable"),
    lambda c: c.run_in_child_context(lambda child: child.step(lambda _: 1), name="child"),
    lambda c: c.map([1, 2], lambda child, x, _, __: child.step(lambda _: x)).get_results(),
]


@durable_execution
def child(event: Any, context: DurableContext) -> Any:
    """Wait, and double."""
    context.wait(3)
    return event * 2


def ended(
    programs: Sequence[Program],
) -> tuple[DurableFunctionTestRunner, DurableFunctionTestResult]:
    """Return the runner and the result of a handler that runs the programs one after another."""

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return [program(context) for program in programs]

    runner = DurableFunctionTestRunner(handler)
    runner.register_function("double", lambda event, _: event * 2)
    runner.register_durable_function("durable", child)
    runner.on_callback(None, lambda _: "answer")
    return runner, runner.run()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(OPERATIONS), max_size=5))
def test_a_history_tells_the_operations(programs: list[Program]) -> None:
    runner, result = ended(programs)
    with runner:
        held = runner._service.executions.held[result.execution_arn]
        told = operations_of(held.history(with_data=True))

    assert [create_operation(o, told) for o in told] == [
        create_operation(o, held.shapes()) for o in held.shapes()
    ]


@pytest.mark.parametrize("handler", [*BOTH_ORDERS, *BOTH_APPROVALS])
def test_a_history_travels(handler: Any) -> None:
    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.on_callback(None, lambda _: "yes").run({"items": ["a"]}).execution_arn
        events = runner._service.executions.held[arn].history(with_data=True)

    page = {"Events": [encode(event) for event in events]}
    assert decode_events(page) == events
    for event in page["Events"]:
        seconds = event["EventTimestamp"]
        event["EventTimestamp"] = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    assert decode_events(page) == events


def test_an_event_of_no_operation_is_passed_over() -> None:
    assert operations_of([event_shapes.Event(event_type=EventType.INVOCATION_COMPLETED)]) == []
    assert operations_of([event_shapes.Event()]) == []


def test_an_open_step_is_pending_until_its_next_attempt() -> None:
    runner, result = ended([OPERATIONS[1]])
    with runner:
        events = runner._service.executions.held[result.execution_arn].history(with_data=True)
    number = next(n for n, e in enumerate(events) if e.event_type is EventType.STEP_FAILED)
    step = operations_of(events[: number + 1])[1]

    assert step.status is OperationStatus.PENDING
    assert step.end_timestamp is None
    assert step.step_details is not None
    assert step.step_details.next_attempt_timestamp == (events[number].event_timestamp or 0) + 5000


def test_an_operation_of_another_type_is_refused() -> None:
    step = shapes.Operation(
        id="1",
        type=next(iter(OPERATION_FACTORIES)),
        start_timestamp=Instant(0),
        status=OperationStatus.STARTED,
    )
    for kind, factory in OPERATION_FACTORIES.items():
        one = replace(step, type=kind)
        assert create_operation(one) == factory.from_svc_operation(one)
        for other, other_factory in OPERATION_FACTORIES.items():
            if other is not kind:
                with pytest.raises(InvalidParameterValueException, match=f"no {other}"):
                    other_factory.from_svc_operation(one)


def test_the_execution_is_an_operation_too() -> None:
    runner, result = ended([])
    with runner:
        held = runner._service.executions.held[result.execution_arn]
        root = create_operation(held.shapes()[0])
    assert isinstance(root, ExecutionOperation)
    assert (root.name, root.input_payload) == ("execution-name", None)
