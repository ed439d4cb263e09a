"""An order as a saga: what has been done is undone, last first, when a later step fails."""

from typing import Any

from perdure import DurableContext, StepContext, StepError, durable_execution, durable_step
from perdure.config import StepConfig
from perdure.retries import RetryPresets

Order = dict[str, Any]


@durable_step
def reserve_stock(step: StepContext, order: Order) -> None:
    print(f"reserve {order['items']}")


@durable_step
def release_stock(step: StepContext, order: Order) -> None:
    print(f"release {order['items']}")


@durable_step
def charge_card(step: StepContext, order: Order) -> str:
    print(f"charge {order['total']} to {order['card']}")
    return f"payment-of-{order['id']}"


@durable_step
def refund_card(step: StepContext, payment: str) -> None:
    print(f"refund {payment}")


@durable_step
def book_courier(step: StepContext, order: Order) -> str:
    if order["address"] == "the moon":
        raise ValueError("no courier goes to the moon")
    print(f"book a courier to {order['address']}")
    return f"parcel-of-{order['id']}"


@durable_execution
def handler(order: Order, context: DurableContext) -> dict[str, Any]:
    undo = []
    try:
        context.step(reserve_stock(order))
        undo.append(release_stock(order))

        payment = context.step(charge_card(order))
        undo.append(refund_card(payment))

        # Some failures do not pass by waiting; this step is tried once.
        once = StepConfig(retry_strategy=RetryPresets.none())
        parcel = context.step(book_courier(order), config=once)
    except StepError as error:
        # These are steps too: an execution that is killed here goes on undoing.
        for compensation in reversed(undo):
            context.step(compensation)
        return {"status": "cancelled", "because": error.message}
    return {"status": "shipped", "payment": payment, "parcel": parcel}
