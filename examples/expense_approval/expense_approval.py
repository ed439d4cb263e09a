"""Approval by people: a request that is not answered in time goes one level up, and is then off."""

from typing import Any

from perdure import (
    CallbackTimeoutError,
    DurableContext,
    durable_execution,
    durable_wait_for_callback,
)
from perdure.config import Duration, WaitForCallbackConfig
from perdure.serdes import JsonSerDes
from perdure.types import WaitForCallbackContext

#: Who is asked, and how long they have; nothing runs meanwhile.
LEVELS = [("lead", Duration.from_days(2)), ("director", Duration.from_days(5))]


@durable_wait_for_callback
def ask(callback_id: str, context: WaitForCallbackContext, level: str, expense: Any) -> None:
    print(f"mail the {level}: may {expense['who']} spend {expense['amount']}?")
    context.logger.info("answer with: perdure callback succeed %s '{...}'", callback_id)


@durable_execution
def handler(expense: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    for level, patience in LEVELS:
        try:
            answer = context.wait_for_callback(
                ask(level, expense),
                name=f"ask the {level}",
                config=WaitForCallbackConfig(timeout=patience, serdes=JsonSerDes()),
            )
        except CallbackTimeoutError:
            context.logger.warning("the %s does not answer", level)
        else:
            return {"approved": answer["approved"], "by": level, "note": answer.get("note")}
    return {"approved": False, "by": None, "note": "nobody answered"}
