"""Waiting for a condition: a check is repeated, with its state, until a strategy is content."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from perdure.protocol.operations import StepOptions
from perdure.protocol.words import OperationAction
from perdure.sdk.exceptions import InvocationError, WaitForConditionError
from perdure.sdk.failures import failure_of, record_of
from perdure.sdk.journal import Begun, Failed, Replayed, Waiting
from perdure.sdk.logger import LogInfo
from perdure.sdk.operations.storing import dump, load, store, update_of
from perdure.sdk.requests import Call, Settle
from perdure.sdk.scopes import Scope
from perdure.sdk.types import WaitForConditionCheckContext

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.journal import Identity
    from perdure.sdk.requests import Request
    from perdure.sdk.waits import WaitForConditionConfig

__all__ = ["wait_for_condition"]

_log = logging.getLogger(__name__)


def wait_for_condition(
    context: BaseContext,
    identity: Identity,
    check: Callable[..., Any],
    config: WaitForConditionConfig[Any],
) -> Generator[Request, Any, Any]:
    """Return the state at which the strategy was content.

    Raises ``WaitForConditionError`` when the check, or the strategy, has raised.
    """
    run = context.run
    while True:
        attempts_ended, payload = 0, None
        match run.look(identity):
            case Replayed(payload=payload):
                return load(run, identity, config.serdes, payload)
            case Failed(error=error):
                raise failure_of(error, WaitForConditionError)
            case Waiting(operation=operation, until_ms=until_ms):
                yield Settle(operation, until_ms, context.scope)
                continue
            case Begun(attempts_ended=attempts_ended, payload=payload, is_started=True):
                pass
            case decision:
                if isinstance(decision, Begun):
                    attempts_ended, payload = decision.attempts_ended, decision.payload
                run.record(update_of(identity, OperationAction.START), context.scope)
        try:
            state, is_met = yield from _check(
                context, identity, check, config, payload, attempts_ended + 1
            )
        except Exception as error:
            if isinstance(error, InvocationError) and error.is_retryable():
                raise
            _log.warning(
                "check %d of condition %s failed",
                attempts_ended + 1,
                identity.name or identity.operation_id,
                exc_info=error,
            )
            record = record_of(error)
            fail = update_of(identity, OperationAction.FAIL, error=record)
            yield from store(run, fail, context.scope)
            failure = failure_of(record, WaitForConditionError)
            raise failure from failure.__cause__
        if is_met:
            return state


def _check(
    context: BaseContext,
    identity: Identity,
    check: Callable[..., Any],
    config: WaitForConditionConfig[Any],
    payload: str | None,
    attempt: int,
) -> Generator[Request, Any, tuple[Any, bool]]:
    """Check once; return the state, and whether the strategy is content with it."""
    run, serdes = context.run, config.serdes
    stored = payload or dump(run, identity, serdes, config.initial_state)
    logger = context.logger.with_log_info(LogInfo.from_operation_identifier(run, identity, attempt))
    check_context = WaitForConditionCheckContext(logger=logger, attempt=attempt)
    scope = Scope(context.scope, identity.name, is_work=True)
    call = Call(check, (load(run, identity, serdes, stored), check_context), scope, is_work=True)
    if run.witness is not None:
        run.witness.attempted(identity, attempt)
    if run.hooks is None:
        result = yield call
    else:
        with run.hooks.user_function(identity, attempt=attempt):
            result = yield call
    reached = dump(run, identity, serdes, result)
    decision = config.wait_strategy(load(run, identity, serdes, reached), attempt)
    if not decision.should_continue:
        # Read anew: the strategy may have changed the state it was shown.
        state = load(run, identity, serdes, reached)
        succeed = update_of(identity, OperationAction.SUCCEED, payload=reached)
        yield from store(run, succeed, context.scope)
        return state, True
    delay_seconds = context.whole_seconds(decision.delay_seconds, "the wait strategy's delay")
    options = StepOptions(next_attempt_delay_seconds=delay_seconds)
    retry = update_of(identity, OperationAction.RETRY, payload=reached, step_options=options)
    yield from store(run, retry, context.scope)
    return None, False
