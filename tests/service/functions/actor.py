"""A durable function that does what its event says, one act after another; the result is what each
came to.

A test opens a gate by making its file; whoever has come to it has made the file ``NAME.entered``.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from aws_durable_execution_sdk_python import (
    CallbackError,
    DurableContext,
    InvokeError,
    StepContext,
    durable_execution,
)
from aws_durable_execution_sdk_python.config import (
    CallbackConfig,
    Duration,
    InvokeConfig,
    StepConfig,
)
from aws_durable_execution_sdk_python.retries import RetryDecision

WITHOUT_RETRY = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())


class Actor:
    """The acts of one execution."""

    def __init__(self, folder: str, context: DurableContext) -> None:
        self.folder = Path(folder)
        self.context = context

    def act(self, acts: list[list[Any]]) -> list[Any]:
        """Return what every act comes to."""
        return [getattr(self, verb)(*arguments) for verb, *arguments in acts]

    def note(self, name: str, seconds: float = 0) -> str:
        """In a step: write a line, then take some time."""

        def body(step: StepContext) -> str:
            self._append("notes", name)
            threading.Event().wait(seconds)
            return name

        return self.context.step(body, name=name, config=WITHOUT_RETRY)

    def gate(self, name: str) -> None:
        """Outside any step: wait until the gate is open."""
        (self.folder / f"{name}.entered").touch()
        while not (self.folder / name).exists():
            threading.Event().wait(0.02)

    def wait(self, seconds: int) -> None:
        self.context.wait(Duration.from_seconds(seconds), name="wait")

    def callback(self, name: str, timeout: int = 0, heartbeat: int = 0, gate: str = "") -> str:
        """Begin a callback, and tell its id; wait for it, perhaps behind a gate."""
        config = CallbackConfig(
            timeout=Duration.from_seconds(timeout),
            heartbeat_timeout=Duration.from_seconds(heartbeat),
        )
        callback: Any = self.context.create_callback(name=name, config=config)
        file = self.folder / f"{name}.new"
        file.write_text(callback.callback_id)
        file.rename(self.folder / f"{name}.id")
        if gate:
            self.gate(gate)
        try:
            return callback.result()
        except CallbackError as error:
            return f"{type(error).__name__}: {error}"

    def invoke(self, function: str, event: Any, tenant: str | None = None) -> Any:
        """Invoke another function; its error is a result."""
        try:
            return self.context.invoke(
                function, event, name="invoke", config=InvokeConfig(tenant_id=tenant)
            )
        except InvokeError as error:
            return f"{error.error_type}: {error}"

    def fail(self, message: str) -> None:
        raise RuntimeError(message)

    def say(self, what: str) -> str:
        """Return a variable of the function's environment."""
        return os.environ.get(what, "")

    def _append(self, name: str, line: str) -> None:
        file = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{line}\n".encode())
        os.fsync(file)
        os.close(file)


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> list[Any]:
    return Actor(event["folder"], context).act(json.loads(json.dumps(event["acts"])))
