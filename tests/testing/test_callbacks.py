"""Callbacks: waited for, answered, or not answered, while the execution is suspended."""

import datetime
import threading
from typing import Any

import pytest

from perdure import (
    CallbackConfig,
    CallbackError,
    CallbackTimeoutError,
    DurableContext,
    Duration,
    durable_execution,
)
from perdure.lambda_service import ErrorObject, InvocationStatus, OperationStatus
from perdure.protocol.words import EventType, ExecutionStatus
from perdure.testing import DurableFunctionsTestError, DurableFunctionTestRunner
from perdure.testing.clock import START
from perdure.testing.exceptions import (
    AwsApiException,
    CallbackTimeoutException,
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from tests.testing.handlers import BOTH_APPROVALS, approval

both_approvals = pytest.mark.parametrize("handler", BOTH_APPROVALS, ids=["sync", "async"])


@both_approvals
@pytest.mark.parametrize("keep", ["off", "on"])
def test_a_test_answers_while_the_execution_is_suspended(handler: Any, keep: Any) -> None:
    with DurableFunctionTestRunner(handler, keep_handlers=keep) as runner:
        arn = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(arn, name="first"), b"yes")
        runner.send_callback_success(runner.wait_for_callback(arn, name="second"), {"n": 1})
        result = runner.wait_for_result(arn)

    assert result.value == ["yes", '{"n": 1}']
    first = result.get_callback("first")
    assert (first.status, first.result) == (OperationStatus.SUCCEEDED, "yes")
    assert first.callback_id is not None
    second = result.get_context("second").get_operation_by_index(0)
    assert second.duration == datetime.timedelta()
    assert runner.now == START


def test_without_a_name_the_last_callback_is_meant() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        callbacks = [context.create_callback(name=name) for name in "abc"]
        return [callback.result() for callback in callbacks]

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        for answer in (3, 2, 1):
            runner.send_callback_success(runner.wait_for_callback(arn), answer)
        assert runner.wait_for_result(arn).value == ["1", "2", "3"]


@both_approvals
def test_a_callback_times_out_when_the_test_only_waits(handler: Any) -> None:
    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        assert runner.now == START
        result = runner.wait_for_result(arn)

        assert result.status is InvocationStatus.FAILED
        assert runner.now == START + datetime.timedelta(hours=2)
        assert result.get_callback("first").status is OperationStatus.TIMED_OUT
        with pytest.raises(CallbackTimeoutException):
            runner.send_callback_success(callback_id, b"late")


def test_time_passes_up_to_a_deadline_and_no_further_while_the_test_is_busy() -> None:
    is_there = threading.Event()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = CallbackConfig(timeout=Duration.from_hours(3))
        callback = context.create_callback(name="reply", config=config)
        for _ in range(4):
            context.wait(Duration.from_minutes(30))
        context.step(lambda _: is_there.set(), name="there")
        return callback.result()

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        assert is_there.wait(10)
        runner.pause_execution(arn)
        assert runner.now == START + datetime.timedelta(hours=2)
        runner.resume_execution(arn)
        runner.send_callback_success(runner.wait_for_callback(arn), b"in time")
        assert runner.wait_for_result(arn).value == "in time"


def test_heartbeats_keep_a_callback_open() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = CallbackConfig(heartbeat_timeout=Duration.from_hours(2))
        callback = context.create_callback(name="job", config=config)
        context.wait(Duration.from_minutes(90), name="first")
        context.create_callback(name="noted").result()
        context.wait(Duration.from_minutes(90), name="second")
        return callback.result()

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        noted = runner.wait_for_callback(arn, name="noted")
        job = runner.wait_for_callback(arn, name="job")
        runner.send_callback_heartbeat(job)
        runner.on_callback("later", lambda _: None)
        runner.send_callback_success(noted)
        assert not runner.get_result(arn).get_callback("job").end_timestamp
        result = runner.wait_for_result(arn)

    # The heartbeat came after an hour and a half; the callback is given up two hours later.
    assert result.get_callback("job").duration == datetime.timedelta(hours=3.5)
    assert result.error is not None
    assert "heartbeat" in (result.error.message or "")


@both_approvals
def test_a_failure_is_sent(handler: Any) -> None:
    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        error = ErrorObject("not today", "Refused", None, None)
        runner.send_callback_failure(runner.wait_for_callback(arn), error)
        result = runner.wait_for_result(arn)

    assert result.error is not None
    assert result.error.message == "not today"
    callback = result.get_callback("first")
    assert callback.error == error
    assert callback.failure == error


def test_a_failure_may_say_nothing() -> None:
    with DurableFunctionTestRunner(approval) as runner:
        arn = runner.run_async()
        runner.send_callback_failure(runner.wait_for_callback(arn))
        result = runner.wait_for_result(arn)

    assert result.get_callback("first").error == ErrorObject(None, None, None, None)


@both_approvals
def test_responders_answer_instead_of_the_test(handler: Any) -> None:
    asked: list[str] = []

    def respond(callback_id: str) -> Any:
        asked.append(callback_id)
        return "by itself"

    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("second", lambda _: b"the other").on_callback(None, respond)
        result = runner.run()

    assert result.value == ["by itself", "the other"]
    assert asked == [result.get_callback("first").callback_id]


