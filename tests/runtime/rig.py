"""A pool over real processes, with builders for functions, archives and requests."""

import asyncio
import contextlib
import io
import itertools
import json
import os
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from perdure.clock import SystemClock
from perdure.engine.invoker import (
    FunctionVersion,
    InvocationReport,
    InvocationRequest,
    Raised,
    Returned,
)
from perdure.runtime.code import code_sha256
from perdure.runtime.pool import WorkerPool
from perdure.runtime.settings import RuntimeSettings
from perdure.store.logs import LogQuery
from perdure.store.memory_logs import MemoryLogStore

T = TypeVar("T")
PYTHON = "python3.11"
NODE = "nodejs24.x"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:shop"


def a_zip(files: Mapping[str, str | bytes]) -> bytes:
    """Return an archive of files, the executable bit set on ``bootstrap``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if name == "bootstrap" else 0o100644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


class Rig:
    """A pool, its logs, and the code its functions run."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.archives: dict[str, bytes] = {}
        self.clock = SystemClock()
        self.logs = MemoryLogStore(clock=self.clock)
        self.settings = RuntimeSettings(
            endpoint_url="http://127.0.0.1:9", data_folder=folder, **settings
        )
        self.pool = WorkerPool(
            self.settings, clock=self.clock, logs=self.logs, load_code=self.load_code
        )
        self._serial = itertools.count(1)

    async def load_code(self, sha256: str) -> bytes:
        return self.archives[sha256]

    def function(self, files: Mapping[str, str | bytes] | str, **changes: Any) -> FunctionVersion:
        """Return a function of these files; a string is ``app.py`` with a function ``handler``."""
        data = a_zip({"app.py": files} if isinstance(files, str) else files)
        self.archives[code_sha256(data)] = data
        values: dict[str, Any] = {
            "function_arn": ARN,
            "function_name": "shop",
            "version": "$LATEST",
            "revision_id": "r1",
            "runtime": PYTHON,
            "handler": "app.handler",
            "timeout_seconds": 20,
            "memory_mb": 256,
            "code_sha256": code_sha256(data),
        }
        return FunctionVersion(**(values | changes))

    def request(
        self, function: FunctionVersion, event: object = None, **changes: Any
    ) -> InvocationRequest:
        """Return a request; bytes, and what makes bytes, are the event as they are."""
        is_made = isinstance(event, bytes) or callable(event)
        values: dict[str, Any] = {
            "function": function,
            "invoked_arn": f"{ARN}:live",
            "request_id": f"00000000-0000-4000-8000-{next(self._serial):012d}",
            "event": event if is_made else json.dumps(event).encode(),
        }
        return InvocationRequest(**(values | changes))

    async def invoke(
        self, function: FunctionVersion, event: object = None, **changes: Any
    ) -> InvocationReport:
        return await self.pool.invoke(self.request(function, event, **changes))

    async def result(self, function: FunctionVersion, event: object = None, **changes: Any) -> Any:
        """Return what the handler returned."""
        report = await self.invoke(function, event, **changes)
        assert isinstance(report.outcome, Returned), (report.outcome, report.log_tail)
        return json.loads(report.outcome.payload)

    async def error(self, function: FunctionVersion, event: object = None) -> Any:
        """Return the error document of what the handler raised."""
        report = await self.invoke(function, event)
        assert isinstance(report.outcome, Raised), (report.outcome, report.log_tail)
        return json.loads(report.outcome.payload)

    async def lines(self) -> list[str]:
        """Return the function's whole log."""
        events = await self.logs.events(LogQuery(group="/aws/lambda/shop", limit=1_000_000))
        return [event.message for event in events]


@contextlib.asynccontextmanager
async def a_rig(folder: Path, **settings: Any) -> AsyncIterator[Rig]:
    rig = Rig(folder, **settings)
    try:
        yield rig
    finally:
        await rig.pool.aclose()


def with_rig(folder: Path, story: Callable[[Rig], Coroutine[Any, Any, T]], **settings: Any) -> T:
    """Run a story on a rig of its own, and close the rig."""

    async def tell() -> T:
        async with a_rig(folder, **settings) as rig:
            return await story(rig)

    return asyncio.run(tell())


async def until(is_true: Callable[[], bool | Awaitable[bool]], seconds: float = 10.0) -> None:
    """Return when something that happens outside has happened."""
    async with asyncio.timeout(seconds):
        while True:
            answer = is_true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def has_word(pid: int, word: str) -> bool:
    """Tell whether a process's command line has ``word`` in it."""
    return word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()


def children_of(pid: int) -> list[int]:
    """Return a process's children."""
    found: list[int] = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = Path(f"/proc/{int(name)}/stat").read_text()
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(name))
    return found
