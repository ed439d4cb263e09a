"""Where an actor acts: a folder in which the test sees what it did, and opens its gates."""

import json
from pathlib import Path
from typing import Any

from tests.service.deployment import closed, start
from tests.serving import eventually

__all__ = ["Stage"]


class Stage:
    """The executions of one function, ``actor``, in one folder."""

    def __init__(self, api: Any, folder: Path, function: str) -> None:
        """Use a folder that is there."""
        self.api = api
        self.folder = folder
        self.function = function

    def event(self, *acts: list[Any]) -> dict[str, Any]:
        """Return the event that asks for these acts."""
        return {"folder": str(self.folder), "acts": list(acts)}

    def start(self, *acts: list[Any], **settings: Any) -> str:
        """Start an execution of these acts; return its ARN."""
        return start(self.api, self.function, self.event(*acts), **settings)

    def entered(self, gate: str) -> None:
        """Return once somebody has come to a gate."""
        eventually((self.folder / f"{gate}.entered").exists, what=f"the gate {gate}")

    def open(self, gate: str) -> None:
        """Let everybody through a gate."""
        (self.folder / gate).touch()

    def callback_id(self, name: str) -> str:
        """Return a callback's id, once it is told."""
        file = self.folder / f"{name}.id"
        eventually(file.exists, what=f"the callback {name}")
        return file.read_text()

    @property
    def notes(self) -> list[str]:
        """What steps have written, in order."""
        file = self.folder / "notes"
        return file.read_text().split() if file.exists() else []

    def status(self, arn: str) -> str:
        """Return an execution's status."""
        return self.api.get_durable_execution(DurableExecutionArn=arn)["Status"]

    def become(self, arn: str, status: str) -> dict[str, Any]:
        """Return the execution once it has this status."""
        eventually(lambda: self.status(arn) == status, seconds=60, what=f"{status} of {arn}")
        return self.api.get_durable_execution(DurableExecutionArn=arn)

    def result(self, arn: str) -> Any:
        """Return what every act of an execution that succeeds came to."""
        execution = closed(self.api, arn)
        assert execution["Status"] == "SUCCEEDED", execution
        return json.loads(execution["Result"])

    def suspended(self, arn: str, *, times: int = 1) -> None:
        """Return once so many invocations have ended."""

        def look() -> bool:
            events = self.api.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
            ended = [one for one in events if one["EventType"] == "InvocationCompleted"]
            return len(ended) >= times

        eventually(look, seconds=60, what=f"invocation {times} of {arn}")
