"""What a handler is given to begin with: the state it replays, in pages, the first with the
invocation, the others on request; or, if it was kept, what it was not told yet.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from perdure.core.execution import Execution, Identity
from perdure.core.operation import Operation
from perdure.core.outcome import InvocationInput
from perdure.core.render import operation_shape
from perdure.core.replay import replayed
from perdure.engine.seals import Seals
from perdure.protocol.invocations import InitialExecutionState, InvocationEnvelope, Offer
from perdure.protocol.operations import Operation as OperationShape

__all__ = ["envelope", "fits_envelope", "page", "short_envelope"]

#: An invocation's payload may have 6 MB on AWS; what is around the operations, and escapes, need
#: room.
_PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
_PAGE_OPERATIONS_MAX: Final = 1_000
_OPERATION_BYTES: Final = 400
_OFFERS: Final = (Offer.WAIT_MILLISECONDS.value,)


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
    execution: Execution, given: InvocationInput, nonce: bytes, seals: Seals, *, now_ms: int
) -> InvocationEnvelope:
    """Return what a durable handler is invoked with: the state as it now stands.

    Costs the execution's length, up to a page.
    """
    operations, marker = page(
        execution.identity,
        replayed(execution.operations),
        seals,
        limit=_PAGE_OPERATIONS_MAX,
        now_ms=now_ms,
    )
    state = InitialExecutionState(operations=operations, next_marker=marker)
    return _envelope(execution.identity, given, nonce, seals, state, changes_only=None)


def fits_envelope(changes: Sequence[Operation]) -> bool:
    """Tell whether a short envelope has room for them: there is no page after it."""
    return sum(_OPERATION_BYTES + change.size_bytes for change in changes) <= _PAGE_BYTES_MAX


def short_envelope(
    identity: Identity, given: InvocationInput, nonce: bytes, seals: Seals
) -> InvocationEnvelope:
    """Return what is for a handler that was kept: what has changed since it was told last (K1)."""

    def callback_id(operation_id: str) -> str:
        return seals.seal_callback(identity.id, operation_id)

    operations = tuple(operation_shape(change, callback_id) for change in given.changes)
    state = InitialExecutionState(operations=operations)
    return _envelope(identity, given, nonce, seals, state, changes_only=True)


def _envelope(
    identity: Identity,
    given: InvocationInput,
    nonce: bytes,
    seals: Seals,
    state: InitialExecutionState,
    *,
    changes_only: bool | None,
) -> InvocationEnvelope:
    return InvocationEnvelope(
        durable_execution_arn=identity.arn,
        checkpoint_token=seals.seal_token(identity.id, given.token, nonce),
        initial_execution_state=state,
        updated_operation_ids=tuple(change.id for change in given.changes),
        changes_only=changes_only,
        offers=None if changes_only else _OFFERS,
    )
