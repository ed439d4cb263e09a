"""W1 and W2 on PostgreSQL: one node, or several that share the calls; and what the database's
processor does for them.

    python -m benchmarks.nodes [NODES ...] [--cpu CORES] [--workload NAME]

With ``fsync``, everything on one machine. The processor's time is read from the processes, so that
it says something on a machine that others use too. With ``--cpu`` each node, with its workers, may
use so much of a core and no more: how rates grow with nodes then shows before the database, the
callers or the machine are the limit.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import psutil
from tests.nodes.group import Group, a_group
from tests.serving import ServerProcess
from tests.store.clusters import Cluster, a_cluster

from benchmarks import served
from benchmarks.workloads import Figures

_WORKLOADS: dict[str, Callable[[ServerProcess], Figures]] = {
    "w1_served": served.sequential_steps,
    "w2_served": served.many_executions,
    "w2_shared": served.many_in_one_worker,
}


_CPU_GROUPS: Final = Path("/sys/fs/cgroup/cpu")
_PERIOD_US: Final = 100_000


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nodes")
    parser.add_argument("nodes", nargs="*", type=int, default=[1])
    parser.add_argument("--cpu", type=float, help="of a core, for each node")
    parser.add_argument("--workload", choices=sorted(_WORKLOADS), action="append")
    asked = parser.parse_args()
    for name in asked.workload or _WORKLOADS:
        for count in asked.nodes:
            with tempfile.TemporaryDirectory() as folder, a_cluster() as cluster:
                cluster.start()
                with (
                    a_group(cluster, Path(folder), count) as group,
                    _capped([node.pid for node in group], asked.cpu),
                ):
                    figures = _measure(group, cluster, _WORKLOADS[name])
            cap = f", {asked.cpu} cores each" if asked.cpu else ""
            sys.stdout.write(f"{name} on {count} nodes{cap}: {figures}\n")
            sys.stdout.flush()


@contextlib.contextmanager
def _capped(pids: Iterable[int], cores: float | None) -> Generator[None]:
    """Give each process, and all that it starts, so much of a core and no more."""
    groups: list[Path] = []
    for pid in pids if cores else ():
        group = _CPU_GROUPS / f"perdure-benchmark-{os.getpid()}-{pid}"
        group.mkdir()
        groups.append(group)
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(int(_PERIOD_US * (cores or 1))))
        for process in _families([psutil.Process(pid)]):
            (group / "cgroup.procs").write_text(str(process.pid))
    try:
        yield
    finally:
        for group in groups:
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):  # it has just ended
                    (_CPU_GROUPS / "cgroup.procs").write_text(pid)
            group.rmdir()


def _measure(
    group: Group, cluster: Cluster, workload: Callable[[ServerProcess], Figures]
) -> Figures:
    servers = _families([psutil.Process(node.pid) for node in group])
    before = _seconds(servers), _seconds(_families([psutil.Process(cluster.pid)]))
    commits = int(cluster.sql("SELECT sum(xact_commit) FROM pg_stat_database"))
    began = time.monotonic()
    with ThreadPoolExecutor(len(group.nodes)) as pool:
        found = list(pool.map(workload, group))
    seconds = time.monotonic() - began
    servers = _families([psutil.Process(node.pid) for node in group])
    node_seconds = _seconds(servers) - before[0]
    database_seconds = _seconds(_families([psutil.Process(cluster.pid)])) - before[1]
    commits = int(cluster.sql("SELECT sum(xact_commit) FROM pg_stat_database")) - commits
    summed = {key: round(sum(each[key] for each in found), 1) for key in found[0]}
    return summed | {
        "seconds": round(seconds, 1),
        "node_cpu_seconds": round(node_seconds, 1),
        "database_cpu_seconds": round(database_seconds, 1),
        "transactions": commits,
    }


def _families(parents: Iterable[psutil.Process]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for parent in parents:
        found += [parent, *parent.children(recursive=True)]
    return found


def _seconds(processes: Iterable[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


if __name__ == "__main__":
    main()