def test_what_a_responder_raises_is_the_callbacks_failure() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.create_callback(name="a").result()
        except CallbackError as error:
            return str(error)

    def refuse(_: str) -> Any:
        raise PermissionError("not you")

    with DurableFunctionTestRunner(handler) as runner:
        assert runner.on_callback("a", refuse).run().value == "not you"


def test_a_responder_may_come_second() -> None:
    with DurableFunctionTestRunner(approval) as runner:

        def respond(callback_id: str) -> Any:
            runner.send_callback_success(callback_id, b"from elsewhere")
            return "from the responder"

        result = runner.on_callback(None, respond).run()

    assert result.value == ["from elsewhere"] * 2


def test_a_callback_of_an_ended_execution_is_waited_for_in_vain() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(lambda _: 1, name="only")

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        with pytest.raises(
            DurableFunctionsTestError, match=r"no open callback 'x'[\s\S]*Step only"
        ):
            runner.wait_for_callback(arn, name="x")
        with pytest.raises(DurableFunctionsTestError, match="no open callback"):
            runner.wait_for_callback(arn)


def test_wrong_ids_and_wrong_answers_are_refused() -> None:
    with DurableFunctionTestRunner(approval) as runner:
        arn = runner.run_async()
        with pytest.raises(ResourceNotFoundException) as missing:
            runner.send_callback_success("nothing")
        assert missing.value.to_dict() == {
            "Type": "ResourceNotFoundException",
            "Message": "there is no callback 'nothing'",
        }
        callback_id = runner.wait_for_callback(arn)
        runner.send_callback_success(callback_id, b"yes")
        with pytest.raises(InvalidParameterValueException, match="answered before") as refused:
            runner.send_callback_success(callback_id, b"no")
        assert refused.value.to_dict()["Type"] == "InvalidParameterValueException"
        assert AwsApiException("x").to_dict() == {"Type": "ServiceException", "message": "x"}


def test_another_thread_may_answer() -> None:
    with DurableFunctionTestRunner(approval) as runner:
        arn = runner.run_async()

        def answer() -> None:
            for name in ("first", "second"):
                runner.send_callback_success(runner.wait_for_callback(arn, name), name)

        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()
        assert runner.wait_for_result(arn).value == ["first", "second"]


def test_an_execution_is_paused_and_resumed() -> None:
    with DurableFunctionTestRunner(approval) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        runner.pause_execution(arn)
        runner.pause_execution(arn)
        runner.send_callback_success(callback_id, b"yes")
        paused = runner.get_result(arn)
        assert paused.execution_status is ExecutionStatus.PAUSED
        assert len(paused.invocations) == 1
        runner.resume_execution(arn)
        runner.resume_execution(arn)
        runner.on_callback(None, lambda _: "too")
        result = runner.wait_for_result(arn)
        runner.pause_execution(arn)

    assert result.value == ["yes", "too"]
    events = [event.event_type for event in result.events]
    assert EventType.EXECUTION_PAUSED in events
    assert EventType.EXECUTION_RESUMED in events
    paused_event = result.events[events.index(EventType.EXECUTION_PAUSED)]
    assert paused_event.details.pause_request_timestamp == START


def test_a_running_handler_is_paused_at_its_next_checkpoint() -> None:
    is_running, is_paused = threading.Event(), threading.Event()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        def first(_: Any) -> int:
            is_running.set()
            is_paused.wait(10)
            return 1

        return [context.step(first, name="one"), context.step(lambda _: 2, name="two")]

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        assert is_running.wait(10)
        thread = threading.Thread(target=runner.pause_execution, args=(arn,))
        thread.start()
        while runner.get_result(arn).execution_status is not ExecutionStatus.PAUSING:
            pass
        is_paused.set()
        thread.join()
        stopped = runner.get_result(arn)
        assert stopped.get_step("one").value == 1
        assert len(stopped.operations) == 1
        runner.resume_execution(arn)
        assert runner.wait_for_result(arn).value == [1, 2]


def test_an_execution_is_stopped() -> None:
    with DurableFunctionTestRunner(approval) as runner:
        arn = runner.run_async()
        runner.wait_for_callback(arn)
        runner.stop_execution(arn, ErrorObject("enough", "Stopped", None, None))
        result = runner.wait_for_result(arn)
        assert result.execution_status is ExecutionStatus.STOPPED
        assert result.status is InvocationStatus.FAILED
        assert result.error is not None
        assert result.error.message == "enough"
        with pytest.raises(ResourceNotFoundException):
            runner.send_callback_success(result.get_callback("first").callback_id or "")


def test_a_handler_may_catch_a_time_out() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = CallbackConfig(timeout=Duration.from_days(3))
        try:
            return context.create_callback(name="a", config=config).result()
        except CallbackTimeoutError:
            return "nobody came"

    with DurableFunctionTestRunner(handler) as runner:
        assert runner.run().value == "nobody came"
        assert runner.now == START + datetime.timedelta(days=3)
