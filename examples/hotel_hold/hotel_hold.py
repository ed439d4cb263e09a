"""A block that is tried again as a whole: if what it holds runs out midway, it is held anew."""

from typing import Any

from perdure import (
    ChildContextError,
    DurableContext,
    StepContext,
    WithRetryConfig,
    durable_execution,
    durable_step,
    with_retry,
)
from perdure.config import Duration, JitterStrategy, StepConfig
from perdure.retries import RetryPresets, RetryStrategyConfig, create_retry_strategy

ONCE = StepConfig(retry_strategy=RetryPresets.none())


@durable_step
def hold_room(step: StepContext, hotel: str, attempt: int) -> str:
    print(f"hold a room in the {hotel}")
    return f"hold-{attempt}"


@durable_step
def pay_deposit(step: StepContext, hold: str, valid_from: int) -> str:
    """Trying this again alone would not help: the hold that it pays for is gone."""
    if int(hold.removeprefix("hold-")) < valid_from:
        raise TimeoutError(f"{hold} has run out")
    return f"deposit-for-{hold}"


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    def book(context: DurableContext, attempt: int) -> str:
        hold = context.step(hold_room(event["hotel"], attempt), name=f"hold {attempt}")
        return context.step(
            pay_deposit(hold, event["valid_from_hold"]), name=f"pay {attempt}", config=ONCE
        )

    strategy = create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=3,
            initial_delay=Duration.from_minutes(1),
            jitter_strategy=JitterStrategy.NONE,
        )
    )
    try:
        deposit = with_retry(context, book, WithRetryConfig(retry_strategy=strategy), name="book")
    except ChildContextError as error:
        return {"booked": False, "because": error.message}
    return {"booked": True, "deposit": deposit}
