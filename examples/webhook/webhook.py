"""A webhook that may be delivered twice, and is handled once.

Deliveries are invoked under a name, the delivery's id: a second one with the same name and payload
is answered with the execution of the first. Calls to others carry a key that is the same at every
attempt, since a step may run again if it is cut off after it did its work.

    perdure invoke webhook --name evt_81 --event examples/webhook/event.json
"""

from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step

_ledger: dict[str, int] = {}


@durable_step
def credit(step: StepContext, account: str, amount: int, key: str) -> int:
    """Stands for a request to a service that knows idempotency keys."""
    if key not in _ledger:
        print(f"credit {account} with {amount}")
        _ledger[key] = amount
    return _ledger[key]


@durable_step
def thank(step: StepContext, account: str) -> None:
    print(f"thank {account}")


@durable_execution
def handler(delivery: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    if delivery["type"] != "payment.received":
        return {"handled": False}
    # The key is made of the delivery, not of the clock or of chance: the same for ever.
    key = f"{delivery['id']}/credit"
    credited = context.step(credit(delivery["account"], delivery["amount"], key))
    context.step(thank(delivery["account"]))
    return {"handled": True, "credited": credited}
