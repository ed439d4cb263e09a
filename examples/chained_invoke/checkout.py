"""Two functions: a checkout that has another durable function find the price, and waits for it.

perdure dev examples/chained_invoke
perdure invoke checkout --event examples/chained_invoke/event.json
"""

from typing import Any

from perdure import DurableContext, InvokeError, StepContext, durable_execution, durable_step


@durable_step
def show(step: StepContext, text: str) -> None:
    print(text)


@durable_execution
def handler(cart: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    try:
        # Nothing runs here while the other function does, however long it takes. A durable
        # function is invoked by a version, an alias, or $LATEST.
        price = context.invoke("pricing:$LATEST", cart, name="price")
    except InvokeError as error:
        context.step(show(f"no price: {error.message}"), name="apologize")
        return {"ordered": False, "because": error.message}
    context.step(show(f"ordered for {price['total']}"), name="order")
    return {"ordered": True, "total": price["total"]}
