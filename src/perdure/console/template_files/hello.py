"""Hello world: two steps, and a second between them in which nothing runs."""

import json
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration


def say_hello(step: StepContext) -> None:
    step.logger.info("Hello from step #1")


@durable_execution
def lambda_handler(event: Any, context: DurableContext) -> dict[str, Any]:
    context.step(say_hello, name="Step #1")

    # Pause for 1 second without consuming CPU cycles or incurring usage charges.
    context.wait(Duration.from_seconds(1))

    # The context's logger knows a replay, and writes this line once.
    context.logger.info("Waited for 1 second")

    message = context.step(lambda _: "Hello from Durable Lambda!", name="Step #2")
    return {"statusCode": 200, "body": json.dumps(message)}
