"""A function with its test beside it, which kills it wherever it can die.

``test_stock_transfer.py`` is the point; run it with

    pytest examples/stock_transfer
"""

from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step


class Warehouses:
    """Stands for two services. A movement has an id, and is made once however often it is sent."""

    def __init__(self) -> None:
        self.stock = {"north": 10, "south": 0}
        self._made: set[str] = set()

    def move(self, movement: str, warehouse: str, count: int) -> int:
        if movement not in self._made:
            self._made.add(movement)
            self.stock[warehouse] += count
        return self.stock[warehouse]


warehouses = Warehouses()


@durable_step
def move(step: StepContext, transfer: dict[str, Any], warehouse: str, count: int) -> int:
    return warehouses.move(f"{transfer['id']}/{warehouse}", warehouse, count)


@durable_execution
def handler(transfer: dict[str, Any], context: DurableContext) -> dict[str, int]:
    count = transfer["count"]
    left = context.step(move(transfer, "north", -count), name="take out")
    there = context.step(move(transfer, "south", count), name="put in")
    return {"north": left, "south": there}
