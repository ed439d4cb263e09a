"""Fan out, fan in: an invoice for every customer, three at a time; a few may fail."""

from collections.abc import Sequence
from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import CompletionConfig, MapConfig, StepConfig
from perdure.retries import RetryPresets

Customer = dict[str, Any]


@durable_step
def add_up(step: StepContext, customer: Customer) -> int:
    if not customer["lines"]:
        raise ValueError(f"{customer['name']} has bought nothing")
    return sum(customer["lines"])


@durable_step
def send_invoice(step: StepContext, customer: Customer, total: int) -> None:
    print(f"send {customer['name']} an invoice of {total}")


def invoice(
    context: DurableContext, customer: Customer, index: int, customers: Sequence[Customer]
) -> int:
    """One branch: a context of its own, with operations of its own."""
    total = context.step(add_up(customer), config=StepConfig(retry_strategy=RetryPresets.none()))
    context.step(send_invoice(customer, total))
    return total


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    customers: list[Customer] = event["customers"]
    run = context.map(
        customers,
        invoice,
        name="invoices",
        config=MapConfig(
            max_concurrency=3,
            completion_config=CompletionConfig(tolerated_failure_percentage=40),
            item_namer=lambda customer, index: f"invoice for {customer['name']}",
        ),
    )
    return {
        "reason": run.completion_reason.value,
        "total": sum(run.get_results()),
        "failed": [customers[item.index]["name"] for item in run.failed()],
    }
