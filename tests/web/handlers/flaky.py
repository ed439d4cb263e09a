"""Fails twice, then succeeds; then waits in a branch beside a step."""

from perdure import DurableContext, StepConfig, durable_execution
from perdure.retries import RetryStrategyConfig, create_retry_strategy


@durable_execution
def handler(event: dict, context: DurableContext) -> str:
    retry = create_retry_strategy(RetryStrategyConfig(max_attempts=3))

    def charge(step: object) -> str:
        if step.attempt < 3:
            raise ConnectionError("the bank does not answer")
        return "charged"

    context.step(charge, name="charge card", config=StepConfig(retry_strategy=retry))
    context.parallel(
        [
            lambda child: child.step(lambda _: "packed", name="pack"),
            lambda child: child.wait(1, name="collect"),
        ],
        name="prepare",
    )
    return "sent"
