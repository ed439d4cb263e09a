"""One worker: a process of one function version, what state it is in, and the runs it is on.

It answers its process's Runtime API calls, writes its log, and turns whatever happens to it into
reports. A run that is cancelled, or over its time, costs the process its life, unless that is
shared: then it is given no more once a run is over its time, and ends when the others have. Which
worker gets which run is the pool's business.
"""

import asyncio
import enum
import json
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
from perdure.runtime.process_memory import ProcessMemory
from perdure.runtime.processes import Exit, Processes, ProcessSpec, WorkerProcess
from perdure.runtime.run import (
    Run,
    close_run,
    crash_of_exit,
    crash_of_oversize,
    crash_of_stop,
    crash_of_timeout,
    init_error_of_exit,
    next_reply,
    raised,
)
from perdure.runtime.runtime_api import RuntimeApiConnection, Verdict, serve_runtime_api
from perdure.runtime.slots import Slots
from perdure.runtime.worker_log import WorkerLog

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Worker", "WorkerOwner", "WorkerState"]

_GOODBYE_SECONDS: Final = 0.2  #: for what a process sent before it exited to be read
_KILL_SECONDS: Final = 5.0  #: a killed process that has not gone by then is given up
#: Of a process that runs share, nobody can tell which has used its memory: it is not asked for all.
_MEMORY_SECONDS: Final = 0.1


class WorkerState(enum.Enum):
    """Where a worker is in its life."""

    STARTING = enum.auto()
    IDLE = enum.auto()  #: its process waits for an event
    RUNNING = enum.auto()  #: one run is on, at least
    SETTLING = enum.auto()  #: it has answered, and not asked for the next event yet
    LEAVING = enum.auto()  #: it was told to end, or is on its way out
    GONE = enum.auto()


