"""Callers behind a load balancer: each call goes to the next node, whoever that is."""

import itertools
import threading
from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore.config import Config

from tests.nodes.group import Node

__all__ = ["AnyNode", "hasty_client"]

_CONNECT_SECONDS: Final = 2
_READ_SECONDS: Final = 4


def hasty_client(url: str, *, read_seconds: float = _READ_SECONDS) -> Any:
    """Return a Lambda client that soon gives up on a node."""
    return boto3.client(
        "lambda",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"total_max_attempts": 1},
            max_pool_connections=32,
        ),
    )


class AnyNode:
    """A client whose calls go to one node after another."""

    def __init__(self, nodes: list[Node]) -> None:
        """Call ``nodes``, which have been started once."""
        self._clients = [hasty_client(node.url) for node in nodes]
        self._turns = itertools.count()
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a call, to be made at the node whose turn it is."""

        def call(**arguments: Any) -> Any:
            with self._lock:
                turn = next(self._turns)
            return getattr(self._clients[turn % len(self._clients)], name)(**arguments)

        return call
