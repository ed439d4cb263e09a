"""AWS's own local test runner as a service: what it hands to a handler, and the client it brings.

Its invoker passes an object instead of the envelope, with the service in it. Nothing of AWS is
imported: the one class that is needed comes with the event, from the module of the event's class.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from perdure.protocol.operations import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    ErrorObject,
    ExecutionDetails,
    Operation,
    StepDetails,
    WaitDetails,
)
from perdure.protocol.wire import Instant, encode
from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.client import Progress
from perdure.sdk.envelopes import Opening

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perdure.protocol.operations import OperationUpdate

__all__ = ["RunnerClient", "client_of", "envelope_of"]

Details = TypeVar("Details")


class RunnerClient:
    """The runner's service, as a ``ServiceClient``. What it raises is passed on."""

    def __init__(self, client: Any, update_class: Any) -> None:
        """Call ``client``; its updates are of ``update_class``."""
        self._client = client
        self._update_class = update_class

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """See ``ServiceClient``."""
        theirs = [self._update_class.from_dict(encode(update)) for update in updates]
        answer = self._client.checkpoint(arn, token, theirs, client_token)
        state = answer.new_execution_state
        operations = _operations(state.operations) if state is not None else []
        marker = state.next_marker if state is not None else None
        return Progress(answer.checkpoint_token, operations, marker or None)

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """See ``ServiceClient``."""
        answer = self._client.get_execution_state(arn, token, marker or "")
        return Progress(None, _operations(answer.operations), answer.next_marker or None)


def client_of(event: Any) -> RunnerClient:
    """Return the service that came with ``event``."""
    module = sys.modules[type(event).__module__]
    return RunnerClient(event.service_client, module.OperationUpdate)  # pyright: ignore[reportAttributeAccessIssue]


def envelope_of(event: Any) -> Opening:
    """Return what ``event`` says of the execution."""
    state = event.initial_execution_state
    return Opening(
        event.durable_execution_arn,
        event.checkpoint_token,
        _operations(state.operations),
        state.next_marker or None,
        tuple(event.updated_operation_ids),
    )


def _operations(theirs: Iterable[Any]) -> list[Operation]:
    return [_operation(operation) for operation in theirs]


def _operation(theirs: Any) -> Operation:
    """Return an operation of AWS's SDK as ours.

    Member by member: AWS's own way to a dict drops results that are the empty string.
    """
    return Operation(
        id=theirs.operation_id,
        type=OperationType(theirs.operation_type.value),
        status=OperationStatus(theirs.status.value),
        start_timestamp=_value(theirs.start_timestamp) or Instant(0),
        end_timestamp=_value(theirs.end_timestamp),
        parent_id=theirs.parent_id,
        name=theirs.name,
        sub_type=theirs.sub_type,
        execution_details=_details(ExecutionDetails, theirs.execution_details),
        context_details=_details(ContextDetails, theirs.context_details),
        step_details=_details(StepDetails, theirs.step_details),
        wait_details=_details(WaitDetails, theirs.wait_details),
        callback_details=_details(CallbackDetails, theirs.callback_details),
        chained_invoke_details=_details(ChainedInvokeDetails, theirs.chained_invoke_details),
    )


def _details(shape: type[Details], theirs: Any) -> Details | None:
    if theirs is None:
        return None
    return shape(
        **{
            field.name: _error(theirs.error)
            if field.name == "error"
            else _value(getattr(theirs, field.name))
            for field in fields(shape)  # pyright: ignore[reportArgumentType]
        }
    )


def _error(theirs: Any) -> ErrorObject | None:
    if theirs is None:
        return None
    trace = theirs.stack_trace
    return ErrorObject(
        error_message=theirs.message,
        error_type=theirs.type,
        error_data=theirs.data,
        stack_trace=None if trace is None else tuple(trace),
    )


def _value(theirs: Any) -> Any:
    return round(theirs.timestamp() * 1000) if isinstance(theirs, datetime) else theirs
