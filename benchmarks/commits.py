"""What a commit costs on SQLite: the transaction itself, what the store adds for a lone caller, and
how many a second go through in groups.

Every change is a checkpoint that starts and ends a step, with an id as the SDKs make it and a
result of 100 bytes. ``python -m benchmarks.commits --folder /dev/shm`` leaves the disk out.
"""

import argparse
import asyncio
import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.core.builders import NOW_MS, a_begin, a_checkpoint, a_start, a_step

from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.protocol.words import OperationAction
from perdure.store.change import Change
from perdure.store.protocol import CommitResult
from perdure.store.rows import rows_of
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite_commits import Commits
from perdure.store.sqlite_migrations import migrate
from perdure.store.sqlite_schema import connect

__all__ = ["grouped", "lone", "main"]

LONE: Final = 3_000
GROUP: Final = 100
ROUNDS: Final = 100
_RESULT: Final = f'"{"x" * 98}"'

Figures = dict[str, float]


def changes(number: int, count: int) -> Iterator[Change]:
    """Yield the changes of an execution with ``count`` steps."""
    outcome = apply(None, a_start(id=f"{number:032x}", name=f"order-{number}"), NOW_MS)
    execution = Execution.of(outcome.identity, outcome.progress, outcome.operations.values())
    yield Change.of(outcome)
    outcome = apply(execution, a_begin(), NOW_MS)
    execution.advance(outcome)
    yield Change.of(outcome)
    for step in range(count):
        operation_id = hashlib.blake2b(str(step).encode()).hexdigest()[:64]
        updates = (
            a_step(operation_id=operation_id, name="charge", sub_type="Step"),
            a_step(OperationAction.SUCCEED, operation_id, payload=_RESULT),
        )
        outcome = apply(execution, a_checkpoint(execution, *updates), NOW_MS + step)
        execution.advance(outcome)
        yield Change.of(outcome)


def lone(folder: Path, *, has_process: bool = False) -> Figures:
    """One caller after another: medians of the raw transaction and of the store's ``commit``, turn
    by turn on two files, in microseconds.
    """
    return asyncio.run(_lone(folder, has_process=has_process))


async def _lone(folder: Path, *, has_process: bool) -> Figures:
    store = SqliteStore(folder / "store.db", has_writer_process=has_process)
    await store.open()
    connection = connect(folder / "raw.db", is_writer=True)
    migrate(connection)
    commits = Commits(connection)
    raw: list[float] = []
    whole: list[float] = []
    rows: list[float] = []
    for change in changes(1, LONE):
        began = time.perf_counter()
        assert await store.commit(change) is CommitResult.COMMITTED
        whole.append(time.perf_counter() - began)
        began = time.perf_counter()
        work = rows_of(change)
        rows.append(time.perf_counter() - began)
        began = time.perf_counter()
        assert commits.commit([work]) == [CommitResult.COMMITTED]
        raw.append(time.perf_counter() - began)
    await store.aclose()
    connection.close()
    medians = {"raw_us": raw, "rows_us": rows, "commit_us": whole}
    return {name: statistics.median(taken[50:]) * 1e6 for name, taken in medians.items()}


def grouped(folder: Path) -> Figures:
    """100 executions at once, each transaction a change of each: changes a second, and the writer's
    CPU for each in microseconds.
    """
    lives = [list(changes(number, ROUNDS)) for number in range(GROUP)]
    groups = [[rows_of(life[turn]) for life in lives] for turn in range(len(lives[0]))]
    connection = connect(folder / "grouped.db", is_writer=True)
    migrate(connection)
    commits = Commits(connection)
    began, cpu = time.perf_counter(), time.process_time()
    for group in groups:
        assert commits.commit(group) == [CommitResult.COMMITTED] * GROUP
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    count = GROUP * len(groups)
    return {
        "grouped_per_second": count / seconds,
        "grouped_cpu_us": cpu * 1e6 / count,
        "bytes_each": (folder / "grouped.db").stat().st_size / count,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commits", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where the files lie")
    given = parser.parse_args()
    for what, measure in (
        ("thread", lone),
        ("process", lambda folder: lone(folder, has_process=True)),
        ("groups", grouped),
    ):
        with tempfile.TemporaryDirectory(dir=given.folder, prefix=".bench-") as folder:
            for name, value in measure(Path(folder)).items():
                print(f"{what:8} {name:20} {value:12,.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
