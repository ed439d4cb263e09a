"""What the package brings into a process: itself and one codec, and none of the server."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

_PROGRAM = """
import json, sys
from perdure.embedded import DurableService
with DurableService(sys.argv[1]) as service:
    service.register("double", lambda event, context: event * 2)
    assert service.call("double", 4) == 8
print(json.dumps(sorted(sys.modules)))
"""


def test_a_process_with_a_service_has_nothing_of_the_server(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "state.db")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    loaded = set(json.loads(run.stdout))

    server = ("uvicorn", "uvloop", "httptools", "click", "rich", "yaml", "watchfiles")
    models = ("boto3", "botocore", "pydantic", "attr", "attrs", "aws_durable_execution_sdk_python")
    ours = ("perdure.server", "perdure.api", "perdure.cli", "perdure.testing")
    assert loaded & {*server, *models, *ours} == set()
    assert {"perdure.embedded", "msgspec"} <= loaded


def test_the_extra_names_what_is_loaded() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert project["optional-dependencies"]["embedded"] == ["msgspec>=0.19"]
