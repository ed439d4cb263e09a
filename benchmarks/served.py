"""W1 to W7 with our SDK on a server: handlers in worker processes, everything by HTTP."""

import http.client
import json
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.serving import ServerProcess, client

from benchmarks.functions import create

Figures = dict[str, float]

HANDLERS = Path(__file__).parent / "handlers.py"
STEP_COUNT = 1_000
EXECUTIONS = 400
CALLERS = 32
SHORT_RUNS = 200
WAITS = 10
ROUNDS = 1_000
BRANCHES = 1_000
_LET_SUSPEND_SECONDS = 0.004
_CAPACITY_PROVIDER = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:perdure"
#: The handlers of W1 and W2, and what their figures are called.
FLAVOURS = {"steps": "steps_per_second", "steps_async": "async_steps_per_second"}


class Caller:
    """One keep-alive connection: a cheaper client than boto3, so that less of the figure is its."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> Any:
        """Post, and return what the answer holds."""
        self._connection.request("POST", path, body, headers or {})
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status >= 300 or answer.headers.get("X-Amz-Function-Error"):
            raise RuntimeError(f"{answer.status}: {data[:500]!r}")
        return json.loads(data) if data else None

    def invoke(self, name: str, event: Any, *, kind: str = "RequestResponse") -> Any:
        """Invoke a function; return its result."""
        return self.post(
            f"/2015-03-31/functions/{name}/invocations?Qualifier=$LATEST",
            json.dumps(event).encode(),
            {"X-Amz-Invocation-Type": kind},
        )

    def answer(self, callback_id: str) -> None:
        """Answer a callback."""
        path = f"/2025-12-01/durable-execution-callbacks/{quote(callback_id, safe='')}/succeed"
        self.post(path, b'"yes"')


class Ear:
    """Hears the ids of callbacks."""

    def __init__(self) -> None:
        """Listen on a port of its own."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(60)
        self.port: int = self._socket.getsockname()[1]

    def hear(self) -> str:
        """Return the next id."""
        return self._socket.recv(65_536).decode()


def deploy(server: ServerProcess, *names: str, runs_per_worker: int = 1) -> None:
    """Deploy handlers; so many runs may share a worker."""
    lambda_ = client("lambda", server.url, timeout=600)
    settings: dict[str, Any] = {}
    if runs_per_worker > 1:
        managed = {
            "CapacityProviderArn": _CAPACITY_PROVIDER,
            "PerExecutionEnvironmentMaxConcurrency": runs_per_worker,
        }
        settings["CapacityProviderConfig"] = {
            "LambdaManagedInstancesCapacityProviderConfig": managed
        }
    for name in names:
        create(lambda_, name, HANDLERS.read_text(), Handler=f"index.{name}", **settings)


def sequential_steps(server: ServerProcess) -> Figures:
    """W1: 1,000 sequential steps, in steps a second, from the start to the result."""
    figures: Figures = {}
    for name, figure in FLAVOURS.items():
        deploy(server, name)
        caller = Caller(server.port)
        caller.invoke(name, {"steps": 20})
        began = time.perf_counter()
        caller.invoke(name, {"steps": STEP_COUNT})
        figures[figure] = STEP_COUNT / (time.perf_counter() - began)
    return figures


def many_executions(server: ServerProcess) -> Figures:
    """W2: many executions of 10 steps, 32 callers, in steps a second; a worker for each run."""
    return {"steps_per_second": _many(server, "steps", runs_per_worker=1)}


def many_in_one_worker(server: ServerProcess) -> Figures:
    """W2 as above, where all runs share a worker."""
    return {
        figure: _many(server, name, runs_per_worker=CALLERS) for name, figure in FLAVOURS.items()
    }


def _many(server: ServerProcess, name: str, *, runs_per_worker: int) -> float:
    deploy(server, name, runs_per_worker=runs_per_worker)

    def call(count: int) -> None:
        caller = Caller(server.port)
        for _ in range(count):
            caller.invoke(name, {"steps": 10})

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(call, [2] * CALLERS))
        began = time.perf_counter()
        list(pool.map(call, [EXECUTIONS // CALLERS] * CALLERS))
        seconds = time.perf_counter() - began
    return EXECUTIONS // CALLERS * CALLERS * 10 / seconds


def short_runs(server: ServerProcess) -> Figures:
    """W3: one step, from start to result; and step, wait of one second, step."""
    deploy(server, "steps", "step_wait_step")
    caller = Caller(server.port)
    one: list[float] = []
    for _ in range(SHORT_RUNS):
        began = time.perf_counter()
        caller.invoke("steps", {"steps": 1})
        one.append((time.perf_counter() - began) * 1000)
    waited: list[float] = []
    for _ in range(WAITS):
        began = time.perf_counter()
        caller.invoke("step_wait_step", {})
        waited.append((time.perf_counter() - began - 1) * 1000)
    return {"one_step_p50_ms": statistics.median(one), "wait_p50_ms": statistics.median(waited)}


def callbacks_answered(server: ServerProcess) -> Figures:
    """W4: from a callback's answer to the result of its execution."""
    deploy(server, "callback")
    ear, answering = Ear(), Caller(server.port)
    times: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(SHORT_RUNS // 2):
            running = pool.submit(Caller(server.port).invoke, "callback", {"port": ear.port})
            callback_id = ear.hear()
            time.sleep(_LET_SUSPEND_SECONDS)  # noqa: TID251
            began = time.perf_counter()
            answering.answer(callback_id)
            running.result()
            times.append((time.perf_counter() - began) * 1000)
    return {"p50_ms": statistics.median(times[10:])}


def many_suspensions(server: ServerProcess) -> Figures:
    """W6: 1,000 times a step and a suspension: from each answer to the next step."""
    deploy(server, "callbacks")
    ear, caller = Ear(), Caller(server.port)
    caller.invoke("callbacks", {"rounds": ROUNDS, "port": ear.port}, kind="Event")
    times: list[float] = []
    callback_id = ear.hear()
    for _ in range(ROUNDS - 1):
        time.sleep(_LET_SUSPEND_SECONDS)  # noqa: TID251
        began = time.perf_counter()
        caller.answer(callback_id)
        callback_id = ear.hear()
        times.append((time.perf_counter() - began) * 1000)
    caller.answer(callback_id)
    first, last = statistics.mean(times[10:110]), statistics.mean(times[-100:])
    return {"first_100_ms": first, "last_100_ms": last, "last_over_first": last / first}


def parallel_branches(server: ServerProcess) -> Figures:
    """W7: 1,000 parallel branches of one step each, in seconds from start to result."""
    deploy(server, "branches")
    caller = Caller(server.port)
    caller.invoke("branches", {"branches": 10})
    began = time.perf_counter()
    caller.invoke("branches", {"branches": BRANCHES})
    return {"seconds": time.perf_counter() - began}
