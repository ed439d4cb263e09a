"""What the tests of nodes share: a database server for each, and three nodes for those that leave
them as they are.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nodes.group import Group, a_group
from tests.service.deployment import deploy
from tests.service.stage import Stage
from tests.store.clusters import QUICK, Cluster, a_cluster

ACTOR = "actor"


@pytest.fixture(scope="session")
def quick_cluster() -> Iterator[Cluster]:
    """A server that is quick, and would lose what it holds in a power cut."""
    with a_cluster(**QUICK) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture(scope="session")
def group(quick_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Three nodes that nobody harms, with the actor deployed at the first."""
    with a_group(quick_cluster, tmp_path_factory.mktemp("group"), 3) as group:
        deploy(group.nodes[0].api, ACTOR, ACTOR)
        yield group


@pytest.fixture
def stages(group: Group, tmp_path: Path) -> list[Stage]:
    """The actor as each node offers it, in one folder for this test."""
    return [Stage(node.api, tmp_path, ACTOR) for node in group]
