"""The engine on the store in memory, with workers that the test plays itself: it decides which one
runs an invocation, what that does, and what it answers.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from perdure.core.commands import AnswerCallback, Command, Start
from perdure.core.execution import Identity
from perdure.core.quotas import RELAXED_QUOTAS
from perdure.engine.directory import AsyncSettings
from perdure.engine.dispatcher import Dispatcher, DispatcherSettings
from perdure.engine.engine import Engine
from perdure.engine.entropy import SystemEntropy
from perdure.engine.executions import Executions
from perdure.engine.invoker import (
    Crashed,
    DurableSettings,
    FailureKind,
    FunctionVersion,
    InvocationReport,
    InvocationRequest,
    Returned,
)
from perdure.engine.seals import Seals
from perdure.engine.starting import Starter
from perdure.protocol import executions as shapes
from perdure.protocol.wire import decode
from perdure.store.hints import Hints
from perdure.store.memory import MemoryStore

__all__ = ["Rig", "Run", "a_rig"]

NOW_MS: Final = 1_800_000_000_000
ARN: Final = "arn:aws:lambda:us-east-1:000000000000:function:f"
FUNCTION: Final = FunctionVersion(
    function_arn=ARN,
    function_name="f",
    version="1",
    revision_id="r",
    runtime="python3.11",
    handler="app.handler",
    timeout_seconds=60,
    memory_mb=128,
    durable=DurableSettings(execution_timeout_seconds=600, retention_days=1),
)


class _Clock:
    def now_ms(self) -> int:
        return NOW_MS


class _OneFunction:
    """Knows one function. Implements ``Functions``."""

    def __init__(self, function: FunctionVersion) -> None:
        self._function = function

    async def resolve(self, identifier: str, qualifier: str | None, *, draw: Any) -> Any:
        return self._function

    async def resolve_pinned(self, function_arn: str, version: str, code_sha256: str) -> Any:
        return self._function

    async def async_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        return AsyncSettings()


class Run:
    """One invocation, on whichever worker the test gives it to."""

    def __init__(self, request: InvocationRequest, executions: Executions) -> None:
        self.request = request
        self.report: asyncio.Future[InvocationReport] = asyncio.get_running_loop().create_future()
        self.envelope: dict[str, Any] = {}
        self._executions = executions
        self._worker_id: str | None = None

    def on(self, worker_id: str) -> "Run":
        """Begin on a worker."""
        self._worker_id = worker_id
        self.envelope = json.loads(self.request.payload_for(worker_id))
        return self

    @property
    def is_short(self) -> bool:
        """Whether the worker is told of changes alone."""
        return self.envelope.get("ChangesOnly") is True

    @property
    def statuses(self) -> dict[str, str]:
        """What the worker is told of operations, but for the EXECUTION."""
        found = self.envelope["InitialExecutionState"]["Operations"]
        return {one["Id"]: one["Status"] for one in found if one["Type"] != "EXECUTION"}

    async def checkpoint(self, *updates: dict[str, Any], client_token: str | None = None) -> None:
        """Store updates."""
        document = {
            "DurableExecutionArn": self.envelope["DurableExecutionArn"],
            "CheckpointToken": self.envelope["CheckpointToken"],
            "Updates": list(updates),
            **({"ClientToken": client_token} if client_token else {}),
        }
        request = decode(shapes.CheckpointDurableExecutionRequest, document)
        answer = await self._executions.checkpoint_durable_execution(request)
        self.envelope["CheckpointToken"] = answer.checkpoint_token

    def answer(self, status: str = "PENDING", **members: Any) -> None:
        """Return from the handler."""
        outcome = Returned(payload=json.dumps({"Status": status, **members}).encode())
        self._end(outcome)

    def crash(self) -> None:
        """End without an answer."""
        kind = FailureKind.EXITED
        self._end(Crashed(kind=kind, error_type=kind.value, message="it died"))

    def _end(self, outcome: Any) -> None:
        worker_id = self._worker_id
        self.report.set_result(
            InvocationReport(
                outcome=outcome, started_at_ms=NOW_MS, ended_at_ms=NOW_MS, worker_id=worker_id
            )
        )


class _Workers:
    """Hands every invocation to the test. Implements ``Invoker``."""

    def __init__(self) -> None:
        self.runs: asyncio.Queue[Run] = asyncio.Queue()
        self.executions: Executions | None = None

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        assert self.executions is not None, "the rig is put together first"
        run = Run(request, self.executions)
        self.runs.put_nowait(run)
        return await run.report

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        pass


class Rig:
    """The parts that an invocation needs."""

    def __init__(
        self,
        *,
        store: MemoryStore | None = None,
        owner: str = "test",
        hints: Hints | None = None,
        concurrency_max: int | None = None,
        **settings: Any,
    ) -> None:
        functions = _OneFunction(replace(FUNCTION, concurrency_max=concurrency_max))
        entropy, seals = SystemEntropy(), Seals(b"k" * 32)
        self._workers = _Workers()
        clock: Any = _Clock()
        self.engine = Engine(store or MemoryStore(), clock, owner=owner, hints=hints)
        self._starter = Starter(functions, entropy)
        self.executions = self._workers.executions = Executions(
            self.engine, functions, self._starter, seals, RELAXED_QUOTAS
        )
        self.dispatcher = Dispatcher(
            self.engine,
            self._workers,
            functions,
            seals,
            entropy,
            DispatcherSettings(**settings),
        )
        self.keepers = self.dispatcher.keepers
        self._count = 0

    async def start(self, *, size: int = 0) -> Identity:
        """Start an execution; its input is so large."""
        self._count += 1
        execution_id = f"{self._count:032x}"
        identity = Identity(
            id=execution_id,
            name=f"n{self._count}",
            arn=f"{ARN}:1/durable-execution/n{self._count}/{execution_id}",
            function_arn=ARN,
            invoked_arn=f"{ARN}:1",
            version="1",
            code_sha256="",
            started_at_ms=NOW_MS,
            execution_timeout_seconds=600,
            retention_days=1,
            input_sha256=b"",
        )
        await self.engine.start(Start(identity=identity, input='"' + "x" * size + '"'))
        return identity

    async def run(self) -> Run:
        """Return the next invocation."""
        return await self._workers.runs.get()

    async def tell(self, identity: Identity, command: Command) -> None:
        """Carry out a command."""
        await self.engine.carry_out(identity.id, command)

    async def call_back(self, identity: Identity, *operation_ids: str) -> None:
        """Answer callbacks."""
        for operation_id in operation_ids:
            await self.tell(identity, AnswerCallback(operation_id=operation_id, payload="1"))

    async def rest(self) -> None:
        """Return when what was answered is recorded."""
        await self.until(lambda: not self.dispatcher.running)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return when something is so that whatever runs here brings about."""
        while not is_so():  # noqa: ASYNC110 - it has no event to wait on
            await asyncio.sleep(0)

    async def suspended(self, worker_id: str, *callbacks: str, **answer: Any) -> Identity:
        """Start an execution whose handler waits for ``callbacks`` on a worker that keeps it."""
        identity = await self.start()
        run = (await self.run()).on(worker_id)
        for operation_id in callbacks:
            await run.checkpoint({"Id": operation_id, "Type": "CALLBACK", "Action": "START"})
        run.answer(**({"Kept": True} | answer))
        await self.rest()
        return identity


@asynccontextmanager
async def a_rig(**settings: Any) -> AsyncGenerator[Rig]:
    """Lend a rig, and stop what runs on it."""
    rig = Rig(**settings)
    try:
        yield rig
    finally:
        await rig.dispatcher.stop(grace_seconds=0)
