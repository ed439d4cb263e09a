"""What commands print: one JSON document with ``--json``, tables and lines for people otherwise.

Results go to standard output, everything said about them to standard error. Whatever comes from a
server is shown as plain text: no escape sequence, no markup. ``NO_COLOR`` is respected.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Final, cast

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from perdure.cli.client import Timestamp
from perdure.cli.neutral import json_text, neutral, neutral_json

__all__ = ["Output", "cell", "error_text", "plain_console", "plain_json"]

_UNBOUNDED_COLUMNS: Final = 1_000  # of a table that nobody looks at


class Output:
    """Where one command prints to, and how."""

    def __init__(self, *, is_json: bool) -> None:
        """Print JSON if ``is_json``."""
        self.is_json = is_json
        self.console = plain_console(is_error=False)
        self.notes = plain_console(is_error=True)

    @property
    def is_watched(self) -> bool:
        """Tell whether a person sees progress as it is made."""
        return self.notes.is_terminal and not self.is_json

    def document(self, value: object, *, indent: int | None = 2) -> None:
        """Print ``value``, an answer of the server or what was made of some, as JSON."""
        self.raw(json_text(plain_json(value), indent=indent))

    def raw(self, text: str) -> None:
        """Print text that is safe already, exactly as it is."""
        self.console.file.write(f"{text}\n")
        self.console.file.flush()

    def payload(self, payload: bytes) -> None:
        """Print what a function returned or raised, exactly but for dangerous characters."""
        self.raw(neutral_json(payload.decode(errors="backslashreplace")))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows under their columns' names; nothing but the names if there are none."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell(value)) for value in row))
        self.render(table)

    def members(self, values: Mapping[str, object]) -> None:
        """Print one thing: a line for each of its members that is there."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in values.items():
            if value is not None:
                table.add_row(name, Text(neutral(cell(value, is_line=False), is_line=False)))
        self.render(table)

    def render(self, renderable: RenderableType) -> None:
        """Print what rich can render."""
        self.console.print(renderable)

    def note(self, line: str, *, style: str = "") -> None:
        """Print a line about the result, for people."""
        self.notes.print(Text(neutral(line), style=style))


def plain_console(*, is_error: bool) -> Console:
    """Return a console that takes text as it is and does not break lines nobody looks at."""
    stream = sys.stderr if is_error else sys.stdout
    return Console(
        stderr=is_error,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=True,
        width=None if stream.isatty() else _UNBOUNDED_COLUMNS,
    )


def cell(value: object, *, is_line: bool = True) -> str:
    """Return what a table shows for ``value``."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str() | Timestamp():
            return neutral(str(value), is_line=is_line)
        case Mapping() | list():
            return json_text(plain_json(cast("object", value)), indent=None)
        case _:
            return str(value)


def plain_json(value: object) -> object:
    """Return ``value`` as JSON can carry it: instants in ISO 8601, bytes as text."""
    match value:
        case Timestamp():
            return str(value)
        case bytes():
            return value.decode(errors="backslashreplace")
        case Mapping():
            entries = cast("Mapping[str, object]", value)
            return {name: plain_json(entry) for name, entry in entries.items()}
        case list() | tuple():
            return [plain_json(entry) for entry in cast("Sequence[object]", value)]
        case _:
            return value


def error_text(error: Mapping[str, object] | None) -> str:
    """Return one line for an ErrorObject."""
    if not error:
        return "no error was given"
    kind, message = error.get("ErrorType"), error.get("ErrorMessage")
    return neutral(": ".join(str(part) for part in (kind, message) if part) or "an empty error")
