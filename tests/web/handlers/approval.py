"""Waits a moment, then for somebody's approval."""

import sys

from perdure import DurableContext, durable_execution


@durable_execution
def handler(event: dict, context: DurableContext) -> dict:
    order = context.step(lambda _: {"id": 7, "for": event.get("name", "Ada")}, name="place order")
    sys.stdout.write(f"order {order['id']} is placed\n")
    context.wait(event.get("seconds", 2), name="let it settle")
    answer = context.wait_for_callback(
        lambda callback_id, _: {"asked": "ada@example.org", "note": event.get("note", "")},
        name=event.get("callback", "approve order"),
    )
    return {"order": order, "answer": answer}
