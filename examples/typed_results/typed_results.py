"""Results with types: dataclasses and pydantic models go through checkpoints as what they are."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pydantic import BaseModel

from perdure import DurableContext, StepContext, durable_execution, durable_step


@dataclass(frozen=True)
class Line:
    article: str
    price: Decimal


class Order(BaseModel):
    """What came in, checked by pydantic."""

    customer: str
    placed_on: date
    lines: list[Line]


@durable_step
def check(step: StepContext, event: dict[str, object]) -> Order:
    return Order.model_validate(event)


@durable_step
def discount(step: StepContext, lines: list[Line]) -> list[Line]:
    return [Line(line.article, line.price * Decimal("0.9")) for line in lines]


@durable_execution
def handler(event: dict[str, object], context: DurableContext) -> dict[str, str]:
    order = context.step(check(event))  # an Order; the type checker knows it, too
    lines = context.step(discount(order.lines))  # a list of Line
    context.wait(timedelta(hours=1))  # beyond AWS's: a timedelta wherever a Duration is taken

    # The replay after the wait has read both from their records: still an Order, still Lines.
    due = order.placed_on + timedelta(days=14)
    total = sum((line.price for line in lines), Decimal())
    return {"customer": order.customer, "due": due.isoformat(), "total": str(total)}
