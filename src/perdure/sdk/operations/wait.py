"""A wait: time that passes, of which the service keeps count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perdure.protocol.words import OperationAction
from perdure.sdk.exceptions import InvalidStateError
from perdure.sdk.journal import Fresh, Replayed, Waiting
from perdure.sdk.operations.storing import store, update_of
from perdure.sdk.requests import Settle

if TYPE_CHECKING:
    from collections.abc import Generator

    from perdure.protocol.operations import WaitOptions
    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.journal import Identity
    from perdure.sdk.requests import Request

__all__ = ["wait"]


def wait(
    context: BaseContext, identity: Identity, options: WaitOptions
) -> Generator[Request, Any, None]:
    """Return when the time is over."""
    run = context.run
    while True:
        match run.look(identity):
            case Replayed():
                return
            case Waiting(operation=operation, until_ms=until_ms):
                yield Settle(operation, until_ms, context.scope)
            case Fresh():
                start = update_of(identity, OperationAction.START, wait_options=options)
                yield from store(run, start, context.scope)
            case decision:
                raise InvalidStateError(f"a wait cannot be {decision}")
