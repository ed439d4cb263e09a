"""``perdure executions``: look at executions, and steer them."""

from collections.abc import Mapping
from typing import Final, TypedDict, Unpack, cast

import click

from perdure.cli.client import Timestamp
from perdure.cli.neutral import neutral
from perdure.cli.options import Caller, client_command, find_execution
from perdure.cli.output import Output, error_text
from perdure.cli.progress import HistoryFollower, draw, title_of
from perdure.cli.timeline import fold
from perdure.protocol.wire import encode
from perdure.protocol.words import ExecutionStatus

__all__ = ["executions"]

_LISTED: Final = 50
_LIST_MAX: Final = 1_000  #: of one page. Source: Lambda model, ItemCount


class _ListOptions(TypedDict):
    function: str
    qualifier: str | None
    name: str | None
    status: tuple[str, ...]
    limit: int


@click.group()
def executions() -> None:
    """Look at executions and steer them.

    An EXECUTION is given by its ARN, or as FUNCTION/NAME for the newest of that
    name.
    """


@executions.command("list")
@click.argument("function")
@click.option("--qualifier", metavar="VERSION", help="Only those of a version or an alias.")
@click.option("--name", metavar="NAME", help="Only those of this name.")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice([*ExecutionStatus], case_sensitive=False),
    help="Only those in this status. Repeatable.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=_LISTED,
    show_default=True,
    help="How many at most.",
)
@client_command
def list_executions(caller: Caller, **options: Unpack[_ListOptions]) -> None:
    """List the executions of FUNCTION, the newest first.

    \b
    perdure executions list hello
    perdure executions list hello --status FAILED --status TIMED_OUT --json
    """
    found: list[Mapping[str, object]] = []
    for page in caller.client.pages(
        "list_durable_executions_by_function",
        FunctionName=options["function"],
        Qualifier=options["qualifier"],
        DurableExecutionName=options["name"],
        Statuses=[str(status) for status in options["status"]] or None,
        ReverseOrder=True,
        MaxItems=min(options["limit"], _LIST_MAX),
    ):
        found.extend(cast("list[Mapping[str, object]]", page.get("DurableExecutions", [])))
        if len(found) >= options["limit"]:
            break
    found = found[: options["limit"]]
    if caller.output.is_json:
        caller.output.document({"DurableExecutions": found})
        return
    members = (
        "DurableExecutionName",
        "Status",
        "StartTimestamp",
        "EndTimestamp",
        "DurableExecutionArn",
    )
    rows = [[execution.get(member) for member in members] for execution in found]
    caller.output.table(["NAME", "STATUS", "STARTED", "ENDED", "ARN"], rows)


@executions.command("get")
@click.argument("execution")
@client_command
def get_execution(caller: Caller, execution: str) -> None:
    """Show EXECUTION: its status, input, and result or error.

    \b
    perdure executions get hello/order-17
    """
    _print_answer(caller, execution, "get_durable_execution", IncludeExecutionData=True)


@executions.command("history")
@click.argument("execution")
@click.option("--data/--no-data", default=True, help="With payloads. Default: --data.")
@client_command
def show_history(caller: Caller, execution: str, *, data: bool) -> None:
    """Show the history of EXECUTION: a timeline, or with --json its events.

    \b
    perdure executions history hello/order-17
    perdure executions history hello/order-17 --json --no-data
    """
    arn = find_execution(caller.client, execution)
    if caller.output.is_json:
        events: list[object] = []
        for page in caller.client.pages(
            "get_durable_execution_history",
            DurableExecutionArn=arn,
            IncludeExecutionData=data,
            MaxItems=_LIST_MAX,
        ):
            events.extend(cast("list[object]", page["Events"]))
        caller.output.document({"Events": events})
        return
    follower = HistoryFollower(caller.client, arn, with_data=data)
    follower.read()
    timeline = fold(follower.events)
    caller.output.render(draw(title_of(arn), timeline))
    if timeline.error is not None:
        caller.output.note(error_text(encode(timeline.error)), style="red")


