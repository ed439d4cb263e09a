"""Nodes that are killed, frozen, drained; a database that is restarted: the others go on."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.nodes.group import Group, Node, a_group, alive
from tests.service.deployment import deploy, history
from tests.service.stage import Stage
from tests.serving import eventually, get_json
from tests.store.clusters import QUICK, Cluster, a_cluster

pytestmark = [
    pytest.mark.nodes,
    pytest.mark.timeout(240),
    # boto3 leaves the sockets of a server that was killed to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: A node is thought gone after 6 s of silence; a lease lasts 12 s.
_FAILOVER_SECONDS = 25


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A database server for these tests alone."""
    with a_cluster(**QUICK) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture(scope="module")
def pair(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Two nodes, with the actor deployed."""
    with a_group(cluster, tmp_path_factory.mktemp("pair"), 2, "--shutdown-seconds", "20") as pair:
        deploy(pair.nodes[0].api, "actor", "actor")
        yield pair


@pytest.fixture(autouse=True)
def whole(pair: Group) -> None:
    """Begin with both nodes running."""
    for node in pair:
        if not node.is_running:
            node.start()
    pair.meet()


def stage_at(node: Node, folder: Path) -> Stage:
    """Return the actor as a node offers it."""
    return Stage(node.api, folder, "actor")


def errors_of(api: Any, arn: str) -> list[str]:
    """Return how invocations that came to nothing ended."""
    ended = [e for e in history(api, arn) if e["EventType"] == "InvocationCompleted"]
    details = [e["InvocationCompletedDetails"].get("Error", {}).get("Payload") for e in ended]
    return [one["ErrorType"] for one in details if one]


def test_a_killed_nodes_executions_go_on_at_the_other(pair: Group, tmp_path: Path) -> None:
    doomed, other = pair
    stage, there = stage_at(doomed, tmp_path), stage_at(other, tmp_path)
    arns = [
        stage.start(["note", f"a{n}"], ["gate", f"g{n}"], ["wait", 1], ["note", f"b{n}"])
        for n in range(4)
    ]
    for n in range(4):
        stage.entered(f"g{n}")
    doomed.kill_machine()
    for n in range(4):
        there.open(f"g{n}")
    for n, arn in enumerate(arns):
        there.become(arn, "SUCCEEDED")
        assert there.result(arn) == [f"a{n}", None, None, f"b{n}"]
        assert errors_of(other.api, arn) == ["Runtime.Unavailable"]
    assert sorted(there.notes) == sorted(f"{mark}{n}" for n in range(4) for mark in "ab")


def test_a_node_that_is_started_again_says_that_it_was_gone(pair: Group, tmp_path: Path) -> None:
    doomed, other = pair
    stage, there = stage_at(doomed, tmp_path), stage_at(other, tmp_path)
    arn = stage.start(["note", "a"], ["gate", "g"], ["note", "b"])
    stage.entered("g")
    node_id = doomed.node_id
    assert node_id in known(other)
    doomed.kill_machine()
    doomed.start()
    assert node_id not in known(doomed)
    eventually(lambda: node_id not in known(other), what="the other has heard of it")
    there.open("g")
    assert there.result(arn) == ["a", None, "b"]
    assert errors_of(other.api, arn) == ["Runtime.Unavailable"]


def known(node: Node) -> set[str]:
    """Return the nodes that a node knows of, alive or not."""
    return {one["node_id"] for one in get_json(f"{node.url}/healthz/nodes")["nodes"]}


def test_timers_and_letters_of_a_killed_node_are_the_others(pair: Group, tmp_path: Path) -> None:
    doomed, other = pair
    stage, there = stage_at(doomed, tmp_path), stage_at(other, tmp_path)
    child = stage.event(["wait", 3], ["note", "child"])
    parent = stage.start(["invoke", "actor:$LATEST", child], ["note", "parent"])
    waiting = stage.start(["wait", 3], ["note", "waited"])
    stage.suspended(parent)
    stage.suspended(waiting)
    doomed.kill_machine()
    assert there.result(waiting) == [None, "waited"]
    assert there.result(parent) == [[None, "child"], "parent"]


def test_a_frozen_node_loses_its_work_and_changes_nothing_when_it_wakes(
    pair: Group, tmp_path: Path
) -> None:
    """F5 to F7: frozen for longer than its lease lasts."""
    frozen, other = pair
    stage, there = stage_at(frozen, tmp_path), stage_at(other, tmp_path)
    arn = stage.start(["note", "before"], ["gate", "g"], ["note", "after"])
    stage.entered("g")
    (tmp_path / "g.entered").unlink()
    frozen.freeze()
    eventually((tmp_path / "g.entered").exists, seconds=_FAILOVER_SECONDS, what="another attempt")
    there.open("g")
    assert there.result(arn) == ["before", None, "after"]
    events = history(other.api, arn)
    frozen.thaw()
    eventually(lambda: len(alive(frozen)) == 2, what="the frozen one is back")
    assert stage.result(arn) == ["before", None, "after"]
    # Its handler may have gone on for a moment, and run a step that may run twice (F8).
    assert there.notes[:2] == ["before", "after"]
    eventually(
        lambda: "is lost" in frozen.stderr or "was not invoked" in frozen.stderr,
        what="the frozen one notices",
    )
    assert history(frozen.api, arn) == events


def test_a_node_that_drains_hands_over_and_cuts_nothing(pair: Group, tmp_path: Path) -> None:
    leaving, other = pair
    stage, there = stage_at(leaving, tmp_path), stage_at(other, tmp_path)
    running = stage.start(["gate", "g"], ["note", "running"])
    parked = stage.start(["callback", "c"], ["note", "parked"])
    stage.entered("g")
    callback_id = stage.callback_id("c")
    stage.suspended(parked)
    leaving.process.send_signal(signal.SIGTERM)
    eventually(lambda: readiness(leaving) == 503, what="it wants no more callers")
    assert get_json(f"{leaving.url}/healthz")["status"] == "ok"
    stage.api.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"yes")
    assert there.result(parked) == ["yes", "parked"]
    late = stage.start(["note", "late"])
    assert there.result(late) == ["late"]
    stage.open("g")
    assert leaving.process.wait(timeout=30) == 0
    leaving.process.stdout.close()
    assert there.result(running) == [None, "running"]
    assert errors_of(other.api, running) == []
    assert len(alive(other)) == 1


def readiness(node: Node) -> int:
    """Return the status of a node's readiness."""
    try:
        get_json(f"{node.url}/readyz")
    except HTTPError as error:
        error.close()
        return error.code
    return 200


def test_the_database_may_be_restarted(pair: Group, cluster: Cluster, tmp_path: Path) -> None:
    stages = [stage_at(node, tmp_path) for node in pair]
    arns = [
        stages[n % 2].start(
            ["note", f"a{n}"], ["wait", 1], ["gate", f"g{n}"], ["note", f"b{n}"], ["wait", 1]
        )
        for n in range(6)
    ]
    for n in range(6):
        stages[0].entered(f"g{n}")
    cluster.restart("immediate")
    for n in range(6):
        stages[0].open(f"g{n}")
    with ThreadPoolExecutor(6) as pool:
        for n, result in enumerate(pool.map(lambda arn: insist(stages[0].result, arn), arns)):
            assert result == [f"a{n}", None, None, f"b{n}", None]
    assert sorted(stages[0].notes) == sorted(f"{mark}{n}" for n in range(6) for mark in "ab")
    assert all(node.is_running for node in pair)


def insist(call: Any, *arguments: Any) -> Any:
    """Return what a call returns, asked again while the service cannot tell."""

    def ask() -> list[Any] | None:
        try:
            return [call(*arguments)]
        except BotoCoreError:
            return None
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
            return None

    return eventually(ask, seconds=60, what="an answer")[0]


def test_nodes_come_and_go(pair: Group, cluster: Cluster, tmp_path: Path) -> None:
    third = pair.node(pair.key_file.parent / "third")
    third.start()
    try:
        eventually(lambda: len(alive(pair.nodes[0])) == 3, seconds=5, what="the third is known")
        stage = stage_at(third, tmp_path)
        assert stage.result(stage.start(["note", "third"])) == ["third"]
    finally:
        assert third.stop() == 0
    eventually(lambda: len(alive(pair.nodes[0])) == 2, seconds=5, what="it has left")
    assert json.loads(json.dumps(alive(pair.nodes[1])))[0]["capacity"] == 64
