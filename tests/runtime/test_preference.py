"""Workers that keep suspended handlers: they are preferred, asked when they are there, and go last
(K1, K2).
"""

import asyncio
import json
import os
from pathlib import Path

import pytest

from perdure.engine.invoker import FunctionVersion, InvocationReport, Resumption, Returned
from perdure.engine.keepers import Keepers
from tests.runtime.rig import ARN, Rig, is_alive, until, with_rig
from tests.runtime.test_pool import Gate

ECHO = """
import os
def handler(event, context):
    if event.get("gate"):
        open(event["gate"] + ".started", "w").close()
        with open(event["gate"]) as gate:
            gate.read()
    return {"pid": os.getpid(), "told": event.get("told")}
"""
KEPT = (
    "import os\ndef handler(event, context):\n    return os.environ.get('PERDURE_KEEP_HANDLERS')\n"
)


def answer(report: InvocationReport) -> dict[str, object]:
    assert isinstance(report.outcome, Returned), report
    return json.loads(report.outcome.payload)


async def two_workers(rig: Rig, function: FunctionVersion) -> tuple[InvocationReport, ...]:
    """Return a report of each of two workers, which are idle now; the second was used last."""
    gates = [Gate(rig.folder, f"two-{n}") for n in range(2)]
    runs: list[asyncio.Future[InvocationReport]] = []
    for gate in gates:
        event = {"gate": str(gate.path)}
        runs.append(asyncio.ensure_future(rig.invoke(function, event)))
        await until(gate.is_reached)
    reports: list[InvocationReport] = []
    for gate, run in zip(gates, runs, strict=True):
        gate.open()
        reports.append(await run)
    await rest(rig)
    return tuple(reports)


async def rest(rig: Rig) -> None:
    """Return when every worker that has answered has come back for more."""
    await until(lambda: not any(worker.slots.settling for worker in rig.pool.workers()))


def resume(worker: InvocationReport) -> dict[str, object]:
    """Return the members of a request that has something of its own for a worker."""
    assert worker.worker_id is not None
    told = json.dumps({"told": "changes"}).encode()
    return {"resumption": Resumption(worker_id=worker.worker_id, payload=lambda: told)}


ALL = {"told": "all"}


def test_a_run_goes_to_the_idle_worker_it_prefers(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        function = rig.function(ECHO)
        first, second = await two_workers(rig, function)
        assert first.worker_id != second.worker_id
        for worker in (first, second, second, first):
            report = await rig.invoke(function, ALL, **resume(worker))
            assert report.worker_id == worker.worker_id
            assert answer(report) == {"pid": answer(worker)["pid"], "told": "changes"}

    with_rig(tmp_path, story)


def test_a_worker_that_is_busy_is_not_waited_for(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        function, gate = rig.function(ECHO), Gate(tmp_path, "g")
        workers = await two_workers(rig, function)
        busy = asyncio.ensure_future(rig.invoke(function, {"gate": str(gate.path)}))
        await until(gate.is_reached)
        reports = [await rig.invoke(function, ALL, **resume(worker)) for worker in workers]
        gate.open()
        keeper = await busy
        (other,) = {worker.worker_id for worker in workers} - {keeper.worker_id}
        assert [report.worker_id for report in reports] == [other, other]
        assert [answer(report)["told"] for report in reports] == [
            "all" if worker.worker_id == keeper.worker_id else "changes" for worker in workers
        ]

    with_rig(tmp_path, story)


def test_a_worker_that_is_dead_is_not_asked_and_is_forgotten(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        keepers = Keepers(per_worker_max=9)
        rig.pool.watch(keepers)
        function = rig.function(ECHO)
        report = await rig.invoke(function, {})
        assert report.worker_id is not None
        keepers.keep("a", worker_id=report.worker_id, epoch=1)
        pid = answer(report)["pid"]
        assert isinstance(pid, int)
        os.kill(pid, 9)
        await until(lambda: len(keepers) == 0)
        again = await rig.invoke(function, ALL, **resume(report))
        assert again.worker_id != report.worker_id
        assert answer(again)["told"] == "all"

    with_rig(tmp_path, story)


def test_a_retired_worker_is_forgotten(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        keepers = Keepers(per_worker_max=9)
        rig.pool.watch(keepers)
        report = await rig.invoke(rig.function(ECHO), {})
        keepers.keep("a", worker_id=str(report.worker_id), epoch=1)
        await rest(rig)
        await rig.pool.retire(ARN)
        assert len(keepers) == 0

    with_rig(tmp_path, story)


@pytest.mark.parametrize("keeps", [True, False])
def test_who_keeps_nothing_gives_way_first(tmp_path: Path, *, keeps: bool) -> None:
    async def story(rig: Rig) -> None:
        keepers = Keepers(per_worker_max=9)
        rig.pool.watch(keepers)
        oldest = await rig.invoke(rig.function(ECHO, revision_id="r1"), {})
        newer = await rig.invoke(rig.function(ECHO, revision_id="r2"), {})
        if keeps:
            keepers.keep("a", worker_id=str(oldest.worker_id), epoch=1)
        await rest(rig)
        stays, goes = (oldest, newer) if keeps else (newer, oldest)
        await rig.invoke(rig.function(ECHO, revision_id="r3"), {})
        pids = [answer(report)["pid"] for report in (goes, stays)]
        await until(lambda: not is_alive(pids[0]))  # type: ignore[arg-type]
        assert is_alive(pids[1])  # type: ignore[arg-type]

    with_rig(tmp_path, story, worker_max=2)


def test_an_event_that_cannot_be_made_costs_its_own_run_alone(tmp_path: Path) -> None:
    """X5."""

    def fail() -> bytes:
        raise RuntimeError("no event")

    async def story(rig: Rig) -> None:
        function = rig.function(ECHO)
        await rig.invoke(function, {})
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no event"):
                await rig.invoke(function, event=fail)
        assert (await rig.result(function, ALL))["told"] == "all"

    with_rig(tmp_path, story, worker_max=1)


@pytest.mark.parametrize(
    ("kept_handlers_max", "environment", "told"),
    [(7, {}, "7"), (0, {}, None), (7, {"PERDURE_KEEP_HANDLERS": "0"}, "0")],
    ids=["so many", "none", "the function's own"],
)
def test_a_worker_is_told_how_many_handlers_it_may_keep(
    tmp_path: Path, kept_handlers_max: int, environment: dict[str, str], told: str | None
) -> None:
    async def story(rig: Rig) -> object:
        return await rig.result(rig.function(KEPT, environment=environment))

    assert with_rig(tmp_path, story, kept_handlers_max=kept_handlers_max) == told
