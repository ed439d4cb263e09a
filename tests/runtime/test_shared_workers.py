"""Workers that several runs share: who is kept apart, and who ends with whom."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from perdure.engine.invoker import Crashed, FailureKind, InvocationReport, LogFormat, Returned
from perdure.runtime.worker import WorkerState
from tests.runtime.rig import ARN, NODE, Rig, is_alive, until, with_rig
from tests.runtime.test_pool import GATED, PID, Gate, value

#: As ``GATED``; says in the log what it is told to, before and after it waits.
TALKS = """
import logging, os
logging.getLogger().setLevel("INFO")
def handler(event, context):
    logging.info("begins %s", event["word"])
    print(event["word"], end=" ")
    open(event["gate"] + ".started", "w").close()
    with open(event["gate"]) as gate:
        gate.read()
    print("and", event["word"])
    logging.info("ends %s", event["word"])
"""


class Runs:
    """Runs of one function that wait behind gates."""

    def __init__(self, rig: Rig, **changes: object) -> None:
        self.rig = rig
        self.function = rig.function(GATED, **({"runs_per_worker_max": 3} | changes))
        self.gates: list[Gate] = []
        self.reports: list[asyncio.Future[InvocationReport]] = []

    async def begin(self, count: int) -> None:
        """Begin so many more, one after the other."""
        for _ in range(count):
            gate = Gate(self.rig.folder, f"gate-{len(self.gates)}")
            self.gates.append(gate)
            report = self.rig.invoke(self.function, str(gate.path))
            self.reports.append(asyncio.ensure_future(report))
            await until(gate.is_reached)
            await until(lambda: not any(one.slots.settling for one in self.rig.pool.workers()))

    async def end(self, number: int) -> object:
        """Let one end; return its worker's process."""
        self.gates[number].open()
        return value(await self.reports[number])


def crash(report: InvocationReport) -> Crashed:
    assert isinstance(report.outcome, Crashed), report
    return report.outcome


def test_a_worker_takes_as_many_runs_as_its_function_allows(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig)
        await runs.begin(4)
        pids = [await runs.end(number) for number in range(4)]
        assert pids[0] == pids[1] == pids[2] != pids[3]
        assert [report.result().init_ms is None for report in runs.reports] == [
            False,
            True,
            True,
            False,
        ]

    with_rig(tmp_path, story)


def test_awss_own_runtime_client_takes_several_runs(tmp_path: Path) -> None:
    """It has a process for each, which share the worker."""
    pytest.importorskip("awslambdaric")
    files = {
        "bootstrap": f'#!/bin/sh\nexec {sys.executable} -m awslambdaric "$_HANDLER"\n',
        "app.py": GATED,
    }

    async def story(rig: Rig) -> None:
        runs = Runs(rig)
        runs.function = rig.function(files, runtime="provided.al2023", runs_per_worker_max=3)
        await runs.begin(3)
        pids = [await runs.end(number) for number in range(3)]
        assert len(set(pids)) == 3
        assert len({report.result().worker_id for report in runs.reports}) == 1

    with_rig(tmp_path, story)


@pytest.mark.parametrize("runs", [1, 2])
def test_a_function_may_have_modules_of_our_names(tmp_path: Path, runs: int) -> None:
    files = {
        "app.py": "import runtime_rules, runtime_concurrency\n"
        "def handler(event, context):\n"
        "    return [runtime_rules.OWN, runtime_concurrency.OWN]\n",
        "runtime_rules.py": "OWN = 1\n",
        "runtime_concurrency.py": "OWN = 2\n",
    }

    async def story(rig: Rig) -> object:
        return await rig.result(rig.function(files, runs_per_worker_max=runs))

    assert with_rig(tmp_path, story) == [1, 2]


def test_of_two_workers_the_one_that_runs_less_is_given_more(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig)
        await runs.begin(4)
        await runs.end(0)
        await runs.begin(1)
        assert await runs.end(3) == await runs.end(4)
        await runs.end(1)
        await runs.end(2)

    with_rig(tmp_path, story)


