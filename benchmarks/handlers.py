"""The handlers of W1 to W7: one file, deployed to a server as it is, or registered in process."""

import socket
import time
from typing import Any

from perdure import AsyncDurableContext, DurableContext, durable_execution

RESULT = {"text": "x" * 1_000}


@durable_execution
def steps(event: Any, context: DurableContext) -> float:
    """W1, W2, W3: sequential steps; returns the seconds they took."""
    began = time.perf_counter()
    for number in range(event["steps"]):
        context.step(lambda _: RESULT, name=f"step-{number}")
    return time.perf_counter() - began


@durable_execution
async def steps_async(event: Any, context: AsyncDurableContext) -> float:
    """W1, W2, W3 with an async handler."""
    began = time.perf_counter()

    async def work(_: Any) -> Any:
        return RESULT

    for number in range(event["steps"]):
        await context.step(work, name=f"step-{number}")
    return time.perf_counter() - began


@durable_execution
def step_wait_step(event: Any, context: DurableContext) -> None:
    """W3: a step, a wait of one second, a step."""
    context.step(lambda _: RESULT, name="first")
    context.wait(1)
    context.step(lambda _: RESULT, name="second")


@durable_execution
def callback(event: Any, context: DurableContext) -> Any:
    """W4, W5: a step that tells the callback's id, and the callback's answer."""
    answer = context.create_callback(name="answer")
    context.step(lambda _: tell(event, answer.callback_id), name="tell")
    return answer.result()


@durable_execution
def callbacks(event: Any, context: DurableContext) -> None:
    """W6: many times a step, then suspended until a callback is answered."""
    for number in range(event["rounds"]):
        answer = context.create_callback(name=f"answer-{number}")
        context.step(lambda _, answer=answer: tell(event, answer.callback_id), name=f"{number}")
        answer.result()


@durable_execution
def branches(event: Any, context: DurableContext) -> float:
    """W7: parallel branches of one step; returns the seconds they took."""
    began = time.perf_counter()
    context.parallel([lambda inner: inner.step(lambda _: 1)] * event["branches"], name="fan-out")
    return time.perf_counter() - began


def tell(event: Any, callback_id: str) -> None:
    """Send a callback's id to whoever measures."""
    if event.get("port"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(callback_id.encode(), ("127.0.0.1", event["port"]))
