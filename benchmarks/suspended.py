"""W5: many suspended executions in one process on one SQLite file; what each costs in memory and on
the disk.

Each was started by name with a small input, has one finished step with a result of about 100 bytes,
and waits for a callback or for days. Every phase runs in a process of its own, so that what one
leaves in memory is not counted in the next:

- *fill* starts them, and compares its memory with that after the first ones;
- *restart* opens the engine on the file, and lists all executions page by page.

``python -m benchmarks.suspended --count 100000`` prints the figures; ``--tables`` also says which
table and index takes how much, ``--trace`` where Python's part of the memory was allocated.
"""

import argparse
import asyncio
import contextlib
import gc
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from perdure.clock import SystemClock
from perdure.core.quotas import RELAXED_QUOTAS
from perdure.engine.announcing import Announcer
from perdure.engine.directory import AsyncSettings
from perdure.engine.dispatcher import Dispatcher, DispatcherSettings
from perdure.engine.engine import Engine
from perdure.engine.entropy import SystemEntropy
from perdure.engine.executions import Executions
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
from perdure.engine.seals import Seals
from perdure.engine.starting import Origin, Starter, random_uuid
from perdure.engine.ticker import Ticker
from perdure.engine.waiting import Waiting
from perdure.protocol import executions as shapes
from perdure.protocol.wire import decode
from perdure.store.sqlite import SqliteStore

__all__ = ["CALLBACK", "WAIT", "main", "measure"]

COUNT: Final = 100_000
FIRST: Final = 2_000  #: memory is compared with that after so many
AT_ONCE: Final = 256
CALLBACK, WAIT = "callback", "wait"
FILE: Final = "state.db"
_ARN: Final = "arn:aws:lambda:us-east-1:000000000000:function:onboarding"
_RESULT: Final = json.dumps({"order": "o-4711", "status": "reserved", "note": "x" * 50})
_PENDING: Final = b'{"Status":"PENDING"}'

Figures = dict[str, float]


class _OneFunction:
    """The only function there is; its settings are as long as real ones."""

    def __init__(self) -> None:
        self.version = FunctionVersion(
            function_arn=_ARN,
            function_name="onboarding",
            version="$LATEST",
            revision_id="7c9d3b6e-5d39-4c1b-9d0f-0f6a4f0b8a11",
            runtime="python3.11",
            handler="index.handler",
            timeout_seconds=900,
            memory_mb=128,
            code_sha256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            durable=DurableSettings(execution_timeout_seconds=31_536_000, retention_days=14),
        )

    async def resolve(
        self, identifier: str, qualifier: str | None, *, draw: Callable[[], float]
    ) -> FunctionVersion:
        return self.version

    async def resolve_pinned(
        self, function_arn: str, version: str, code_sha256: str
    ) -> FunctionVersion:
        return self.version

    async def async_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        return AsyncSettings()


class _Invoker:
    """Runs the handler where it is: one step, then it suspends."""

    def __init__(self, kind: str) -> None:
        self.executions: Executions | None = None
        self._kind = kind
        self._entropy = SystemEntropy()

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        envelope = msgspec.json.decode(request.payload)
        arn, token = envelope["DurableExecutionArn"], envelope["CheckpointToken"]
        token = await self._checkpoint(arn, token, _step())
        await self._checkpoint(arn, token, _suspension(self._kind))
        return InvocationReport(outcome=Returned(payload=_PENDING), started_at_ms=0, ended_at_ms=0)

    async def _checkpoint(self, arn: str, token: str, updates: list[dict[str, Any]]) -> str:
        assert self.executions is not None, "the service is put together first"
        request = {
            "DurableExecutionArn": arn,
            "CheckpointToken": token,
            "ClientToken": random_uuid(self._entropy),
            "Updates": updates,
        }
        answer = await self.executions.checkpoint_durable_execution(
            decode(shapes.CheckpointDurableExecutionRequest, request)
        )
        assert answer.checkpoint_token is not None, "nobody pauses it"
        return answer.checkpoint_token

    def has_room(self, function: FunctionVersion) -> bool:
        return True

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        pass


