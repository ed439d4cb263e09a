"""The pages of the authors' guide, taken apart: code, what is said of running it, and tables.

A block of text that begins with ``event`` is a *transcript* of the handler in the code above it:

    event        JSON, what it is invoked with
    callback     NAME -> ANSWER, or NAME fails: MESSAGE; others are never answered
    prints       a line on standard output; all of them, in order
    result       JSON
    error        TYPE: MESSAGE, of which "..." at the end may stand for the rest
    invocations  how often the handler ran
    time         how long it took by the service's clock

One that begins with a call, as in ``context.wait(duration, name=None)``, is a *signature*.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

__all__ = ["GUIDE", "OptionTable", "Page", "Passage", "Transcript"]

GUIDE: Final = Path(__file__).parents[2] / "docs" / "guide"
_FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TABLE: Final = re.compile(r"^\| `(\w+)` \| default \|.*\n\|[ -|]+\|\n((?:\|.*\n)+)", re.MULTILINE)
_ROW: Final = re.compile(r"^\| `(\w+)` \| (?:`(.+?)`|(\w+)) \|")
_SIGNATURE: Final = re.compile(r"^[\w.]+\(.*\)$")


@dataclass
class Transcript:
    """What is said of one execution."""

    event: Any
    callbacks: dict[str, str] = field(default_factory=dict[str, str])
    refusals: dict[str, str] = field(default_factory=dict[str, str])
    prints: list[str] = field(default_factory=list[str])
    facts: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what ``text`` says."""
        made = cls(None)
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            made._take(word, rest.strip())
        return made

    def _take(self, word: str, rest: str) -> None:
        match word:
            case "event":
                self.event = json.loads(rest)
            case "prints":
                self.prints.append(rest)
            case "callback" if " -> " in rest:
                name, _, answer = rest.partition(" -> ")
                self.callbacks[name] = answer
            case "callback" if " fails: " in rest:
                name, _, message = rest.partition(" fails: ")
                self.refusals[name] = message
            case "result" | "error" | "invocations" | "time":
                self.facts[word] = rest
            case _:
                raise ValueError(f"not a line of a transcript: {word} {rest}")


@dataclass(frozen=True)
class Passage:
    """A block of code, and the transcripts that follow it."""

    code: str
    line: int
    transcripts: list[Transcript] = field(default_factory=list[Transcript])


@dataclass(frozen=True)
class OptionTable:
    """The members of a class with their defaults, as expressions; None: it is required."""

    name: str
    defaults: dict[str, str | None]


@dataclass(frozen=True)
class Page:
    """One page."""

    name: str
    text: str

    @classmethod
    def read(cls, name: str) -> Self:
        """Return a page of the guide."""
        return cls(name, (GUIDE / name).read_text(encoding="utf-8"))

    def passages(self) -> list[Passage]:
        """Return the page's code, in its order."""
        found: list[Passage] = []
        for fence in _FENCE.finditer(self.text):
            language, text = fence.groups()
            if language == "python":
                line = self.text.count("\n", 0, fence.start()) + 1
                found.append(Passage(text, line))
            elif language == "text" and text.startswith("event"):
                found[-1].transcripts.append(Transcript.parse(text))
        return found

    def signatures(self) -> Iterator[str]:
        """Return the calls that the page shows."""
        for fence in _FENCE.finditer(self.text):
            language, text = fence.groups()
            if language == "text" and _SIGNATURE.match(text.strip()):
                yield text.strip()

    def option_tables(self) -> Iterator[OptionTable]:
        """Return the tables of options."""
        for table in _TABLE.finditer(self.text):
            rows = [_ROW.match(row) for row in table.group(2).splitlines()]
            assert all(rows), f"{self.name}: a row of {table.group(1)} is not as it should be"
            yield OptionTable(table.group(1), {row[1]: row[2] for row in rows if row})
