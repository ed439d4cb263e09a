"""A subscription: a charge every 30 days; a card that fails is tried again, then it ends."""

from typing import Any

from perdure import DurableContext, StepContext, StepError, durable_execution, durable_step
from perdure.config import Duration, JitterStrategy, StepConfig
from perdure.retries import RetryStrategyConfig, create_retry_strategy

#: A refused card is charged again a day later, then three days after that.
DUNNING = StepConfig(
    retry_strategy=create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=3,
            initial_delay=Duration.from_days(1),
            max_delay=Duration.from_days(7),
            backoff_rate=3,
            jitter_strategy=JitterStrategy.NONE,
        )
    )
)


@durable_step
def charge(step: StepContext, subscription: dict[str, Any], cycle: int) -> str:
    refusals = subscription["refusals"].get(str(cycle), 0)
    if step.attempt <= refusals:
        raise ConnectionError(f"the bank refuses, attempt {step.attempt}")
    print(f"charge {subscription['price']} for cycle {cycle}")
    return f"receipt-{cycle}"


@durable_step
def say(step: StepContext, subscription: dict[str, Any], text: str) -> None:
    print(f"tell {subscription['customer']}: {text}")


@durable_execution
def handler(subscription: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    receipts: list[str] = []
    for cycle in range(1, subscription["cycles"] + 1):
        try:
            receipt = context.step(
                charge(subscription, cycle), name=f"charge cycle {cycle}", config=DUNNING
            )
        except StepError:
            context.step(say(subscription, "your subscription has ended"), name="say goodbye")
            return {"status": "cancelled", "receipts": receipts}
        receipts.append(receipt)
        context.wait(Duration.from_days(30), name=f"cycle {cycle}")
    return {"status": "complete", "receipts": receipts}
