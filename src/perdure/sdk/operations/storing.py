"""Recording an update and waiting until it is stored: what every operation does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perdure.protocol.operations import OperationUpdate
from perdure.sdk.requests import Flush
from perdure.sdk.serdes import deserialize, serialize

if TYPE_CHECKING:
    from collections.abc import Generator

    from perdure.protocol.words import OperationAction
    from perdure.sdk.journal import Identity
    from perdure.sdk.requests import Request
    from perdure.sdk.run import Run
    from perdure.sdk.scopes import Scope
    from perdure.sdk.serdes import SerDes

__all__ = ["dump", "load", "store", "update_of"]


def update_of(identity: Identity, action: OperationAction, **members: Any) -> OperationUpdate:
    """Return an update of the operation ``identity``."""
    return OperationUpdate(
        id=identity.operation_id,
        type=identity.operation_type,
        action=action,
        parent_id=identity.parent_id,
        name=identity.name,
        sub_type=identity.sub_type,
        **members,
    )


def store(run: Run, update: OperationUpdate, scope: Scope) -> Generator[Request, Any, None]:
    """Record an update, and wait until it is stored."""
    ticket = run.record(update, scope)
    if run.hooks is None:
        yield Flush(ticket)
        return
    try:
        yield Flush(ticket)
    finally:
        run.hooks.observed(update.id, waiter=True)


def dump(run: Run, identity: Identity, serdes: SerDes[Any] | None, value: Any) -> str | None:
    """Return a value as the text that is stored."""
    return serialize(
        serdes=serdes,
        value=value,
        operation_id=identity.operation_id,
        durable_execution_arn=run.durable_execution_arn,
    )


def load(run: Run, identity: Identity, serdes: SerDes[Any] | None, payload: str | None) -> Any:
    """Return the value that a stored text stands for; None stands for itself."""
    if payload is None:
        return None
    return deserialize(
        serdes=serdes,
        data=payload,
        operation_id=identity.operation_id,
        durable_execution_arn=run.durable_execution_arn,
    )
