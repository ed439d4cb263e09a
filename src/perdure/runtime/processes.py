"""The server's end of the launcher: starts worker processes, tells them to end, and hears when they
did.

Knows processes, not functions. All calls belong to one event loop.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perdure.runtime.control_group import ControlGroup
from perdure.runtime.errors import LaunchError
from perdure.runtime.launcher import ORDER_BYTES_MAX, Order, Report, StartOrder

__all__ = ["Exit", "ProcessSpec", "Processes", "WorkerProcess"]

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """What to start."""

    arguments: Sequence[str]  #: the first is the program's absolute path
    environment: Mapping[str, str]  #: all of it; nothing is inherited
    folder: str
    marker: str  #: the ``NAME=value`` of the environment that no other worker has
    memory_bytes: int = 0  #: 0: unbounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process ended."""

    status: int  #: exit status, or minus the signal's number
    is_out_of_memory: bool = False
    memory_bytes: int = 0

    @property
    def reason(self) -> str:
        """Return AWS's words for it."""
        if self.status == 0:
            return "Runtime exited without providing a reason"
        if self.status > 0:
            return f"Runtime exited with error: exit status {self.status}"
        if self.status == -signal.SIGKILL:
            return "Runtime exited with error: signal: killed"
        name = (signal.strsignal(-self.status) or str(-self.status)).lower()
        return f"Runtime exited with error: signal: {name}"


class WorkerProcess:
    """One process and its descendants, from start to exit."""

    def __init__(self, owner: "Processes", name: str, on_exit: Callable[[Exit], None]) -> None:
        """Made by ``Processes.start`` alone."""
        self.name = name
        self.pid = 0  #: 0 until it has started
        self.exit: Exit | None = None
        self.group: ControlGroup | None = None
        self._owner = owner
        self._on_exit = on_exit
        self._gone = asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        """Kill it and all it started; does nothing once it has exited."""
        if self.exit is None:
            self._owner.send({"verb": "kill", "name": self.name})

    def terminate(self) -> None:
        """Ask it to end; does nothing once it has exited."""
        if self.exit is None:
            self._owner.send({"verb": "terminate", "name": self.name})

    async def wait_gone(self, seconds: float) -> bool:
        """Wait until it and all it started have ended; tell whether that came to be in time."""
        await asyncio.wait([self._gone], timeout=seconds)
        return self.exit is not None

    def finish(self, how: Exit) -> None:
        """Note how it ended; called once by ``Processes``."""
        self.exit = how
        if not self._gone.done():
            self._gone.set_result(None)
        self._on_exit(how)


