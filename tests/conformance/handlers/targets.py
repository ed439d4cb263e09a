"""The functions that chained invokes invoke.

Each takes a second, asleep. So the invocation that starts it has ended long before its result
comes, and both are recorded in the order the requirements ask for, however fast the service is.
"""

from typing import Any

from .sdk import DurableContext, Duration, durable_execution

ONE_SECOND = Duration.from_seconds(1)


@durable_execution
def echo(event: Any, context: DurableContext) -> Any:
    context.wait(ONE_SECOND)
    return event


@durable_execution
def echo_for_tenant(event: Any, context: DurableContext) -> Any:
    context.wait(ONE_SECOND)
    return event


@durable_execution
def fail(event: Any, context: DurableContext) -> None:
    context.wait(ONE_SECOND)
    raise ValueError("the target function fails")


@durable_execution
def measure(event: str, context: DurableContext) -> int:
    context.wait(ONE_SECOND)
    return len(event)
