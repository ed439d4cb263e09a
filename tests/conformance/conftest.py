"""Where the conformance requirements find their server, and whether they can run at all."""

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.nodes.balancer import balancing
from tests.nodes.group import a_group
from tests.serving import serving
from tests.store.clusters import QUICK, a_cluster

#: The suite asks for a newer Python than it needs, so it is installed on its own
#: (``pip install --ignore-requires-python``) and may be missing, except where CI promises it.
SUITE = "aws_durable_execution_conformance_tests"
collect_ignore = [] if find_spec(SUITE) or os.environ.get("CI") else ["test_conformance.py"]


#: Where it is set, so many nodes on one PostgreSQL database, behind a load balancer.
NODES = int(os.environ.get("PERDURE_CONFORMANCE_NODES", "0"))
#: Where it is set, a server of its own that keeps so many suspended handlers a worker.
KEPT = os.environ.get("PERDURE_CONFORMANCE_KEPT")


@pytest.fixture(scope="session")
def endpoint(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of the server: ``PERDURE_ENDPOINT``, of ``NODES``, one that keeps ``KEPT`` handlers,
    or the one that all tests share.
    """
    given = os.environ.get("PERDURE_ENDPOINT")
    if given is None and NODES:
        folder = tmp_path_factory.mktemp("nodes")
        arguments = () if KEPT is None else ("--keep-handlers", KEPT)
        with a_cluster(**QUICK) as cluster:
            cluster.start()
            with (
                a_group(cluster, folder, NODES, *arguments) as group,
                balancing([node.url for node in group]) as url,
            ):
                yield url
    elif given is None and KEPT is not None:
        data = tmp_path_factory.mktemp("kept") / "data"
        with serving(data, "--keep-handlers", KEPT) as server:
            yield server.url
    else:
        yield given or request.getfixturevalue("perdure_endpoint")