def test_reserved_concurrency_counts_runs(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig, concurrency_max=2)
        await runs.begin(2)
        late = Gate(tmp_path, "late")
        waiting = asyncio.ensure_future(rig.invoke(runs.function, str(late.path)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert rig.pool.is_waiting("00000000-0000-4000-8000-000000000003")
        await runs.end(0)
        await until(late.is_reached)
        late.open()
        assert value(await waiting) == await runs.end(1)

    with_rig(tmp_path, story)


def test_a_function_is_told_how_many_runs_may_share_its_worker(tmp_path: Path) -> None:
    code = (
        "import os\ndef handler(event, context):\n"
        "    return os.environ.get('AWS_LAMBDA_MAX_CONCURRENCY')\n"
    )

    async def story(rig: Rig) -> list[object]:
        return [
            await rig.result(rig.function(code)),
            await rig.result(rig.function(code, runs_per_worker_max=5)),
        ]

    assert with_rig(tmp_path, story) == [None, "5"]


@pytest.mark.parametrize("log_format", LogFormat)
def test_what_runs_say_is_told_apart(tmp_path: Path, log_format: LogFormat) -> None:
    async def story(rig: Rig) -> tuple[list[str], list[str]]:
        function = rig.function(TALKS, runs_per_worker_max=2, log_format=log_format)
        gates = [Gate(tmp_path, "one"), Gate(tmp_path, "two")]
        requests = [
            rig.request(function, {"gate": str(gate.path), "word": gate.path.name})
            for gate in gates
        ]
        runs = [asyncio.ensure_future(rig.pool.invoke(request)) for request in requests]
        for gate in gates:
            await until(gate.is_reached)
        for gate in gates:
            gate.open()
        await asyncio.gather(*runs)
        return [request.request_id for request in requests], await rig.lines()

    ids, lines = with_rig(tmp_path, story)
    assert "one and one\n" in lines
    assert "two and two\n" in lines
    for request_id, word in zip(ids, ("one", "two"), strict=True):
        said = [line for line in lines if request_id in line]
        assert [
            verb for line in said for verb in ("begins", "ends") if f"{verb} {word}" in line
        ] == [
            "begins",
            "ends",
        ]


def test_standard_output_is_what_it_was(tmp_path: Path) -> None:
    code = """
import subprocess, sys
def handler(event, context):
    subprocess.run(["echo", "from a child"], stdout=sys.stdout, check=True)
    sys.stdout.buffer.write(b"bytes\\n")
    return [sys.stdout.encoding, sys.stdout.errors, sys.stdout.fileno(), sys.stdout.isatty()]
"""

    async def story(rig: Rig) -> tuple[object, list[str]]:
        said = await rig.result(rig.function(code, runs_per_worker_max=2))
        return said, await rig.lines()

    said, lines = with_rig(tmp_path, story)
    assert said == ["utf-8", "backslashreplace", 1, False]
    assert "from a child\n" in lines


def test_each_tail_is_of_its_own_time(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[bytes]:
        runs = Runs(rig)
        await runs.begin(1)
        await runs.begin(1)
        await runs.end(0)
        await runs.end(1)
        return [report.result().log_tail for report in runs.reports]

    first, second = with_rig(tmp_path, story)
    assert first.startswith(b"START RequestId: 00000000-0000-4000-8000-000000000001")
    assert second.startswith(b"START RequestId: 00000000-0000-4000-8000-000000000002")
    assert first.splitlines()[-1].startswith(
        b"REPORT RequestId: 00000000-0000-4000-8000-000000000001"
    )


def test_a_run_over_its_time_ends_alone(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig, timeout_seconds=2)
        await runs.begin(1)
        await asyncio.sleep(1)
        await runs.begin(1)
        late = await runs.reports[0]
        assert crash(late).kind is FailureKind.TIMED_OUT
        assert late.log_tail.rstrip().endswith(b"Status: timeout")
        (worker,) = rig.pool.workers()
        worn = worker.pid
        assert worker.state is WorkerState.RUNNING
        await runs.begin(1)  # a worn worker is given no more
        assert await runs.end(1) == worn
        assert worn is not None
        await until(lambda: not is_alive(worn))
        assert await runs.end(2) != worn

    with_rig(tmp_path, story)


def test_a_run_that_comes_late_is_heard_by_nobody(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig, timeout_seconds=1)
        await runs.begin(1)
        assert crash(await runs.reports[0]).kind is FailureKind.TIMED_OUT
        assert await rig.result(rig.function(PID, runs_per_worker_max=3, version="2"))
        reports = [line for line in await rig.lines() if line.startswith("REPORT")]
        assert len(reports) == 2

    with_rig(tmp_path, story)


def test_a_cancelled_run_costs_the_others_nothing(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig, runs_per_worker_max=2)
        await runs.begin(2)
        runs.reports[0].cancel()
        await asyncio.wait([runs.reports[0]])
        (worker,) = rig.pool.workers()
        assert worker.slots.free == 0  # its code goes on
        runs.gates[0].open()
        await until(lambda: worker.slots.free == 1)
        await runs.begin(1)
        assert await runs.end(1) == await runs.end(2) == worker.pid

    with_rig(tmp_path, story)


def test_whoever_runs_in_a_process_that_dies_hears_of_it(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig)
        await runs.begin(3)
        (worker,) = rig.pool.workers()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        reports = await asyncio.gather(*runs.reports)
        assert {crash(report).kind for report in reports} == {FailureKind.EXITED}
        assert rig.pool.workers() == []
        await runs.begin(1)
        await runs.end(3)

    with_rig(tmp_path, story)


def test_a_worker_that_others_run_on_is_not_retired(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig)
        await runs.begin(2)
        (worker,) = rig.pool.workers()
        await runs.end(0)
        await rig.pool.retire(ARN)
        other = asyncio.ensure_future(rig.result(rig.function(PID, version="2")))
        await asyncio.sleep(0.3)  # longer than a worker may be idle
        assert await runs.end(1) == worker.pid
        assert await other != worker.pid
        await until(lambda: worker.state is WorkerState.GONE)

    with_rig(tmp_path, story, idle_seconds=0.1)


def test_a_shutdown_stops_every_run(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        runs = Runs(rig)
        await runs.begin(3)
        await rig.pool.aclose()
        reports = await asyncio.gather(*runs.reports)
        assert {crash(report).kind for report in reports} == {FailureKind.CANCELLED}

    with_rig(tmp_path, story)


#: A runtime of one's own that takes one event after the other, whatever it may take.
ONE_BY_ONE = """#!/bin/sh
while true; do
    headers=$(mktemp)
    event=$(curl -sS -D "$headers" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
    id=$(grep -i lambda-runtime-aws-request-id "$headers" | tr -d '[:space:]' | cut -d: -f2)
    curl -sS "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response" -d "$$"
done
"""


def test_a_runtime_that_takes_one_run_at_a_time_is_given_one(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        function = rig.function(
            {"bootstrap": ONE_BY_ONE}, runtime="provided.al2023", runs_per_worker_max=4
        )
        results = await asyncio.gather(*(rig.result(function) for _ in range(6)))
        assert 1 <= len(set(results)) <= 6

    with_rig(tmp_path, story)


WAITS = """
let inside = 0, most = 0;
export const handler = async (event, context) => {
  most = Math.max(most, ++inside);
  console.log("begins", event);
  await new Promise((resolve) => setTimeout(resolve, 300));
  console.log("ends", event);
  inside--;
  return { pid: process.pid, most, id: context.awsRequestId };
};
"""


def test_a_node_js_worker_takes_several_runs(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        function = rig.function(
            {"app.mjs": WAITS}, runtime=NODE, runs_per_worker_max=3, memory_mb=512
        )
        await rig.result(function, "first")
        requests = [rig.request(function, word) for word in ("one", "two", "three")]
        reports = await asyncio.gather(*(rig.pool.invoke(request) for request in requests))
        answers: list[dict[str, object]] = []
        for report in reports:
            assert isinstance(report.outcome, Returned), report
            answers.append(json.loads(report.outcome.payload))
        assert len({answer["pid"] for answer in answers}) == 1
        assert max(str(answer["most"]) for answer in answers) == "3"
        lines = await rig.lines()
        for request, answer, word in zip(requests, answers, ("one", "two", "three"), strict=True):
            assert answer["id"] == request.request_id
            said = [line for line in lines if request.request_id in line and "INFO" in line]
            assert [line.rpartition("\t")[2] for line in said] == [
                f"begins {word}\n",
                f"ends {word}\n",
            ]

    with_rig(tmp_path, story)
