"""The whole engine in the test's own process: on a SQLite file, by a clock that the test sets.

Handlers are coroutines of the test, so that thousands run in a second. Nothing waits for time to
pass: ``advance`` moves the clock, and the ticker is asked what is due.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from perdure.clock import Clock as EngineClock
from perdure.core.quotas import RELAXED_QUOTAS
from perdure.engine.announcing import Announcer
from perdure.engine.directory import AsyncSettings, Functions
from perdure.engine.dispatcher import Dispatcher, DispatcherSettings
from perdure.engine.engine import Engine
from perdure.engine.entropy import SystemEntropy
from perdure.engine.executions import Executions
from perdure.engine.functions import Account, FunctionCatalog
from perdure.engine.invoker import (
    DurableSettings,
    FunctionVersion,
    InvocationReport,
    InvocationRequest,
    Returned,
)
from perdure.engine.outbox import Outbox
from perdure.engine.pruner import Pruner
from perdure.engine.reaper import Reaper
from perdure.engine.seals import Seals, load_key
from perdure.engine.starting import Origin, Starter
from perdure.engine.ticker import Ticker
from perdure.protocol import executions as shapes
from perdure.protocol.wire import decode, encode
from perdure.store.sqlite import SqliteStore

__all__ = ["ARN", "Call", "Clock", "Handler", "Service", "serving_in_process"]

ARN: Final = "arn:aws:lambda:us-east-1:000000000000:function:f"
EPOCH_MS: Final = 1_800_000_000_000
PENDING: Final = {"Status": "PENDING"}


class Clock:
    """Stands still until it is set."""

    def __init__(self, at_ms: int = EPOCH_MS) -> None:
        """Show ``at_ms``."""
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """Return what it shows."""
        return self.at_ms

    def is_in_doubt(self) -> bool:
        """Return False: it is only ever set on purpose."""
        return False


class Call:
    """One invocation, as a handler has it: the raw protocol."""

    def __init__(self, executions: Executions, envelope: dict[str, Any]) -> None:
        """Read the envelope."""
        self._executions = executions
        self._token = envelope["CheckpointToken"]
        self.arn: str = envelope["DurableExecutionArn"]
        self.operations: dict[str, dict[str, Any]] = {
            operation["Id"]: operation
            for operation in envelope["InitialExecutionState"]["Operations"]
        }

    async def checkpoint(self, *updates: dict[str, Any]) -> list[dict[str, Any]]:
        """Store updates; return what has changed."""
        answer = await self._executions.checkpoint_durable_execution(
            decode(
                shapes.CheckpointDurableExecutionRequest,
                {
                    "DurableExecutionArn": self.arn,
                    "CheckpointToken": self._token,
                    "Updates": list(updates),
                },
            )
        )
        self._token = answer.checkpoint_token
        return encode(answer)["NewExecutionState"]["Operations"]


Handler = Callable[[Call], Awaitable[dict[str, Any]]]


class _OneFunction:
    """The only function there is. Its executions may last longer than the API lets one: so long
    that the longest wait is over before.
    """

    def __init__(self) -> None:
        durable = DurableSettings(execution_timeout_seconds=400 * 86_400, retention_days=1)
        self._function = FunctionVersion(
            function_arn=ARN,
            function_name="f",
            version="$LATEST",
            revision_id="r",
            runtime="python3.11",
            handler="index.handler",
            timeout_seconds=900,
            memory_mb=128,
            durable=durable,
        )

    async def resolve(
        self, identifier: str, qualifier: str | None, *, draw: Callable[[], float]
    ) -> FunctionVersion:
        return self._function

    async def resolve_pinned(
        self, function_arn: str, version: str, code_sha256: str
    ) -> FunctionVersion:
        return self._function

    async def async_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        return AsyncSettings()


class _Invoker:
    """Runs a handler where it is."""

    def __init__(self, handler: Handler) -> None:
        self.executions: Executions | None = None
        self._handler = handler

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        assert self.executions is not None, "the service is put together first"
        answer = await self._handler(Call(self.executions, msgspec.json.decode(request.payload)))
        outcome = Returned(payload=msgspec.json.encode(answer))
        return InvocationReport(outcome=outcome, started_at_ms=0, ended_at_ms=0)

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        pass


class Service:
    """One start of the engine; ``serving_in_process`` makes it."""

    def __init__(
        self, store: SqliteStore, clock: EngineClock, functions: Functions, seals: Seals
    ) -> None:
        """Prepare; ``run`` puts the parts together."""
        self.clock = clock
        self.store = store
        self.functions = functions
        self._seals = seals

    def run(self, handler: Handler) -> None:
        """Put the parts together around ``handler``."""
        entropy, seals, invoker = SystemEntropy(), self._seals, _Invoker(handler)
        self.engine = engine = Engine(self.store, self.clock, owner="test")
        self.starter = starter = Starter(self.functions, entropy)
        self.executions = Executions(engine, self.functions, starter, seals, RELAXED_QUOTAS)
        invoker.executions = self.executions
        self.dispatcher = Dispatcher(
            engine, invoker, self.functions, seals, entropy, DispatcherSettings()
        )
        self.ticker = Ticker(engine)
        announcer = Announcer(engine, starter, self.functions, entropy, {})
        self.outbox = Outbox(engine, starter, announcer)
        self.reaper = Reaper(engine)
        self.pruner = Pruner(engine)

    async def start(self, payload: str = "{}", *, function: str = "f") -> str:
        """Start an execution; return its ARN."""
        found = await self.functions.resolve(function, None, draw=lambda: 0.0)
        command = self.starter.start(
            found,
            payload,
            Origin(invoked_arn=f"{found.function_arn}:{found.version}"),
            now_ms=self.clock.now_ms(),
        )
        return (await self.engine.start(command, is_named=False)).identity.arn

    async def get(self, arn: str) -> dict[str, Any]:
        """Return GetDurableExecution's answer."""
        request = shapes.GetDurableExecutionRequest(durable_execution_arn=arn)
        return encode(await self.executions.get_durable_execution(request))

    async def history(self, arn: str) -> list[dict[str, Any]]:
        """Return the events, with their data."""
        events: list[dict[str, Any]] = []
        marker = None
        while True:
            request = shapes.GetDurableExecutionHistoryRequest(
                durable_execution_arn=arn, include_execution_data=True, marker=marker
            )
            page = encode(await self.executions.get_durable_execution_history(request))
            events += page["Events"]
            marker = page.get("NextMarker")
            if marker is None:
                return events

    async def advance(self, at_ms: int) -> None:
        """Set the clock; return when all that is due was woken, and whoever ran has ended."""
        assert isinstance(self.clock, Clock), "only the test's own clock can be set"
        self.clock.at_ms = at_ms
        while await self.ticker.run_once() == 0:
            continue
        await self.settle()

    async def settle(self) -> None:
        """Return when no invocation runs and none is wanted now."""
        while True:
            await self.dispatcher.run_once()
            if not self.dispatcher.running:
                return
            while self.dispatcher.running:  # noqa: ASYNC110 - it has no event to wait on
                await asyncio.sleep(0.005)


def catalog(store: SqliteStore, clock: EngineClock) -> Functions:
    """Return the functions that were created on a real server with this store."""
    return FunctionCatalog(
        store,
        clock=clock,
        entropy=SystemEntropy(),
        check_archive=lambda _: None,
        code_url=lambda name, sha256: "",
        account=Account(region="us-east-1", account_id="000000000000"),
    ).directory


@asynccontextmanager
async def serving_in_process(
    folder: Path, clock: EngineClock, handler: Handler, *, has_catalog: bool = False
) -> AsyncGenerator[Service]:
    """Run the engine on the data in ``folder``; the ticker is the test's to drive.

    ``has_catalog``: its functions are those of the folder, not one function of the test's.
    """
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a test has the loop to itself
    store = SqliteStore(folder / "state.db")
    await store.open()
    functions = catalog(store, clock) if has_catalog else _OneFunction()
    service = Service(store, clock, functions, Seals(load_key(folder / "secret.key")))
    service.run(handler)
    await service.reaper.start()
    service.dispatcher.start()
    service.outbox.start()
    try:
        yield service
    finally:
        await service.dispatcher.stop(grace_seconds=10)
        await service.outbox.stop()
        await service.reaper.stop()
        await store.aclose()
