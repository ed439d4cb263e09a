"""Measures every workload on fresh servers, prints the medians, writes ``results.json``."""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.serving import ServerProcess, serving

from benchmarks import embedded, served, suspended, workloads

RESULTS = Path(__file__).parent / "results.json"

#: Workload, figure, target, whether less is better. Source: the issues of the service and the SDK.
TARGETS = {
    ("sequential_steps", "ms_per_step"): (5.0, True),
    ("raw_checkpoints", "per_second"): (6_000.0, False),
    ("resume", "p50_ms"): (20.0, True),
    ("cold_start", "cold_p50_ms"): (150.0, True),
    ("waiting", "memory_grown_mb"): (20.0, True),
    ("waiting", "restart_seconds"): (2.0, True),
    ("w1_embedded", "steps_per_second"): (2_500.0, False),
    ("w1_served", "steps_per_second"): (1_200.0, False),
    ("w2_embedded", "steps_per_second"): (6_000.0, False),
    ("w2_served", "steps_per_second"): (3_500.0, False),
    ("w2_shared", "steps_per_second"): (3_500.0, False),
    ("w2_shared", "async_steps_per_second"): (3_500.0, False),
    ("w3_embedded", "one_step_p50_ms"): (1.5, True),
    ("w3_embedded", "wait_p50_ms"): (4.0, True),
    ("w3_served", "one_step_p50_ms"): (4.0, True),
    ("w3_served", "wait_p50_ms"): (8.0, True),
    ("w4_embedded", "p50_ms"): (1.5, True),
    ("w4_served", "p50_ms"): (4.0, True),
    ("w5_suspended", "disk_bytes_each"): (1_536.0, True),
    ("w5_suspended", "memory_bytes_each"): (512.0, True),
    ("w6_embedded", "last_over_first"): (1.2, True),
    ("w6_embedded", "last_100_ms"): (1.5, True),
    ("w6_served", "last_over_first"): (1.2, True),
    ("w6_served", "last_100_ms"): (4.0, True),
    ("w7_embedded", "seconds"): (0.25, True),
    ("w7_served", "seconds"): (0.5, True),
}

#: Measured on a fresh server.
ON_A_SERVER: dict[str, Callable[[ServerProcess], workloads.Figures]] = {
    "sequential_steps": workloads.sequential_steps,
    "raw_checkpoints": workloads.raw_checkpoints,
    "resume": workloads.resume,
    "cold_start": workloads.cold_start,
    "waiting": workloads.waiting,
    "w1_served": served.sequential_steps,
    "w2_served": served.many_executions,
    "w2_shared": served.many_in_one_worker,
    "w3_served": served.short_runs,
    "w4_served": served.callbacks_answered,
    "w6_served": served.many_suspensions,
    "w7_served": served.parallel_branches,
}

#: Measured in this process, in a fresh folder.
IN_PROCESS: dict[str, Callable[[Path], workloads.Figures]] = {
    "w1_embedded": embedded.sequential_steps,
    "w2_embedded": embedded.many_executions,
    "w3_embedded": embedded.short_runs,
    "w4_embedded": embedded.callbacks_answered,
    "w5_suspended": suspended.measure,
    "w6_embedded": embedded.many_suspensions,
    "w7_embedded": embedded.parallel_branches,
}

WORKLOADS = [*ON_A_SERVER, *IN_PROCESS]
ONCE = {"waiting", "w5_suspended"}  #: so many executions that one round is enough


def main() -> int:
    """Measure; return 0 if every target is met."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("workloads", nargs="*", default=WORKLOADS, choices=[*WORKLOADS, []])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    console = Console()
    figures: dict[str, dict[str, float]] = {}
    for name in arguments.workloads:
        rounds: list[workloads.Figures] = []
        for number in range(1 if name in ONCE else arguments.rounds):
            console.print(f"{name}: round {number + 1}", style="dim")
            with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
                rounds.append(_measure(name, Path(folder)))
        figures[name] = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    _write(figures)
    return _show(console, figures)


def _measure(name: str, folder: Path) -> workloads.Figures:
    if name in IN_PROCESS:
        return IN_PROCESS[name](folder)
    with serving(folder / "data") as server:
        return ON_A_SERVER[name](server)


def _show(console: Console, figures: dict[str, dict[str, float]]) -> int:
    table = Table("workload", "figure", "median", "target", "")
    missed = 0
    for name, values in figures.items():
        for key, value in values.items():
            target = TARGETS.get((name, key))
            if target is None:
                table.add_row(name, key, f"{value:,.2f}", "", "")
                continue
            bound, is_less_better = target
            is_met = value <= bound if is_less_better else value >= bound
            missed += not is_met
            sign = "<=" if is_less_better else ">="
            table.add_row(
                name, key, f"{value:,.2f}", f"{sign} {bound:,g}", "met" if is_met else "missed"
            )
    console.print(table)
    return 1 if missed else 0


def _write(figures: dict[str, dict[str, float]]) -> None:
    document = {
        "measured_on": datetime.datetime.now(datetime.UTC).date().isoformat(),  # noqa: TID251
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.processor() or platform.machine(),
            "system": platform.platform(),
        },
        "versions": {
            "python": platform.python_version(),
            **{
                name: importlib.metadata.version(name)
                for name in ("perdure", "uvicorn", "msgspec", "boto3")
            },
        },
        "mode": "SQLite, synchronous=FULL, fsync on every acknowledged checkpoint; medians of 3",
        "figures": figures,
    }
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"figures": {}}
    document["figures"] = {**before["figures"], **figures}
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
