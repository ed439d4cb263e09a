"""The process that starts and ends workers for a server.

Standard library only; run as ``python -I -S launcher.py FD GROUPS``: the descriptor of its socket,
and where the server makes control groups, or an empty word.

Its duty: fork, arrange and exec workers; reap them and everything they left behind; kill a worker's
whole process tree on demand; kill all of them when the server is gone, however it went. It is their
parent and their subreaper, so nothing a worker starts can outlive it unnoticed; a worker dies with
the launcher (PR_SET_PDEATHSIG), and the launcher ends with the server (end of file on its socket).
A small process of its own forks in a millisecond whatever the server's size, and may do between
fork and exec what a threaded server may not.

One datagram is one JSON object: an ``Order`` in, a ``Report`` out.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Iterable
from typing import Final, NoReturn, TypedDict

__all__ = ["ORDER_BYTES_MAX", "Order", "Report", "StartOrder"]

ORDER_BYTES_MAX: Final = 131_072  #: a datagram must fit the socket's buffer

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38
_WATCH_MS: Final = 50  #: between two looks at the memory of workers that no control group bounds
_SWEEP_ROUNDS_MAX: Final = 20
_REMOVE_ROUNDS_MAX: Final = 40
_FILES_MAX: Final = 1024  #: Source: Lambda quotas, file descriptors
_IGNORED_SIGNALS: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
)

_libc = ctypes.CDLL(None, use_errno=True)


class Order(TypedDict):
    """What the server asks for: ``start``, ``kill`` or ``terminate``, of the worker ``name``."""

    verb: str
    name: str


class StartOrder(Order):
    """What to start; it comes with the descriptor the worker writes its log to."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    marker: str  #: the one ``NAME=value`` of the environment that no other worker has
    memory_bytes: int  #: 0: unbounded
    control_group: str  #: the folder of the one that bounds its memory; empty: none does


class Report(TypedDict):
    """What the launcher says: ``started`` or ``failed`` to a start, then ``exited``."""

    verb: str
    name: str
    pid: int
    problem: str
    status: int  #: exit status, or minus the signal's number
    is_out_of_memory: bool
    memory_bytes: int  #: the most it held


_NO_REPORT: Final[Report] = {
    "verb": "",
    "name": "",
    "pid": 0,
    "problem": "",
    "status": 0,
    "is_out_of_memory": False,
    "memory_bytes": 0,
}


def prctl(option: int, argument: int) -> None:
    """Call prctl(2); raises OSError if it fails."""
    if _libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")


def read_text(path: str) -> str:
    """Return a small file's text, or an empty string if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def send_signal(pid: int, number: int) -> bool:
    """Send a signal to a process; tell whether it was there."""
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def kill_process_group(pid: int) -> None:
    """Kill the process group ``pid`` leads, if any of it is left."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


class Worker:
    """One process we started."""

    def __init__(self, order: StartOrder) -> None:
        """Take the order it is started by."""
        self.pid = 0
        self.marker = order["marker"].encode()
        self.memory_bytes = order["memory_bytes"]
        self.group = order["control_group"]
        self.is_over = False

    @property
    def is_watched(self) -> bool:
        """Tell whether nothing but our looking at it bounds its memory."""
        return bool(self.memory_bytes) and not self.group

    def resident_bytes(self) -> int:
        """Return the memory its first process holds now."""
        fields = read_text(f"/proc/{self.pid}/statm").split()
        return int(fields[1]) * resource.getpagesize() if len(fields) > 1 else 0


def process_parents() -> dict[int, int]:
    """Return the parent of every living process on the machine."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = read_text(f"/proc/{name}/stat")
            fields = stat[stat.rfind(")") + 2 :].split()
            if len(fields) > 1 and fields[0] != "Z":
                parents[int(name)] = int(fields[1])
    return parents


def descendants(roots: Iterable[int], parents: dict[int, int]) -> set[int]:
    """Return ``roots`` and all that descends from them."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    pending = list(roots)
    while pending:
        pid = pending.pop()
        if pid not in found:
            found.add(pid)
            pending.extend(children.get(pid, ()))
    return found