class WorkerOwner(Protocol):
    """Who is told of a worker's changes."""

    def on_free(self, worker: "Worker") -> None:
        """Take note that the worker may be given one more run."""
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
        self.slots = Slots(function.runs_per_worker_max)  #: what it runs, and what it could run
        self.idle_since = 0.0  #: on the loop's clock
        self.answered_at = 0.0  #: on the loop's clock
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
        self._is_shared = function.runs_per_worker_max > 1
        self._is_worn = False  #: a run has stayed over its time: the process is given no more
        self._back: asyncio.Future[None] | None = None
        self._exit: Exit | None = None
        self._goodbye: asyncio.TimerHandle | None = None
        believed_seconds = _MEMORY_SECONDS if self._is_shared else 0.0
        self._memory = ProcessMemory(believed_seconds=believed_seconds)
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
        now_ms = self._clock.now_ms()
        self.log.write(log_lines.init_start_line(self.function, at_ms=now_ms), at_ms=now_ms)
        self._started = self._loop.time()
        self._process = await processes.start(spec, log_fd=self.log.write_fd, on_exit=self._on_exit)
        self.log.close_write_end()
        self._memory.watch(self._process.pid)
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
        return self._memory.resident_bytes

    @property
    def can_run(self) -> bool:
        """Tell whether a run given now would reach the process."""
        is_there = self.state in (WorkerState.IDLE, WorkerState.RUNNING)
        return is_there and not self._is_worn and self.slots.can_reach()

    async def run(self, request: InvocationRequest) -> InvocationReport:
        """Give the process an event and return what came of it; only while ``can_run``, on a slot
        that was promised.

        Cancelling the call kills a process that runs nothing else; in another the code may go on,
        and nobody hears of it.
        """
        run = self._begin(request)
        try:
            return await run.report
        except asyncio.CancelledError:
            if self.slots.runs.get(request.request_id) is run and run.doom is None:
                self._end_early(run, crash_of_stop(run.request.request_id, "the run was stopped"))
            raise

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
        """Kill the process; the runs that are on end as CANCELLED."""
        for run in list(self.slots.runs.values()):
            self._doom(run, crash_of_stop(run.request.request_id, reason))
        self.kill()

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
        self._memory.close()
        self.log.close()

    # What the process says.

    def on_connect(self, connection: RuntimeApiConnection) -> None:
        """Keep the connection."""
        self._connections.add(connection)

    def on_next(self, connection: RuntimeApiConnection) -> Verdict:
        """Have a free slot."""
        if self.state in (WorkerState.LEAVING, WorkerState.GONE) or not self.slots.park(connection):
            return Verdict.WRONG_STATE
        if not self._ready.done():
            self.answered_at = self._loop.time()
            self._init_ms = (self.answered_at - self._started) * 1000
            self._ready.set_result(None)
        if not self.slots.runs:
            self.state = WorkerState.IDLE
            self.idle_since = self._loop.time()
        if self._back is not None:
            self._back.set_result(None)
            self._back = None
        if not self._is_worn:
            self._owner.on_free(self)
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
        if self.slots.hang_up(connection):
            self.kill()
        if self._exit is not None and not self._connections:
            self._conclude()

    def _fail_start(self, error: InitError) -> None:
        self._ready.set_exception(error)
        self._ready.exception()  # Retrieved here: whoever started the worker may have left.

    # Runs.

    def _begin(self, request: InvocationRequest) -> Run:
        try:
            payload = request.payload_for(self.id)
        except Exception:
            self.slots.take_back()
            self._owner.on_free(self)
            raise
        self.log.drain()
        now_ms = self._clock.now_ms()
        run = Run(
            request=request,
            report=self._loop.create_future(),
            started_at_ms=now_ms,
            started=self._loop.time(),
            log_position=self.log.tail.position,
            init_ms=self._init_ms,
        )
        run.timer = self._loop.call_later(self.function.timeout_seconds, self._on_timeout, run)
        start_line = log_lines.start_line(self.function, request.request_id, at_ms=now_ms)
        self.log.write(start_line, at_ms=now_ms)
        connection = self.slots.begin(run)
        self._init_ms, self.state = None, WorkerState.RUNNING
        connection.send_next(next_reply(request, payload))
        return run

    def _answer(self, request_id: str, outcome: InvocationOutcome) -> Verdict:
        run = self.slots.runs.get(request_id)
        if run is None:
            return Verdict.WRONG_ID if self.slots.runs else Verdict.WRONG_STATE
        if run.doom is not None and not self._is_shared:
            return Verdict.WRONG_STATE
        self.log.drain()
        self._leave(run)
        self._report(run, outcome)
        return Verdict.ACCEPTED

    def _leave(self, run: Run) -> None:
        """Take the run off the process."""
        if run.timer is not None:
            run.timer.cancel()
        self.slots.end(run)
        self.answered_at = self.idle_since = self._loop.time()
        if not self.slots.runs and self.state is WorkerState.RUNNING:
            self.state = WorkerState.IDLE if self.slots.free else WorkerState.SETTLING
        self._kill_if_worn_out()

    def _on_timeout(self, run: Run) -> None:
        self._is_worn = True
        if run.doom is None:
            crash = crash_of_timeout(run.request.request_id, self.function.timeout_seconds)
            self._end_early(run, crash)
        self._kill_if_worn_out()

    def _end_early(self, run: Run, crash: Crashed) -> None:
        """End a run that the process is still on."""
        if not self._is_shared:
            self._doom(run, crash)
            self.kill()
            return
        run.doom = crash  # and the process may answer: nobody hears of it
        self._report(run, crash)

    def _kill_if_worn_out(self) -> None:
        """Kill the process once it holds nothing but runs that have stayed over their time."""
        if self._is_worn and all(run.doom is not None for run in self.slots.runs.values()):
            self.kill()

    def _doom(self, run: Run, crash: Crashed) -> None:
        """Have the run's report follow when its processes have ended, which are killed now."""
        if run.doom is None:
            run.doom = crash
            self._loop.call_later(_KILL_SECONDS, self._report, run, crash)

    def _report(self, run: Run, outcome: InvocationOutcome) -> None:
        """Tell what came of a run, once."""
        if run.is_told:
            return
        run.is_told = True
        now = self._loop.time()
        report = close_run(
            run,
            outcome,
            log=self.log,
            ended_at_ms=self._clock.now_ms(),
            duration_ms=(now - run.started) * 1000,
            memory_used_mb=self._memory_used_mb(now),
        )
        if not run.report.done():
            run.report.set_result(report)

    def _memory_used_mb(self, now: float) -> int:
        used = self._memory.most_bytes(now) if self._exit is None else self._exit.memory_bytes
        return -(-used // 1_048_576)

    # The end.

    def _on_exit(self, how: Exit) -> None:
        """Read what the process sent before it ended, then conclude."""
        self._exit = how
        self.state = WorkerState.LEAVING
        if self._connections and (self.slots.runs or not self._ready.done()):
            self._goodbye = self._loop.call_later(_GOODBYE_SECONDS, self._conclude)
        else:
            self._conclude()

    def _conclude(self) -> None:
        if self.state is WorkerState.GONE or self._exit is None:
            return
        if self._goodbye is not None:
            self._goodbye.cancel()
        self.log.drain()
        for run in list(self.slots.runs.values()):
            self._leave(run)
            self._report(run, run.doom or crash_of_exit(run.request.request_id, self._exit))
        if not self._ready.done():
            self._fail_start(init_error_of_exit(self._exit))
        self.close()
        self._owner.on_gone(self)
