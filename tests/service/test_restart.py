"""How a server ends, and how the next one goes on."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.service.deployment import deploy, event_types, history
from tests.service.processes import servants, workers
from tests.service.stage import Stage
from tests.serving import ServerProcess, client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]


def a_stage(server: ServerProcess, folder: Path) -> Stage:
    """Return an actor on a server of its own."""
    api = client("lambda", server.url)
    deploy(api, "actor", "actor")
    return Stage(api, folder, "actor")


@pytest.mark.parametrize("end", [ServerProcess.kill, ServerProcess.stop], ids=["kill", "stop"])
def test_everything_goes_on(tmp_path: Path, end: Any) -> None:
    with serving(tmp_path / "data", "--shutdown-seconds", "0.5") as server:
        stage = a_stage(server, tmp_path)
        invoked = stage.event(["callback", "below"])
        waiting = stage.start(["wait", 1], ["note", "waited"])
        asking = stage.start(["callback", "c"])
        parent = stage.start(["invoke", "actor:$LATEST", invoked])
        running = stage.start(["note", "ran"], ["gate", "g"], ["note", "on"])
        paused = stage.start(["callback", "p"])
        stage.entered("g")
        for arn in (waiting, asking, parent, paused):
            stage.suspended(arn)
        stage.api.pause_durable_execution(DurableExecutionArn=paused)
        ids = {name: stage.callback_id(name) for name in ("c", "below", "p")}
        servant = servants(server.pid)

        end(server)
        threading.Event().wait(1)  # so that the wait ends while nobody is there
        server.start()

        stage.open("g")
        assert stage.result(waiting) == [None, "waited"]
        assert stage.result(running) == ["ran", None, "on"]
        for name, callback_id in ids.items():
            stage.api.send_durable_execution_callback_success(
                CallbackId=callback_id, Result=name.encode()
            )
        assert stage.result(asking) == ["c"]
        assert stage.result(parent) == [["below"]]
        assert stage.status(paused) == "PAUSED"
        stage.api.resume_durable_execution(DurableExecutionArn=paused)
        assert stage.result(paused) == ["p"]
        assert stage.notes.count("ran") == stage.notes.count("on") == 1
        eventually(lambda: not any(one.is_running() for one in servant), what="no orphan")


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        stage = a_stage(server, tmp_path)
        second = subprocess.run(
            [sys.executable, *server.command, "--port", "0", "--data", str(server.data)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 3
        assert second.stderr.endswith("is in use by another server\n")
        assert "Traceback" not in second.stderr
        assert stage.result(stage.start(["note", "unharmed"])) == ["unharmed"]


def test_a_running_invocation_ends_before_the_server_does(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--shutdown-seconds", "30") as server:
        stage = a_stage(server, tmp_path)
        arn = stage.start(["gate", "g"], ["note", "last"])
        queued = stage.start(["wait", 1], ["note", "later"])
        stage.entered("g")
        stage.suspended(queued)
        with ThreadPoolExecutor() as pool:
            status = pool.submit(server.stop)
            gone = lambda: not (server.data / "endpoint").exists()  # noqa: E731
            eventually(gone, what="the signal")
            stage.open("g")
            assert status.result() == 0
        assert stage.notes == ["last"]
        assert workers(server.data) == []

        server.start()

        assert stage.result(arn) == [None, "last"]
        ends = [one for one in history(stage.api, arn) if "InvocationCompletedDetails" in one]
        assert len(ends) == 1
        assert "Error" not in ends[0]["InvocationCompletedDetails"]
        assert stage.result(queued) == [None, "later"]


def test_an_invocation_that_does_not_end_is_handed_over(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--shutdown-seconds", "0.5") as server:
        stage = a_stage(server, tmp_path)
        arn = stage.start(["note", "first"], ["gate", "g"], ["note", "last"])
        stage.entered("g")

        assert server.stop() == 0
        assert workers(server.data) == []
        server.start()
        stage.open("g")

        assert stage.result(arn) == ["first", None, "last"]
        assert stage.notes == ["first", "last"]
        assert event_types(stage.api, arn).count("InvocationCompleted") == 2