def _operation_id(number: int) -> str:
    """Return an operation's id as the SDKs make it: 64 hexadecimal digits."""
    return hashlib.blake2b(str(number).encode()).hexdigest()[:64]


def _step() -> list[dict[str, Any]]:
    step = {"Id": _operation_id(1), "Type": "STEP", "Name": "reserve-stock", "SubType": "Step"}
    return [step | {"Action": "START"}, step | {"Action": "SUCCEED", "Payload": _RESULT}]


def _suspension(kind: str) -> list[dict[str, Any]]:
    one = {"Id": _operation_id(2), "Action": "START"}
    if kind == WAIT:
        wait = {"Type": "WAIT", "SubType": "Wait", "WaitOptions": {"WaitSeconds": 30 * 86_400}}
        return [one | {"Name": "cool-off"} | wait]
    options = {"CallbackOptions": {"TimeoutSeconds": 7 * 86_400}}
    return [one | {"Name": "approval", "Type": "CALLBACK", "SubType": "Callback"} | options]


class _Service:
    """Everything of a server's engine that keeps something in memory."""

    def __init__(self, store: SqliteStore, clock: SystemClock, kind: str) -> None:
        entropy, seals, self._functions = SystemEntropy(), Seals(bytes(32)), _OneFunction()
        invoker = _Invoker(kind)
        self.store = store
        self._clock = clock
        self._engine = engine = Engine(store, clock)
        self._starter = starter = Starter(self._functions, entropy)
        self.executions = Executions(engine, self._functions, starter, seals, RELAXED_QUOTAS)
        invoker.executions = self.executions
        self._waiting = Waiting(engine)
        settings = DispatcherSettings(owner="benchmark")
        self.dispatcher = Dispatcher(engine, invoker, self._functions, seals, entropy, settings)
        announcer = Announcer(engine, starter, self._functions, entropy, {})
        self._reaper = Reaper(engine, owner="benchmark")
        self._loops = (Ticker(engine), Outbox(engine, starter, announcer), Pruner(engine))

    async def begin(self) -> None:
        await self._reaper.start()
        for part in (*self._loops, self.dispatcher):
            part.start()

    async def end(self) -> None:
        await self.dispatcher.stop(grace_seconds=10)
        for part in (*self._loops, self._reaper):
            await part.stop()

    async def start(self, number: int) -> None:
        """Start an execution by name."""
        command = self._starter.start(
            self._functions.version,
            f'{{"order":"o-{number}"}}',
            Origin(name=f"order-{number}", invoked_arn=f"{_ARN}:$LATEST"),
            now_ms=self._clock.now_ms(),
        )
        await self._engine.start(command)

    async def start_all(self, numbers: range) -> None:
        """Start executions, so many at once; return when all are suspended."""
        remaining = iter(numbers)

        async def run() -> None:
            for number in remaining:
                await self.start(number)

        await asyncio.gather(*(run() for _ in range(AT_ONCE)))
        while self.dispatcher.running:  # noqa: ASYNC110 - it has no event to wait on
            await asyncio.sleep(0.01)

    async def list_all(self) -> int:
        """Read every page of the list; return how many executions there are."""
        marker, count = None, 0
        while True:
            answer = await self.executions.list_durable_executions_by_function(
                shapes.ListDurableExecutionsByFunctionRequest(
                    function_name="onboarding", marker=marker, max_items=1000
                )
            )
            count += len(answer.durable_executions or ())
            marker = answer.next_marker
            if marker is None:
                return count


@contextlib.asynccontextmanager
async def _serving(folder: Path, kind: str, *, has_process: bool) -> AsyncGenerator[_Service]:
    store = SqliteStore(folder / FILE, has_writer_process=has_process)
    clock = SystemClock()
    clock.raise_floor(await store.open())
    service = _Service(store, clock, kind)
    await service.begin()
    try:
        yield service
    finally:
        await service.end()
        await store.aclose()


def _memory_bytes() -> int:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


