"""Instrumentation plugins: requirements 10-1 to 10-7.

A plugin reports each hook as one line of JSON on standard output. Every line carries the ARN of the
execution, by which the service finds it among those of other executions.
"""

import json
import sys
from typing import Any

from .retries import retrying
from .sdk import (
    DurableContext,
    DurableInstrumentationPlugin,
    Duration,
    InvocationEndInfo,
    InvocationStartInfo,
    OperationEndInfo,
    OperationInfo,
    OperationStartInfo,
    OperationType,
    RetryPresets,
    StepConfig,
    StepContext,
    UserFunctionEndInfo,
    UserFunctionStartInfo,
    durable_execution,
)


class Reporter(DurableInstrumentationPlugin):
    """Knows which execution it serves from the hook of the invocation's start."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._execution_arn: str | None = None

    def report(self, hook: str, **fields: Any) -> None:
        """Write one line about ``hook``."""
        record = {"plugin": self._name, "hook": hook, **fields}
        sys.stdout.write(json.dumps({**record, "durableExecutionArn": self._execution_arn}) + "\n")
        sys.stdout.flush()

    def on_invocation_start(self, info: InvocationStartInfo) -> None:
        self._execution_arn = info.execution_arn


class InvocationReporter(Reporter):
    """Reports the start and the end of each invocation."""

    def on_invocation_start(self, info: InvocationStartInfo) -> None:
        super().on_invocation_start(info)
        self.report("invocation-start", first=info.is_first_invocation)

    def on_invocation_end(self, info: InvocationEndInfo) -> None:
        self.report("invocation-end", status=info.status.value)


class OperationReporter(Reporter):
    """Reports the start and the end of each step."""

    def on_operation_start(self, info: OperationStartInfo) -> None:
        if is_step(info):
            self.report("operation-start", op=info.operation_id)

    def on_operation_end(self, info: OperationEndInfo) -> None:
        if is_step(info):
            self.report("operation-end", op=info.operation_id, status=info.status.value)


class AttemptReporter(Reporter):
    """Reports the start and the end of each attempt of each step."""

    def on_user_function_start(self, info: UserFunctionStartInfo) -> None:
        if is_step(info):
            self.report("attempt-start", n=info.attempt, op=info.operation_id)

    def on_user_function_end(self, info: UserFunctionEndInfo) -> None:
        if is_step(info):
            self.report(
                "attempt-end", n=info.attempt, outcome=info.outcome.value, op=info.operation_id
            )


class FaultyReporter(Reporter):
    """Reports every hook, and then fails in it."""

    def fail_in(self, hook: str) -> None:
        self.report(hook)
        raise RuntimeError(f"the plugin fails in {hook}")

    def on_invocation_start(self, info: InvocationStartInfo) -> None:
        super().on_invocation_start(info)
        self.fail_in("invocation-start")

    def on_invocation_end(self, info: InvocationEndInfo) -> None:
        self.fail_in("invocation-end")

    def on_operation_start(self, info: OperationStartInfo) -> None:
        if is_step(info):
            self.fail_in("operation-start")

    def on_operation_end(self, info: OperationEndInfo) -> None:
        if is_step(info):
            self.fail_in("operation-end")

    def on_user_function_start(self, info: UserFunctionStartInfo) -> None:
        if is_step(info):
            self.fail_in("attempt-start")

    def on_user_function_end(self, info: UserFunctionEndInfo) -> None:
        if is_step(info):
            self.fail_in("attempt-end")


class Reporting:
    """Makes a reporter of one kind, under one name, for each invocation."""

    def __init__(self, reporter: type[Reporter], name: str = "CONFPLUGIN") -> None:
        self._reporter = reporter
        self._name = name

    def create_plugin(self, info: InvocationStartInfo, /) -> Reporter:
        return self._reporter(self._name)


def is_step(info: OperationInfo) -> bool:
    return info.operation_type is OperationType.STEP


def greet(event: str, context: DurableContext) -> str:
    def say_hello(step: StepContext) -> str:
        step.logger.info("Greeting step running for: %s", event)
        return f"Hello, {event}!"

    return context.step(say_hello)


@durable_execution(plugins=[Reporting(InvocationReporter)])
def invocation_hooks(event: str, context: DurableContext) -> str:
    return greet(event, context)


@durable_execution(plugins=[Reporting(OperationReporter)])
def operation_hooks(event: str, context: DurableContext) -> str:
    return greet(event, context)


@durable_execution(plugins=[Reporting(AttemptReporter)])
def attempt_hooks(event: None, context: DurableContext) -> str:
    def fail_once(step: StepContext) -> str:
        if step.attempt == 1:
            raise RuntimeError("the first attempt fails")
        return "Operation succeeded"

    return context.step(fail_once, config=retrying(max_attempts=3))


@durable_execution(plugins=[Reporting(FaultyReporter, "CONFPLUGIN-FAULTY")])
def faulty(event: str, context: DurableContext) -> str:
    return greet(event, context)


@durable_execution(
    plugins=[
        Reporting(InvocationReporter, "CONFPLUGIN-A"),
        Reporting(InvocationReporter, "CONFPLUGIN-B"),
    ]
)
def two_plugins(event: str, context: DurableContext) -> str:
    return greet(event, context)


@durable_execution(plugins=[Reporting(InvocationReporter)])
def first_invocation(event: None, context: DurableContext) -> str:
    context.wait(Duration.from_seconds(2))
    return "waited"


@durable_execution(plugins=[Reporting(InvocationReporter)])
def terminal_failure(event: None, context: DurableContext) -> None:
    def fail(step: StepContext) -> None:
        raise ValueError("this step always fails")

    return context.step(fail, config=StepConfig(retry_strategy=RetryPresets.none()))
