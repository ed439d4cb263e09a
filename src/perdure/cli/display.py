"""What ``dev`` prints: functions, changes, lines of logs, executions. One line each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.text import Text

from perdure.cli.log_text import log_text
from perdure.cli.neutral import neutral
from perdure.cli.observation import ExecutionMoved, Logged, Seen
from perdure.cli.output import plain_console
from perdure.cli.progress import STATUS_STYLES, seconds_text
from perdure.cli.sources import FunctionSource

__all__ = ["Display"]

_STYLES: Final = ("cyan", "magenta", "blue", "yellow", "green")


class Display:
    """Prints to standard output."""

    def __init__(self) -> None:
        """Print nothing yet."""
        self._console = plain_console(is_error=False)
        self._styles: dict[str, str] = {}

    def functions(self, sources: Sequence[FunctionSource]) -> None:
        """Say which functions there are, and how to invoke one."""
        for source in sources:
            self._print(source.name, Text(_description(source), style="dim"))
        if sources:
            example = f"perdure invoke {sources[0].name} '{{}}'"
            self._console.print(Text(f"Invoke one with: {example}"))

    def show(self, seen: Seen) -> None:
        """Print what was seen."""
        match seen:
            case Logged(function=function, line=line):
                text = log_text(line.message)
                if text is not None:
                    self._print(function, text, at_ms=line.at_ms)
            case ExecutionMoved():
                self._print(seen.function, _moved_text(seen), at_ms=seen.at_ms)

    def changed(self, paths: Sequence[Path]) -> None:
        """Say which files changed."""
        names = ", ".join(path.name for path in paths[:5])
        more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
        self._console.print(Text(neutral(f"changed: {names}{more}"), style="bold"))

    def registered(self, source: FunctionSource, *, is_new: bool) -> None:
        """Say that a function is there, or has a new revision."""
        verb = "added" if is_new else "updated"
        self._print(source.name, Text(f"{verb}: {_description(source)}", style="bold"))

    def removed(self, name: str) -> None:
        """Say that a function is gone."""
        self._print(name, Text("removed", style="bold"))

    def problem(self, message: str) -> None:
        """Say what is wrong with a source."""
        self._console.print(Text(neutral(message), style="red"))

    def _print(self, function: str, text: Text, *, at_ms: int | None = None) -> None:
        style = self._styles.setdefault(function, _STYLES[len(self._styles) % len(_STYLES)])
        line = Text(f"{_time(at_ms)} " if at_ms is not None else "", style="dim")
        line.append(neutral(function), style=style)
        line.append("  ")
        line.append_text(text)
        self._console.print(line)


def _description(source: FunctionSource) -> str:
    kind = "durable" if source.durable else "plain"
    place = source.file or source.folder
    return neutral(f"{kind}, {source.runtime}, {source.handler} in {place}")


def _moved_text(moved: ExecutionMoved) -> Text:
    text = Text(f"execution {neutral(moved.name)} ")
    text.append(moved.status, style=STATUS_STYLES.get(moved.status, ""))
    if moved.span_ms is not None:
        text.append(f" after {seconds_text(moved.span_ms)}")
    if moved.error:
        text.append(f": {moved.error}", style="red")
    return text


def _time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
    return moment.strftime("%H:%M:%S.") + f"{at_ms % 1000:03d}"
