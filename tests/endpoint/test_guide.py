"""docs/guide/endpoints.md is true."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from perdure.endpoint.__main__ import _parser
from perdure.protocol.endpoint_signatures import SignedRequest, function_key, sign
from perdure.runtime.endpoint_addresses import AllowedEndpoints
from tests.endpoint.processes import EndpointProcess
from tests.endpoint.test_process import PATH, post

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "endpoints.md").read_text()
KEY = function_key(b"k" * 32, "orders")


def blocks(language: str) -> list[str]:
    """Return the page's code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column is called so."""
    (body,) = re.findall(rf"^\| {heading} \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.M)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in body.splitlines()]


def test_its_options_are_the_commands() -> None:
    said = [row[0].strip("` ") for row in table("option")]
    actions = _parser()._actions
    assert said == [a.option_strings[0] for a in actions if a.option_strings and a.dest != "help"]


def test_its_entries_can_be_understood() -> None:
    AllowedEndpoints(row[0].strip("` ") for row in table("entry"))


def test_its_dockerfile_passes_the_linter(tmp_path: Path) -> None:
    (text,) = blocks("dockerfile")
    file = tmp_path / "Dockerfile"
    file.write_text(text)
    linter = Path(sys.executable).parent / "hadolint"
    checked = subprocess.run([linter, file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_its_shell_signs_as_the_service_does() -> None:
    (script,) = blocks("sh")
    assert shutil.which("openssl"), "openssl is part of every system that this runs on"
    signed = subprocess.run(
        ["sh", "-c", script], env={"KEY": KEY, "PATH": "/usr/bin:/bin"}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    request = SignedRequest(
        method="POST",
        target=PATH,
        timestamp="1700000000",
        request_id="r-1",
        body=b'{"CheckpointToken":"t"}',
    )
    assert f"v1={signed.stdout.strip()}" == sign(KEY, request)
    assert KEY in PAGE


def test_its_receiver_tells_the_service_from_others() -> None:
    names: dict[str, Any] = {}
    (code,) = (block for block in blocks("python") if "is_from_the_service" in block)
    exec(code, names)
    now = str(time.time_ns() // 1_000_000_000)
    request = SignedRequest(method="POST", target=PATH, timestamp=now, request_id="r", body=b"{}")
    headers = {
        "X-Perdure-Signature": sign(KEY, request),
        "X-Perdure-Timestamp": now,
        "Lambda-Runtime-Aws-Request-Id": "r",
    }
    tells = names["is_from_the_service"]
    assert tells(KEY, PATH, headers, b"{}")
    assert not tells(KEY, PATH, headers, b"[]")
    assert not tells("0" * 64, PATH, headers, b"{}")


@pytest.mark.parametrize("variable", ["PERDURE_ENDPOINT_KEY", "--key-file"])
def test_its_handler_is_served(tmp_path: Path, variable: str) -> None:
    (code,) = (block for block in blocks("python") if "# app.py" in block)
    (tmp_path / "app.py").write_text(code)
    if variable == "--key-file":
        (tmp_path / "key").write_text(f"{'0' * 64}\n{KEY}\n")
        endpoint = EndpointProcess(tmp_path, "app.handler", "--key-file", "key")
    else:
        endpoint = EndpointProcess(tmp_path, "app.handler", PERDURE_ENDPOINT_KEY=KEY)
    endpoint.start()
    try:
        assert post(endpoint, {}).status_code == 403
        body = b"{}"
        now = str(time.time_ns() // 1_000_000_000)
        request = SignedRequest(
            method="POST", target=PATH, timestamp=now, request_id="r", body=body
        )
        answer = post(
            endpoint,
            {},
            X_Perdure_Signature=sign(KEY, request),
            X_Perdure_Timestamp=now,
            Lambda_Runtime_Aws_Request_Id="r",
        )
        # It is a durable handler, and was given no execution's envelope.
        assert answer.headers["x-amz-function-error"] == "Unhandled"
        assert answer.json()["errorType"] == "ExecutionError"
    finally:
        endpoint.close()
