"""An instrumentation plugin: counts how the attempts of each step end, without a word in the code.

A factory lives as long as the process, the plugin that it makes for one invocation. Plugins may
also be named in the environment: see docs/guide/plugins.md.
"""

import json
import threading
from collections import Counter
from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import Duration
from perdure.plugin import (
    DurableInstrumentationPlugin,
    InvocationEndInfo,
    InvocationStartInfo,
    UserFunctionEndInfo,
)


class StepCounter(DurableInstrumentationPlugin):
    """Counts in one invocation. Branches call their hooks beside each other, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: Counter[str] = Counter()

    def on_user_function_end(self, info: UserFunctionEndInfo) -> None:
        if info.operation_type.value == "STEP":
            with self._lock:
                self._ends[f"{info.name} {info.outcome.value}"] += 1

    def on_invocation_end(self, info: InvocationEndInfo) -> None:
        print(json.dumps({"invocation": info.status.value, "attempts": dict(self._ends)}))


class StepCounters:
    """Makes the plugins; a client of a metrics service would be made and kept here."""

    def create_plugin(self, info: InvocationStartInfo) -> StepCounter:
        return StepCounter()


@durable_step
def fetch(step: StepContext, city: str) -> int:
    if step.attempt == 1:
        raise ConnectionError("the weather service sleeps")
    return len(city) * 3


@durable_step
def publish(step: StepContext, city: str, celsius: int) -> str:
    return f"{celsius} degrees in {city}"


@durable_execution(plugins=[StepCounters()])
def handler(event: dict[str, Any], context: DurableContext) -> str:
    celsius = context.step(fetch(event["city"]))
    context.wait(Duration.from_minutes(10), name="not before the news")
    return context.step(publish(event["city"], celsius))
