"""The lines of a function's log: cut from what a worker writes, and AWS's own START, END and REPORT
lines.

Bounded: whatever a worker writes, at most one line of ``LINE_BYTES_MAX`` is held.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from perdure.engine.invoker import Crashed, FailureKind, FunctionVersion, LogFormat
from perdure.protocol.quick import quick

__all__ = [
    "LINE_BYTES_MAX",
    "TAIL_BYTES",
    "LineCutter",
    "RunFigures",
    "Tail",
    "crash_line",
    "init_start_line",
    "iso_time",
    "log_group_of",
    "report_lines",
    "start_line",
    "stream_name",
]

LINE_BYTES_MAX: Final = 262_144  #: Source: CloudWatch Logs quotas, event size 256 KB
TAIL_BYTES: Final = 4_096  #: Source: Lambda Invoke, LogType Tail: "the last 4 KB"


class LineCutter:
    """Cuts bytes into lines without their ends; a line over the limit becomes several."""

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        """Hold at most ``line_bytes_max`` of an unfinished line."""
        self._max = line_bytes_max
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each line that ``data`` completes."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            yield from self._fill(data[start:end])
            yield self._take()
            start = end + 1
        yield from self._fill(data[start:])

    def flush(self) -> Iterator[bytes]:
        """Yield the unfinished line, if there is one."""
        if self._rest:
            yield self._take()

    def _fill(self, piece: bytes) -> Iterator[bytes]:
        while len(self._rest) + len(piece) > self._max:
            room = self._max - len(self._rest)
            self._rest += piece[:room]
            piece = piece[room:]
            yield self._take()
        self._rest += piece

    def _take(self) -> bytes:
        line = bytes(self._rest)
        self._rest.clear()
        return line


class Tail:
    """The end of a log, of which each run has its part."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._data = bytearray()
        self._forgotten = 0

    @property
    def position(self) -> int:
        """Return where what is added next begins."""
        return self._forgotten + len(self._data)

    def add(self, text: bytes) -> None:
        """Append ``text`` and forget what no longer fits."""
        self._data += text
        excess = len(self._data) - TAIL_BYTES
        if excess > 15 * TAIL_BYTES:
            del self._data[:excess]
            self._forgotten += excess

    def bytes(self, *, since: int = 0) -> bytes:
        """Return at most the last 4 KB of what was added from ``since`` on, from the start of a
        character.
        """
        first = max(since - self._forgotten, len(self._data) - TAIL_BYTES, 0)
        kept = bytes(self._data[first:])
        if first + self._forgotten > since:
            while kept and 0x80 <= kept[0] < 0xC0:
                kept = kept[1:]
        return kept


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """What a run cost, as the REPORT line says it."""

    request_id: str
    duration_ms: float
    memory_used_mb: int
    init_ms: float | None = None
    status: str = "success"  #: ``success``, ``error`` or ``timeout``
    error_type: str | None = None

    @property
    def billed_ms(self) -> int:
        """Return the billed time: the run's and, since August 2025, its worker's start."""
        return math.ceil(self.duration_ms + (self.init_ms or 0.0))


def iso_time(at_ms: int) -> str:
    """Return an instant as AWS's log lines write it."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def stream_name(version: str, *, at_ms: int, token: str) -> str:
    """Return the name of a worker's log stream; ``token`` is 32 hexadecimal digits."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y/%m/%d/") + f"[{version}]{token}"


def log_group_of(function: FunctionVersion) -> str:
    """Return the log group of a function: its own, or AWS's default."""
    return function.log_group or f"/aws/lambda/{function.function_name}"


def init_start_line(function: FunctionVersion, *, at_ms: int) -> str:
    """Return the line that opens a worker's log; empty if the log level leaves it out."""
    if function.log_format is LogFormat.TEXT:
        return f"INIT_START Runtime Version: {function.runtime}"
    return _platform_line(
        function,
        "platform.initStart",
        {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": function.runtime,
            "functionName": function.function_name,
            "functionVersion": function.version,
        },
        at_ms=at_ms,
    )


def start_line(function: FunctionVersion, request_id: str, *, at_ms: int) -> str:
    """Return the line that opens a run; empty if the function's log level leaves it out."""
    if function.log_format is LogFormat.TEXT:
        return f"START RequestId: {request_id} Version: {function.version}"
    record: dict[str, object] = {"requestId": request_id, "version": function.version}
    return _platform_line(function, "platform.start", record, at_ms=at_ms)


def report_lines(function: FunctionVersion, figures: RunFigures, *, at_ms: int) -> list[str]:
    """Return the lines that close a run."""
    if function.log_format is LogFormat.JSON:
        line = _platform_line(
            function, "platform.report", _report_record(function, figures), at_ms=at_ms
        )
        return [line] if line else []
    fields = [
        f"REPORT RequestId: {figures.request_id}",
        f"Duration: {figures.duration_ms:.2f} ms",
        f"Billed Duration: {figures.billed_ms} ms",
        f"Memory Size: {function.memory_mb} MB",
        f"Max Memory Used: {figures.memory_used_mb} MB",
    ]
    if figures.init_ms is not None:
        fields.append(f"Init Duration: {figures.init_ms:.2f} ms")
    if figures.status != "success":
        fields.append(f"Status: {figures.status}")
    if figures.error_type is not None:
        fields.append(f"Error Type: {figures.error_type}")
    return [f"END RequestId: {figures.request_id}", "\t".join([*fields, ""])]


def crash_line(function: FunctionVersion, crash: Crashed, *, at_ms: int) -> str:
    """Return the line that says why a run crashed; in JSON the report alone says it."""
    if function.log_format is LogFormat.JSON:
        return ""
    if crash.kind is FailureKind.TIMED_OUT:
        words = crash.message.removeprefix("RequestId: ").replace(" Error:", "", 1)
        return f"{iso_time(at_ms)} {words}"
    return crash.message


def _report_record(function: FunctionVersion, figures: RunFigures) -> dict[str, object]:
    metrics: dict[str, object] = {
        "durationMs": round(figures.duration_ms, 3),
        "billedDurationMs": figures.billed_ms,
        "memorySizeMB": function.memory_mb,
        "maxMemoryUsedMB": figures.memory_used_mb,
    }
    if figures.init_ms is not None:
        metrics["initDurationMs"] = round(figures.init_ms, 3)
    record: dict[str, object] = {
        "requestId": figures.request_id,
        "metrics": metrics,
        "status": figures.status,
    }
    if figures.error_type is not None:
        record["errorType"] = figures.error_type
    return record


def _platform_line(
    function: FunctionVersion, kind: str, record: dict[str, object], *, at_ms: int
) -> str:
    if (function.system_log_level or "INFO").upper() == "WARN" and record.get(
        "status", "success"
    ) == "success":
        return ""
    return json.dumps(
        {"time": iso_time(at_ms), "type": kind, "record": record}, separators=(",", ":")
    )
