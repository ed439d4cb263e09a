"""What functions have done since it was last asked: lines of their logs, and how their executions
go. Reads the server's API; shows nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from perdure.cli.client import Client
from perdure.cli.errors import NotFound
from perdure.cli.logs import LogFollower, LogLine, log_group
from perdure.cli.output import error_text
from perdure.clock import SystemClock
from perdure.protocol.executions import (
    ExecutionSummary,
    GetDurableExecutionResponse,
    ListDurableExecutionsByFunctionResponse,
)
from perdure.protocol.wire import encode
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, ExecutionStatus

__all__ = ["ExecutionMoved", "Logged", "Observation", "Seen"]

_EXECUTIONS_MAX: Final = 100  #: of a function, the newest, and all that have not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A function wrote a line."""

    function: str
    line: LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionMoved:
    """An execution has another status than before."""

    function: str
    name: str
    status: ExecutionStatus
    at_ms: int
    span_ms: int | None = None  #: from its start to its end, when it has ended
    error: str | None = None


Seen = Logged | ExecutionMoved


class Observation:
    """Remembers what was seen."""

    def __init__(self, client: Client) -> None:
        """See only what happens from now on."""
        self._client = client
        self._since_ms = SystemClock().now_ms()
        self._logs: dict[str, LogFollower] = {}
        self._statuses: dict[str, ExecutionStatus] = {}

    def read(self, functions: Sequence[str]) -> list[Seen]:
        """Return what is new of ``functions``, by instant."""
        seen = [item for name in functions for item in self._read_function(name)]
        return sorted(seen, key=_at_ms)

    def _read_function(self, name: str) -> list[Seen]:
        try:
            if name not in self._logs:
                group = log_group(self._client, name)
                self._logs[name] = LogFollower(self._client, group, start_ms=self._since_ms)
            return [*self._read_log(name), *self._read_executions(name)]
        except NotFound:  # it was deleted meanwhile
            self._logs.pop(name, None)
            return []

    def _read_log(self, name: str) -> list[Seen]:
        try:
            return [Logged(function=name, line=line) for line in self._logs[name].read()]
        except NotFound:  # nothing was logged yet
            return []

    def _read_executions(self, name: str) -> list[Seen]:
        listed = self._client.fetch(
            ListDurableExecutionsByFunctionResponse,
            "list_durable_executions_by_function",
            FunctionName=name,
            ReverseOrder=True,
            MaxItems=_EXECUTIONS_MAX,
        ).durable_executions
        moved: list[Seen] = []
        for summary in listed or ():
            arn, status = summary.durable_execution_arn, summary.status
            known = self._statuses.get(arn)
            self._statuses[arn] = status
            if known is None and (summary.end_timestamp or self._since_ms) < self._since_ms:
                continue
            if known is not status:
                moved.append(self._moved(name, summary))
        return moved

    def _moved(self, function: str, summary: ExecutionSummary) -> ExecutionMoved:
        end_ms = summary.end_timestamp
        return ExecutionMoved(
            function=function,
            name=summary.durable_execution_name,
            status=summary.status,
            at_ms=end_ms or summary.start_timestamp,
            span_ms=None if end_ms is None else end_ms - summary.start_timestamp,
            error=self._error(summary),
        )

    def _error(self, summary: ExecutionSummary) -> str | None:
        if summary.status not in CLOSED_EXECUTION_STATUSES - {ExecutionStatus.SUCCEEDED}:
            return None
        execution = self._client.fetch(
            GetDurableExecutionResponse,
            "get_durable_execution",
            DurableExecutionArn=summary.durable_execution_arn,
            IncludeExecutionData=True,
        )
        return error_text(encode(execution.error)) if execution.error else None


def _at_ms(seen: Seen) -> int:
    return seen.line.at_ms if isinstance(seen, Logged) else seen.at_ms
