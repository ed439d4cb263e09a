"""How a worker comes up: code, interpreter, environment, temporary folder, process.

Knows the runtimes by name. Which workers are wanted, and when, is the pool's business.
"""

import asyncio
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from perdure.clock import Clock
from perdure.engine.invoker import FunctionVersion
from perdure.runtime.code import CodeCache, LoadCode
from perdure.runtime.control_group import find_control_group
from perdure.runtime.environment import build_environment, worker_marker
from perdure.runtime.errors import InterpreterMissingError, LaunchError, WorkerError
from perdure.runtime.interpreters import BOOTSTRAP_FOLDER, Interpreters
from perdure.runtime.log_lines import log_group_of, stream_name
from perdure.runtime.node_libraries import NodeLibraries
from perdure.runtime.processes import Processes, ProcessSpec
from perdure.runtime.settings import RuntimeSettings
from perdure.runtime.worker import Worker, WorkerOwner
from perdure.runtime.worker_log import WorkerLog
from perdure.store.logs import LogStore

__all__ = ["WorkerStarter", "as_worker_error"]

_logger = logging.getLogger(__name__)


class WorkerStarter:
    """Starts workers, and cleans up after them."""

    def __init__(
        self, settings: RuntimeSettings, *, clock: Clock, logs: LogStore, load_code: LoadCode
    ) -> None:
        """Take code from ``load_code``, and send the workers' logs to ``logs``."""
        self.code = CodeCache(settings.data_folder / "code", load_code)
        self.interpreters = Interpreters()
        folder = settings.node_libraries_folder
        self.node_libraries = NodeLibraries(folder, self.interpreters) if folder else None
        self._settings = settings
        self._clock = clock
        self._logs = logs
        self._processes = Processes(
            control_group=find_control_group() if settings.limit_memory else None
        )
        self._temporary = settings.data_folder / "tmp"

    async def start(self, function: FunctionVersion, owner: WorkerOwner) -> Worker:
        """Return a worker that is ready for its first run; ``owner`` has been told that it is idle.

        Raises:
            WorkerError: it did not come up, and is gone.
        """
        task_root = await self.code.borrow(function)
        stream = stream_name(
            function.version, at_ms=self._clock.now_ms(), token=secrets.token_hex(16)
        )
        try:
            log = WorkerLog(log_group_of(function), stream, store=self._logs, clock=self._clock)
        except OSError as error:
            await self.code.give_back(task_root)
            raise LaunchError(f"no pipe for the worker's log: {error}") from error
        worker = Worker(function, owner, log=log, clock=self._clock)
        worker.task_root = task_root
        try:
            await worker.open()
            worker.folder = await asyncio.to_thread(self._make_folder)
            spec = await self._specify(worker, task_root)
            await worker.start(self._processes, spec, seconds=self._settings.init_seconds)
        except OSError as error:
            await self._give_up(worker)
            raise LaunchError(f"the worker does not start: {error}") from error
        except (WorkerError, asyncio.CancelledError):
            await self._give_up(worker)
            raise
        return worker

    async def clean(self, worker: Worker) -> None:
        """Remove what a worker that has gone left on disk."""
        if worker.task_root is not None:
            await self.code.give_back(worker.task_root)
        if worker.folder is not None:
            await asyncio.to_thread(shutil.rmtree, worker.folder, ignore_errors=True)

    async def aclose(self) -> None:
        """Kill whatever still runs, and end the launcher."""
        await self._processes.aclose()
        await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)

    async def _give_up(self, worker: Worker) -> None:
        if worker.has_process:
            worker.kill()
        else:
            worker.close()
            await self.clean(worker)

    def _make_folder(self) -> Path:
        self._temporary.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="worker-", dir=self._temporary))

    async def _specify(self, worker: Worker, task_root: Path) -> ProcessSpec:
        function = worker.function
        environment = build_environment(
            function,
            self._settings,
            task_root=str(task_root),
            runtime_folder=str(BOOTSTRAP_FOLDER),
            log_stream=worker.log.stream,
            port=worker.port,
        )
        environment["TMPDIR"] = environment["HOME"] = str(worker.folder)
        arguments = await self._command(function, task_root, environment)
        return ProcessSpec(
            arguments=arguments,
            environment=environment,
            folder=str(task_root),
            marker=worker_marker(worker.port),
            memory_bytes=function.memory_mb * 1_048_576 if self._settings.limit_memory else 0,
        )

    async def _command(
        self, function: FunctionVersion, task_root: Path, environment: dict[str, str]
    ) -> Sequence[str]:
        """Return the runtime's command line, and add to ``environment`` what it needs."""
        if function.runtime.startswith("provided"):
            return [_find_bootstrap(task_root)]
        interpreter = await self.interpreters.find(function.runtime)
        if function.runtime.startswith("python"):
            if function.code_folder is None:
                # The tree is read-only as on Lambda, also for a server that may write everywhere.
                environment.setdefault("PYTHONDONTWRITEBYTECODE", "1")
            if not interpreter.is_servers_own:
                environment["PERDURE_SERVER_PYTHON"] = self.interpreters.servers_own
            return [interpreter.path, str(BOOTSTRAP_FOLDER / "bootstrap.py")]
        if self.node_libraries is not None and not await self.node_libraries.offer():
            folder = self.node_libraries.folder
            environment.setdefault("NODE_PATH", str(folder / "node_modules"))
            environment["PERDURE_NODE_LIBRARIES"] = str(folder)
        heap_mb = max(64, function.memory_mb * 9 // 10)
        return [
            interpreter.path,
            f"--max-old-space-size={heap_mb}",
            str(BOOTSTRAP_FOLDER / "bootstrap.mjs"),
        ]


def as_worker_error(fault: Exception) -> WorkerError:
    """Return why a worker does not start; what nobody has foreseen is logged."""
    if isinstance(fault, WorkerError):
        return fault
    _logger.error("a worker does not start", exc_info=fault)
    return LaunchError(f"the worker does not start: {fault}")


def _find_bootstrap(task_root: Path) -> str:
    """Return the program of a custom runtime: ``bootstrap`` at the root of the code."""
    path = task_root / "bootstrap"
    if not path.is_file():
        raise InterpreterMissingError(
            "the code has no bootstrap at its root", error_type="Runtime.InvalidEntrypoint"
        )
    if not os.access(path, os.X_OK):
        raise InterpreterMissingError(
            "the code's bootstrap is not executable", error_type="Runtime.InvalidEntrypoint"
        )
    return str(path)
