"""A small network on this machine: each node in a namespace of its own, the database beside them,
and any two of them cut off from each other when asked.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

__all__ = ["Network", "a_network", "may_make_networks"]

_TABLE: Final = "perdure_cut"


def may_make_networks() -> bool:
    """Tell whether namespaces and packet filters can be made here; under CI they must be."""
    is_able = os.geteuid() == 0 and all(shutil.which(tool) for tool in ("ip", "nft"))
    if is_able:
        is_able = _works("ip", "netns", "add", "pdprobe") and _works(
            "ip", "netns", "del", "pdprobe"
        )
    if not is_able and os.environ.get("CI"):
        pytest.fail("network namespaces cannot be made: it takes root, iproute2 and nftables")
    return is_able


class Network:
    """A bridge, and namespaces on it."""

    def __init__(self, count: int) -> None:
        """Name them; ``build`` makes them."""
        self.tag = f"pd{os.getpid() % 100_000}"
        self._subnet = f"10.{64 + os.getpid() % 60}.{os.getpid() // 60 % 250}"
        self.namespaces = [f"{self.tag}n{number}" for number in range(count)]

    @property
    def database(self) -> str:
        """Return the address of the database."""
        return f"{self._subnet}.253"

    @property
    def subnet(self) -> str:
        """Return all addresses."""
        return f"{self._subnet}.0/24"

    def address(self, number: int) -> str:
        """Return a node's address."""
        return f"{self._subnet}.{number + 1}"

    def prefix(self, number: int) -> tuple[str, ...]:
        """Return what runs a command where a node is."""
        return ("ip", "netns", "exec", self.namespaces[number])

    def build(self) -> None:
        """Make them."""
        _run("ip", "link", "add", self.tag, "type", "bridge")
        for host in (self.database, f"{self._subnet}.254"):
            _run("ip", "addr", "add", f"{host}/24", "dev", self.tag)
        _run("ip", "link", "set", self.tag, "up")
        for number, name in enumerate(self.namespaces):
            here, there = f"{self.tag}v{number}", f"{self.tag}w{number}"
            _run("ip", "netns", "add", name)
            _run("ip", "link", "add", here, "type", "veth", "peer", "name", there)
            _run("ip", "link", "set", there, "netns", name)
            _run("ip", "link", "set", here, "master", self.tag, "up")
            inside = self.prefix(number)
            _run(*inside, "ip", "addr", "add", f"{self.address(number)}/24", "dev", there)
            _run(*inside, "ip", "link", "set", there, "up")
            _run(*inside, "ip", "link", "set", "lo", "up")

    def remove(self) -> None:
        """Take everything away."""
        for name in self.namespaces:
            _works("ip", "netns", "del", name)
        _works("ip", "link", "del", self.tag)

    def cut(self, number: int, address: str) -> None:
        """Drop everything between a node and an address, without a word to either."""
        nft = (*self.prefix(number), "nft")
        _run(*nft, "add", "table", "inet", _TABLE)
        for hook, direction in (("input", "saddr"), ("output", "daddr")):
            chain = f"{{ type filter hook {hook} priority 0 ; }}"
            _run(*nft, "add", "chain", "inet", _TABLE, hook, chain)
            _run(*nft, "add", "rule", "inet", _TABLE, hook, "ip", direction, address, "drop")

    def mend(self, number: int) -> None:
        """Let a node talk to everybody again."""
        _works(*self.prefix(number), "nft", "delete", "table", "inet", _TABLE)


@contextmanager
def a_network(count: int) -> Iterator[Network]:
    """Lend a network of so many nodes."""
    network = Network(count)
    try:
        network.build()
        yield network
    finally:
        network.remove()


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def _works(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True, timeout=20).returncode == 0
