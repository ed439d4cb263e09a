"""The hello world that AWS's console offers for a durable function, in Python."""

import json

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration


def say_hello(step: StepContext) -> None:
    step.logger.info("Hello from step #1")


@durable_execution
def handler(event: object, context: DurableContext) -> dict[str, object]:
    context.step(say_hello, name="Step #1")

    # One second in which nothing runs: the function is invoked again when it is over.
    context.wait(Duration.from_seconds(1))

    # The context's logger knows a replay, and writes this line once.
    context.logger.info("Waited for 1 second")

    message = context.step(lambda _: "Hello from Durable Lambda!", name="Step #2")
    return {"statusCode": 200, "body": json.dumps(message)}
