"""``perdure serve``: how it begins, and how it ends."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.commands import FUNCTIONS, Perdure, running
from tests.serving import eventually, get_json

pytestmark = pytest.mark.service


def test_it_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path) -> None:
    with running("serve", "--port", "0", "--data", "data", folder=tmp_path) as server:
        line = server.line("ready")
        assert re.fullmatch(r"Perdure is ready at http://127\.0\.0\.1:\d+ \(data in data\)\n", line)
        health = get_json(f"{server.url()}/healthz")
        assert (health["status"], health["store"]) == ("ok", "sqlite")
        assert (tmp_path / "data" / "endpoint").read_text() == f"{server.url()}\n"
        console = server.line("console")
        assert server.stop() == 0
        assert server.lines == [line, console]
        assert console == f"The console is at {server.url()}/console\n"
    assert not (tmp_path / "data" / "endpoint").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_end_it(tmp_path: Path, number: int) -> None:
    with running("serve", "--port", "0", folder=tmp_path) as server:
        server.url()
        assert server.stop(number) == 0
    assert (tmp_path / ".perdure").is_dir()


def test_commands_in_its_folder_find_it(tmp_path: Path) -> None:
    with running("serve", "--port", "0", folder=tmp_path) as server:
        server.url()
        found = subprocess.run(
            [sys.executable, "-m", "perdure.cli.main", "functions", "--json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    assert found.stdout == '{\n  "Functions": []\n}\n'


def test_its_options_come_from_the_environment(tmp_path: Path) -> None:
    environment = {
        "PERDURE_PORT": "0",
        "PERDURE_DATA": "there",
        "PERDURE_REGION": "eu-west-1",
        "PERDURE_ACCOUNT": "123456789012",
        "PERDURE_QUOTAS": "aws",
        "PERDURE_ALLOW_HOST": "one.example two.example",
        "PERDURE_CONCURRENCY": "3",
    }
    with running("serve", folder=tmp_path, environment=environment) as server:
        assert "(data in there)" in server.line("ready")
        perdure = Perdure(server.url())
        (function,) = perdure.json("deploy", str(FUNCTIONS / "probe.py"))["Functions"]

    assert function["FunctionArn"] == "arn:aws:lambda:eu-west-1:123456789012:function:probe"


def test_a_second_server_on_the_same_data_ends_with_3(tmp_path: Path) -> None:
    with running("serve", "--port", "0", folder=tmp_path) as first:
        first.url()
        with running("serve", "--port", "0", folder=tmp_path) as second:
            assert second.wait() == 3
            (line,) = eventually(lambda: second.lines, what="its error")
    assert line.startswith("perdure: ")
    assert line.endswith("is in use by another server\n")


def test_data_of_another_program_ends_with_3(tmp_path: Path) -> None:
    (tmp_path / ".perdure").mkdir()
    (tmp_path / ".perdure" / "state.db").write_text("not ours" * 1_000)
    with running("serve", "--port", "0", folder=tmp_path) as server:
        assert server.wait() == 3
        assert eventually(lambda: server.text, what="its error").startswith("perdure: ")
        assert "Traceback" not in server.text


def test_a_port_in_use_ends_with_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running("serve", "--port", port, folder=tmp_path) as server:
            assert server.wait() == 1
            text = eventually(lambda: server.text, what="its error")
    assert text == f"perdure: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_data_folder_that_cannot_be_made_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running("serve", "--port", "0", "--data", "file/data", folder=tmp_path) as server:
        assert server.wait() == 1
        text = eventually(lambda: server.text, what="its error")
    assert text == f"perdure: {tmp_path}/file/data: Not a directory\n"


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with running("serve", "--port", "0", "--shutdown-seconds", "600", folder=tmp_path) as server:
        perdure = Perdure(server.url())
        perdure.text("deploy", str(FUNCTIONS / "busy.py"), "--timeout", "900")
        perdure.text("invoke", "busy", '"held"', "--async")
        eventually(lambda: "busy now" in perdure.text("logs", "busy"), what="the invocation")

        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: not (tmp_path / ".perdure" / "endpoint").exists(), what="the signal")
        assert server.process.poll() is None
        assert server.stop() == 1


def test_a_store_that_fails_ends_it_with_3(tmp_path: Path) -> None:
    with running("serve", "--port", "0", folder=tmp_path) as server:
        perdure = Perdure(server.url())
        perdure.text("deploy", str(FUNCTIONS / "probe.py"))
        for child in psutil.Process(server.process.pid).children():
            if any("sqlite" in word for word in child.cmdline()):
                child.kill()
        perdure.run("deploy", str(FUNCTIONS / "probe.py"), "--timeout", "9")
        assert server.wait() == 3
        assert "perdure: the service stopped: " in eventually(
            lambda: server.lines[1:] and server.text, what="its error"
        )
        assert "Traceback" not in server.text
    with running("serve", "--port", "0", folder=tmp_path) as server:
        functions = Perdure(server.url()).json("functions")["Functions"]
        assert [function["FunctionName"] for function in functions] == ["probe"]
