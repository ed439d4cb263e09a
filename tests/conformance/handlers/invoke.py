"""Chained invokes: requirements 5-1 to 5-16.

The deployment names the target functions, each with its qualifier, in the environment.
"""

import os
from typing import Any

from .sdk import (
    DurableContext,
    Duration,
    InvokeConfig,
    InvokeError,
    durable_execution,
)
from .serdes import UpperCaseJson, UpperCaseOnRead

#: Just under the 256 KB that the payload of one checkpointed operation may have.
LARGE_PAYLOAD_CHARS = 255_000


def target(name: str) -> str:
    """Return the qualified name of the function deployed for ``targets.<name>``."""
    return os.environ[f"{name.upper()}_FUNCTION"]


@durable_execution
def basic(event: Any, context: DurableContext) -> Any:
    return context.invoke(target("echo"), event)


@durable_execution
def named(event: dict[str, Any], context: DurableContext) -> Any:
    return context.invoke(target("echo"), event["payload"], name=event["name"])


@durable_execution
def target_fails(event: None, context: DurableContext) -> Any:
    return context.invoke(target("fail"), event)


@durable_execution
def failure_caught(event: None, context: DurableContext) -> Any:
    try:
        return context.invoke(target("fail"), event)
    except InvokeError:
        return "fallback"


@durable_execution
def large_payload(event: None, context: DurableContext) -> int:
    return context.invoke(target("measure"), "x" * LARGE_PAYLOAD_CHARS)


@durable_execution
def for_tenant(event: dict[str, str], context: DurableContext) -> Any:
    config = InvokeConfig(tenant_id=event["tenantId"])
    return context.invoke(target("tenant"), event["payload"], config=config)


@durable_execution
def then_wait(event: None, context: DurableContext) -> Any:
    result = context.invoke(target("echo"), "cached")
    context.wait(Duration.from_seconds(1))
    return result


@durable_execution
def failure_caught_then_wait(event: None, context: DurableContext) -> Any:
    try:
        outcome = context.invoke(target("fail"), event)
    except InvokeError as error:
        outcome = f"caught: {error}"
    context.wait(Duration.from_seconds(1))
    return outcome


@durable_execution
def after_step(event: None, context: DurableContext) -> Any:
    prepared = context.step(lambda _: "prepared")
    return context.invoke(target("echo"), prepared)


@durable_execution
def before_step(event: None, context: DurableContext) -> str:
    result = context.invoke(target("echo"), "invoked")
    return context.step(lambda _: f"{result} and processed")


@durable_execution
def in_child_context(event: None, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: child.invoke(target("echo"), "from a child"))


@durable_execution
def sequential(event: None, context: DurableContext) -> int:
    first = context.invoke(target("echo"), "first")
    return context.invoke(target("measure"), first)


@durable_execution
def payload_serdes(event: dict[str, Any], context: DurableContext) -> Any:
    return context.invoke(
        target("echo"), event, config=InvokeConfig(serdes_payload=UpperCaseJson())
    )


@durable_execution
def result_serdes(event: str, context: DurableContext) -> str:
    return context.invoke(
        target("echo"), event, config=InvokeConfig(serdes_result=UpperCaseOnRead())
    )
