"""Runs that end without a verdict, and what they leave behind: nothing."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perdure.engine.invoker import Crashed, FailureKind, InvocationReport
from perdure.runtime.worker import WorkerState
from tests.runtime.rig import Rig, children_of, has_word, is_alive, until, with_rig

REQUEST_ID = "00000000-0000-4000-8000-000000000001"
#: Starts a grandchild that ignores signals, and one that leaves the session; then never returns.
STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
SLEEP = "import signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(600)"
def handler(event, context):
    child = subprocess.Popen([sys.executable, "-c", SLEEP])
    daemon = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    with open(event + ".new", "w") as file:
        file.write(f"{os.getpid()} {child.pid} {daemon.pid}")
    os.rename(event + ".new", event)
    time.sleep(600)
"""


def pids_in(path: Path) -> list[int]:
    return [int(pid) for pid in path.read_text().split()]


def idle_pids(rig: Rig) -> list[int | None]:
    return [worker.pid for worker in rig.pool.workers() if worker.state is WorkerState.IDLE]


def crash(report: InvocationReport) -> Crashed:
    assert isinstance(report.outcome, Crashed), report
    return report.outcome


def test_a_run_over_its_time_is_killed_with_all_it_started(tmp_path: Path) -> None:
    async def story(rig: Rig) -> tuple[InvocationReport, list[str], list[int]]:
        report = await rig.invoke(rig.function(STUBBORN, timeout_seconds=1), str(tmp_path / "pids"))
        return report, await rig.lines(), [p for p in pids_in(tmp_path / "pids") if is_alive(p)]

    report, lines, alive = with_rig(tmp_path, story)
    assert crash(report) == Crashed(
        kind=FailureKind.TIMED_OUT,
        error_type="Sandbox.Timedout",
        message=f"RequestId: {REQUEST_ID} Error: Task timed out after 1.00 seconds",
    )
    assert alive == []
    assert 1_000 <= report.ended_at_ms - report.started_at_ms < 4_000
    assert lines[-3].endswith(f"Z {REQUEST_ID} Task timed out after 1.00 seconds\n")
    assert lines[-1].rstrip().endswith("Status: timeout")


