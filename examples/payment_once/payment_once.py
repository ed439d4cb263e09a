"""A payment that must not happen twice: if it was cut off, the bank is asked what became of it."""

from typing import Any

from perdure import DurableContext, StepContext, StepError, durable_execution, durable_step
from perdure.config import StepConfig, StepSemantics
from perdure.retries import RetryPresets

#: One attempt, and an attempt that was cut off is not made again: it has failed.
AT_MOST_ONCE = StepConfig(
    retry_strategy=RetryPresets.none(),
    step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY,
)


@durable_step
def pay(step: StepContext, payment: dict[str, Any]) -> str:
    print(f"pay {payment['amount']} to {payment['to']}")
    return "paid"


@durable_step
def ask_bank(step: StepContext, payment: dict[str, Any]) -> str:
    """Reading is harmless: this may be repeated as often as it takes."""
    print(f"ask the bank about {payment['reference']}")
    return "paid"


@durable_execution
def handler(payment: dict[str, Any], context: DurableContext) -> dict[str, str]:
    try:
        return {"status": context.step(pay(payment), config=AT_MOST_ONCE), "known_from": "payment"}
    except StepError as error:
        if not error.error_type.endswith("StepInterruptedError"):
            raise  # it did fail: nobody was paid
        return {"status": context.step(ask_bank(payment)), "known_from": "bank"}
