"""A child context: operations as one, whose result stands for theirs when it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perdure.protocol.operations import ContextOptions
from perdure.protocol.words import OperationAction, OperationStatus
from perdure.sdk.exceptions import (
    ChildContextError,
    ExecutionError,
    InvocationError,
    NonDeterministicExecutionError,
)
from perdure.sdk.failures import failure_of, record_of
from perdure.sdk.journal import Failed, Fresh, Replayed
from perdure.sdk.operations.storing import dump, load, store, update_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.protocol.operations import ErrorObject, OperationUpdate
    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.config import ChildConfig
    from perdure.sdk.journal import Decision, Identity
    from perdure.sdk.requests import Request
    from perdure.sdk.run import Run
    from perdure.sdk.scopes import Scope

    Body = Callable[[], Generator[Request, Any, Any]]

__all__ = ["RESULT_CHARACTERS_MAX", "child"]

#: A larger result is not stored but made again. Source: AWS's SDK 3.0, CHECKPOINT_SIZE_LIMIT_BYTES.
RESULT_CHARACTERS_MAX: Final = 256 * 1024


def child(
    context: BaseContext,
    identity: Identity,
    scope: Scope,
    body: Body,
    config: ChildConfig[Any],
) -> Generator[Request, Any, Any]:
    """Return what ``body`` returns, from its record if there is one.

    ``body`` makes the generator that does the work, in ``scope``; ``context`` is the one around it.
    Raises ``ChildContextError`` when the body raises.
    """
    run = context.run
    decision = run.look(identity)
    is_virtual = config.is_virtual
    if is_virtual and not isinstance(decision, Fresh):
        raise NonDeterministicExecutionError(
            "Non-deterministic child context at "
            f"id={identity.operation_id!r}: checkpoint contains a non-virtual child context but"
            " current child context is virtual",
            step_id=identity.operation_id,
        )
    match decision:
        case Replayed(payload=payload, replay_children=False):
            return load(run, identity, config.serdes, payload)
        case Failed(error=error):
            raise failure_of(error, ChildContextError)
        case Fresh() if not is_virtual:
            run.record(update_of(identity, OperationAction.START), context.scope)
        case _:
            pass
    try:
        value, update = yield from _body(context, identity, body, config, decision)
        scope.close()
        if update is not None:
            yield from store(run, update, context.scope)
        return value
    except ExecutionError:
        raise
    except Exception as error:
        if isinstance(error, InvocationError) and error.is_retryable():
            raise
        scope.close()
        record = record_of(error)
        if is_virtual:
            _ended(run, identity, decision, OperationStatus.FAILED, record)
        else:
            fail = update_of(identity, OperationAction.FAIL, error=record)
            yield from store(run, fail, context.scope)
        failure = failure_of(record, ChildContextError)
        raise failure from failure.__cause__


def _body(
    context: BaseContext,
    identity: Identity,
    body: Body,
    config: ChildConfig[Any],
    decision: Decision,
) -> Generator[Request, Any, tuple[Any, OperationUpdate | None]]:
    """Run the body; return its value as a replay will see it, and what is to be stored."""
    run = context.run
    is_repeated = isinstance(decision, Replayed)
    if run.hooks is None:
        result = yield from body()
    else:
        with run.hooks.user_function(
            identity,
            attempt=1 if isinstance(decision, Fresh) else None,
            is_replay_children=is_repeated,
        ):
            result = yield from body()
    payload = dump(run, identity, config.serdes, result)
    # The value a replay will see, made before it is stored: what cannot be read must not be kept.
    value = load(run, identity, config.serdes, payload)
    if config.is_virtual or is_repeated:
        _ended(run, identity, decision, OperationStatus.SUCCEEDED)
        return value, None
    is_large = payload is not None and len(payload) > RESULT_CHARACTERS_MAX
    if is_large:
        payload = config.summary_generator(result) if config.summary_generator else ""
    succeed = update_of(
        identity,
        OperationAction.SUCCEED,
        payload=payload,
        context_options=ContextOptions(replay_children=is_large),
    )
    return value, succeed


def _ended(
    run: Run,
    identity: Identity,
    decision: Decision,
    status: OperationStatus,
    error: ErrorObject | None = None,
) -> None:
    """Tell the plugins of an end that is not stored."""
    if run.hooks is not None:
        run.hooks.on_child_context_end(
            identity, status, error=error, is_replayed=not isinstance(decision, Fresh)
        )
