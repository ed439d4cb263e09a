"""W1 and W2 on PostgreSQL: one node, or several that share the calls; and what the database's
processor does for them.

    python -m benchmarks.nodes [NODES]

With ``fsync``, everything on one machine. The processor's time is read from the processes, so that
it says something on a machine that others use too.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from tests.nodes.group import Group, a_group
from tests.serving import ServerProcess
from tests.store.clusters import Cluster, a_cluster

from benchmarks import served
from benchmarks.workloads import Figures

_WORKLOADS: dict[str, Callable[[ServerProcess], Figures]] = {
    "w1_served": served.sequential_steps,
    "w2_served": served.many_executions,
}


def main() -> None:
    """Measure, and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for name, workload in _WORKLOADS.items():
        with tempfile.TemporaryDirectory() as folder, a_cluster() as cluster:
            cluster.start()
            with a_group(cluster, Path(folder), count) as group:
                figures = _measure(group, cluster, workload)
        sys.stdout.write(f"{name} on {count} nodes: {figures}\n")


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
