"""Puts a text of the caller's into everything that a handler can name, return or raise."""

import sys

from perdure import DurableContext, StepConfig, StepError, durable_execution
from perdure.retries import RetryPresets


@durable_execution
def handler(event: dict, context: DurableContext) -> dict:
    text = event["text"]
    sys.stdout.write(f"{text}\n")
    context.logger.info(text)
    context.step(lambda _: {text: text}, name=text)
    context.run_in_child_context(lambda child: child.wait(1, name=text), name=text)

    def fail(_: object) -> None:
        raise type(event["type"], (Exception,), {})(text)

    try:
        context.step(fail, name=text, config=StepConfig(retry_strategy=RetryPresets.none()))
    except StepError as error:
        sys.stdout.write(f"{error}\n")
    if event.get("waits"):
        context.wait_for_callback(lambda *_: text, name=text)
    if event.get("fails"):
        raise ValueError(text)
    return {text: [text]}
