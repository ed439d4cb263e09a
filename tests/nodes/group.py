"""A group of nodes: server processes that share a database, each with a folder of its own."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from perdure.engine.seals import load_key
from tests.service.processes import servants, workers
from tests.serving import ServerProcess, client, eventually, get_json
from tests.store.clusters import Cluster

__all__ = ["Group", "Node", "a_group"]


class Node(ServerProcess):
    """One node."""

    @property
    def node_id(self) -> str:
        """Its name, new at each start."""
        return get_json(f"{self.url}/healthz")["nodeId"]

    @property
    def api(self) -> Any:
        """A Lambda client that asks this node alone, and never twice."""
        return client("lambda", self.url)

    def freeze(self) -> None:
        """Stop it and its workers as a machine that hangs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill_machine(self) -> None:
        """Kill it and all that it has begun, as the loss of its machine would."""
        victims = servants(self.pid)
        self.kill()
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()

    def _signal(self, number: int) -> None:
        for process in [psutil.Process(self.pid), *servants(self.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                os.kill(process.pid, number)


class Group:
    """Some nodes, and their database."""

    def __init__(self, cluster: Cluster, folder: Path, count: int, *arguments: str) -> None:
        """Name them; ``start`` begins."""
        self.cluster = cluster
        self.key_file = folder / "key"
        load_key(self.key_file)
        self.url = cluster.url()
        self.nodes = [self.node(folder / f"node{number}", *arguments) for number in range(count)]

    def node(self, data: Path, *arguments: str) -> Node:
        """Return one more node, not yet started."""
        common = ("--store", self.url, "--key-file", str(self.key_file), "--allow-weak-durability")
        return Node(data, *common, *arguments)

    def start(self) -> None:
        """Start all, and wait until each knows of the others."""
        for node in self.nodes:
            node.start()
        self.meet()

    def meet(self) -> None:
        """Return when each node knows of the others that run."""
        running = [node for node in self.nodes if node.is_running]
        for node in running:
            eventually(
                lambda node=node: len(alive(node)) == len(running), what=f"{len(running)} nodes"
            )

    def stop(self) -> None:
        """End all that run, and see that nothing of them is left."""
        for node in self.nodes:
            if node.is_running:
                node.thaw()
                node.kill_machine()
        for node in self.nodes:
            eventually(lambda node=node: not workers(node.data), what="no worker is left")

    def __iter__(self) -> Iterator[Node]:
        """Go through the nodes."""
        return iter(self.nodes)


def alive(node: Node) -> list[dict[str, Any]]:
    """Return the nodes that a node knows to live."""
    found = get_json(f"{node.url}/healthz/nodes")["nodes"]
    return [one for one in found if one["is_alive"]]


@contextlib.contextmanager
def a_group(cluster: Cluster, folder: Path, count: int, *arguments: str) -> Iterator[Group]:
    """Run nodes on a database of their own."""
    group = Group(cluster, folder, count, *arguments)
    group.start()
    try:
        yield group
    finally:
        group.stop()
