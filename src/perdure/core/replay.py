"""Which operations a replaying handler is given."""

from collections.abc import Mapping

from perdure.core.operation import Operation
from perdure.protocol.words import OperationType

__all__ = ["replayed"]


def replayed(operations: Mapping[str, Operation]) -> tuple[Operation, ...]:
    """Return what a replay sees, in the order the operations began.

    What lies under a finished context is left out, unless the context was closed with
    ReplayChildren: the context's own result stands for it.
    """
    hidden: set[str] = set()
    shown: list[Operation] = []
    for operation in operations.values():
        parent_id = operation.parent_id
        if parent_id is not None and parent_id in hidden:
            hidden.add(operation.id)
            continue
        shown.append(operation)
        if (
            operation.type is OperationType.CONTEXT
            and operation.is_finished
            and not operation.replay_children
        ):
            hidden.add(operation.id)
    return tuple(shown)
