"""A durable program without a server: signups that live in one SQLite file beside it.

    python examples/embedded_signup/embedded_signup.py signups.db
    signup ada ada@example.com
    confirm <what the mail says>
    list

Kill it in between and start it again: it goes on with every signup where that was.
"""

import sys
from collections.abc import Iterable
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

from perdure import (
    CallbackTimeoutError,
    DurableContext,
    StepContext,
    WaitForCallbackConfig,
    WaitForCallbackContext,
    durable_execution,
    durable_step,
    durable_wait_for_callback,
)
from perdure.embedded import DurableService, EmbeddedError

#: Stands for a mail server.
mails: SimpleQueue[str] = SimpleQueue()


@durable_step
def create_account(step: StepContext, user: str) -> int:
    print(f"create the account {user}")
    return len(user)


@durable_step
def delete_account(step: StepContext, user: str) -> None:
    print(f"delete the account {user}")


@durable_wait_for_callback
def mail_link(callback_id: str, context: WaitForCallbackContext, email: str) -> None:
    print(f"mail to {email}: confirm {callback_id}")
    mails.put(callback_id)


@durable_execution
def handler(event: dict[str, str], context: DurableContext) -> dict[str, Any]:
    number = context.step(create_account(event["user"]))
    try:
        context.wait_for_callback(
            mail_link(event["email"]),
            name="confirmation",
            config=WaitForCallbackConfig(timeout=timedelta(days=2)),
        )
    except CallbackTimeoutError:
        context.step(delete_account(event["user"]))
        return {"active": False}
    return {"active": True, "number": number}


def serve(service: DurableService, lines: Iterable[str]) -> None:
    """Do what the lines say."""
    service.register("signup", handler)  # from here on, open executions go on
    for line in lines:
        match line.split():
            case ["signup", user, email]:
                # The name makes it once: a user who signs up twice has one execution.
                event = {"user": user, "email": email}
                service.start("signup", event, execution_name=user)
            case ["confirm", callback_id]:
                try:
                    service.send_callback_success(callback_id)
                except EmbeddedError as error:
                    print(f"that link is of no use: {error}")
            case ["result", user]:
                print(user, service.get(user, function="signup").result())
            case ["list"]:
                for execution in service.executions("signup"):
                    print(execution.name, execution.status)
            case other:
                print("signup USER EMAIL, confirm ID, result USER, list; not", *other)


if __name__ == "__main__":
    with DurableService(sys.argv[1]) as opened:
        serve(opened, sys.stdin)
