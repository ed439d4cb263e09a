"""A handler on AWS's SDK, in the place of one on ours: the tests' service runs both alike."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import aws_durable_execution_sdk_python.lambda_service as aws_service
from aws_durable_execution_sdk_python.execution import (
    DurableExecutionInvocationInput,
    DurableExecutionInvocationInputWithClient,
)

from perdure.protocol.operations import Operation, OperationUpdate
from perdure.protocol.wire import TimeUnit, decode, encode

__all__ = ["AwsFunction"]


class _Context(NamedTuple):
    aws_request_id: str = "request-1"


class AwsFunction:
    """What ``durable_execution`` of AWS's SDK made, invoked as a ``DurableFunction``."""

    is_async = False

    def __init__(self, handler: Callable[[Any, Any], Any]) -> None:
        self._handler = handler

    def invoke(self, opening: Any, lambda_context: Any, client: Any, *, keep: Any = None) -> Any:
        """Run one invocation."""
        assert keep is None
        envelope = {
            "DurableExecutionArn": opening.arn,
            "CheckpointToken": opening.token,
            "InitialExecutionState": {"Operations": _wire(opening.operations)},
            "UpdatedOperationIds": list(opening.updated_ids),
        }
        if opening.marker is not None:
            envelope["InitialExecutionState"]["NextMarker"] = opening.marker
        given = DurableExecutionInvocationInputWithClient.from_durable_execution_invocation_input(
            DurableExecutionInvocationInput.from_json_dict(envelope), _Client(client)
        )
        return self._handler(given, lambda_context or _Context())


class _Client:
    """The tests' service, as AWS's SDK calls one."""

    def __init__(self, service: Any) -> None:
        self._service = service

    def checkpoint(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        updates: Sequence[Any],
        client_token: str | None,
    ) -> aws_service.CheckpointOutput:
        ours = [decode(OperationUpdate, update.to_dict()) for update in updates]
        progress = self._service.checkpoint(
            durable_execution_arn, checkpoint_token, ours, client_token or ""
        )
        return aws_service.CheckpointOutput(
            progress.token,
            aws_service.CheckpointUpdatedExecutionState(
                _awss(progress.operations), progress.marker
            ),
        )

    def get_execution_state(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        next_marker: str,
        max_items: int = 1000,
    ) -> aws_service.StateOutput:
        page = self._service.read_state(durable_execution_arn, checkpoint_token, next_marker)
        return aws_service.StateOutput(_awss(page.operations), page.marker)


def _wire(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    return [encode(operation, unit=TimeUnit.MILLISECONDS) for operation in operations]


def _awss(operations: Sequence[Operation]) -> list[aws_service.Operation]:
    return [aws_service.Operation.from_json_dict(each) for each in _wire(operations)]
