"""What nodes cost that have nothing to do: a few questions a second, however much is suspended."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.nodes.group import Group, a_group
from tests.service.deployment import deploy
from tests.service.stage import Stage
from tests.store.clusters import QUICK, Cluster, a_cluster

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(180)]

SUSPENDED: Final = 100_000
SECONDS: Final = 15
STATEMENTS_A_SECOND_MAX: Final = 20
#: One that waits, as often as asked: as rows that nobody reads before their time.
_COPIES: Final = """
INSERT INTO perdure.execution (
    id, started_at_ms, updated_at_ms, wake_at_ms, version, checksum, identity_checksum, pin, name,
    identity, status, progress
) SELECT uuid_send(gen_random_uuid()), started_at_ms, updated_at_ms, wake_at_ms, version, checksum,
    identity_checksum, pin, name, identity, status, progress
FROM perdure.execution, generate_series(1, {count})
"""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A database server that logs every statement."""
    with a_cluster(**QUICK, log_statement="all") as cluster:
        cluster.start()
        yield cluster


def statements(cluster: Cluster) -> int:
    """Return how many statements the server was given so far."""
    log = (cluster.folder / "log").read_text()
    return len(re.findall(r"LOG: +(?:execute|statement)\b", log))


@pytest.fixture
def group(cluster: Cluster, tmp_path: Path) -> Iterator[Group]:
    """Three nodes."""
    with a_group(cluster, tmp_path, 3) as group:
        yield group


def test_idle_nodes_ask_little_however_much_is_suspended(
    group: Group, cluster: Cluster, tmp_path: Path
) -> None:
    api = group.nodes[0].api
    deploy(api, "actor", "actor", DurableConfig={"ExecutionTimeout": 86_400})
    stage = Stage(api, tmp_path, "actor")
    stage.suspended(stage.start(["wait", 80_000]))
    cluster.sql(_COPIES.format(count=SUSPENDED))
    threading.Event().wait(3)  # what had to be done is done
    before = statements(cluster)
    threading.Event().wait(SECONDS)
    rate = (statements(cluster) - before) / SECONDS
    print(f"{rate:.1f} statements a second, {SUSPENDED} suspended")  # noqa: T201 - the figure
    assert 0 < rate < STATEMENTS_A_SECOND_MAX
