"""A line of a function's log, as people read it while they write the function."""

from typing import Final

import msgspec
from rich.text import Text

from perdure.cli.neutral import json_text, neutral

__all__ = ["log_text"]

_LEVEL_STYLES: Final = {"WARN": "yellow", "WARNING": "yellow", "ERROR": "red", "FATAL": "red"}
_FRAMES: Final = ("START ", "END ", "REPORT ", "INIT_START ")  # AWS's own lines


class _Metrics(msgspec.Struct):
    duration_ms: float = msgspec.field(name="durationMs", default=0.0)
    init_ms: float | None = msgspec.field(name="initDurationMs", default=None)
    memory_mb: int = msgspec.field(name="maxMemoryUsedMB", default=0)


class _Report(msgspec.Struct):
    status: str = ""
    metrics: _Metrics = msgspec.field(default_factory=_Metrics)


class _Record(msgspec.Struct):
    """A line in JSON: the function's own, or one of AWS's around it."""

    type: str = ""
    level: str = ""
    message: object = None
    record: _Report = msgspec.field(default_factory=_Report)


_DECODER: Final = msgspec.json.Decoder(_Record)


def log_text(message: str) -> Text | None:
    """Return what is worth reading of a line; None where it only frames others."""
    try:
        record = _DECODER.decode(message)
    except (msgspec.DecodeError, RecursionError):
        style = "dim" if message.startswith(_FRAMES) else ""
        return Text(neutral(message.rstrip("\n"), is_line=False), style=style)
    if record.type == "platform.report":
        return Text(_report(record.record), style="dim")
    if record.type.startswith("platform."):
        return None
    if not record.level:
        return Text(neutral(message.rstrip("\n"), is_line=False))
    said = record.message
    shown = said if isinstance(said, str) else json_text(said, indent=None)
    text = Text(f"{neutral(record.level)} ", style=_LEVEL_STYLES.get(record.level, ""))
    return text.append(neutral(shown, is_line=False), style="default")


def _report(report: _Report) -> str:
    metrics = report.metrics
    parts = [f"invocation {report.status} after {metrics.duration_ms:,.0f} ms"]
    if metrics.init_ms is not None:
        parts.append(f"worker started in {metrics.init_ms:,.0f} ms")
    return neutral(", ".join([*parts, f"{metrics.memory_mb:,} MB"]))
