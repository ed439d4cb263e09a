"""What a commit, a claim and a look at what is due cost on PostgreSQL, few executions and many.

Fills a server of its own with rows of the sizes that real ones have, and asks the database what
each statement touches: ``EXPLAIN (ANALYZE, BUFFERS)``, and the plans inside the functions by
``auto_explain``. ``python -m benchmarks.plans_postgres --executions 1000000 --plans`` prints both.
"""

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import asyncpg
from tests.store.clusters import QUICK, a_cluster

from perdure.store.postgres_connections import Address
from perdure.store.postgres_functions import CLAIM_UPCOMING, READ_EXECUTION
from perdure.store.postgres_migrations import migrate
from perdure.store.postgres_reads import SELECT_UPCOMING
from perdure.store.postgres_rows import piece_of, statement_of
from perdure.store.protocol import Agenda

from .commits import changes

__all__ = ["main"]

FEW: Final = 10_000
RUNS: Final = 200
NOW_MS: Final = 1_700_000_000_000
_DAY_MS: Final = 86_400_000

_FILL: Final = (
    """
    INSERT INTO perdure.pin SELECT decode(md5('pin' || n), 'hex'), decode(md5('f' || n), 'hex'),
        'arn:aws:lambda:us-east-1:000000000000:function:f' || n, '1', true, repeat('x', 300)::BYTEA,
        repeat('x', 300)::BYTEA FROM generate_series(1, 50) n
    """,
    # Nine of ten have ended; of the others one in a hundred wants to run, one runs, the rest wait.
    """
    INSERT INTO perdure.execution (id, started_at_ms, updated_at_ms, wake_at_ms, ready_at_ms,
        lease_until_ms, expires_at_ms, version, checksum, identity_checksum, pin, name, identity,
        status, progress)
    SELECT decode(md5(n::TEXT), 'hex'), $1 - n * 100, $1 - n * 50,
        CASE WHEN n % 10 = 0 THEN $1 + n * 1000 END, CASE WHEN n % 1000 = 0 THEN $1 - n END,
        CASE WHEN n % 1000 = 10 THEN $1 + n % 60000 END,
        CASE WHEN n % 10 <> 0 THEN $1 + $2 + n * 100 END,
        5, n % 1000, n % 1000, decode(md5('pin' || n % 50 + 1), 'hex'), ('order-' || n)::BYTEA,
        repeat('i', 40)::BYTEA, CASE WHEN n % 10 = 0 THEN 'RUNNING' ELSE 'SUCCEEDED' END,
        repeat('p', 90)::BYTEA
    FROM generate_series(1, $3::BIGINT) n
    """,
    """
    INSERT INTO perdure.name SELECT decode(md5('f' || n % 50 + 1), 'hex'), ('order-' || n)::BYTEA,
        ''::BYTEA, decode(md5(n::TEXT), 'hex'), 1 FROM generate_series(1, $1::BIGINT) n
    """,
    """
    INSERT INTO perdure.operation SELECT decode(md5(n::TEXT), 'hex'), p, p, 1,
        decode(md5(p::TEXT), 'hex'), repeat('b', 40)::BYTEA, repeat('y', 100)::BYTEA, NULL
    FROM generate_series(1, $1::BIGINT) n, generate_series(1, 2) p
    """,
    """
    INSERT INTO perdure.event SELECT decode(md5(n::TEXT), 'hex'), p * 2, 1, repeat('e', 40)::BYTEA
    FROM generate_series(1, $1::BIGINT) n, generate_series(1, 2) p
    """,
)

Figures = dict[str, tuple[float, float]]  #: by statement: pages touched, milliseconds; medians


