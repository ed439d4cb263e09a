"""What an invocation brings, and what it is answered with: the envelope's two ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perdure.protocol.operations import Operation
from perdure.protocol.wire import TimeUnit, WireError, decode, encode
from perdure.protocol.words import OperationType
from perdure.sdk.exceptions import ExecutionError
from perdure.sdk.words import InvocationStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perdure.protocol.invocations import InvocationEnvelope
    from perdure.protocol.operations import ErrorObject

__all__ = ["PENDING", "Answer", "Opening", "input_of", "open_envelope", "opening_of"]

_NO_ENVELOPE: Final = (
    "Unexpected payload provided to start the durable execution. Check your resource"
    " configurations to confirm the durability is set."
)


class Opening(NamedTuple):
    """What a handler is invoked with."""

    arn: str
    token: str
    operations: Sequence[Operation]
    marker: str | None  #: where the state goes on, if it did not fit
    updated_ids: Sequence[str]
    changes_only: bool = False  #: only what has changed, for a handler that was kept
    offers: Sequence[str] = ()  #: what the service can do beyond AWS's


class Answer(NamedTuple):
    """What an invocation is answered with."""

    status: InvocationStatus
    result: str | None = None
    error: ErrorObject | None = None

    def to_dict(self, *, is_kept: bool = False, dropped: Sequence[str] = ()) -> dict[str, Any]:
        """Return the answer as it travels."""
        answer: dict[str, Any] = {"Status": self.status.value}
        if self.result is not None:
            answer["Result"] = self.result
        if self.error is not None:
            answer["Error"] = encode(self.error)
        if is_kept:
            answer["Kept"] = True
        if dropped:
            answer["Dropped"] = list(dropped)
        return answer


PENDING: Final = Answer(InvocationStatus.PENDING)


def opening_of(envelope: InvocationEnvelope) -> Opening:
    """Return what an invocation in the service's own process brings."""
    state = envelope.initial_execution_state
    return Opening(
        envelope.durable_execution_arn,
        envelope.checkpoint_token,
        state.operations or (),
        state.next_marker,
        envelope.updated_operation_ids or (),
        bool(envelope.changes_only),
        envelope.offers or (),
    )


def open_envelope(envelope: Any) -> Opening:
    """Return what an invocation brings; raises ``ExecutionError`` if it is no envelope."""
    try:
        state: Mapping[str, Any] = envelope.get("InitialExecutionState") or {}
        return Opening(
            envelope["DurableExecutionArn"],
            envelope["CheckpointToken"],
            [
                decode(Operation, operation, unit=TimeUnit.MILLISECONDS)
                for operation in state.get("Operations") or ()
            ],
            state.get("NextMarker") or None,
            envelope.get("UpdatedOperationIds") or (),
            bool(envelope.get("ChangesOnly")),
            envelope.get("Offers") or (),
        )
    except (KeyError, TypeError, AttributeError, WireError) as error:
        raise ExecutionError(_NO_ENVELOPE) from error


def input_of(operations: Sequence[Operation]) -> Any:
    """Return the execution's input; an empty object where it has none."""
    for operation in operations:
        if operation.type is OperationType.EXECUTION:
            details = operation.execution_details
            text = details.input_payload if details else None
            return json.loads(text) if text and text.strip() else {}
    return {}
