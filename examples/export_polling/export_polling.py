"""Polling: a report is asked for, and looked at less and less often until it is there."""

from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import Duration, JitterStrategy
from perdure.types import WaitForConditionCheckContext
from perdure.waits import WaitForConditionConfig, WaitStrategyConfig, create_wait_strategy


@durable_step
def order_report(step: StepContext, month: str) -> dict[str, Any]:
    return {"report": f"sales-{month}", "status": "QUEUED", "percent": 0}


def look(report: dict[str, Any], check: WaitForConditionCheckContext) -> dict[str, Any]:
    """Stands for a GET; what it returns is kept, and is what the next look is given."""
    percent = min(100, report["percent"] + 30)
    check.logger.info("look %s: %s %%", check.attempt, percent)
    return {**report, "percent": percent, "status": "DONE" if percent == 100 else "RUNNING"}


@durable_execution
def handler(event: dict[str, str], context: DurableContext) -> dict[str, Any]:
    report = context.step(order_report(event["month"]))
    strategy = create_wait_strategy(
        WaitStrategyConfig(
            should_continue_polling=lambda state: state["status"] != "DONE",
            max_attempts=20,
            initial_delay=Duration.from_seconds(10),
            max_delay=Duration.from_minutes(5),
            backoff_rate=2,
            jitter_strategy=JitterStrategy.NONE,
        )
    )
    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=report)
    return context.wait_for_condition(look, config, name="report is there")