def test_a_cancelled_run_is_killed_with_all_it_started(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        run = asyncio.ensure_future(rig.invoke(rig.function(STUBBORN), str(tmp_path / "pids")))
        await until((tmp_path / "pids").exists)
        run.cancel()
        await asyncio.wait([run])
        assert run.cancelled()
        await until(lambda: not any(map(is_alive, pids_in(tmp_path / "pids"))), seconds=5)

    with_rig(tmp_path, story)


EXITS = {
    "status": ("import os; os._exit(3)", "Runtime exited with error: exit status 3"),
    "sys.exit": ("import sys; sys.exit(1)", "Runtime exited with error: exit status 1"),
    "zero": ("import os; os._exit(0)", "Runtime exited without providing a reason"),
    "killed": ("import os; os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    "abort": ("import os; os.abort()", "Runtime exited with error: signal: aborted"),
}


@pytest.mark.parametrize(("statement", "reason"), EXITS.values(), ids=EXITS)
def test_a_process_that_ends_under_a_run(tmp_path: Path, statement: str, reason: str) -> None:
    code = f"def handler(event, context):\n    print('last words', end='')\n    {statement}\n"
    code = code.replace("end=''", "end='', flush=True")

    async def story(rig: Rig) -> InvocationReport:
        function = rig.function(code)
        report = await rig.invoke(function)
        again = await rig.invoke(function)
        assert crash(again).kind is FailureKind.EXITED
        return report

    report = with_rig(tmp_path, story)
    assert crash(report) == Crashed(
        kind=FailureKind.EXITED,
        error_type="Runtime.ExitError",
        message=f"RequestId: {REQUEST_ID} Error: {reason}",
    )
    assert b"last words\n" in report.log_tail


def test_a_worker_killed_from_outside_is_a_crash_of_its_run(tmp_path: Path) -> None:
    async def story(rig: Rig) -> Crashed:
        run = asyncio.ensure_future(rig.invoke(rig.function(STUBBORN), str(tmp_path / "pids")))
        await until((tmp_path / "pids").exists)
        pids = pids_in(tmp_path / "pids")
        os.kill(pids[0], signal.SIGKILL)
        outcome = crash(await run)
        assert not any(map(is_alive, pids))
        return outcome

    assert with_rig(tmp_path, story).message.endswith("signal: killed")


def test_a_killed_launcher_takes_its_workers_along_and_is_replaced(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        function = rig.function(STUBBORN)
        run = asyncio.ensure_future(rig.invoke(function, str(tmp_path / "pids")))
        await until((tmp_path / "pids").exists)
        launchers = [pid for pid in children_of(os.getpid()) if has_word(pid, "launcher.py")]
        for pid in launchers:
            os.kill(pid, signal.SIGKILL)
        assert crash(await run).kind is FailureKind.EXITED
        worker, child, daemon = pids_in(tmp_path / "pids")
        await until(lambda: not is_alive(worker) and not is_alive(child))
        # One that left the worker's group is found by its control group alone, where there is one.
        with contextlib.suppress(ProcessLookupError):
            os.kill(daemon, signal.SIGKILL)
        echo = rig.function("def handler(event, context):\n    return event\n")
        assert await rig.result(echo, 7) == 7

    with_rig(tmp_path, story)


HOG = """
def handler(event, context):
    held = []
    while True:
        held.append(bytearray(b"x" * 4_000_000))
"""


@pytest.mark.parametrize("bound", ["by the machine's means", "watched"])
def test_a_run_over_its_memory_is_killed(
    tmp_path: Path, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bound == "watched":
        monkeypatch.setattr("perdure.runtime.starting.find_control_group", lambda: None)

    async def story(rig: Rig) -> InvocationReport:
        return await rig.invoke(rig.function(HOG, memory_mb=128))

    report = with_rig(tmp_path, story)
    assert crash(report) == Crashed(
        kind=FailureKind.OUT_OF_MEMORY,
        error_type="Runtime.OutOfMemory",
        message=f"RequestId: {REQUEST_ID} Error: Runtime exited with error: signal: killed",
    )
    assert report.memory_used_mb >= 100


def test_a_result_over_the_limit_costs_the_run_alone(tmp_path: Path) -> None:
    code = "import os\ndef handler(event, context):\n    return [os.getpid(), 'x' * event]\n"

    async def story(rig: Rig) -> None:
        function = rig.function(code)
        pid, text = await rig.result(function, 6_000_000)
        assert len(text) == 6_000_000
        await until(lambda: idle_pids(rig) == [pid])
        outcome = crash(await rig.invoke(function, 6_291_600))
        assert outcome.kind is FailureKind.RESPONSE_TOO_LARGE
        assert outcome.error_type == "Function.ResponseSizeTooLarge"
        # Its process is not at fault, and comes back; a call that comes before may get another one.
        await until(lambda: idle_pids(rig) == [pid])
        assert (await rig.result(function, 1))[0] == pid

    with_rig(tmp_path, story)


def test_a_flood_of_output_is_cut_into_lines_and_kept_in_order(tmp_path: Path) -> None:
    code = (
        "import sys\ndef handler(event, context):\n"
        "    for n in range(20000): print('line', n)\n"
        "    sys.stdout.write('y' * 3_000_000)\n    return 1\n"
    )

    async def story(rig: Rig) -> tuple[InvocationReport, list[str]]:
        return await rig.invoke(rig.function(code)), await rig.lines()

    report, lines = with_rig(tmp_path, story)
    assert [line for line in lines if line.startswith("line")] == [
        f"line {n}\n" for n in range(20000)
    ]
    long = [line for line in lines if line.startswith("yyy")]
    assert sum(len(line) - 1 for line in long) == 3_000_000
    assert max(map(len, long)) <= 262_145
    assert len(report.log_tail) == 4_096
    assert report.log_tail.endswith(lines[-1].encode())


ORPHANER = """
import asyncio, sys
from pathlib import Path
from tests.runtime.rig import Rig
async def main():
    rig = Rig(Path(sys.argv[1]))
    function = rig.function(Path(sys.argv[2]).read_text())
    await rig.invoke(function, sys.argv[3])
asyncio.run(main())
"""


def test_nothing_outlives_a_killed_server(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(STUBBORN)
    pids_file = tmp_path / "pids"
    arguments = [str(tmp_path / "data"), str(tmp_path / "app.py"), str(pids_file)]
    with subprocess.Popen([sys.executable, "-c", ORPHANER, *arguments]) as server:

        async def story() -> None:
            await until(pids_file.exists)
            launchers = children_of(server.pid)
            server.kill()
            await until(lambda: not any(map(is_alive, pids_in(pids_file) + launchers)), seconds=5)

        asyncio.run(story())


def test_a_response_just_before_the_exit_counts(tmp_path: Path) -> None:
    bootstrap = f"""#!{sys.executable}
import os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
with socket.create_connection((host, int(port))) as link:
    link.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    head = link.recv(65536).decode()
    request_id = head.partition("Request-Id: ")[2].partition("\\r\\n")[0]
    link.sendall(
        f"POST /2018-06-01/runtime/invocation/{{request_id}}/response HTTP/1.1\\r\\n"
        "Host: x\\r\\nContent-Length: 4\\r\\n\\r\\ndone".encode())
os._exit(9)
"""

    async def story(rig: Rig) -> bytes:
        function = rig.function({"bootstrap": bootstrap}, runtime="provided.al2023")
        report = await rig.invoke(function)
        return report.outcome.payload  # type: ignore[union-attr]

    assert with_rig(tmp_path, story) == b"done"


def test_a_custom_runtime_without_a_program_says_so(tmp_path: Path) -> None:
    async def story(rig: Rig) -> Crashed:
        return crash(await rig.invoke(rig.function({"x": ""}, runtime="provided.al2023")))

    outcome = with_rig(tmp_path, story)
    assert outcome.error_type == "Runtime.InvalidEntrypoint"
    assert json.dumps(outcome.message)