@executions.command("explain")
@click.argument("execution")
@client_command
def explain_execution(caller: Caller, execution: str) -> None:
    """Say why EXECUTION does not go on: what it waits for, until when, and what
    would unblock it.

    \b
    perdure executions explain hello/order-17
    perdure executions explain hello/order-17 --json
    """
    arn = find_execution(caller.client, execution)
    answer = caller.client.read_console("explain", arn=arn)
    if caller.output.is_json:
        caller.output.document(answer)
        return
    caller.output.raw(neutral(str(answer["sentence"])))
    waits = cast("list[Mapping[str, object]]", answer["waits"])
    if len(waits) > 1:
        caller.output.table(
            ["WAITS FOR", "NAME", "SINCE", "UNTIL", "UNBLOCKED BY"],
            [[wait["type"], _place(wait), *_times(wait), wait["unblocks"]] for wait in waits],
        )
        more = cast("int", answer["wait_count"]) - len(waits)
        if more > 0:
            caller.output.note(f"and {more:,} more")


@executions.command("stop")
@click.argument("execution")
@click.option("--error-type", metavar="TYPE", help="The type of the error it ends with.")
@click.option("--error-message", metavar="TEXT", help="The error's message.")
@client_command
def stop_execution(
    caller: Caller, execution: str, error_type: str | None, error_message: str | None
) -> None:
    """End EXECUTION for good.

    \b
    perdure executions stop hello/order-17 --error-message "not needed any more"
    """
    error = {"ErrorType": error_type, "ErrorMessage": error_message}
    given = {member: value for member, value in error.items() if value is not None}
    _print_answer(caller, execution, "stop_durable_execution", Error=given or None)


@executions.command("pause")
@click.argument("execution")
@click.option("--reason", metavar="TEXT", help="Why; kept in the history.")
@click.option(
    "--stop-clock/--keep-clock",
    default=None,
    help="Whether the execution's timeout stands still meanwhile. Default: it does.",
)
@client_command
def pause_execution(
    caller: Caller, execution: str, reason: str | None, *, stop_clock: bool | None
) -> None:
    """Keep EXECUTION from going on until it is resumed.

    \b
    perdure executions pause hello/order-17 --reason "the shop is closed"
    """
    _print_answer(
        caller,
        execution,
        "pause_durable_execution",
        Reason=reason,
        ExecutionTimeoutPaused=stop_clock,
    )


@executions.command("resume")
@click.argument("execution")
@click.option("--reason", metavar="TEXT", help="Why; kept in the history.")
@client_command
def resume_execution(caller: Caller, execution: str, reason: str | None) -> None:
    """Let EXECUTION, which was paused, go on.

    \b
    perdure executions resume hello/order-17
    """
    _print_answer(caller, execution, "resume_durable_execution", Reason=reason)


@executions.command("delete")
@click.argument("execution")
@client_command
def delete_execution(caller: Caller, execution: str) -> None:
    """Delete EXECUTION, which has ended, before its retention does.

    \b
    perdure executions delete hello/order-17
    """
    _print_answer(caller, execution, "delete_durable_execution")


def _place(wait: Mapping[str, object]) -> str:
    path = cast("list[str]", wait["path"])
    return " > ".join([*path, str(wait["name"] or wait["sub_type"] or wait["operation_id"])])


def _times(wait: Mapping[str, object]) -> list[Timestamp | None]:
    instants = (cast("int | None", wait[member]) for member in ("since_ms", "until_ms"))
    return [None if at_ms is None else Timestamp(at_ms / 1000) for at_ms in instants]


def _print_answer(caller: Caller, execution: str, operation: str, **parameters: object) -> None:
    arn = find_execution(caller.client, execution)
    answer = caller.client.call(operation, DurableExecutionArn=arn, **parameters)
    _print_members(caller.output, {"DurableExecutionArn": arn, **answer})


def _print_members(output: Output, members: Mapping[str, object]) -> None:
    if output.is_json:
        output.document(members)
    else:
        output.members(members)
