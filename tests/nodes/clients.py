"""Callers behind a load balancer: each call goes to the next node that has answered lately."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.nodes.group import Node

__all__ = ["AnyNode", "hasty_client"]

_CONNECT_SECONDS: Final = 2
_READ_SECONDS: Final = 4
_CONNECTIONS_MAX: Final = 64
_LEFT_OUT_SECONDS: Final = 2.0


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
            max_pool_connections=_CONNECTIONS_MAX,
        ),
    )


class AnyNode:
    """A client whose calls go to one node after another; one that has not answered is left out for
    a while, if there are others.
    """

    def __init__(self, nodes: list[Node]) -> None:
        """Call ``nodes``, which have been started once."""
        self._clients = [hasty_client(node.url) for node in nodes]
        self._left_out_until = [0.0] * len(nodes)
        self._turns = itertools.cycle(range(len(nodes)))
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a call, to be made at the node whose turn it is."""

        def call(**arguments: Any) -> Any:
            number = self._next()
            try:
                return getattr(self._clients[number], name)(**arguments)
            except BotoCoreError:
                self._leave_out(number)
                raise
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                    self._leave_out(number)
                raise

        return call

    def _leave_out(self, number: int) -> None:
        self._left_out_until[number] = time.monotonic() + _LEFT_OUT_SECONDS

    def _next(self) -> int:
        now = time.monotonic()
        with self._lock:
            for number in itertools.islice(self._turns, len(self._clients)):
                if self._left_out_until[number] <= now:
                    return number
            return next(self._turns)
