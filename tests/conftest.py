"""What all tests share: one server for those that need any server."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.serving import ServerProcess, serving

# How long an example takes is the machine's affair, and no test's.
settings.register_profile("perdure", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("perdure")


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for the whole session; tests keep out of each other's way by function name."""
    with serving(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def perdure_endpoint(shared_server: ServerProcess) -> str:
    """The shared server's address."""
    return shared_server.url
