"""W1 to W7 with our SDK in this very process: ``perdure.embedded`` on a SQLite file."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import handlers
from benchmarks.served import (
    BRANCHES,
    EXECUTIONS,
    FLAVOURS,
    ROUNDS,
    SHORT_RUNS,
    STEP_COUNT,
    WAITS,
    Ear,
    Figures,
)
from perdure.embedded import DurableService

_LET_SUSPEND_SECONDS = 0.004


@contextmanager
def opened(folder: Path, *names: str) -> Iterator[DurableService]:
    """Open a service with handlers registered."""
    with DurableService(folder / "state.db") as service:
        for name in names:
            service.register(name, getattr(handlers, name))
        yield service


def run(service: DurableService, name: str, event: Any) -> Any:
    """Run an execution to its end."""
    return service.start(name, event).result()


def sequential_steps(folder: Path) -> Figures:
    """W1: 1,000 sequential steps, in steps a second, from the start to the result."""
    figures: Figures = {}
    with opened(folder, "steps", "steps_async") as service:
        for name, figure in FLAVOURS.items():
            run(service, name, {"steps": 20})
            began = time.perf_counter()
            run(service, name, {"steps": STEP_COUNT})
            figures[figure] = STEP_COUNT / (time.perf_counter() - began)
    return figures


def many_executions(folder: Path) -> Figures:
    """W2: many executions of 10 steps at once, in steps a second."""
    figures: Figures = {}
    with opened(folder, "steps", "steps_async") as service:
        for name, figure in FLAVOURS.items():
            for handle in [service.start(name, {"steps": 10}) for _ in range(32)]:
                handle.result()
            began = time.perf_counter()
            for handle in [service.start(name, {"steps": 10}) for _ in range(EXECUTIONS)]:
                handle.result()
            seconds = time.perf_counter() - began
            figures[figure] = EXECUTIONS * 10 / seconds
    return figures


def short_runs(folder: Path) -> Figures:
    """W3: one step, from start to result; and step, wait of one second, step."""
    one: list[float] = []
    waited: list[float] = []
    with opened(folder, "steps", "step_wait_step") as service:
        for _ in range(SHORT_RUNS):
            began = time.perf_counter()
            run(service, "steps", {"steps": 1})
            one.append((time.perf_counter() - began) * 1000)
        for _ in range(WAITS):
            began = time.perf_counter()
            run(service, "step_wait_step", {})
            waited.append((time.perf_counter() - began - 1) * 1000)
    return {"one_step_p50_ms": statistics.median(one), "wait_p50_ms": statistics.median(waited)}


def callbacks_answered(folder: Path) -> Figures:
    """W4: from a callback's answer to the result of its execution."""
    ear = Ear()
    times: list[float] = []
    with opened(folder, "callback") as service:
        for _ in range(SHORT_RUNS // 2):
            handle = service.start("callback", {"port": ear.port})
            callback_id = ear.hear()
            time.sleep(_LET_SUSPEND_SECONDS)  # noqa: TID251
            began = time.perf_counter()
            service.send_callback_success(callback_id, "yes")
            handle.result()
            times.append((time.perf_counter() - began) * 1000)
    return {"p50_ms": statistics.median(times[10:])}


def many_suspensions(folder: Path) -> Figures:
    """W6: 1,000 times a step and a suspension: from each answer to the next step."""
    ear = Ear()
    times: list[float] = []
    with opened(folder, "callbacks") as service:
        handle = service.start("callbacks", {"rounds": ROUNDS, "port": ear.port})
        callback_id = ear.hear()
        for _ in range(ROUNDS - 1):
            time.sleep(_LET_SUSPEND_SECONDS)  # noqa: TID251
            began = time.perf_counter()
            service.send_callback_success(callback_id, "yes")
            callback_id = ear.hear()
            times.append((time.perf_counter() - began) * 1000)
        service.send_callback_success(callback_id, "yes")
        handle.result()
    first, last = statistics.mean(times[10:110]), statistics.mean(times[-100:])
    return {"first_100_ms": first, "last_100_ms": last, "last_over_first": last / first}


def parallel_branches(folder: Path) -> Figures:
    """W7: 1,000 parallel branches of one step each, in seconds from start to result."""
    with opened(folder, "branches") as service:
        run(service, "branches", {"branches": 10})
        began = time.perf_counter()
        run(service, "branches", {"branches": BRANCHES})
        return {"seconds": time.perf_counter() - began}
