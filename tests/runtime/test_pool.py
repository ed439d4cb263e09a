"""Which run goes to which worker, and how many workers there are."""

import asyncio
import dataclasses
import json
import os
from pathlib import Path

import pytest

from perdure.engine.invoker import (
    Crashed,
    DurableSettings,
    FailureKind,
    FunctionVersion,
    InvocationReport,
    LogFormat,
    Returned,
)
from perdure.runtime.fleet import fleet_key
from tests.runtime.rig import ARN, Rig, is_alive, until, with_rig

PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"
#: Tells that it runs by a file, and returns when it can read from a pipe.
GATED = """
import os
def handler(event, context):
    open(event + ".started", "w").close()
    with open(event) as gate:
        gate.read()
    return os.getpid()
"""


class Gate:
    """Holds one run until it is opened."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        os.mkfifo(self.path)

    def is_reached(self) -> bool:
        return self.path.with_name(self.path.name + ".started").exists()

    def open(self) -> None:
        os.close(os.open(self.path, os.O_WRONLY))


def value(report: InvocationReport) -> object:
    assert isinstance(report.outcome, Returned), report
    return json.loads(report.outcome.payload)


def test_a_warm_worker_is_used_again_at_once(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[object]:
        function = rig.function(PID)
        reports = [await rig.invoke(function) for _ in range(50)]
        assert [report.init_ms is not None for report in reports] == [True] + [False] * 49
        return [value(report) for report in reports]

    assert len(set(with_rig(tmp_path, story))) == 1


def test_equal_versions_share_a_worker_and_others_do_not(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[object]:
        same = [rig.function(PID, environment={"A": "1"}) for _ in range(2)]
        other = rig.function(PID, environment={"A": "2"})
        later = rig.function(PID, environment={"A": "1"}, revision_id="r2")
        return [await rig.result(function) for function in (*same, other, later)]

    first, second, third, fourth = with_rig(tmp_path, story)
    assert first == second
    assert len({first, third, fourth}) == 3


OTHERWISE = {
    "environment": {"A": "1"},
    "durable": DurableSettings(execution_timeout_seconds=9, retention_days=1),
    "log_format": LogFormat.JSON,
    "is_tenant_isolated": True,
    "code_folder": "/elsewhere",
    "endpoint_url": "http://elsewhere",
}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(FunctionVersion)])
def test_versions_that_differ_in_anything_share_nothing(tmp_path: Path, field: str) -> None:
    function = Rig(tmp_path).function(PID)
    old = getattr(function, field)
    new = OTHERWISE.get(field) or (f"{old}x" if isinstance(old, str) else (old or 0) + 1)
    other = dataclasses.replace(function, **{field: new})
    assert (fleet_key(function) == fleet_key(other)) is (field == "concurrency_max")


def test_runs_at_the_same_time_have_a_worker_each(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[object]:
        gates = [Gate(tmp_path, f"g{n}") for n in range(4)]
        function = rig.function(GATED)
        runs = [asyncio.ensure_future(rig.invoke(function, str(gate.path))) for gate in gates]
        await until(lambda: all(gate.is_reached() for gate in gates))
        for gate in gates:
            gate.open()
        return [value(report) for report in await asyncio.gather(*runs)]

    assert len(set(with_rig(tmp_path, story))) == 4


@pytest.mark.parametrize("bound", ["function", "machine"])
def test_runs_beyond_the_bound_wait_in_order(tmp_path: Path, bound: str) -> None:
    async def story(rig: Rig) -> None:
        gates = [Gate(tmp_path, f"g{n}") for n in range(4)]
        function = rig.function(GATED, concurrency_max=1 if bound == "function" else None)
        runs: list[asyncio.Future[InvocationReport]] = []
        for gate in gates:
            runs.append(asyncio.ensure_future(rig.invoke(function, str(gate.path))))
            await asyncio.sleep(0)
        for number, gate in enumerate(gates):
            await until(gate.is_reached)
            assert [other.is_reached() for other in gates] == [n <= number for n in range(4)]
            gate.open()
            await runs[number]
        assert len({value(run.result()) for run in runs}) == 1

    with_rig(tmp_path, story, worker_max=1 if bound == "machine" else 8)


def test_a_concurrency_holds_over_all_versions_of_a_function(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        first, second = Gate(tmp_path, "a"), Gate(tmp_path, "b")
        old = rig.function(GATED, version="1", concurrency_max=1)
        new = rig.function(GATED, version="2", concurrency_max=1)
        one = asyncio.ensure_future(rig.invoke(old, str(first.path)))
        await until(first.is_reached)
        two = asyncio.ensure_future(rig.invoke(new, str(second.path)))
        # Whoever came later and may run has run by now: the second would have.
        await rig.result(rig.function(PID, function_arn=f"{ARN}-other"))
        assert not second.is_reached()
        first.open()
        await one
        await until(second.is_reached)
        second.open()
        await two

    with_rig(tmp_path, story)


def test_an_idle_worker_gives_way_where_the_machine_is_full(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        pids = [await rig.result(rig.function(PID, revision_id=f"r{n}")) for n in (1, 2, 3)]
        await until(lambda: not is_alive(pids[0]))
        assert is_alive(pids[2])

    with_rig(tmp_path, story, worker_max=2)


def test_an_idle_worker_is_retired_after_its_time(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        pid = await rig.result(rig.function(PID))
        await until(lambda: not is_alive(pid))
        assert await rig.result(rig.function(PID)) != pid

    with_rig(tmp_path, story, idle_seconds=0.1)


def test_retired_workers_finish_what_they_run(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        gate, function = Gate(tmp_path, "g"), rig.function(GATED)
        idle = rig.function(PID, version="7")
        pid = await rig.result(idle)
        await rig.result(idle)
        run = asyncio.ensure_future(rig.invoke(function, str(gate.path)))
        await until(gate.is_reached)
        await rig.pool.retire(ARN)
        await until(lambda: not is_alive(pid))
        gate.open()
        busy = value(await run)
        assert isinstance(busy, int)
        await until(lambda: not is_alive(busy))
        assert await rig.result(idle) != pid

    with_rig(tmp_path, story)


def test_one_version_alone_is_retired(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        one, two = rig.function(PID, version="1"), rig.function(PID, version="2")
        pids = [await rig.result(one), await rig.result(two)]
        await rig.pool.retire(ARN, version="1")
        assert [await rig.result(one) == pids[0], await rig.result(two) == pids[1]] == [False, True]

    with_rig(tmp_path, story)


def test_a_worker_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    code = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PID

    async def story(rig: Rig) -> None:
        pid = await rig.result(rig.function(code))
        await rig.pool.retire(ARN)
        await until(lambda: not is_alive(pid))

    with_rig(tmp_path, story, retire_seconds=0.1)


def test_a_waiting_run_that_is_cancelled_leaves_the_queue(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        gate, last = Gate(tmp_path, "g"), Gate(tmp_path, "h")
        function = rig.function(GATED, concurrency_max=1)
        first = asyncio.ensure_future(rig.invoke(function, str(gate.path)))
        await until(gate.is_reached)
        waiting = asyncio.ensure_future(rig.invoke(function, str(tmp_path / "never")))
        third = asyncio.ensure_future(rig.invoke(function, str(last.path)))
        await asyncio.sleep(0)
        waiting.cancel()
        gate.open()
        await first
        await until(last.is_reached)
        last.open()
        await third
        assert waiting.cancelled()

    with_rig(tmp_path, story)


def test_a_worker_that_died_idle_costs_no_run(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        pid = await rig.result(rig.function(PID))
        os.kill(pid, 9)
        await until(lambda: not is_alive(pid))
        assert await rig.result(rig.function(PID)) != pid

    with_rig(tmp_path, story)


def test_a_failed_start_answers_each_waiter(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        function = rig.function("1 / 0\n")
        reports = await asyncio.gather(*(rig.invoke(function) for _ in range(5)))
        for report in reports:
            assert isinstance(report.outcome, Crashed)
            assert report.outcome.error_type == "ZeroDivisionError"

    with_rig(tmp_path, story)


def test_a_shutdown_stops_runs_and_refuses_others(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        gate = Gate(tmp_path, "g")
        function = rig.function(GATED, concurrency_max=1)
        running = asyncio.ensure_future(rig.invoke(function, str(gate.path)))
        await until(gate.is_reached)
        waiting = asyncio.ensure_future(rig.invoke(function, str(gate.path)))
        await asyncio.sleep(0)
        await rig.pool.aclose()
        late = await rig.invoke(function)
        kinds = [
            report.outcome.kind
            for report in (await running, await waiting, late)
            if isinstance(report.outcome, Crashed)
        ]
        assert kinds == [
            FailureKind.CANCELLED,
            FailureKind.UNAVAILABLE,
            FailureKind.UNAVAILABLE,
        ]

    with_rig(tmp_path, story)


def test_a_run_for_which_no_worker_can_be_started_waits_before_the_next(tmp_path: Path) -> None:
    """X4: it is not counted as a failure, so that nothing else holds the next one back."""

    async def story(rig: Rig) -> None:
        (tmp_path / "tmp").write_text("where the workers' folders would be")
        report = await rig.invoke(rig.function(PID))
        assert isinstance(report.outcome, Crashed)
        assert report.outcome.kind is FailureKind.UNAVAILABLE
        assert report.outcome.retry_after_ms == 1_000
        (tmp_path / "tmp").unlink()
        assert isinstance((await rig.invoke(rig.function(PID))).outcome, Returned)

    with_rig(tmp_path, story)