def has_marker(pid: int, marker: bytes) -> bool:
    """Tell whether a process was started with the worker's environment."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return marker in file.read().split(b"\0")
    except OSError:
        return False


class Launcher:
    """The loop: one socket, one wake-up descriptor, the workers."""

    def __init__(self, server: socket.socket) -> None:
        """Take orders from ``server``."""
        self._server = server
        self._workers: dict[str, Worker] = {}
        self._names: dict[int, str] = {}
        self._pid = os.getpid()

    def run(self) -> None:
        """Serve until the server is gone, then kill everything that is left."""
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
        for number in _IGNORED_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        poll = select.poll()
        poll.register(self._server, select.POLLIN)
        poll.register(reading, select.POLLIN)
        while True:
            watched = [worker for worker in self._workers.values() if worker.is_watched]
            ready = dict(poll.poll(_WATCH_MS if watched else None))
            if reading in ready:
                os.read(reading, 4096)
                self._reap()
            if self._server.fileno() in ready and not self._take_order():
                break
            self._watch_memory()
        self._kill_all()

    def _take_order(self) -> bool:
        """Carry out one order; tell whether the server is still there."""
        try:
            data, fds, _flags, _address = socket.recv_fds(self._server, ORDER_BYTES_MAX, 1)
        except OSError:
            return False
        if not data:
            return False
        order: StartOrder = json.loads(data)
        name = order["name"]
        if order["verb"] == "start":
            try:
                self._start(order, fds[0])
            except OSError as error:
                self._tell({**_NO_REPORT, "verb": "failed", "name": name, "problem": str(error)})
            finally:
                for fd in fds:
                    os.close(fd)
        elif name in self._workers:
            if order["verb"] == "kill":
                self._sweep(self._workers[name])
            else:
                send_signal(self._workers[name].pid, signal.SIGTERM)
        return True

    def _tell(self, report: Report) -> None:
        # A server that is gone is noticed by the next read.
        with contextlib.suppress(OSError):
            self._server.send(json.dumps(report).encode())

    def _start(self, order: StartOrder, log_fd: int) -> None:
        worker = Worker(order)
        worker.pid = os.fork()
        if worker.pid == 0:
            become_worker(order, log_fd, launcher_pid=self._pid)
        self._workers[order["name"]] = worker
        self._names[worker.pid] = order["name"]
        self._tell({**_NO_REPORT, "verb": "started", "name": order["name"], "pid": worker.pid})

    def _reap(self) -> None:
        """Collect the dead; a worker's death takes with it what it left behind."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            name = self._names.pop(pid, None)
            if name is not None:
                worker = self._workers.pop(name)
                self._sweep(worker)
                self._tell(
                    {
                        **_NO_REPORT,
                        "verb": "exited",
                        "name": name,
                        "status": os.waitstatus_to_exitcode(status),
                        "is_out_of_memory": worker.is_over,
                        "memory_bytes": usage.ru_maxrss * 1024,
                    }
                )

    def _sweep(self, worker: Worker) -> None:
        """Kill a worker's process group, its descendants, and its processes that left both."""
        for _round in range(_SWEEP_ROUNDS_MAX):
            kill_process_group(worker.pid)
            if not [pid for pid in self._find(worker) if send_signal(pid, signal.SIGKILL)]:
                return

    def _find(self, worker: Worker) -> set[int]:
        """Return the worker's living processes, wherever they went."""
        parents = process_parents()
        adopted = [
            pid for pid, parent in parents.items() if parent == self._pid and pid not in self._names
        ]
        roots = [pid for pid in adopted if has_marker(pid, worker.marker)]
        if worker.pid in parents:
            roots.append(worker.pid)
        victims = descendants(roots, parents)
        if worker.group:
            pids = read_text(os.path.join(worker.group, "cgroup.procs")).split()
            victims.update(map(int, pids))
        return victims

    def _watch_memory(self) -> None:
        for worker in self._workers.values():
            if (
                worker.is_watched
                and not worker.is_over
                and worker.resident_bytes() > worker.memory_bytes
            ):
                worker.is_over = True
                self._sweep(worker)

    def _kill_all(self) -> None:
        """Kill and reap everything that descends from us."""
        has_children = True
        while has_children:
            for pid in descendants([self._pid], process_parents()) - {self._pid}:
                send_signal(pid, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                has_children = False


def remove_groups(base: str) -> None:
    """Remove the control groups below ``base``, which hold no process any more, and ``base``."""
    for _round in range(_REMOVE_ROUNDS_MAX):
        with contextlib.suppress(OSError):
            for entry in os.scandir(base):
                if entry.is_dir():
                    os.rmdir(entry.path)
            os.rmdir(base)
        if not os.path.exists(base):
            return
        select.poll().poll(_WATCH_MS)  # The kernel is a little behind the last process's end.


def become_worker(order: StartOrder, log_fd: int, *, launcher_pid: int) -> NoReturn:
    """Arrange this forked process and exec the worker.

    What fails is written to the worker's log; the exit status is 126 or 127, as a shell's would be.
    """
    status = 126
    try:
        os.setsid()
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher_pid:
            os._exit(125)  # The launcher died before it could be our lifeline.
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES_MAX, _FILES_MAX))
        if order["control_group"]:
            _write(os.path.join(order["control_group"], "cgroup.procs"), str(os.getpid()))
        # The kernel is to take this process before the server when the machine is out of memory.
        with contextlib.suppress(OSError):
            _write("/proc/self/oom_score_adj", "500")
        # A worker that is woken does not push the server aside, which is about to wake others.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        os.umask(0o077)
        os.chdir(order["folder"])
        for number in (*_IGNORED_SIGNALS, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log_fd, 1), (log_fd, 2)):
            os.dup2(source, target)
        os.closerange(3, 256)
        status = 127
        os.execve(order["arguments"][0], order["arguments"], order["environment"])
    except BaseException as error:  # noqa: BLE001 - a forked child must never return into the launcher's loop
        os.write(2, f"cannot start {order['arguments'][0]}: {error}\n".encode())
    finally:
        os._exit(status)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _socket:
        Launcher(_socket).run()
    if sys.argv[2]:
        remove_groups(sys.argv[2])
