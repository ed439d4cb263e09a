"""A runbook: what an alarm sets off, with people called in only where it takes one."""

from functools import partial
from typing import Any

from perdure import (
    CallbackTimeoutError,
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
    durable_wait_for_callback,
)
from perdure.config import (
    CompletionConfig,
    Duration,
    ParallelBranch,
    ParallelConfig,
    WaitForCallbackConfig,
)
from perdure.types import WaitForCallbackContext, WaitForConditionCheckContext
from perdure.waits import WaitForConditionConfig, WaitForConditionDecision

Alarm = dict[str, Any]
PROBES_MAX = 5


@durable_step
def gather(step: StepContext, what: str, alarm: Alarm) -> str:
    return f"{what} of {alarm['service']}"


@durable_step
def restart(step: StepContext, service: str) -> None:
    print(f"restart {service}")


@durable_wait_for_callback
def page(callback_id: str, context: WaitForCallbackContext, who: str, alarm: Alarm) -> None:
    print(f"page {who}: {alarm['service']} is down")


@durable_step
def report(step: StepContext, alarm: Alarm, outcome: str, evidence: list[str]) -> str:
    print(f"report: {outcome}, with {', '.join(evidence)}")
    return f"incident-{alarm['id']}"


def collect(context: DurableContext, what: str, alarm: Alarm) -> str:
    return context.step(gather(what, alarm))


def every_half_minute(healthy: bool, probes: int) -> WaitForConditionDecision:
    """A wait strategy is any function of the state and the number of checks made."""
    if healthy or probes == PROBES_MAX:
        return WaitForConditionDecision.stop_polling()
    return WaitForConditionDecision.continue_waiting(Duration.from_seconds(30))


def healthy_after_restart(context: DurableContext, alarm: Alarm) -> bool:
    def probe(healthy: bool, check: WaitForConditionCheckContext) -> bool:
        return check.attempt >= alarm["healthy_at_probe"]

    context.step(restart(alarm["service"]))
    config = WaitForConditionConfig(wait_strategy=every_half_minute, initial_state=False)
    return context.wait_for_condition(probe, config, name="healthy again")


def call_people(context: DurableContext, alarm: Alarm) -> str:
    patience = WaitForCallbackConfig(timeout=Duration.from_minutes(15))
    for who in alarm["on_call"]:
        try:
            return context.wait_for_callback(page(who, alarm), name=f"page {who}", config=patience)
        except CallbackTimeoutError:
            context.logger.warning("%s does not answer", who)
    return "nobody came"


@durable_execution
def handler(alarm: Alarm, context: DurableContext) -> dict[str, Any]:
    # Evidence first: a restart destroys it. What cannot be had must not hold up the rest.
    evidence = context.parallel(
        [ParallelBranch(partial(collect, what=w, alarm=alarm), name=w) for w in ("logs", "traces")],
        name="evidence",
        config=ParallelConfig(completion_config=CompletionConfig.all_completed()),
    ).get_results()
    if healthy_after_restart(context, alarm):
        outcome = "fixed by a restart"
    else:
        outcome = call_people(context, alarm)
    return {"outcome": outcome, "report": context.step(report(alarm, outcome, evidence))}
