"""What is to be seen when everything has ended: nothing that the service says of itself is believed
without it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.chaos.clients import Ledger, Lines
from tests.chaos.programs import PROGRAM, runs_in, steps_of, without_runs

__all__ = ["Survey", "read_history"]


def read_history(
    api: Any, ledger: Ledger, arn: str, *, size: int = 1000, with_data: bool = False
) -> list[dict[str, Any]]:
    """Return an execution's events, whoever has to be asked for them."""
    events: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        page = ledger.insist(
            api.get_durable_execution_history,
            DurableExecutionArn=arn,
            MaxItems=size,
            IncludeExecutionData=with_data,
            **marker,
        )
        events += page["Events"]
        if not page.get("NextMarker"):
            return events
        marker = {"Marker": page["NextMarker"]}


class Survey:
    """What is to be seen when everything has ended."""

    def __init__(
        self, api: Any, ledger: Ledger, effects: Lines, told: Lines, *, page: int = 7
    ) -> None:
        """Look through ``api``; judge by what steps have written, and what they were told."""
        self._api = api
        self._ledger = ledger
        self._effects = effects.new()
        self._told = [line for _, line in told.new()]
        self._page = page
        self._steps: dict[tuple[str, str], dict[str, Any]] = {}
        for program in ledger.programs.values():
            self._steps |= steps_of(program.name, program.event["operations"])

    def executions(self) -> Iterator[str]:
        """Yield what is wrong with how executions have ended."""
        for name, arn in self._ledger.starts.items():
            program = self._ledger.programs[name]
            execution = self._api.get_durable_execution(DurableExecutionArn=arn)
            outcome = without_runs(_outcome(execution))
            if (execution["Status"], outcome) != (program.status, program.result):
                yield f"{name} {execution['Status']} {outcome}, not {program.result}"
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
        for name, execution in self._all():
            if execution["Status"] not in ("SUCCEEDED", "FAILED"):
                yield f"{execution['DurableExecutionArn']} is {execution['Status']}"
            names[name] += 1
        yield from (
            f"{name} was started {times} times" for name, times in names.items() if times > 1
        )
        yield from (f"{name} was never started" for name in wanted - set(names))

    def effects(self) -> Iterator[str]:
        """Yield the steps that ran more often, or less, than they may."""
        runs = Counter((program, step, attempt) for _, (program, step, attempt, _) in self._effects)
        for (program, step, attempt), times in runs.items():
            if times > 1 and self._steps[program, step]["is_once"]:
                yield f"attempt {attempt} of {step} of {program} ran {times} times"
        ran = {(program, step) for program, step, _ in runs}
        for program, step in self._steps:
            is_owed = self._steps[program, step]["failures"] == 0
            if is_owed and (program, step) not in ran:
                yield f"{step} of {program} never ran"
        for offset, (program, step, *_) in self._effects:
            if offset > self._ledger.successes.get((program, step), offset):
                yield f"{step} of {program} ran again after it had succeeded"

    def results(self) -> Iterator[str]:
        """Yield the steps whose result is not, everywhere and always, the one that was acknowledged
        first (S1): to replays, in history, in the results of their executions.
        """
        told: dict[tuple[str, str], tuple[str, str]] = {}
        for program, step, *outcome in self._told:
            first = told.setdefault((program, step), (outcome[0], outcome[1]))
            if first != tuple(outcome):
                yield f"{step} of {program} was told as {first}, later as {outcome}"
        runs = {(program, step, run) for _, (program, step, _, run) in self._effects}
        for (program, step), (_, value) in told.items():
            yield from (
                f"{step} of {program} came to {value}, and never had that run"
                for run in runs_in(value)
                if (program, step, run) not in runs
            )
        for program, execution in self._all():
            arn = execution["DurableExecutionArn"]
            events = read_history(self._api, self._ledger, arn, with_data=True)
            for step, outcomes in _outcomes_of_attempts(events).items():
                if (program, step) not in self._steps:
                    continue
                first = told.get((program, step))
                if outcomes[-1] != first:
                    yield f"{step} of {program} is stored as {outcomes[-1]}, and told as {first}"
                if "succeeded" in [outcome for outcome, _ in outcomes[:-1]]:
                    yield f"{step} of {program} has succeeded, and then {outcomes[-1]}"
        yield from self._made_of(told)

    def _made_of(self, told: dict[tuple[str, str], tuple[str, str]]) -> Iterator[str]:
        """Yield the executions that were made of other results than those of their steps."""
        for name, arn in self._ledger.starts.items():
            execution = self._api.get_durable_execution(DurableExecutionArn=arn)
            steps = steps_of(name, self._ledger.programs[name].event["operations"])
            outcomes = [told[step] for step in steps if step in told]
            wanted = runs_in([value for outcome, value in outcomes if outcome == "succeeded"])
            if execution["Status"] == "SUCCEEDED" and runs_in(_outcome(execution)) != wanted:
                yield f"{name} was made of runs {runs_in(_outcome(execution))}, not {wanted}"

    def _all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield all executions of programs, chained ones too, with their programs' names."""
        pages = self._api.get_paginator("list_durable_executions_by_function")
        for page in pages.paginate(FunctionName=PROGRAM, PaginationConfig={"PageSize": 50}):
            for found in page["DurableExecutions"]:
                arn = found["DurableExecutionArn"]
                execution = self._api.get_durable_execution(DurableExecutionArn=arn)
                yield json.loads(execution["InputPayload"])["name"], execution

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


def _outcomes_of_attempts(events: list[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """Return what history has of the attempts of steps, in order, by name."""
    outcomes: dict[str, list[tuple[str, str]]] = {}
    for event in events:
        found = outcomes.setdefault(event.get("Name", ""), [])
        if event["EventType"] == "StepSucceeded":
            payload = event["StepSucceededDetails"]["Result"].get("Payload", "null")
            found.append(("succeeded", json.loads(payload)))
        elif event["EventType"] == "StepFailed":
            error = event["StepFailedDetails"]["Error"]["Payload"]
            found.append(("failed", error["ErrorMessage"]))
    return {step: found for step, found in outcomes.items() if found}


def _outcome(execution: dict[str, Any]) -> Any:
    if execution["Status"] == "FAILED":
        return execution["Error"]["ErrorMessage"]
    return json.loads(execution["Result"]) if "Result" in execution else None
