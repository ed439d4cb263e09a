"""A callback: an id to hand out, and the answer that comes back under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perdure.protocol.operations import CallbackOptions
from perdure.protocol.words import OperationAction, OperationStatus
from perdure.sdk.exceptions import CallbackError, CallbackExternalError, CallbackTimeoutError
from perdure.sdk.journal import Failed, Fresh, Replayed, Waiting
from perdure.sdk.operations.storing import load, store, update_of
from perdure.sdk.requests import Settle
from perdure.sdk.serdes import PassThroughSerDes

if TYPE_CHECKING:
    from collections.abc import Generator

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.config import CallbackConfig
    from perdure.sdk.journal import Identity
    from perdure.sdk.requests import Request
    from perdure.sdk.serdes import SerDes

__all__ = ["await_callback", "create_callback"]

_AS_IT_IS: SerDes[Any] = PassThroughSerDes()


def create_callback(
    context: BaseContext, identity: Identity, config: CallbackConfig
) -> Generator[Request, Any, str]:
    """Return the callback's id.

    How the callback ended is told by ``await_callback`` alone, so that the code between the two
    runs at every replay.
    """
    run = context.run
    if isinstance(run.look(identity), Fresh):
        options = CallbackOptions(
            timeout_seconds=config.timeout_seconds,
            heartbeat_timeout_seconds=config.heartbeat_timeout_seconds,
        )
        start = update_of(identity, OperationAction.START, callback_options=options)
        yield from store(run, start, context.scope)
    operation = run.journal.find(identity.operation_id)
    details = operation.callback_details if operation else None
    if details is None or details.callback_id is None:
        raise CallbackError(f"the service gave no callback id for {identity.operation_id}")
    return details.callback_id


def await_callback(
    context: BaseContext, identity: Identity, serdes: SerDes[Any] | None
) -> Generator[Request, Any, Any]:
    """Return the answer, as text unless ``serdes`` says otherwise.

    Raises ``CallbackTimeoutError`` or ``CallbackExternalError``.
    """
    run = context.run
    while True:
        match run.look(identity):
            case Replayed(payload=payload):
                return load(run, identity, serdes or _AS_IT_IS, payload)
            case Failed(error=error, operation=operation):
                is_timeout = operation.status is OperationStatus.TIMED_OUT
                kind = CallbackTimeoutError if is_timeout else CallbackExternalError
                message = "Callback timed out" if is_timeout else "Callback failed"
                raise kind(
                    message=(error and error.error_message) or message,
                    data=error.error_data if error else None,
                    stack_trace=list(error.stack_trace) if error and error.stack_trace else None,
                )
            case Waiting(operation=operation):
                yield Settle(operation, None, context.scope)
            case decision:
                raise CallbackError(f"a callback cannot be {decision}")
