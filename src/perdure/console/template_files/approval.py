"""Approval: asks somebody, and waits for the answer for up to a day without running.

Answer on the console's page of callbacks, with a link made there, or with
perdure callback succeed ID '{"approved": true}'
"""

import json
from typing import Any

from aws_durable_execution_sdk_python import CallbackError, DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, WaitForCallbackConfig
from aws_durable_execution_sdk_python.types import WaitForCallbackContext


@durable_execution
def lambda_handler(event: Any, context: DurableContext) -> dict[str, Any]:
    def ask(callback_id: str, step: WaitForCallbackContext) -> None:
        # Here goes the mail, or the message to a chat, that carries the id.
        step.logger.info("Please decide about %s; the callback is %s", event, callback_id)

    try:
        answer = context.wait_for_callback(
            ask, name="approval", config=WaitForCallbackConfig(timeout=Duration.from_hours(24))
        )
    except CallbackError as error:
        return {"approved": False, "reason": str(error)}
    return {"approved": True, "answer": json.loads(answer) if answer else None}
