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

from perdure.runtime.errors import LaunchError
from perdure.runtime.launcher import ORDER_BYTES_MAX, Order, Report, StartOrder

__all__ = ["Exit", "ProcessSpec", "Processes", "WorkerProcess", "find_control_group"]

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")


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


def find_control_group() -> str:
    """Return where control groups with a memory bound may be made for workers, or an empty string.

    Version 1: below this process's own memory group. Version 2: the same, if the memory controller
    is handed down to its children, which the kernel allows only at the root, or where the group
    itself holds no process.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            own = _CONTROL_GROUPS / "memory" / path.lstrip("/")
        elif not controllers and "memory" in _read(
            _CONTROL_GROUPS / path.lstrip("/") / "cgroup.subtree_control"
        ):
            own = _CONTROL_GROUPS / path.lstrip("/")
        else:
            continue
        if own.is_dir() and os.access(own, os.W_OK):
            return str(own / f"perdure-{os.getpid()}")
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


class Processes:
    """Starts and ends workers through one launcher process, made when it is first needed."""

    def __init__(self, *, control_group: str = "") -> None:
        """Bound workers' memory by groups below ``control_group``; if empty, by watching them."""
        self._control_group = control_group
        self._socket: socket.socket | None = None
        self._launcher: subprocess.Popen[bytes] | None = None
        self._live: dict[str, WorkerProcess] = {}
        self._starting: dict[str, asyncio.Future[None]] = {}
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
        order: StartOrder = {
            "verb": "start",
            "name": process.name,
            "arguments": list(spec.arguments),
            "environment": dict(spec.environment),
            "folder": spec.folder,
            "marker": spec.marker,
            "memory_bytes": spec.memory_bytes,
            "control_group": self._control_group,
        }
        started = asyncio.get_running_loop().create_future()
        self._live[process.name], self._starting[process.name] = process, started
        try:
            self._send_start(order, log_fd)
            await started
        except LaunchError:
            self._starting.pop(process.name, None)
            self._live.pop(process.name, None)
            raise
        except asyncio.CancelledError:
            self._starting.pop(process.name, None)
            process.kill()
            raise
        return process

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
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self._launcher = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_LAUNCHER), str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
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
                self._lose_launcher()
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
                how = Exit(
                    status=report["status"],
                    is_out_of_memory=report["is_out_of_memory"],
                    memory_bytes=report["memory_bytes"],
                )
                if process := self._live.pop(name, None):
                    process.finish(how)

    def _lose_launcher(self) -> None:
        """Note that the launcher is gone and its workers with it; the next start makes another."""
        self._disconnect()
        starting, self._starting = self._starting, {}
        for started in starting.values():
            if not started.done():
                started.set_exception(LaunchError("the launcher died"))
        live, self._live = self._live, {}
        for process in live.values():
            process.finish(Exit(status=-signal.SIGKILL))

    def _disconnect(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    async def aclose(self) -> None:
        """Kill what is left and end the launcher."""
        launcher, self._launcher = self._launcher, None
        self._lose_launcher()
        if launcher is not None:
            await asyncio.to_thread(launcher.wait)
