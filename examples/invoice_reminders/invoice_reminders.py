"""A schedule over weeks: reminders of an invoice, until it is paid or given up."""

from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import Duration

#: What is sent, and how many days after what came before. The function sleeps on disk meanwhile.
SCHEDULE = [("a friendly reminder", 14), ("a second reminder", 7), ("a last warning", 7)]


@durable_step
def is_paid(step: StepContext, invoice: dict[str, Any], day: int) -> bool:
    """Stands for a look at the bank account."""
    return invoice["paid_on_day"] is not None and day >= invoice["paid_on_day"]


@durable_step
def send(step: StepContext, what: str, invoice: dict[str, Any]) -> None:
    print(f"send {invoice['customer']} {what}")


@durable_execution
def handler(invoice: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    context.step(send("the invoice", invoice), name="send the invoice")
    day = 0
    for what, days in SCHEDULE:
        context.wait(Duration.from_days(days), name=f"{days} days before {what}")
        day += days
        if context.step(is_paid(invoice, day), name=f"is paid on day {day}"):
            return {"paid": True, "by_day": day}
        context.step(send(what, invoice), name=f"send {what}")
    return {"paid": False, "by_day": day}
