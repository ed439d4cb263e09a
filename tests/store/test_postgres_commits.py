"""How the store on PostgreSQL commits: in groups of any size, over more connections than one."""

import asyncio
import time
from pathlib import Path

import asyncpg
import pytest

from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.store.change import Change
from perdure.store.postgres import PostgresStore
from perdure.store.postgres_parameters import PARTITIONS
from perdure.store.postgres_row_functions import partition_of
from perdure.store.protocol import CommitResult
from tests.core.builders import FUNCTION_ARN, NOW_MS, a_begin, a_checkpoint, a_start, a_step

from .clusters import a_database
from .stores import Keeper, a_change, an_id, opened

COMMITTED = CommitResult.COMMITTED
_PLACE = f"""
SELECT {partition_of("id")}, tableoid::regclass::TEXT FROM perdure.execution WHERE id = $1
"""


def shared(folder: Path) -> PostgresStore:
    """Return a store on the database of ``folder``."""
    return PostgresStore(a_database(folder), allows_weak_durability=True)


@pytest.mark.parametrize("size", [1, 2, 8, 9, 40])
def test_groups_of_every_size_do_the_same(size: int, tmp_path: Path) -> None:
    """F2, I1: whichever function in the database commits them."""

    def starts(first: int, name: str) -> list[Change]:
        return [
            a_change(None, a_start(id=an_id(first + n), name=f"{name}-{n}")) for n in range(size)
        ]

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:

            async def committed(changes: list[Change]) -> list[bool]:
                results = await asyncio.gather(*(store.commit(change) for change in changes))
                return [result is COMMITTED for result in results]

            async def loaded() -> list[Execution]:
                found = [await store.load(an_id(n)) for n in range(size)]
                return [execution for execution in found if execution is not None]

            assert await committed(starts(0, "name")) == [True] * size
            assert await committed(starts(100, "name")) == [False] * size, "names are taken"
            assert await committed(starts(0, "other")) == [False] * size, "ids are taken"
            assert [await store.find(FUNCTION_ARN, f"other-{n}") for n in range(size)] == (
                [None] * size
            )
            begun = await loaded()
            assert len(begun) == size
            changes = [a_change(execution, a_begin()) for execution in begun]
            assert await committed(changes) == [True] * size
            half = size // 2
            steps = [a_change(one, a_checkpoint(one, a_step())) for one in await loaded()]
            changes = [*changes[:half], *steps[half:]]  # of the first half the version is no more
            assert await committed(changes) == [n >= half for n in range(size)]
            assert [len(execution.operations) for execution in await loaded()] == (
                [1] * half + [2] * (size - half)
            )
            more = [
                a_change(one, a_checkpoint(one, a_step(operation_id="more", payload=None)))
                for one in await loaded()
            ]
            changes = [*more[:half], *steps[half:]]  # each with one operation and one event
            assert await committed(changes) == [n < half for n in range(size)]
            assert [list(execution.operations)[-1] for execution in await loaded()] == (
                ["more"] * half + ["step"] * (size - half)
            )
            fresh = starts(200, "fresh")
            assert await committed([*changes, *fresh]) == [False] * size + [True] * size

    asyncio.run(story())


def test_a_lone_change_finds_its_execution_in_every_partition(tmp_path: Path) -> None:
    """And is looked for where PostgreSQL puts it, not everywhere."""

    async def story() -> None:
        admin = await asyncpg.connect(a_database(tmp_path))
        places = set[int]()
        async with opened(shared(tmp_path)) as store:
            keeper = Keeper(store)
            for n in range(100):
                execution = await keeper.start(n)
                await keeper.tell(execution, a_begin())
                change = a_change(execution, a_checkpoint(execution, a_step()))
                assert await store.commit(change) is COMMITTED
                assert await store.commit(change) is CommitResult.CONFLICT
                found = await store.load(execution.identity.id)
                assert found is not None
                assert len(found.operations) == 2
                key = bytes.fromhex(execution.identity.id)
                number, table = await admin.fetchrow(_PLACE, key)
                assert table == f"perdure.execution_{number}"
                places.add(number)
        assert places == set(range(PARTITIONS))
        await admin.close()

    asyncio.run(story())


def test_what_somebody_holds_keeps_no_other_execution_waiting(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            held, free = [await Keeper(store).start(number) for number in (1, 2)]
            admin = await asyncpg.connect(a_database(tmp_path))
            async with admin.transaction():
                await admin.execute(
                    "SELECT FROM perdure.execution WHERE id = $1 FOR UPDATE",
                    bytes.fromhex(held.identity.id),
                )
                waiting = asyncio.ensure_future(store.commit(a_change(held, a_begin())))
                until = time.monotonic() + 0.1
                while time.monotonic() < until:  # so long is nobody patient
                    await admin.execute("SELECT pg_sleep(0.01)")
                assert await store.commit(a_change(free, a_begin())) is COMMITTED
                assert not waiting.done()
            assert await waiting is COMMITTED
            await admin.close()

    asyncio.run(story())


def test_changes_of_one_execution_keep_their_order_and_outlive_their_callers(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            execution = await Keeper(store).start()
            others = [a_change(None, a_start(id=an_id(n), name=f"{n}")) for n in range(2, 30)]
            changes: list[Change] = []
            for number in range(10):
                command = (
                    a_begin()
                    if number == 0
                    else a_checkpoint(execution, a_step(operation_id=f"s{number}"))
                )
                outcome = apply(execution, command, NOW_MS)
                execution.advance(outcome)
                changes.append(Change.of(outcome))
            tasks = [asyncio.ensure_future(store.commit(one)) for one in (*changes, *others)]
            await asyncio.sleep(0)
            for task in tasks[:9]:
                task.cancel()
            assert await tasks[9] is COMMITTED
            assert await store.load(execution.identity.id) == execution
            assert await asyncio.gather(*tasks[10:]) == [COMMITTED] * len(others)

    asyncio.run(story())
