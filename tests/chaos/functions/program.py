"""A durable function that runs the program its event holds; the kill test knows what each comes to.

Every step writes its effect to a file of its program's folder before it goes on: one line, one
write, on disk. Its result says which run of it made it. What a step has come to, as the handler is
told, is written to another file each time it is told: it is acknowledged by then, or replayed.
"""

import json
import os
from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import (
    CallbackError,
    DurableContext,
    StepContext,
    StepError,
    durable_execution,
)
from aws_durable_execution_sdk_python.config import Duration, StepConfig, StepSemantics
from aws_durable_execution_sdk_python.retries import RetryDecision

Operation = dict[str, Any]


def append(path: str, line: list[Any], *, is_synced: bool = True) -> None:
    """Write a line that survives whatever is killed next; also a power cut, if it ``is_synced``."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
        if is_synced:
            os.fsync(file)
    finally:
        os.close(file)


def retrying(attempts_max: int) -> Callable[[Exception, int], RetryDecision]:
    """Return a strategy that tries again after a second, so many times in all."""

    def decide(error: Exception, attempt: int) -> RetryDecision:
        if attempt >= attempts_max:
            return RetryDecision.no_retry()
        return RetryDecision.retry(Duration.from_seconds(1))

    return decide


class Program:
    """The program of one execution."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.name = event["name"]
        self.folder = event["folder"]

    def run(self, context: DurableContext, operations: list[Operation]) -> list[Any]:
        """Return what every operation comes to."""
        return [getattr(self, one["kind"])(context, one) for one in operations]

    def step(self, context: DurableContext, one: Operation) -> Any:
        """Fail as often as asked, then return the step's name and run."""
        semantics = StepSemantics.AT_LEAST_ONCE_PER_RETRY
        if one["is_once"]:
            semantics = StepSemantics.AT_MOST_ONCE_PER_RETRY

        def body(step: StepContext) -> str:
            run = os.urandom(8).hex()
            append(f"{self.folder}/effects", [self.name, one["name"], step.attempt, run])
            if step.attempt <= one["failures"]:
                raise ValueError(f"{one['name']} fails in attempt {step.attempt} in run {run}")
            return f"{one['name']} is done in run {run}"

        config = StepConfig(retry_strategy=retrying(one["attempts_max"]), step_semantics=semantics)
        try:
            result = context.step(body, name=one["name"], config=config)
        except StepError as error:
            self.tell(one, "failed", str(error))
            return f"{one['name']} is broken"
        self.tell(one, "succeeded", result)
        return result

    def tell(self, one: Operation, outcome: str, value: str) -> None:
        """Write down what a step has come to."""
        line = [self.name, one["name"], outcome, value]
        append(f"{self.folder}/told", line, is_synced=False)

    def wait(self, context: DurableContext, one: Operation) -> None:
        """Suspend for a while."""
        context.wait(Duration.from_seconds(one["seconds"]), name=one["name"])

    def callback(self, context: DurableContext, one: Operation) -> Any:
        """Tell the test the callback's id; return its answer."""
        callback: Any = context.create_callback(name=one["name"])

        def tell(_: StepContext) -> None:
            append(f"{self.folder}/callbacks", [self.name, one, callback.callback_id])

        context.step(tell, name=f"{one['name']}-told", config=StepConfig(retrying(100)))
        try:
            return callback.result()
        except CallbackError as error:
            return f"refused: {error}"

    def invoke(self, context: DurableContext, one: Operation) -> Any:
        """Return what another function makes of the event."""
        return context.invoke(one["function"], one["event"], name=one["name"])

    def parallel(self, context: DurableContext, one: Operation) -> list[Any]:
        """Run the branches side by side."""

        def branch(operations: list[Operation]) -> Callable[[DurableContext], list[Any]]:
            return lambda child: self.run(child, operations)

        branches = [branch(operations) for operations in one["branches"]]
        return context.parallel(branches, name=one["name"]).get_results()

    def throw(self, context: DurableContext, one: Operation) -> None:
        """End the execution."""
        raise RuntimeError(one["message"])


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> list[Any]:
    return Program(event).run(context, event["operations"])
