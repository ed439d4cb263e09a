"""Waiting for a callback: requirements 7-1 to 7-15."""

from typing import Any

from .retries import every_second
from .sdk import (
    CallbackError,
    CallbackTimeoutError,
    DurableContext,
    Duration,
    JsonSerDes,
    WaitForCallbackConfig,
    WaitForCallbackContext,
    durable_execution,
)


def submit(callback_id: str, submitter: WaitForCallbackContext) -> None:
    """Do nothing: the external system finds the callback in the history."""


def refuse(callback_id: str, submitter: WaitForCallbackContext) -> None:
    raise ValueError("the submitter fails")


@durable_execution
def basic(event: str, context: DurableContext) -> Any:
    return context.wait_for_callback(submit, name=event)


@durable_execution
def named(event: None, context: DurableContext) -> Any:
    return context.wait_for_callback(submit, name="approval")


@durable_execution
def anonymous(event: None, context: DurableContext) -> Any:
    return context.wait_for_callback(lambda callback_id, submitter: None)


@durable_execution
def three_second_timeout(event: str, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(timeout=Duration.from_seconds(3))
    return context.wait_for_callback(submit, name=event, config=config)


@durable_execution
def failure_caught(event: str, context: DurableContext) -> Any:
    try:
        return context.wait_for_callback(submit, name=event)
    except CallbackError:
        return "recovered"


@durable_execution
def submitter_fails(event: str, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(retry_strategy=every_second(max_attempts=2))
    return context.wait_for_callback(refuse, name=event, config=config)


@durable_execution
def in_child_context(event: str, context: DurableContext) -> Any:
    return context.run_in_child_context(
        lambda child: child.wait_for_callback(submit, name=event), name="wrapper"
    )


@durable_execution
def sequential(event: None, context: DurableContext) -> Any:
    context.wait_for_callback(submit, name="first")
    return context.wait_for_callback(submit, name="second")


@durable_execution
def after_wait_and_step(event: str, context: DurableContext) -> Any:
    context.wait(Duration.from_seconds(1))
    context.step(lambda _: {"fixed": "data"})
    return context.wait_for_callback(submit, name=event)


@durable_execution
def json_result(event: str, context: DurableContext) -> str:
    config = WaitForCallbackConfig(serdes=JsonSerDes())
    return context.wait_for_callback(submit, name=event, config=config)["status"]


@durable_execution
def five_second_heartbeat(event: str, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(heartbeat_timeout=Duration.from_seconds(5))
    return context.wait_for_callback(submit, name=event, config=config)


@durable_execution
def ten_second_heartbeat(event: str, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(heartbeat_timeout=Duration.from_seconds(10))
    return context.wait_for_callback(submit, name=event, config=config)


@durable_execution
def timeout_caught(event: str, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(timeout=Duration.from_seconds(3))
    try:
        return context.wait_for_callback(submit, name=event, config=config)
    except CallbackTimeoutError:
        return "timed-out-handled"
