"""What the client commands share: how they are told where the server is and what to print, and how
they are told which execution they are about.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Concatenate, ParamSpec, TypeVar

import click

from perdure.cli.client import Client
from perdure.cli.endpoint import Endpoint, find_endpoint
from perdure.cli.errors import NotFound
from perdure.cli.output import Output
from perdure.protocol.executions import ListDurableExecutionsByFunctionResponse
from perdure.protocol.limits import PAYLOAD_BYTES_MAX

__all__ = ["Caller", "client_command", "find_execution", "read_payload"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who gives a command: the client it calls with, and where it prints."""

    client: Client
    endpoint: Endpoint
    output: Output


def client_command(
    function: Callable[Concatenate[Caller, Parameters], Result],
) -> Callable[..., Result]:
    """Give a command its ``Caller``, and the options that decide it."""

    @click.option(
        "--endpoint", metavar="URL", help="The server's URL. Default: the one that runs here."
    )
    @click.option("--region", metavar="NAME", help="The region that requests are signed for.")
    @click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
    @functools.wraps(function)
    def command(*args: Parameters.args, **options: Parameters.kwargs) -> Result:
        url, region = options.pop("endpoint"), options.pop("region")
        endpoint = find_endpoint(_text(url), _text(region))
        caller = Caller(
            client=Client(endpoint),
            endpoint=endpoint,
            output=Output(is_json=bool(options.pop("is_json"))),
        )
        return function(caller, *args, **options)

    return command


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def find_execution(client: Client, execution: str) -> str:
    """Return the ARN of ``execution``: itself, or the newest called so (``FUNCTION/NAME``).

    Raises:
        NotFound: the function has no execution of that name.
        click.UsageError: it is neither.
    """
    if execution.startswith("arn:"):
        return execution
    function_name, separator, name = execution.rpartition("/")
    if not separator or not function_name or not name:
        raise click.UsageError(f"{execution!r} is neither an execution's ARN nor FUNCTION/NAME")
    found = client.fetch(
        ListDurableExecutionsByFunctionResponse,
        "list_durable_executions_by_function",
        FunctionName=function_name,
        DurableExecutionName=name,
        ReverseOrder=True,
        MaxItems=1,
    ).durable_executions
    if not found:
        raise NotFound(f"{function_name} has no execution called {name}")
    return found[0].durable_execution_arn


def read_payload(text: str | None, stream: BinaryIO | None) -> bytes:
    """Return what was given on the command line or in a file; nothing given is no bytes.

    Raises:
        click.UsageError: both were given, or it is too large.
    """
    if text is not None and stream is not None:
        raise click.UsageError("the payload is given twice: on the command line and in a file")
    if stream is not None:
        payload = stream.read(PAYLOAD_BYTES_MAX + 1)
    else:
        payload = (text or "").encode(errors="surrogateescape")
    if len(payload) > PAYLOAD_BYTES_MAX:
        size = f"more than {PAYLOAD_BYTES_MAX:,}" if stream else f"{len(payload):,}"
        raise click.UsageError(f"the payload is {size} bytes; the limit is {PAYLOAD_BYTES_MAX:,}")
    return payload
