"""A durable function that does what its event says; the tests of the command invoke it."""

import sys

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration


@durable_execution
def handler(event: dict[str, object], context: DurableContext) -> object:
    match event:
        case {"fail": str() as message}:
            raise ValueError(message)
        case {"wait": int() as seconds}:
            context.wait(Duration.from_seconds(seconds), name="long")
        case {"callback": str() as name}:
            return context.create_callback(name=name).result()
        case {"say": str() as text}:
            sys.stdout.write(f"{text}\n")
    return context.step(lambda _: {"event": event}, name="answer")
