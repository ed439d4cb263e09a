"""Handlers that were written with AWS's SDK: they are given an object that has the service in it.

AWS's package is imported here alone, when such a handler is met.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from perdure.protocol.operations import Operation, OperationUpdate
from perdure.protocol.wire import TimeUnit, decode, encode
from perdure.testing.exceptions import DurableFunctionsTestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perdure.sdk.client import ServiceClient
    from perdure.sdk.envelopes import Opening
    from perdure.testing.functions import LocalLambdaContext

__all__ = ["is_awss", "run_aws"]

_EXECUTION: Final = "aws_durable_execution_sdk_python.execution"
_SERVICE: Final = "aws_durable_execution_sdk_python.lambda_service"


def is_awss(handler: Any) -> bool:
    """Tell whether AWS's ``durable_execution`` made this handler."""
    return getattr(handler, "__globals__", {}).get("__name__") == _EXECUTION


def run_aws(
    handler: Callable[..., Any],
    opening: Opening,
    lambda_context: LocalLambdaContext,
    client: ServiceClient,
) -> Any:
    """Run one invocation of a handler of AWS's SDK; return its answer."""
    if not is_awss(handler):
        raise DurableFunctionsTestError(
            f"{handler!r} is no durable function: it was not made by durable_execution"
        )
    execution, service = importlib.import_module(_EXECUTION), importlib.import_module(_SERVICE)
    state = execution.InitialExecutionState(
        operations=_theirs(service, opening.operations), next_marker=opening.marker or ""
    )
    event = execution.DurableExecutionInvocationInputWithClient(
        durable_execution_arn=opening.arn,
        checkpoint_token=opening.token,
        initial_execution_state=state,
        updated_operation_ids=list(opening.updated_ids),
        service_client=_Client(client, service),
    )
    return handler(event, lambda_context)


class _Client:
    """Ours, as AWS's SDK calls it."""

    def __init__(self, client: ServiceClient, service: Any) -> None:
        self._client = client
        self._service = service

    def checkpoint(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        updates: list[Any],
        client_token: str | None,
    ) -> Any:
        ours = [decode(OperationUpdate, update.to_dict()) for update in updates]
        progress = self._client.checkpoint(
            durable_execution_arn, checkpoint_token, ours, client_token or ""
        )
        return self._service.CheckpointOutput(
            checkpoint_token=progress.token,
            new_execution_state=self._service.CheckpointUpdatedExecutionState(
                operations=_theirs(self._service, progress.operations), next_marker=progress.marker
            ),
        )

    def get_execution_state(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        next_marker: str,
        max_items: int = 1000,
    ) -> Any:
        page = self._client.read_state(durable_execution_arn, checkpoint_token, next_marker or None)
        return self._service.StateOutput(
            operations=_theirs(self._service, page.operations), next_marker=page.marker
        )


def _theirs(service: Any, operations: Iterable[Operation]) -> list[Any]:
    return [
        service.Operation.from_json_dict(encode(operation, unit=TimeUnit.MILLISECONDS))
        for operation in operations
    ]
