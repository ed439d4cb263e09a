"""What the service's tests share: one actor on the shared server."""

from pathlib import Path
from typing import Any

import pytest

from tests.service.deployment import deploy
from tests.service.stage import Stage
from tests.serving import ServerProcess, client

ACTOR = "actor"


@pytest.fixture(scope="session")
def api(shared_server: ServerProcess) -> Any:
    """A Lambda client of the shared server, with the actor deployed."""
    api = client("lambda", shared_server.url)
    deploy(api, ACTOR, ACTOR)
    return api


@pytest.fixture
def stage(api: Any, tmp_path: Path) -> Stage:
    """The actor on the shared server, with a folder for this test."""
    return Stage(api, tmp_path, ACTOR)
