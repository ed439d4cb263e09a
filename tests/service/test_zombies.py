"""Workers that come back from the dead: what they still say changes nothing."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.service.deployment import closed, deploy, history, start
from tests.service.processes import workers
from tests.service.short_lease import LEASE_MS, ShortLeaseServer
from tests.service.stage import Stage
from tests.serving import client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]


@contextmanager
def frozen(*processes: psutil.Process) -> Iterator[None]:
    """Stop processes; let them go on, those that are still there."""
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            thaw(process)


def thaw(process: psutil.Process) -> None:
    """Let a process go on, if it is still there."""
    try:
        process.send_signal(signal.SIGCONT)
    except psutil.NoSuchProcess:
        return


def test_a_worker_of_a_dead_server_changes_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        deploy(api, "raw", "raw")
        arn = start(api, "raw", {"folder": str(tmp_path)})
        (entered,) = eventually(lambda: list(tmp_path.glob("*.entered")), what="the gate")
        (worker,) = workers(server.data, function="raw")
        launcher = worker.parent()
        assert launcher is not None
        # The launcher would kill its workers with the server; stopped, it cannot.
        with frozen(worker, launcher):
            server.kill()
            server.start()
            (tmp_path / "gate").touch()
            execution = closed(api, arn)
            events = history(api, arn)
            assert execution["Status"] == "SUCCEEDED"
            assert json.loads(execution["Result"]) != entered.stem

            thaw(worker)
            file = entered.with_suffix(".answer")
            eventually(file.exists, what="the zombie's answer")

            code, status, message = json.loads(file.read_text())
            assert (code, status) == ("InvalidParameterValueException", 400)
            assert message.startswith("Invalid checkpoint token")
            assert api.get_durable_execution(DurableExecutionArn=arn) | {
                "ResponseMetadata": None
            } == execution | {"ResponseMetadata": None}
            assert history(api, arn) == events
        eventually(lambda: not worker.is_running(), what="the zombie's end")


def test_a_server_that_slept_longer_than_its_leases_goes_on(tmp_path: Path) -> None:
    server = ShortLeaseServer(tmp_path / "data")
    server.start()
    try:
        api = client("lambda", server.url)
        deploy(api, "actor", "actor")
        stage = Stage(api, tmp_path, "actor")
        arns = [
            stage.start(["note", f"one-{number}"], ["gate", "g"], ["note", f"two-{number}"])
            for number in range(4)
        ]
        for arn in arns:
            eventually(lambda arn=arn: is_at_gate(api, arn), what="the gate")
        stage.entered("g")
        with frozen(psutil.Process(server.pid)):
            threading.Event().wait(LEASE_MS * 3 / 1000)
        stage.open("g")

        for number, arn in enumerate(arns):
            assert stage.result(arn) == [f"one-{number}", None, f"two-{number}"]
            assert stage.notes.count(f"one-{number}") == 1
            types = [event["EventType"] for event in history(api, arn)]
            assert types.count("StepSucceeded") == 2
        assert server.stop() == 0
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()


def is_at_gate(api: Any, arn: str) -> bool:
    """Tell whether the first step is done."""
    events = api.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    return events[-1]["EventType"] == "StepSucceeded"
