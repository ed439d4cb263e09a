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

from benchmarks import workloads

RESULTS = Path(__file__).parent / "results.json"

#: Workload, figure, target, whether less is better. Source: the service's issue.
TARGETS = {
    ("sequential_steps", "ms_per_step"): (5.0, True),
    ("raw_checkpoints", "per_second"): (6_000.0, False),
    ("resume", "p50_ms"): (20.0, True),
    ("cold_start", "cold_p50_ms"): (150.0, True),
    ("waiting", "memory_grown_mb"): (20.0, True),
    ("waiting", "restart_seconds"): (2.0, True),
}

WORKLOADS: dict[str, Callable[[ServerProcess], workloads.Figures]] = {
    "sequential_steps": workloads.sequential_steps,
    "raw_checkpoints": workloads.raw_checkpoints,
    "resume": workloads.resume,
    "cold_start": workloads.cold_start,
    "waiting": workloads.waiting,
}


def main() -> int:
    """Measure; return 0 if every target is met."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS), choices=[*WORKLOADS, []])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    console = Console()
    figures: dict[str, dict[str, float]] = {}
    for name in arguments.workloads:
        rounds: list[workloads.Figures] = []
        for number in range(arguments.rounds if name != "waiting" else 1):
            console.print(f"{name}: round {number + 1}", style="dim")
            folder = tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-")
            with folder, serving(Path(folder.name) / "data") as server:
                rounds.append(WORKLOADS[name](server))
        figures[name] = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    _write(figures)
    return _show(console, figures)


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
