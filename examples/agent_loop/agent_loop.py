"""An agent with tools: every call of the model and of a tool is a step, and is paid for once."""

from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step

Message = dict[str, Any]
TURNS_MAX = 8

TOOLS = {
    "weather": lambda city: {"city": city, "celsius": 11, "rain": city == "Bergen"},
    "distance": lambda city: {"city": city, "km": 6},
}


def model(messages: list[Message]) -> Message:
    """Stands for a language model: it asks for what it does not know yet, then answers."""
    city = messages[0]["content"].rstrip("?").split()[-1]
    known = {message["tool"]: message["content"] for message in messages if "tool" in message}
    for tool in TOOLS:
        if tool not in known:
            return {"role": "assistant", "call": tool, "argument": city}
    if known["weather"]["rain"]:
        return {"role": "assistant", "content": f"Take the tram: it rains in {city}."}
    return {"role": "assistant", "content": f"Yes: {known['distance']['km']} km, and it is dry."}


@durable_step
def ask_model(step: StepContext, messages: list[Message]) -> Message:
    print(f"model, with {len(messages)} messages")
    return model(messages)


@durable_step
def use_tool(step: StepContext, tool: str, argument: str) -> Any:
    print(f"{tool}({argument})")
    return TOOLS[tool](argument)


@durable_execution
def handler(event: dict[str, str], context: DurableContext) -> dict[str, Any]:
    # The conversation is made of step results alone, so a replay makes the same one again.
    messages: list[Message] = [{"role": "user", "content": event["question"]}]
    for turn in range(1, TURNS_MAX + 1):
        reply = context.step(ask_model(messages), name=f"turn {turn}")
        messages.append(reply)
        if "content" in reply:
            return {"answer": reply["content"], "turns": turn}
        tool, argument = reply["call"], reply["argument"]
        result = context.step(use_tool(tool, argument), name=f"{tool} of turn {turn}")
        messages.append({"role": "tool", "tool": tool, "content": result})
    raise RuntimeError(f"no answer after {TURNS_MAX} turns")