async def _fill(folder: Path, count: int, kind: str, *, has_process: bool) -> Figures:
    async with _serving(folder, kind, has_process=has_process) as service:
        await service.start_all(range(FIRST))
        before = _memory_bytes()
        traced = tracemalloc.get_traced_memory()[0]
        began = time.perf_counter()
        await service.start_all(range(FIRST, count))
        seconds = time.perf_counter() - began
        grown = _memory_bytes() - before
        traced = tracemalloc.get_traced_memory()[0] - traced
        log_bytes = (folder / f"{FILE}-wal").stat().st_size
        if tracemalloc.is_tracing():
            _print_trace()
    return {
        "started_per_second": (count - FIRST) / seconds,
        "memory_bytes_each": grown / (count - FIRST),
        "python_bytes_each": traced / (count - FIRST),
        "disk_bytes_each": (folder / FILE).stat().st_size / count,
        "log_mb": log_bytes / 1e6,
    }


async def _restart(folder: Path, count: int, kind: str, *, has_process: bool) -> Figures:
    with tempfile.TemporaryDirectory() as empty:
        async with _serving(Path(empty), kind, has_process=has_process) as service:
            await service.list_all()
    before = _memory_bytes()
    began = time.perf_counter()
    async with _serving(folder, kind, has_process=has_process) as service:
        ready = time.perf_counter() - began
        opened = _memory_bytes() - before
        began = time.perf_counter()
        listed = await service.list_all()
        seconds = time.perf_counter() - began
        assert listed == count, f"{listed} were listed instead of {count}"
        grown = _memory_bytes() - before
    return {
        "restart_seconds": ready,
        "restart_memory_bytes_each": opened / count,
        "listed_per_second": count / seconds,
        "listed_memory_bytes_each": grown / count,
    }


_PHASES: Final = {"fill": _fill, "restart": _restart}


def measure(folder: Path, *, count: int = COUNT, kind: str = CALLBACK, **options: bool) -> Figures:
    """Return the figures of all phases; the file stays in ``folder``.

    ``options``: ``has_process`` writes through a process beside; ``trace`` counts Python's
    allocations, several times slower.
    """
    figures: Figures = {}
    for phase in _PHASES:
        command = [sys.executable, "-m", __spec__.name, "--phase", phase, str(folder)]
        command += ["--count", str(count), "--kind", kind]
        command += [f"--{name.replace('_', '-')}" for name, is_set in options.items() if is_set]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        *notes, last = output.splitlines()
        sys.stderr.writelines(f"{note}\n" for note in notes)
        figures |= json.loads(last)
    return figures


def tables(path: Path) -> dict[str, tuple[int, int, int]]:
    """Return each table's and index's pages, bytes and payload bytes."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT name, sum(pageno > 0), sum(pgsize), sum(payload) FROM dbstat"
            " GROUP BY name ORDER BY 3 DESC"
        )
        return {name: (pages, size, payload) for name, pages, size, payload in rows}


def _print_trace() -> None:
    snapshot = tracemalloc.take_snapshot()
    for line in snapshot.statistics("lineno")[:15]:
        print(re.sub(r"^.*/src/", "", str(line)))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suspended", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="keep the file there")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--kind", choices=[CALLBACK, WAIT], default=CALLBACK)
    parser.add_argument("--has-process", action="store_true", help="write in a process beside")
    parser.add_argument("--trace", action="store_true", help="count Python's allocations")
    parser.add_argument("--tables", action="store_true", help="print each table's size")
    parser.add_argument("--phase", choices=_PHASES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase is not None:
        if given.trace:
            tracemalloc.start()
        run = _PHASES[given.phase](
            given.folder, given.count, given.kind, has_process=given.has_process
        )
        print(json.dumps(asyncio.run(run)))
        return 0
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as temporary:
        folder = given.folder or Path(temporary)
        figures = measure(
            folder,
            count=given.count,
            kind=given.kind,
            has_process=given.has_process,
            trace=given.trace,
        )
        for name, value in figures.items():
            print(f"{name:28} {value:12,.1f}")
        for name, (pages, size, payload) in tables(folder / FILE).items() if given.tables else ():
            each = (
                f"{size / given.count:9.1f} bytes each, {payload / given.count:9.1f} of them used"
            )
            print(f"{name:28} {pages:8,} pages {each}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