class Processes:
    """Starts and ends workers through one launcher process, made when it is first needed."""

    def __init__(self, *, control_group: Path | None = None) -> None:
        """Bound workers' memory by groups below ``control_group``; if None, by watching them."""
        self._control_group = control_group
        self._socket: socket.socket | None = None
        self._launcher: subprocess.Popen[bytes] | None = None
        self._live: dict[str, WorkerProcess] = {}
        self._starting: dict[str, asyncio.Future[None]] = {}
        self._empty_groups: list[ControlGroup] = []
        self._serial = 0

    async def start(
        self, spec: ProcessSpec, *, log_fd: int, on_exit: Callable[[Exit], None]
    ) -> WorkerProcess:
        """Start a process that writes its output to ``log_fd``; the descriptor stays the caller's.

        Raises:
            LaunchError: it could not be started.
        """
        self._serial += 1
        process = WorkerProcess(self, f"w{self._serial}", on_exit)
        process.group = self._make_group(process.name, spec.memory_bytes)
        order: StartOrder = {
            "verb": "start",
            "name": process.name,
            "arguments": list(spec.arguments),
            "environment": dict(spec.environment),
            "folder": spec.folder,
            "marker": spec.marker,
            "memory_bytes": spec.memory_bytes,
            "control_group": str(process.group.path) if process.group else "",
        }
        started = asyncio.get_running_loop().create_future()
        self._live[process.name], self._starting[process.name] = process, started
        try:
            self._send_start(order, log_fd)
            await started
        except LaunchError:
            self._starting.pop(process.name, None)
            self._live.pop(process.name, None)
            self._remove_group(process)
            raise
        except asyncio.CancelledError:
            self._starting.pop(process.name, None)
            process.kill()
            raise
        return process

    def _make_group(self, name: str, memory_bytes: int) -> ControlGroup | None:
        if self._control_group is not None and memory_bytes:
            # Where groups turn out not to be ours to make, the launcher's watch bounds the memory.
            with contextlib.suppress(OSError):
                return ControlGroup(self._control_group, name, memory_bytes)
        return None

    def _remove_group(self, process: WorkerProcess) -> None:
        """Remove the group of a process that has gone; the kernel may keep it busy for a moment."""
        if process.group is not None:
            self._empty_groups.append(process.group)
            process.group = None
        self._empty_groups = [group for group in self._empty_groups if not group.remove()]

    def _send_start(self, order: StartOrder, log_fd: int) -> None:
        data = json.dumps(order).encode()
        if len(data) > ORDER_BYTES_MAX:
            message = f"the environment is {len(data)} bytes; the limit is {ORDER_BYTES_MAX}"
            raise LaunchError(message)
        try:
            socket.send_fds(self._connect(), [data], [log_fd])
        except OSError as error:
            raise LaunchError(f"the launcher does not answer: {error}") from error

    def send(self, order: Order) -> None:
        """Send an order; a launcher that is gone has taken its workers along."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(json.dumps(order).encode())

    def _connect(self) -> socket.socket:
        if self._socket is None:
            if self._launcher is not None:
                self._launcher.wait()  # It has closed its socket: it is ending or has ended.
            groups = str(self._control_group or "")
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self._launcher = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_LAUNCHER), str(theirs.fileno()), groups],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    env={},
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise LaunchError(f"the launcher does not start: {error}") from error
            finally:
                theirs.close()
            ours.setblocking(False)
            self._socket = ours
            asyncio.get_running_loop().add_reader(ours.fileno(), self._read_reports)
        return self._socket

    def _read_reports(self) -> None:
        while self._socket is not None:
            try:
                data = self._socket.recv(ORDER_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._disconnect()
                self._kill_orphans()
                self._forget_all()
                return
            self._take(json.loads(data))

    def _take(self, report: Report) -> None:
        name = report["name"]
        match report["verb"]:
            case "started":
                self._live[name].pid = report["pid"]
                if (started := self._starting.pop(name, None)) and not started.done():
                    started.set_result(None)
            case "failed":
                self._live.pop(name, None)
                if (started := self._starting.pop(name, None)) and not started.done():
                    started.set_exception(
                        LaunchError(f"the worker does not start: {report['problem']}")
                    )
            case _:
                if process := self._live.pop(name, None):
                    group = process.group
                    has_run_out = report["is_out_of_memory"] or bool(group and group.has_run_out())
                    how = Exit(
                        status=report["status"],
                        is_out_of_memory=has_run_out,
                        memory_bytes=report["memory_bytes"],
                    )
                    self._remove_group(process)
                    process.finish(how)

    def _kill_orphans(self) -> None:
        """Kill what a dead launcher left: it took the workers along, not what they started."""
        for process in self._live.values():
            with contextlib.suppress(OSError):
                if process.pid:
                    os.killpg(process.pid, signal.SIGKILL)
            for pid in process.group.pids() if process.group else ():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def _forget_all(self) -> None:
        """Note that the launcher and all workers have ended; the next start makes another."""
        starting, self._starting = self._starting, {}
        for started in starting.values():
            if not started.done():
                started.set_exception(LaunchError("the launcher died"))
        live, self._live = self._live, {}
        for process in live.values():
            self._remove_group(process)
            process.finish(Exit(status=-signal.SIGKILL))

    def _disconnect(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    async def aclose(self) -> None:
        """Kill what is left and end the launcher."""
        launcher, self._launcher = self._launcher, None
        self._disconnect()
        if launcher is not None:
            await asyncio.to_thread(launcher.wait)
        self._forget_all()
        self._empty_groups.clear()  # The launcher removed them all.
