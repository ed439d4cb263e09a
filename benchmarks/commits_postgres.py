"""What a commit costs on PostgreSQL, by the store alone: for a lone caller, in groups, and the
database's CPU for each.

Every change is a checkpoint as in ``benchmarks.commits``. A server of its own is started, durable
as it must be, on a socket, with its data under ``--folder``; or ``--url`` names one, without its
CPU then. Medians of ``--rounds``.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psutil
from tests.store.clusters import a_cluster

from perdure.store.change import Change
from perdure.store.postgres import PostgresStore
from perdure.store.protocol import CommitResult

from .commits import changes

__all__ = ["main"]

LONE: Final = 2_000
CALLERS: Final = (10, 100, 400)
GROUPED: Final = 60_000

Figures = dict[str, float]
Cpu = Callable[[], float]


async def lone(store: PostgresStore, first: int, cpu: Cpu) -> Figures:
    """One caller after another: the median of ``commit`` in microseconds, the database's CPU."""
    taken: list[float] = []
    before = cpu()
    for change in changes(first, LONE):
        began = time.perf_counter()
        assert await store.commit(change) is CommitResult.COMMITTED
        taken.append(time.perf_counter() - began)
    return {
        "commit_us": statistics.median(taken[100:]) * 1e6,
        "database_cpu_s_per_1000": (cpu() - before) / LONE * 1000,
    }


async def grouped(store: PostgresStore, first: int, callers: int, cpu: Cpu) -> Figures:
    """``callers`` executions at once, each change after its own last: changes a second, and the
    CPU of the database and of this process for 1,000 of them.
    """
    rounds = GROUPED // callers
    lives = [list(changes(first + number, rounds)) for number in range(callers)]
    await asyncio.gather(*(_commit(store, life[:2]) for life in lives))
    before, began, own = cpu(), time.perf_counter(), time.process_time()
    await asyncio.gather(*(_commit(store, life[2:]) for life in lives))
    seconds, own, used = time.perf_counter() - began, time.process_time() - own, cpu() - before
    count = callers * rounds
    return {
        "per_second": count / seconds,
        "database_cpu_s_per_1000": used / count * 1000,
        "node_cpu_s_per_1000": own / count * 1000,
    }


async def _commit(store: PostgresStore, life: list[Change]) -> None:
    for change in life:
        assert await store.commit(change) is CommitResult.COMMITTED


async def measure(url: str, rounds: int, connections: int, cpu: Cpu) -> dict[str, Figures]:
    """Return the medians of all measurements."""
    store = PostgresStore(url, connections_max=connections, allows_weak_durability=True)
    await store.open()
    found: dict[str, list[Figures]] = {}
    first = time.time_ns() // 1_000_000
    for _ in range(rounds):
        found.setdefault("lone", []).append(await lone(store, first, cpu))
        for callers in CALLERS:
            first += 1_000
            figures = await grouped(store, first, callers, cpu)
            found.setdefault(f"{callers} callers", []).append(figures)
        first += 1_000
    await store.aclose()
    return {
        what: {name: statistics.median(one[name] for one in many) for name in many[0]}
        for what, many in found.items()
    }


@contextlib.contextmanager
def a_server(folder: Path) -> Iterator[tuple[str, Cpu]]:
    """Lend a durable server's address, and what CPU it has used."""
    tempfile.tempdir = str(folder)
    with a_cluster(shared_buffers="512MB", max_wal_size="4GB") as cluster:
        cluster.start()
        postmaster = psutil.Process(cluster.pid)

        def cpu() -> float:
            total = 0.0
            for process in (postmaster, *postmaster.children()):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    total += times.user + times.system
            return total

        yield cluster.url(), cpu


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.commits_postgres", description=__doc__
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--url", help="a server that is there")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    with contextlib.ExitStack() as held:
        url, cpu = (
            (given.url, lambda: 0.0) if given.url else held.enter_context(a_server(given.folder))
        )
        found = asyncio.run(measure(url, given.rounds, given.connections, cpu))
    for what, figures in found.items():
        for name, value in figures.items():
            print(f"{what:12} {name:26} {value:12,.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
