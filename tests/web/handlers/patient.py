"""Waits for an hour."""

from perdure import DurableContext, durable_execution


@durable_execution
def handler(event: object, context: DurableContext) -> None:
    context.wait(3600, name="a long wait")
