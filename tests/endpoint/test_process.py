"""``python -m perdure.endpoint``: real processes."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.endpoint.processes import EndpointProcess
from tests.serving import eventually

PATH = "/2015-03-31/functions/function/invocations"
APP = """
import logging, os, threading
from pathlib import Path

def handler(event, context):
    print("says", event["n"])
    logging.getLogger("mine").error("logs %s", event["n"])
    if event.get("gate"):
        Path(event["gate"] + ".entered").touch()
        while not Path(event["gate"]).exists():
            threading.Event().wait(0.01)
    if event.get("fails"):
        raise ValueError("asked to")
    return {"n": event["n"], "pid": os.getpid()}

text = "no handler"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with ``app.py``."""
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def endpoint(folder: Path) -> Iterator[EndpointProcess]:
    """The endpoint, for anybody."""
    process = EndpointProcess(folder, "app.handler", "--unsigned", "--grace-seconds", "20")
    process.start()
    yield process
    process.close()


def post(endpoint: EndpointProcess, event: Any, **headers: str) -> httpx.Response:
    """Invoke the function."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{endpoint.url}{PATH}", json=event, headers=named, timeout=30)


def test_each_invocation_has_the_end_of_its_own_log(endpoint: EndpointProcess) -> None:
    def one(number: int) -> list[str]:
        answer = post(
            endpoint,
            {"n": number},
            X_Amz_Log_Type="Tail",
            Lambda_Runtime_Aws_Request_Id=f"r-{number}",
        )
        assert answer.json()["n"] == number
        return base64.b64decode(answer.headers["x-amz-log-result"]).decode().splitlines()

    with ThreadPoolExecutor(8) as pool:
        logs = list(pool.map(one, range(40)))

    for number, lines in enumerate(logs):
        assert lines[0] == f"says {number}"
        assert lines[1].startswith("[ERROR]\t")
        assert lines[1].endswith(f"Z\tr-{number}\tlogs {number}")
        assert len(lines) == 2
    endpoint.ask_to_end()
    assert endpoint.wait() == 0
    assert endpoint.output.count("says ") == 40


def test_an_error_is_in_the_log_with_its_traceback(endpoint: EndpointProcess) -> None:
    answer = post(endpoint, {"n": 1, "fails": True}, X_Amz_Log_Type="Tail")
    assert answer.headers["x-amz-function-error"] == "Unhandled"
    log = base64.b64decode(answer.headers["x-amz-log-result"]).decode()
    assert "[ERROR] ValueError: asked to\nTraceback (most recent call last):\n" in log
    assert 'app.py", line 13, in handler' in log


def test_told_to_end_it_lets_finish_what_runs_and_takes_no_more(
    endpoint: EndpointProcess, folder: Path
) -> None:
    gate = folder / "gate"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(post, endpoint, {"n": 1, "gate": str(gate)})
        eventually(Path(f"{gate}.entered").exists, what="the gate")
        endpoint.ask_to_end()
        eventually(lambda: _is_closed(endpoint), what="the listener's end")
        gate.touch()
        assert running.result().json()["n"] == 1
    assert endpoint.wait() == 0


def _is_closed(endpoint: EndpointProcess) -> bool:
    try:
        httpx.get(f"{endpoint.url}/healthz", timeout=5)
    except httpx.TransportError:
        return True
    return False


def test_what_does_not_end_within_the_grace_is_cut_off(folder: Path) -> None:
    endpoint = EndpointProcess(folder, "app.handler", "--unsigned", "--grace-seconds", "1")
    endpoint.start()
    gate = folder / "never"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(post, endpoint, {"n": 1, "gate": str(gate)})
        eventually(Path(f"{gate}.entered").exists, what="the gate")
        endpoint.ask_to_end()
        assert endpoint.wait() == 0
        failure = running.exception()
        assert isinstance(failure, httpx.TransportError) or running.result().status_code >= 500


def test_many_at_once(endpoint: EndpointProcess, folder: Path) -> None:
    gates = [str(folder / f"g{number}") for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        running = [
            pool.submit(post, endpoint, {"n": number, "gate": gate})
            for number, gate in enumerate(gates)
        ]
        for gate in gates:
            eventually(Path(f"{gate}.entered").exists, what=gate)
        assert httpx.get(f"{endpoint.url}/healthz").json() == {"status": "ok", "running": 16}
        for gate in reversed(gates):
            Path(gate).touch()
        assert [one.result().json()["n"] for one in running] == list(range(16))


@pytest.mark.parametrize(
    ("arguments", "variables", "status", "message"),
    [
        (("app.handler",), {}, 2, "there is no key to verify invocations with"),
        (("app.handler",), {"PERDURE_ENDPOINT_KEY": "short"}, 2, "a key of 5 characters is none"),
        (("app.handler", "--key-file", "none"), {}, 2, "No such file or directory: 'none'"),
        (("app.none", "--unsigned"), {}, 1, "Runtime.HandlerNotFound: Handler 'none' missing"),
        (("none.handler", "--unsigned"), {}, 1, "Runtime.ImportModuleError: Unable to import"),
        (("app", "--unsigned"), {}, 1, "Runtime.MalformedHandlerName: Bad handler 'app'"),
        ((), {}, 2, "the following arguments are required: handler"),
    ],
)
def test_what_it_does_not_start_with(
    folder: Path,
    arguments: tuple[str, ...],
    variables: dict[str, str],
    status: int,
    message: str,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "perdure.endpoint", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == status
    assert message in ended.stderr
