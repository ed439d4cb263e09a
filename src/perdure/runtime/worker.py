"""One worker: a process of one function version, what state it is in, and the run it is on.

It answers its process's Runtime API calls, writes its log, kills it at the timeout, and turns
whatever happens to it into a report. Which worker gets which run is the pool's business.
"""

import asyncio
import contextlib
import enum
import json
import os
import re
from typing import TYPE_CHECKING, Final, Protocol

from perdure.clock import Clock
from perdure.engine.invoker import (
    Crashed,
    FailureKind,
    FunctionVersion,
    InvocationOutcome,
    InvocationReport,
    InvocationRequest,
    Returned,
)
from perdure.runtime import log_lines
from perdure.runtime.errors import InitError
from perdure.runtime.processes import Exit, Processes, ProcessSpec, WorkerProcess
from perdure.runtime.run import (
    Run,
    crash_of_exit,
    crash_of_oversize,
    crash_of_timeout,
    figures_of,
    next_reply,
    raised,
)
from perdure.runtime.runtime_api import RuntimeApiConnection, Verdict, serve_runtime_api
from perdure.runtime.worker_log import WorkerLog

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Worker", "WorkerOwner", "WorkerState"]

_GOODBYE_SECONDS: Final = 0.2  #: for what a process sent before it exited to be read
_KILL_SECONDS: Final = 5.0  #: a killed process that has not gone by then is given up
_HIGH_WATER: Final = re.compile(rb"VmHWM:\s+(\d+) kB")
_RESIDENT: Final = re.compile(rb"VmRSS:\s+(\d+) kB")


class WorkerState(enum.Enum):
    """Where a worker is in its life."""

    STARTING = enum.auto()
    IDLE = enum.auto()  #: its process waits for an event
    RUNNING = enum.auto()
    SETTLING = enum.auto()  #: it has answered, and not asked for the next event yet
    LEAVING = enum.auto()  #: it was told to end, or is on its way out
    GONE = enum.auto()


class WorkerOwner(Protocol):
    """Who is told of a worker's changes."""

    def on_idle(self, worker: "Worker") -> None:
        """Take note that the worker may be given a run."""
        ...

    def on_gone(self, worker: "Worker") -> None:
        """Take note that the worker's process and all it started have ended."""
        ...


