"""``perdure callback``: answer what an execution waits for."""

from typing import BinaryIO, TypedDict, Unpack

import click

from perdure.cli.options import Caller, client_command, read_payload
from perdure.protocol.limits import CALLBACK_RESULT_BYTES_MAX

__all__ = ["callback"]


class _FailOptions(TypedDict):
    callback_id: str
    error_type: str | None
    error_message: str | None
    error_data: str | None


@click.group()
def callback() -> None:
    """Answer a callback.

    Its ID is what the function passed on, and what `perdure executions history`
    shows.
    """


@callback.command()
@click.argument("callback_id", metavar="ID")
@click.argument("result", required=False)
@click.option("--file", type=click.File("rb"), metavar="FILE", help="Take the result from FILE.")
@client_command
def succeed(caller: Caller, callback_id: str, result: str | None, file: BinaryIO | None) -> None:
    """Answer the callback ID with RESULT, a JSON document.

    \b
    perdure callback succeed ID '{"approved": true}'
    perdure callback succeed ID --file answer.json
    """
    payload = read_payload(result, file)
    if len(payload) > CALLBACK_RESULT_BYTES_MAX:
        raise click.UsageError(
            f"the result is {len(payload):,} bytes; the limit is {CALLBACK_RESULT_BYTES_MAX:,}"
        )
    _answer(
        caller,
        callback_id,
        "send_durable_execution_callback_success",
        Result=payload or None,
    )


@callback.command()
@click.argument("callback_id", metavar="ID")
@click.option("--type", "error_type", metavar="TYPE", help="The error's type.")
@click.option("--message", "error_message", metavar="TEXT", help="The error's message.")
@click.option("--data", "error_data", metavar="TEXT", help="What else belongs to the error.")
@client_command
def fail(caller: Caller, **options: Unpack[_FailOptions]) -> None:
    """Answer the callback ID with an error.

    \b
    perdure callback fail ID --type Rejected --message "too expensive"
    """
    error = {
        "ErrorType": options["error_type"],
        "ErrorMessage": options["error_message"],
        "ErrorData": options["error_data"],
    }
    _answer(
        caller,
        options["callback_id"],
        "send_durable_execution_callback_failure",
        Error={member: value for member, value in error.items() if value is not None},
    )


@callback.command()
@click.argument("callback_id", metavar="ID")
@client_command
def heartbeat(caller: Caller, callback_id: str) -> None:
    """Say that the callback ID is still being worked on.

    \b
    perdure callback heartbeat ID
    """
    _answer(caller, callback_id, "send_durable_execution_callback_heartbeat")


def _answer(caller: Caller, callback_id: str, operation: str, **parameters: object) -> None:
    caller.client.call(operation, CallbackId=callback_id, **parameters)
    if caller.output.is_json:
        caller.output.document({"CallbackId": callback_id})
    else:
        caller.output.note("accepted")
