"""``perdure invoke``: one invocation, and with it an execution where the function is durable."""

import base64
import sys
from typing import BinaryIO, Final, NoReturn, TypedDict, Unpack

import click

from perdure.cli.errors import CommandError, ExitCode, NotSucceeded
from perdure.cli.neutral import neutral
from perdure.cli.options import Caller, client_command, read_payload
from perdure.cli.output import error_text
from perdure.cli.progress import watch
from perdure.protocol.arns import ArnError, parse_function
from perdure.protocol.executions import GetDurableExecutionResponse
from perdure.protocol.invocations import InvokeResponse
from perdure.protocol.limits import ASYNC_PAYLOAD_BYTES_MAX
from perdure.protocol.wire import decode, encode
from perdure.protocol.words import ExecutionStatus

__all__ = ["invoke"]

_LATEST: Final = "$LATEST"
_ENDED_OTHERWISE: Final = frozenset({ExecutionStatus.TIMED_OUT, ExecutionStatus.STOPPED})


class _Options(TypedDict):
    name: str
    payload: str | None
    event: BinaryIO | None
    execution_name: str | None
    is_async: bool
    wait: bool | None
    qualifier: str | None
    log: bool


@click.command()
@click.argument("name")
@click.argument("payload", required=False)
@click.option("--event", type=click.File("rb"), metavar="FILE", help="Take the payload from FILE.")
@click.option("--name", "execution_name", metavar="NAME", help="The execution's name.")
@click.option("--async", "is_async", is_flag=True, help="Start it, and print its ARN.")
@click.option(
    "--wait/--no-wait",
    default=None,
    help="Show the execution's progress until it ends, however long that takes. "
    "Without it the server is asked for the result, for at most 15 minutes. "
    "Default: --wait on a terminal.",
)
@click.option("--qualifier", metavar="VERSION", help="A version or an alias. Default: $LATEST.")
@click.option("--log", is_flag=True, help="Print the end of the log to standard error.")
@client_command
def invoke(caller: Caller, **options: Unpack[_Options]) -> None:
    """Invoke the function NAME with PAYLOAD, a JSON document, and print its result.

    \b
    perdure invoke hello '{"name": "Ada"}'
    perdure invoke hello --event event.json --name order-17
    cat event.json | perdure invoke hello --event -
    perdure invoke hello '{}' --async
    perdure invoke hello '{}' --no-wait --log

    The result alone goes to standard output. Exit codes: 0 success, 1 the function
    failed, 2 usage, 4 no such function, 5 the execution was stopped or timed out.
    """
    if options["is_async"] and options["wait"]:
        raise click.UsageError("--async does not wait: say --async or --wait")
    payload = read_payload(options["payload"], options["event"])
    parameters: dict[str, object] = {
        "FunctionName": options["name"],
        "Qualifier": options["qualifier"] or _default_qualifier(options["name"]),
        "DurableExecutionName": options["execution_name"],
        "Payload": payload,
    }
    if options["is_async"]:
        _print_started(caller, caller.client.invoke(InvocationType="Event", **parameters))
    elif _is_followed(caller, options, parameters):
        _follow(caller, parameters)
    else:
        kind = "Tail" if options["log"] else None
        answer = caller.client.invoke(LogType=kind, **parameters)
        if options["log"]:
            _print_log(caller, answer, options["name"])
        _print_answer(caller, answer)


def _default_qualifier(name: str) -> str | None:
    """Return ``$LATEST``, which durable functions must be told, unless the name has a qualifier."""
    try:
        return _LATEST if parse_function(name).qualifier is None else None
    except ArnError as error:
        raise click.UsageError(str(error)) from error


def _is_followed(caller: Caller, options: _Options, parameters: dict[str, object]) -> bool:
    """Tell whether to start an execution and watch it, instead of asking for the result."""
    wait = options["wait"]
    if wait is None:
        wait = caller.output.is_watched and not options["log"]
    if not wait:
        return False
    payload = parameters["Payload"]
    assert isinstance(payload, bytes), "it was read as bytes"
    if len(payload) > ASYNC_PAYLOAD_BYTES_MAX:
        return False
    configuration = caller.client.call(
        "get_function_configuration",
        FunctionName=parameters["FunctionName"],
        Qualifier=parameters["Qualifier"],
    )
    return "DurableConfig" in configuration


def _print_started(caller: Caller, answer: InvokeResponse) -> None:
    if caller.output.is_json:
        caller.output.document(_document(answer))
    elif answer.durable_execution_arn:
        caller.output.raw(neutral(answer.durable_execution_arn))
    else:
        caller.output.note("accepted")


def _print_log(caller: Caller, answer: InvokeResponse, name: str) -> None:
    """Print the end of the log, which the API gives for plain functions only."""
    if answer.log_result is None:
        caller.output.note(f"the log is in parts, one for each invocation: perdure logs {name}")
    elif not caller.output.is_json:
        log = base64.b64decode(answer.log_result).decode(errors="backslashreplace")
        click.echo(neutral(log.rstrip("\n"), is_line=False), err=True)


def _print_answer(caller: Caller, answer: InvokeResponse) -> None:
    if caller.output.is_json:
        caller.output.document(_document(answer))
    else:
        caller.output.payload(answer.payload or b"null")
    if answer.function_error is None:
        return
    caller.output.note(f"the function failed: {answer.function_error}", style="red")
    sys.exit(_exit_code(caller, answer.durable_execution_arn))


def _exit_code(caller: Caller, arn: str | None) -> ExitCode:
    """Return how to end after a failure: an execution may have been ended by others."""
    if arn is None:
        return ExitCode.ERROR
    execution = caller.client.fetch(
        GetDurableExecutionResponse,
        "get_durable_execution",
        DurableExecutionArn=arn,
        IncludeExecutionData=False,
    )
    if execution.status in _ENDED_OTHERWISE:
        return ExitCode.NOT_SUCCEEDED
    return ExitCode.ERROR


def _document(answer: InvokeResponse) -> dict[str, object]:
    """Return the answer under AWS's names, with the payload as text and the log decoded."""
    log = base64.b64decode(answer.log_result) if answer.log_result else None
    members = {
        "StatusCode": answer.status_code,
        "FunctionError": answer.function_error,
        "ExecutedVersion": answer.executed_version,
        "DurableExecutionArn": answer.durable_execution_arn,
        "LogResult": log,
        "Payload": answer.payload,
    }
    return {name: value for name, value in members.items() if value is not None}


def _follow(caller: Caller, parameters: dict[str, object]) -> None:
    answer = caller.client.invoke(InvocationType="Event", **parameters)
    arn = answer.durable_execution_arn
    if arn is None:
        raise CommandError("the server started the execution without saying its ARN")
    watch(caller.client, caller.output, arn)
    members = caller.client.call(
        "get_durable_execution", DurableExecutionArn=arn, IncludeExecutionData=True
    )
    execution = decode(GetDurableExecutionResponse, members)
    output = caller.output
    if output.is_json:
        output.document(members)
    elif execution.status is ExecutionStatus.SUCCEEDED:
        output.payload((execution.result or "null").encode(errors="surrogatepass"))
    _exit_as(execution)


def _exit_as(execution: GetDurableExecutionResponse) -> None:
    if execution.status is ExecutionStatus.SUCCEEDED:
        return
    error = error_text(encode(execution.error) if execution.error else None)
    _fail(execution.status, error)


def _fail(status: ExecutionStatus, error: str) -> NoReturn:
    if status in _ENDED_OTHERWISE:
        raise NotSucceeded(f"the execution ended {status}: {error}")
    raise CommandError(f"the execution ended {status}: {error}")
