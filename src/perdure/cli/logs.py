"""``perdure logs``: a function's log, and what is added to it."""

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypedDict, Unpack, cast

import click

from perdure.cli.client import Client, Timestamp
from perdure.cli.neutral import neutral
from perdure.cli.options import Caller, client_command
from perdure.cli.output import Output
from perdure.clock import SystemClock
from perdure.protocol.arns import ArnError, parse_function

__all__ = ["LogFollower", "LogLine", "log_group", "logs"]

_SPAN: Final = re.compile(r"(\d{1,6})([smhdw])\Z", re.ASCII)
_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_POLL_SECONDS: Final = 0.5
#: How far behind the newest line another may still arrive: workers write in batches.
_LATE_MS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a function's log."""

    id: str
    at_ms: int
    stream: str
    message: str


class _Options(TypedDict):
    name: str
    follow: bool
    since: int
    pattern: str | None


class LogFollower:
    """Reads a log group, and later only what has been added."""

    def __init__(
        self, client: Client, group: str, *, start_ms: int, pattern: str | None = None
    ) -> None:
        """Read nothing yet."""
        self._client = client
        self._group = group
        self._start_ms = start_ms
        self._pattern = pattern
        self._seen: dict[str, int] = {}

    def read(self) -> Iterator[LogLine]:
        """Yield the lines that were not read before.

        Raises:
            NotFound: nothing was ever logged there.
        """
        token: object = None
        while True:
            page = self._client.call_logs(
                "filter_log_events",
                logGroupName=self._group,
                startTime=self._start_ms,
                filterPattern=self._pattern,
                nextToken=token,
            )
            for event in cast("list[Mapping[str, object]]", page.get("events", [])):
                line = _line(event)
                if line.id not in self._seen:
                    self._seen[line.id] = line.at_ms
                    yield line
            token = page.get("nextToken")
            if not token:
                break
        newest_ms = max(self._seen.values(), default=self._start_ms)
        self._start_ms = max(self._start_ms, newest_ms - _LATE_MS)
        self._seen = {key: at for key, at in self._seen.items() if at >= self._start_ms}


def _since(_context: click.Context, _option: click.Parameter, value: str) -> int:
    match = _SPAN.match(value)
    if match is None:
        raise click.BadParameter(f"{value!r} is no span of time, such as 90s, 10m, 6h or 2d")
    return int(match[1]) * _UNIT_MS[match[2]]


@click.command()
@click.argument("name")
@click.option("--follow", is_flag=True, help="Go on printing what is added, until interrupted.")
@click.option(
    "--since",
    default="10m",
    show_default=True,
    callback=_since,
    metavar="SPAN",
    help="How far back to begin, as 90s, 10m, 6h or 2d.",
)
@click.option("--filter", "pattern", metavar="PATTERN", help="Only lines that match; see below.")
@client_command
def logs(caller: Caller, **options: Unpack[_Options]) -> None:
    """Print the log of the function NAME.

    \b
    perdure logs hello
    perdure logs hello --follow --since 1h
    perdure logs hello --filter '"order 17"'

    PATTERN is one of CloudWatch Logs: words that must all be there, "a phrase",
    -without, ?either ?or. With --json each line is one document of its own when
    following, and all are one otherwise.
    """
    client, output = caller.client, caller.output
    follower = LogFollower(
        client,
        log_group(client, options["name"]),
        start_ms=SystemClock().now_ms() - options["since"],
        pattern=options["pattern"],
    )
    if not options["follow"]:
        _print_all(output, follower)
        return
    try:
        while True:
            for line in follower.read():
                _print(output, line)
            threading.Event().wait(_POLL_SECONDS)
    except KeyboardInterrupt:
        return


def log_group(client: Client, function: str) -> str:
    """Return where the function's log is.

    Raises:
        NotFound: there is no such function.
        click.UsageError: it is no function's name.
    """
    try:
        reference = parse_function(function)
    except ArnError as error:
        raise click.UsageError(str(error)) from error
    configuration = client.call("get_function_configuration", FunctionName=reference.name)
    logging = cast("Mapping[str, object]", configuration.get("LoggingConfig", {}))
    return str(logging.get("LogGroup") or f"/aws/lambda/{reference.name}")


def _print_all(output: Output, follower: LogFollower) -> None:
    lines = list(follower.read())
    if output.is_json:
        output.document({"events": [_document(line) for line in lines]})
        return
    for line in lines:
        _print(output, line)


def _print(output: Output, line: LogLine) -> None:
    if output.is_json:
        output.document(_document(line), indent=None)
    else:
        message = neutral(line.message.rstrip("\n"), is_line=False)
        output.raw(f"{Timestamp(line.at_ms / 1000)} {message}")


def _document(line: LogLine) -> dict[str, object]:
    return {
        "eventId": line.id,
        "logStreamName": line.stream,
        "timestamp": line.at_ms,
        "message": line.message,
    }


def _line(event: Mapping[str, object]) -> LogLine:
    return LogLine(
        id=str(event["eventId"]),
        at_ms=cast("int", event["timestamp"]),
        stream=str(event["logStreamName"]),
        message=str(event["message"]),
    )
