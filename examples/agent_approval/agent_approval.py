"""An agent whose dangerous tools wait for a person, for days if need be; a refusal is an answer."""

from typing import Any

from perdure import (
    CallbackTimeoutError,
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
    durable_wait_for_callback,
)
from perdure.config import Duration, WaitForCallbackConfig
from perdure.serdes import JsonSerDes
from perdure.types import WaitForCallbackContext

Message = dict[str, Any]

NEEDS_APPROVAL = {"refund"}


@durable_step
def ask_model(step: StepContext, messages: list[Message]) -> Message:
    """Stands for a language model: it looks up the order, tries a refund, and reports."""
    match [message["tool"] for message in messages if "tool" in message]:
        case []:
            return {"call": "find_order", "argument": messages[0]["content"]}
        case ["find_order"]:
            return {"call": "refund", "argument": messages[-1]["content"]}
    outcome = messages[-1]["content"]
    if outcome.get("refused"):
        return {"content": f"I may not refund this: {outcome['refused']}"}
    return {"content": f"Refunded {outcome['refunded']}."}


@durable_step
def use_tool(step: StepContext, tool: str, argument: Any) -> dict[str, Any]:
    print(f"use {tool}")
    return {"order": 17, "total": 250} if tool == "find_order" else {"refunded": argument["total"]}


@durable_wait_for_callback
def ask_person(callback_id: str, context: WaitForCallbackContext, call: Message) -> None:
    print(f"may the agent call {call['call']} with {call['argument']}?")


def approval(context: DurableContext, call: Message) -> dict[str, Any]:
    config = WaitForCallbackConfig(timeout=Duration.from_days(3), serdes=JsonSerDes())
    try:
        return context.wait_for_callback(ask_person(call), name="approval", config=config)
    except CallbackTimeoutError:
        return {"approved": False, "reason": "nobody answered"}


@durable_execution
def handler(event: dict[str, str], context: DurableContext) -> str:
    messages: list[Message] = [{"role": "user", "content": event["request"]}]
    while True:
        reply = context.step(ask_model(messages))
        messages.append({"role": "assistant", **reply})
        if "content" in reply:
            return reply["content"]
        tool = reply["call"]
        if tool in NEEDS_APPROVAL and not (given := approval(context, reply))["approved"]:
            result = {"refused": given["reason"]}
        else:
            result = context.step(use_tool(tool, reply["argument"]))
        messages.append({"role": "tool", "tool": tool, "content": result})