async def fill(url: str, executions: int) -> None:
    """Put ``executions`` into an empty database."""
    connection = await Address(url).connect()
    await migrate(connection)
    pins, rows, *rest = _FILL
    await connection.execute(pins)
    await connection.execute(rows, NOW_MS, 14 * _DAY_MS, executions)
    for statement in rest:
        await connection.execute(statement, executions)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def measure(url: str) -> Figures:
    """Return what each statement costs."""
    connection = await asyncpg.connect(url)
    figures: Figures = {}
    for name, ask in _statements(connection).items():
        found = [await ask(number) for number in range(RUNS)][RUNS // 10 :]
        figures[name] = (
            statistics.median(pages for pages, _ in found),
            statistics.median(ms for _, ms in found),
        )
    await connection.close()
    return figures


def _statements(
    connection: Any, first: int = 1_000_000_000
) -> dict[str, Callable[[int], Awaitable[tuple[float, float]]]]:
    lives = [list(changes(first + number, RUNS)) for number in range(100)]

    async def commit(turn: int, count: int) -> tuple[float, float]:
        pieces = sorted((piece_of(life[turn]) for life in lives[:count]), key=lambda p: p.rows.key)
        statement = statement_of(pieces, set(), "on", 2_000)
        return await explain(connection, statement.sql, *statement.values)

    async def group(number: int) -> tuple[float, float]:
        return await commit(number, 100)

    async def alone(number: int) -> tuple[float, float]:
        life = changes(first + 1_000 + number, 1)
        cost = (0.0, 0.0)
        for change in life:
            statement = statement_of([piece_of(change)], set(), "on", 2_000)
            cost = await explain(connection, statement.sql, *statement.values)
        return cost

    async def claim(number: int) -> tuple[float, float]:
        at_ms = NOW_MS + number * 10_000  # what was claimed before is free again
        given = (NOW_MS, 100, f"node-{number % 3}", at_ms, at_ms + 5_000)
        return await explain(connection, CLAIM_UPCOMING[Agenda.READY], *given)

    async def due(number: int) -> tuple[float, float]:
        return await explain(connection, SELECT_UPCOMING[Agenda.WAKE], NOW_MS + 9 * 10**6, 100)

    async def load(number: int) -> tuple[float, float]:
        key = await connection.fetchval("SELECT decode(md5($1::TEXT), 'hex')", str(number + 1))
        return await explain(connection, READ_EXECUTION, key, -1, -1)

    return {
        "a checkpoint alone": alone,
        "100 checkpoints in a group": group,
        "a claim of up to 100 that are ready": claim,
        "the next 100 timers": due,
        "an execution with two operations": load,
    }


async def explain(connection: Any, sql: str, *values: Any) -> tuple[float, float]:
    """Return the pages that a statement touched, and its milliseconds."""
    (said,) = json.loads(
        await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *values)
    )
    plan = said["Plan"]
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return pages, said["Execution Time"]


async def plans(url: str) -> str:
    """Return the plans of the statements, also of those inside the functions."""
    connection = await asyncpg.connect(url)
    heard: list[str] = []
    connection.add_log_listener(lambda _, notice: heard.append(notice.message))
    for setting in (
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_nested_statements = on",
        "auto_explain.log_analyze = on",
        "auto_explain.log_buffers = on",
        "auto_explain.log_timing = off",
        "client_min_messages = log",
    ):
        await connection.execute(f"LOAD 'auto_explain'; SET {setting}")
    heard.clear()
    parts: list[str] = []
    for name, ask in _statements(connection, 2_000_000_000).items():
        for number in range(3):
            # The last of an execution's changes is a checkpoint as most are.
            heard.clear()
            await ask(number)
        shown = [one for one in heard if "EXPLAIN" not in one and "Query Text" in one]
        parts.append(f"### {name}\n\n" + "\n".join(f"```\n{_trimmed(one)}\n```" for one in shown))
    await connection.close()
    return "\n\n".join(parts)


def _trimmed(plan: str) -> str:
    """Leave out the text of the query, and the partitions that were not touched."""
    lines = plan.partition("\n")[2].splitlines()
    start = next((n for n, line in enumerate(lines) if "cost=" in line), 0)
    kept: list[str] = []
    skipped = None
    for line in lines[start:]:
        depth = len(line) - len(line.lstrip())
        if skipped is not None and depth > skipped:
            continue
        skipped = depth if "never executed" in line else None
        if skipped is None:
            kept.append(re.sub(r"\(cost=\S+ rows=\d+ width=\d+\) ", "", line))
    return "\n".join(kept)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.plans_postgres", description=__doc__
    )
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--plans", action="store_true", help="print the plans as well")
    given = parser.parse_args()
    tempfile.tempdir = str(given.folder)
    with a_cluster(**QUICK, shared_buffers="512MB", max_wal_size="8GB") as cluster:
        cluster.start()
        figures: list[Figures] = []
        shown = ""
        for count in (FEW, given.executions):
            cluster.sql(f"CREATE DATABASE of_{count}")
            asyncio.run(fill(cluster.url(f"of_{count}"), count))
            figures.append(asyncio.run(measure(cluster.url(f"of_{count}"))))
            if given.plans and count == given.executions:
                shown = asyncio.run(plans(cluster.url(f"of_{count}")))
    print(f"| | {FEW:,}: pages, ms | {given.executions:,}: pages, ms |\n| --- | --- | --- |")
    for name in figures[0]:
        cells = [f"{pages:,.0f}, {ms:.2f}" for pages, ms in (one[name] for one in figures)]
        print(f"| {name} | {' | '.join(cells)} |")
    print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
