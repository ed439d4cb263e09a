"""The state a replaying handler is given, in pages: the first with the invocation, the others on
request.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from perdure.core.execution import Identity
from perdure.core.operation import Operation
from perdure.core.outcome import InvocationInput
from perdure.core.render import operation_shape
from perdure.engine.seals import Seals
from perdure.protocol.invocations import InitialExecutionState, InvocationEnvelope
from perdure.protocol.operations import Operation as OperationShape
from perdure.protocol.wire import TimeUnit, encode

__all__ = ["envelope", "page"]

#: An invocation's payload may have 6 MB on AWS; what is around the operations, and escapes, need
#: room.
_PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
_PAGE_OPERATIONS_MAX: Final = 1_000
_OPERATION_BYTES: Final = 400


def page(
    identity: Identity, operations: Iterable[Operation], seals: Seals, *, limit: int, now_ms: int
) -> tuple[tuple[OperationShape, ...], str | None]:
    """Return operations up to a page's size, and the marker to go on after them, or None at the
    end.

    A page holds at least one operation, however large that is.
    """
    shapes: list[OperationShape] = []
    size, last = 0, 0

    def callback_id(operation_id: str) -> str:
        return seals.seal_callback(identity.id, operation_id)

    for operation in operations:
        size += _OPERATION_BYTES + operation.size_bytes
        if shapes and (size > _PAGE_BYTES_MAX or len(shapes) >= limit):
            return tuple(shapes), seals.seal_marker(f"state:{identity.id}", str(last), now_ms)
        shapes.append(operation_shape(operation, callback_id))
        last = operation.position
    return tuple(shapes), None


def envelope(
    identity: Identity, given: InvocationInput, nonce: bytes, seals: Seals, *, now_ms: int
) -> bytes:
    """Return the JSON that a durable handler is invoked with."""
    operations, marker = page(
        identity, given.operations, seals, limit=_PAGE_OPERATIONS_MAX, now_ms=now_ms
    )
    shape = InvocationEnvelope(
        durable_execution_arn=identity.arn,
        checkpoint_token=seals.seal_token(identity.id, given.token, nonce),
        initial_execution_state=InitialExecutionState(operations=operations, next_marker=marker),
        updated_operation_ids=given.updated_operation_ids,
    )
    return msgspec.json.encode(encode(shape, unit=TimeUnit.MILLISECONDS))