class Worker:
    """A process of ``function``."""

    def __init__(
        self, function: FunctionVersion, owner: WorkerOwner, *, log: WorkerLog, clock: Clock
    ) -> None:
        """Belong to ``owner``; ``open`` and ``start`` come next, in this order."""
        self.id = log.stream  #: no other worker has, or had, the same
        self.function = function
        self.state = WorkerState.STARTING
        self.log = log
        self.idle_since = 0.0  #: on the loop's clock
        self.port = 0
        self.folder: Path | None = None  #: its temporary folder, removed when it has gone
        self.task_root: Path | None = None  #: the code it runs, given back when it has gone
        self._owner = owner
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._server: asyncio.Server | None = None
        self._process: WorkerProcess | None = None
        self._connections: set[RuntimeApiConnection] = set()
        self._parked: RuntimeApiConnection | None = None
        self._run: Run | None = None
        self._back: asyncio.Future[None] | None = None
        self._exit: Exit | None = None
        self._goodbye: asyncio.TimerHandle | None = None
        self._status_fd = -1
        self._started = self._loop.time()
        self.started_at_ms = clock.now_ms()
        self._init_ms: float | None = None

    async def open(self) -> int:
        """Listen for the process's calls; return the port."""
        self._server, self.port = await serve_runtime_api(self)
        return self.port

    async def start(self, processes: Processes, spec: ProcessSpec, *, seconds: float) -> None:
        """Start the process and wait until it asks for its first event.

        Raises:
            LaunchError: the process could not be started.
            InitError: it started, but did not come up within ``seconds``.
        """
        self.log.write(log_lines.init_start_line(self.function, at_ms=self._clock.now_ms()))
        self._started = self._loop.time()
        self._process = await processes.start(spec, log_fd=self.log.write_fd, on_exit=self._on_exit)
        self.log.close_write_end()
        with contextlib.suppress(OSError):
            self._status_fd = os.open(
                f"/proc/{self._process.pid}/status", os.O_RDONLY | os.O_CLOEXEC
            )
        await asyncio.wait([self._ready], timeout=seconds)
        if not self._ready.done():
            kind = FailureKind.TIMED_OUT
            self._fail_start(InitError(f"Init timed out after {seconds:.2f} seconds", kind=kind))
            self.kill()
        if error := self._ready.exception():
            self.log.drain()
            if isinstance(error, InitError):
                error.log_tail = self.log.tail.bytes()
            raise error

    @property
    def pid(self) -> int | None:
        """Return its process's id, once it has one."""
        return None if self._process is None else self._process.pid

    def idle_ms(self) -> int | None:
        """Return for how long it has been idle; None: it is not."""
        if self.state is not WorkerState.IDLE:
            return None
        return round((self._loop.time() - self.idle_since) * 1000)

    def memory_bytes(self) -> int:
        """Return how much memory its process has now; 0 if it has none."""
        return self._memory_kb(_RESIDENT) * 1024

    @property
    def can_run(self) -> bool:
        """Tell whether a run given now would reach the process."""
        return self.state is WorkerState.IDLE and self._parked is not None and self._parked.is_open

    async def run(self, request: InvocationRequest) -> InvocationReport:
        """Give the process an event and return what came of it; only while ``can_run``.

        Cancelling the call kills the process.
        """
        run = self._begin(request)
        seconds = self.function.timeout_seconds
        timer = self._loop.call_later(
            seconds, self._doom, crash_of_timeout(request.request_id, seconds)
        )
        try:
            return await run.report
        except asyncio.CancelledError:
            if self._run is run:
                self.stop("the run was stopped")
            raise
        finally:
            timer.cancel()

    async def settle(self, seconds: float) -> None:
        """Give a process that has answered the moment it needs to come back for more."""
        if self.state is WorkerState.SETTLING:
            self._back = self._back or self._loop.create_future()
            await asyncio.wait([self._back], timeout=seconds)

    @property
    def has_process(self) -> bool:
        """Tell whether a process was started; ``on_gone`` then says when it has ended."""
        return self._process is not None

    def stop(self, reason: str) -> None:
        """Kill the process; a run that is on ends as CANCELLED."""
        if self._run is None:
            self.kill()
        else:
            kind = FailureKind.CANCELLED
            message = f"RequestId: {self._run.request.request_id} Error: {reason}"
            self._doom(Crashed(kind=kind, error_type=kind.value, message=message))

    def kill(self) -> None:
        """Kill the process and all it started."""
        if self.state is not WorkerState.GONE:
            self.state = WorkerState.LEAVING
        if self._process is not None:
            self._process.kill()

    async def retire(self, seconds: float) -> None:
        """Ask the process to end, kill it after ``seconds``, and wait until it has gone."""
        if self.state is not WorkerState.GONE:
            self.state = WorkerState.LEAVING
        if self._process is not None:
            self._process.terminate()
            if not await self._process.wait_gone(seconds):
                self._process.kill()
                await self._process.wait_gone(_KILL_SECONDS)

    def close(self) -> None:
        """Release the port, the pipe and the connections."""
        self.state = WorkerState.GONE
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        if self._status_fd >= 0:
            os.close(self._status_fd)
            self._status_fd = -1
        self.log.close()

    # What the process says.

    def on_connect(self, connection: RuntimeApiConnection) -> None:
        """Keep the connection."""
        self._connections.add(connection)

    def on_next(self, connection: RuntimeApiConnection) -> Verdict:
        """Become idle."""
        if self.state not in (WorkerState.STARTING, WorkerState.SETTLING):
            return Verdict.WRONG_STATE
        if not self._ready.done():
            self._init_ms = (self._loop.time() - self._started) * 1000
            self._ready.set_result(None)
        self._parked = connection
        self.state = WorkerState.IDLE
        self.idle_since = self._loop.time()
        if self._back is not None:
            self._back.set_result(None)
            self._back = None
        self._owner.on_idle(self)
        return Verdict.ACCEPTED

    def on_response(self, request_id: str, payload: bytes) -> Verdict:
        """End the run with the handler's result."""
        return self._answer(request_id, Returned(payload=payload))

    def on_oversize(self, request_id: str) -> Verdict:
        """End the run without its result."""
        return self._answer(request_id, crash_of_oversize())

    def on_error(self, request_id: str, error_type: str, payload: bytes) -> Verdict:
        """End the run with the handler's error."""
        return self._answer(request_id, raised(error_type, payload))

    def on_init_error(self, error_type: str, payload: bytes) -> Verdict:
        """Give up the start."""
        if self.state is not WorkerState.STARTING or self._ready.done():
            return Verdict.WRONG_STATE
        error = raised(error_type, payload)
        message = str(json.loads(error.payload).get("errorMessage", ""))
        self._fail_start(
            InitError(message, kind=FailureKind.INIT_FAILED, error_type=error.error_type)
        )
        return Verdict.ACCEPTED

    def on_disconnect(self, connection: RuntimeApiConnection) -> None:
        """Forget the connection; one that waited for an event was the process's hold on life."""
        self._connections.discard(connection)
        if self._parked is connection:
            self._parked = None
            if self.state is WorkerState.IDLE:
                self.kill()
        if self._exit is not None and not self._connections:
            self._conclude()

    def _fail_start(self, error: InitError) -> None:
        self._ready.set_exception(error)
        self._ready.exception()  # Retrieved here: whoever started the worker may have left.

    # Runs.

    def _begin(self, request: InvocationRequest) -> Run:
        payload = request.payload_for(self.id)
        connection, self._parked = self._parked, None
        assert connection is not None, "a run was given to a worker that cannot run"
        now_ms = self._clock.now_ms()
        self.log.drain()
        self.log.tail = log_lines.Tail()
        self.log.write(log_lines.start_line(self.function, request.request_id, at_ms=now_ms))
        run = Run(
            request=request,
            report=self._loop.create_future(),
            started_at_ms=now_ms,
            started=self._loop.time(),
            init_ms=self._init_ms,
        )
        self._run, self._init_ms, self.state = run, None, WorkerState.RUNNING
        deadline_ms = now_ms + self.function.timeout_seconds * 1000
        connection.send_next(next_reply(request, payload, deadline_ms=deadline_ms))
        return run

    def _answer(self, request_id: str, outcome: InvocationOutcome) -> Verdict:
        run = self._run
        if run is None or run.doom is not None:
            return Verdict.WRONG_STATE
        if run.request.request_id != request_id:
            return Verdict.WRONG_ID
        self.log.drain()
        if self.state is WorkerState.RUNNING:
            self.state = WorkerState.SETTLING
        self._end_run(outcome)
        return Verdict.ACCEPTED

    def _doom(self, crash: Crashed) -> None:
        """Kill the run; its report follows when its processes have ended."""
        if self._run is not None and self._run.doom is None:
            self._run.doom = crash
            self.kill()
            self._loop.call_later(_KILL_SECONDS, self._end_doomed, self._run)

    def _end_doomed(self, run: Run) -> None:
        if self._run is run and run.doom is not None:
            self._end_run(run.doom)

    def _end_run(self, outcome: InvocationOutcome) -> None:
        run, self._run = self._run, None
        assert run is not None, "a run ended that had not begun"
        ended_at_ms = self._clock.now_ms()
        figures = figures_of(
            run,
            outcome,
            duration_ms=(self._loop.time() - run.started) * 1000,
            memory_used_mb=self._memory_used_mb(),
        )
        if isinstance(outcome, Crashed):
            self.log.write(log_lines.crash_line(self.function, outcome, at_ms=ended_at_ms))
        self.log.write(*log_lines.report_lines(self.function, figures, at_ms=ended_at_ms))
        report = InvocationReport(
            outcome=outcome,
            started_at_ms=run.started_at_ms,
            ended_at_ms=ended_at_ms,
            billed_ms=figures.billed_ms,
            init_ms=None if run.init_ms is None else round(run.init_ms),
            memory_used_mb=figures.memory_used_mb,
            log_tail=self.log.tail.bytes(),
            worker_id=self.id,
        )
        if not run.report.done():
            run.report.set_result(report)

    def _memory_used_mb(self) -> int:
        if self._exit is not None:
            return -(-self._exit.memory_bytes // 1_048_576)
        return -(-self._memory_kb(_HIGH_WATER) // 1024)

    def _memory_kb(self, figure: re.Pattern[bytes]) -> int:
        with contextlib.suppress(OSError):
            if self._status_fd >= 0 and (
                match := figure.search(os.pread(self._status_fd, 4096, 0))
            ):
                return int(match[1])
        return 0

    # The end.

    def _on_exit(self, how: Exit) -> None:
        """Read what the process sent before it ended, then conclude."""
        self._exit = how
        self.state = WorkerState.LEAVING
        if self._connections and (self._run is not None or not self._ready.done()):
            self._goodbye = self._loop.call_later(_GOODBYE_SECONDS, self._conclude)
        else:
            self._conclude()

    def _conclude(self) -> None:
        if self.state is WorkerState.GONE or self._exit is None:
            return
        if self._goodbye is not None:
            self._goodbye.cancel()
        self.log.drain()
        if self._run is not None:
            self._end_run(self._run.doom or crash_of_exit(self._run.request.request_id, self._exit))
        if not self._ready.done():
            kind = (
                FailureKind.OUT_OF_MEMORY
                if self._exit.is_out_of_memory
                else FailureKind.INIT_FAILED
            )
            error_type = kind.value if self._exit.is_out_of_memory else FailureKind.EXITED.value
            self._fail_start(InitError(self._exit.reason, kind=kind, error_type=error_type))
        self.close()
        self._owner.on_gone(self)
