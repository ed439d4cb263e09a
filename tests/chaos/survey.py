"""What is to be seen when everything has ended: nothing that the service says of itself is believed
without it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.chaos.clients import Ledger
from tests.chaos.programs import PROGRAM, steps_of

__all__ = ["Survey", "read_history"]


def read_history(api: Any, ledger: Ledger, arn: str, *, size: int = 1000) -> list[dict[str, Any]]:
    """Return an execution's events, whoever has to be asked for them."""
    events: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        page = ledger.insist(
            api.get_durable_execution_history, DurableExecutionArn=arn, MaxItems=size, **marker
        )
        events += page["Events"]
        if not page.get("NextMarker"):
            return events
        marker = {"Marker": page["NextMarker"]}


class Survey:
    """What is to be seen when everything has ended."""

    def __init__(
        self, api: Any, ledger: Ledger, effects: list[tuple[int, Any]], *, page: int = 7
    ) -> None:
        self._api = api
        self._ledger = ledger
        self._effects = effects
        self._page = page
        self._steps: dict[tuple[str, str], dict[str, Any]] = {}
        for program in ledger.programs.values():
            self._steps |= steps_of(program.name, program.event["operations"])

    def executions(self) -> Iterator[str]:
        """Yield what is wrong with how executions have ended."""
        for name, arn in self._ledger.starts.items():
            program = self._ledger.programs[name]
            execution = self._api.get_durable_execution(DurableExecutionArn=arn)
            if (execution["Status"], _outcome(execution)) != (program.status, program.result):
                yield f"{name} {execution['Status']} {_outcome(execution)}, not {program.result}"
            ids = [
                event["EventId"]
                for event in read_history(self._api, self._ledger, arn, size=self._page)
            ]
            if ids != list(range(1, len(ids) + 1)):
                yield f"the history of {name} has gaps: {ids}"

    def children(self) -> Iterator[str]:
        """Yield the executions of chained invokes that are there twice, or were never asked for."""
        wanted = {name for name, _ in self._steps} - set(self._ledger.programs)
        names: Counter[str] = Counter()
        pages = self._api.get_paginator("list_durable_executions_by_function")
        for page in pages.paginate(FunctionName=PROGRAM, PaginationConfig={"PageSize": 50}):
            for found in page["DurableExecutions"]:
                arn = found["DurableExecutionArn"]
                execution = self._api.get_durable_execution(DurableExecutionArn=arn)
                if execution["Status"] not in ("SUCCEEDED", "FAILED"):
                    yield f"{arn} is {execution['Status']}"
                names[json.loads(execution["InputPayload"])["name"]] += 1
        yield from (
            f"{name} was started {times} times" for name, times in names.items() if times > 1
        )
        yield from (f"{name} was never started" for name in wanted - set(names))

    def effects(self) -> Iterator[str]:
        """Yield the steps that ran more often, or less, than they may."""
        runs = Counter((program, step, attempt) for _, (program, step, attempt) in self._effects)
        for (program, step, attempt), times in runs.items():
            if times > 1 and self._steps[program, step]["is_once"]:
                yield f"attempt {attempt} of {step} of {program} ran {times} times"
        ran = {(program, step) for program, step, _ in runs}
        for program, step in self._steps:
            is_owed = self._steps[program, step]["failures"] == 0
            if is_owed and (program, step) not in ran:
                yield f"{step} of {program} never ran"
        for offset, (program, step, _) in self._effects:
            if offset > self._ledger.successes.get((program, step), offset):
                yield f"{step} of {program} ran again after it had succeeded"

    def timers(self) -> Iterator[str]:
        """Yield the waits that have ended before their time (T1)."""
        for name, arn in self._ledger.starts.items():
            begun: dict[str, Any] = {}
            for event in read_history(self._api, self._ledger, arn):
                if event["EventType"] == "WaitStarted":
                    begun[event["Id"]] = event
                elif event["EventType"] == "WaitSucceeded":
                    start = begun[event["Id"]]
                    due = start["WaitStartedDetails"]["ScheduledEndTimestamp"]
                    early = due - event["EventTimestamp"]
                    if early.total_seconds() > 0:
                        yield f"{event['Name']} of {name} ended {early} early"


def _outcome(execution: dict[str, Any]) -> Any:
    if execution["Status"] == "FAILED":
        return execution["Error"]["ErrorMessage"]
    return json.loads(execution["Result"]) if "Result" in execution else None
