"""An execution watched while it runs: its history is read again and again and drawn as a timeline.

Drawing goes to standard error and is redrawn in place; where nobody watches nothing is drawn.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from perdure.cli.client import Client
from perdure.cli.neutral import neutral
from perdure.cli.output import Output
from perdure.cli.timeline import OperationLine, Timeline, fold
from perdure.protocol.arns import parse_execution
from perdure.protocol.events import Event
from perdure.protocol.executions import (
    GetDurableExecutionHistoryResponse,
    GetDurableExecutionResponse,
)
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES

__all__ = ["STATUS_STYLES", "HistoryFollower", "draw", "seconds_text", "title_of", "watch"]

_PAGE: Final = 1_000
_POLL_SECONDS_MIN: Final = 0.1
_POLL_SECONDS_MAX: Final = 1.0
_BAR_COLUMNS: Final = 24
_LINES_MAX: Final = 40  #: the last operations that a redrawn timeline shows
STATUS_STYLES: Final = {
    "SUCCEEDED": "green",
    "FAILED": "red",
    "TIMED_OUT": "red",
    "STOPPED": "red",
    "CANCELLED": "dim",
    "PENDING": "yellow",
    "STARTED": "cyan",
    "RUNNING": "cyan",
    "PAUSED": "yellow",
}


class HistoryFollower:
    """Reads an execution's history, and later only what has been added."""

    def __init__(self, client: Client, arn: str, *, with_data: bool = True) -> None:
        """Read nothing yet."""
        self._client = client
        self._arn = arn
        self._with_data = with_data
        self._marker: str | None = None  # of the last page, which may still grow
        self._before: list[Event] = []
        self._page: Sequence[Event] = ()

    @property
    def events(self) -> list[Event]:
        """Return all events read so far, from the first."""
        return [*self._before, *self._page]

    def read(self) -> bool:
        """Read what there is; tell whether anything was added."""
        known = len(self._before) + len(self._page)
        while True:
            answer = self._client.fetch(
                GetDurableExecutionHistoryResponse,
                "get_durable_execution_history",
                DurableExecutionArn=self._arn,
                IncludeExecutionData=self._with_data,
                MaxItems=_PAGE,
                Marker=self._marker,
            )
            self._page = answer.events
            if answer.next_marker is None:
                return len(self._before) + len(self._page) > known
            self._before.extend(self._page)
            self._page = ()
            self._marker = answer.next_marker


def watch(client: Client, output: Output, arn: str) -> None:
    """Show the execution's progress until it has closed."""
    if output.is_watched:
        _watch_live(client, output, arn)
    else:
        _wait_closed(client, arn)


def draw(title: str, timeline: Timeline, *, lines_max: int | None = None) -> RenderableType:
    """Return the timeline as text: a headline, then a line and a bar for each operation."""
    lines = timeline.operations[-lines_max:] if lines_max else timeline.operations
    table = Table(box=None, pad_edge=False, show_header=False)
    for column in range(6):
        table.add_column(justify="right" if column in (3, 4) else "left", no_wrap=column != 5)
    for line in lines:
        table.add_row(
            Text("  " * (line.depth + 1) + (neutral(line.name) or "-")),
            Text(line.type, style="dim"),
            Text(line.status, style=STATUS_STYLES.get(line.status, "")),
            Text(seconds_text(line.started_at_ms - timeline.started_at_ms), style="dim"),
            Text(_span_text(line)),
            Text(f"{_bar(line, timeline)} {_remark(line)}", style="dim"),
        )
    left_out = len(timeline.operations) - len(lines)
    more = [Text(f"  ({left_out:,} earlier operations)", style="dim")] if left_out else []
    return Group(_headline(title, timeline), *more, table)


def title_of(arn: str) -> str:
    """Return an execution as FUNCTION/NAME, which fits a line and is understood by commands."""
    reference = parse_execution(arn)
    return f"{reference.function_name}/{reference.execution_name}"


def seconds_text(span_ms: int) -> str:
    """Return a span as seconds, to the millisecond."""
    return f"{span_ms / 1000:,.3f} s"


def _watch_live(client: Client, output: Output, arn: str) -> None:
    follower, title = HistoryFollower(client, arn), title_of(arn)
    with Live(console=output.notes, auto_refresh=False, vertical_overflow="crop") as live:

        def show() -> None:
            if follower.read():
                live.update(draw(title, fold(follower.events), lines_max=_LINES_MAX), refresh=True)

        _wait_closed(client, arn, show)


def _nothing() -> None:
    """Show nothing."""


def _wait_closed(client: Client, arn: str, show: Callable[[], None] = _nothing) -> None:
    pause_seconds = _POLL_SECONDS_MIN
    while True:
        execution = client.fetch(
            GetDurableExecutionResponse,
            "get_durable_execution",
            DurableExecutionArn=arn,
            IncludeExecutionData=False,
        )
        show()
        if execution.status in CLOSED_EXECUTION_STATUSES:
            return
        threading.Event().wait(pause_seconds)
        pause_seconds = min(pause_seconds * 1.2, _POLL_SECONDS_MAX)


def _headline(title: str, timeline: Timeline) -> Text:
    status = timeline.status or "STARTING"
    text = Text(neutral(title), style="bold")
    text.append(f"  {status}", style=STATUS_STYLES.get(status, ""))
    end_ms = timeline.ended_at_ms or timeline.latest_at_ms
    text.append(f"  {seconds_text(end_ms - timeline.started_at_ms)}", style="default")
    count = timeline.invocations
    text.append(f", {count} {'invocation' if count == 1 else 'invocations'}", style="dim")
    return text


def _span_text(line: OperationLine) -> str:
    return "" if line.ended_at_ms is None else seconds_text(line.ended_at_ms - line.started_at_ms)


def _remark(line: OperationLine) -> str:
    attempts = f"{line.attempts} attempts" if line.attempts > 1 else ""
    return ", ".join(part for part in (attempts, neutral(line.note)) if part)


def _bar(line: OperationLine, timeline: Timeline) -> str:
    """Return where in the execution's time the operation lies, at least one column wide."""
    end_ms = timeline.ended_at_ms or timeline.latest_at_ms
    whole_ms = max(end_ms - timeline.started_at_ms, 1)
    first = _column(line.started_at_ms - timeline.started_at_ms, whole_ms)
    last = _column((line.ended_at_ms or end_ms) - timeline.started_at_ms, whole_ms)
    return " " * first + "━" * (last - first + 1) + " " * (_BAR_COLUMNS - 1 - last)


def _column(at_ms: int, whole_ms: int) -> int:
    return max(0, min(_BAR_COLUMNS - 1, at_ms * _BAR_COLUMNS // whole_ms))
