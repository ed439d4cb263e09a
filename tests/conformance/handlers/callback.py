"""Callbacks: requirements 4-1 to 4-19."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from .sdk import (
    CallbackConfig,
    CallbackError,
    CallbackTimeoutError,
    DurableContext,
    Duration,
    SerDes,
    SerDesContext,
    durable_execution,
)


@durable_execution
def basic(event: str, context: DurableContext) -> Any:
    return context.create_callback(name=event).result()


@durable_execution
def named(event: None, context: DurableContext) -> Any:
    return context.create_callback(name="approval").result()


@durable_execution
def five_second_timeout(event: str, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=Duration.from_seconds(5))
    return context.create_callback(name=event, config=config).result()


@durable_execution
def five_second_heartbeat(event: str, context: DurableContext) -> Any:
    config = CallbackConfig(heartbeat_timeout=Duration.from_seconds(5))
    return context.create_callback(name=event, config=config).result()


@durable_execution
def ten_second_heartbeat(event: str, context: DurableContext) -> Any:
    config = CallbackConfig(heartbeat_timeout=Duration.from_seconds(10))
    return context.create_callback(name=event, config=config).result()


@durable_execution
def step_before_result(event: str, context: DurableContext) -> Any:
    callback = context.create_callback(name=event)
    context.step(lambda _: "prepared", name="prepare")
    return callback.result()


@durable_execution
def step_before_timeout(event: str, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=Duration.from_seconds(5))
    callback = context.create_callback(name=event, config=config)
    context.step(lambda _: "prepared", name="prepare")
    return callback.result()


@durable_execution
def wait_before_result(event: str, context: DurableContext) -> Any:
    callback = context.create_callback(name=event)
    context.wait(Duration.from_seconds(5))
    return callback.result()


@durable_execution
def timeout_within_wait(event: str, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=Duration.from_seconds(3))
    callback = context.create_callback(name=event, config=config)
    context.wait(Duration.from_seconds(6))
    return callback.result()


@durable_execution
def wait_after_result(event: str, context: DurableContext) -> Any:
    result = context.create_callback(name=event).result()
    context.wait(Duration.from_seconds(2))
    return result


@durable_execution
def failure_caught(event: str, context: DurableContext) -> Any:
    callback = context.create_callback(name=event)
    try:
        outcome = callback.result()
    except CallbackError as error:
        outcome = f"caught: {error}"
    context.wait(Duration.from_seconds(2))
    return outcome


@durable_execution
def timeout_caught(event: str, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=Duration.from_seconds(3))
    callback = context.create_callback(name=event, config=config)
    try:
        outcome = callback.result()
    except CallbackTimeoutError as error:
        outcome = f"caught: {error}"
    context.wait(Duration.from_seconds(2))
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the external system sends; ``timestamp`` in seconds since the epoch."""

    id: str
    message: str
    timestamp: int


class MessageSerDes(SerDes[Message]):
    """Read a message whose timestamp is written in ISO 8601."""

    def serialize(self, value: Message, serdes_context: SerDesContext) -> str:
        return json.dumps(asdict(value))

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Message:
        fields = json.loads(data)
        sent_at = datetime.fromisoformat(fields["timestamp"])
        return Message(
            id=fields["id"], message=fields["message"], timestamp=int(sent_at.timestamp())
        )


class NumberSerDes(SerDes[int]):
    """Read a whole number."""

    def serialize(self, value: int, serdes_context: SerDesContext) -> str:
        return str(value)

    def deserialize(self, data: str, serdes_context: SerDesContext) -> int:
        return int(data)


@durable_execution
def typed_object(event: str, context: DurableContext) -> dict[str, Any]:
    callback = context.create_callback(name=event, config=CallbackConfig(serdes=MessageSerDes()))
    message: Any = callback.result()
    return {"received": asdict(message)}


@durable_execution
def number(event: str, context: DurableContext) -> dict[str, int]:
    callback = context.create_callback(name=event, config=CallbackConfig(serdes=NumberSerDes()))
    count: Any = callback.result()
    return {"count": count, "doubled": count * 2}


@durable_execution
def one_after_the_other(event: list[str], context: DurableContext) -> list[Any]:
    first = context.create_callback(name=event[0]).result()
    second = context.create_callback(name=event[1]).result()
    return [first, second]


@durable_execution
def both_in_order(event: list[str], context: DurableContext) -> list[Any]:
    first = context.create_callback(name=event[0])
    second = context.create_callback(name=event[1])
    return [first.result(), second.result()]


@durable_execution
def both_in_reverse(event: list[str], context: DurableContext) -> list[Any]:
    first = context.create_callback(name=event[0])
    second = context.create_callback(name=event[1])
    second_result = second.result()
    return [first.result(), second_result]
