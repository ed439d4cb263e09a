"""The service on AWS: boto3, which signs. Imported only where it is needed."""

from __future__ import annotations

import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from perdure.protocol.operations import Operation
from perdure.protocol.wire import TimeUnit, decode, encode
from perdure.sdk.client import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perdure.protocol.operations import OperationUpdate

__all__ = ["BotoClient"]


class BotoClient:
    """The service through a boto3 client for Lambda. What botocore raises is passed on."""

    def __init__(self, client: Any = None) -> None:
        """Use ``client``, or make one from the environment."""
        self._client = client if client is not None else _make_client()

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """See ``ServiceClient``."""
        answer = self._client.checkpoint_durable_execution(
            DurableExecutionArn=arn,
            CheckpointToken=token,
            Updates=[encode(update) for update in updates],
            ClientToken=client_token,
        )
        state: dict[str, Any] = answer.get("NewExecutionState") or {}
        return _progress(answer.get("CheckpointToken"), state)

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """See ``ServiceClient``."""
        answer = self._client.get_durable_execution_state(
            DurableExecutionArn=arn,
            CheckpointToken=token,
            MaxItems=1000,
            **({"Marker": marker} if marker else {}),
        )
        return _progress(None, answer)


def _make_client() -> Any:
    boto3: Any = import_module("boto3")
    config: Any = import_module("botocore.config")
    return boto3.client(
        "lambda",
        config=config.Config(
            connect_timeout=5, read_timeout=50, user_agent_extra="perdure-sdk-python"
        ),
    )


def _progress(token: str | None, state: dict[str, Any]) -> Progress:
    operations = [
        decode(Operation, _plain(operation), unit=TimeUnit.MILLISECONDS)
        for operation in state.get("Operations") or ()
    ]
    return Progress(token, operations, state.get("NextMarker") or None)


def _plain(value: Any) -> Any:
    """Return what botocore has read, with its datetimes as epoch milliseconds."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in cast("dict[str, Any]", value).items()}
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    return value
