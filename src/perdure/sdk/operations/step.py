"""A step: runs a function, stores its result, and tries again as its strategy says."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn

from perdure.protocol.operations import StepOptions
from perdure.protocol.words import OperationAction
from perdure.sdk.config import StepSemantics
from perdure.sdk.exceptions import (
    ExecutionError,
    RetryableSerDesError,
    SerDesError,
    StepError,
    StepInterruptedError,
)
from perdure.sdk.failures import failure_of, record_of
from perdure.sdk.journal import Begun, Failed, Replayed, Waiting
from perdure.sdk.logger import LogInfo
from perdure.sdk.operations.storing import dump, load, store, update_of
from perdure.sdk.requests import Call, Settle
from perdure.sdk.retries import RetryPresets
from perdure.sdk.scopes import Scope
from perdure.sdk.types import StepContext

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.config import StepConfig
    from perdure.sdk.journal import Identity
    from perdure.sdk.requests import Request

__all__ = ["step"]

_log = logging.getLogger(__name__)


def _itself(step_context: StepContext) -> tuple[Any, ...]:
    return (step_context,)


def step(
    context: BaseContext,
    identity: Identity,
    function: Callable[..., Any],
    config: StepConfig,
    *,
    arguments: Callable[[StepContext], tuple[Any, ...]] = _itself,
) -> Generator[Request, Any, Any]:
    """Return the function's result, from its record if there is one.

    ``arguments`` makes what it is called with; its context alone, unless said otherwise.

    Raises ``StepError`` when the last attempt has failed. An interrupted attempt is run again, or,
    AT_MOST_ONCE_PER_RETRY, counts as failed.
    """
    return _Step(context, identity, config).run(function, arguments)


class _Step:
    """One step, over all its attempts."""

    __slots__ = ("_config", "_context", "_identity", "_is_once", "_run")

    def __init__(self, context: BaseContext, identity: Identity, config: StepConfig) -> None:
        self._context = context
        self._run = context.run
        self._identity = identity
        self._config = config
        self._is_once = config.step_semantics is StepSemantics.AT_MOST_ONCE_PER_RETRY

    def run(
        self, function: Callable[..., Any], arguments: Callable[[StepContext], tuple[Any, ...]]
    ) -> Generator[Request, Any, Any]:
        while True:
            match self._run.look(self._identity):
                case Replayed(payload=payload):
                    return load(self._run, self._identity, self._config.serdes, payload)
                case Failed(error=error):
                    raise failure_of(error, StepError)
                case Waiting(operation=operation, until_ms=until_ms):
                    yield Settle(operation, until_ms, self._context.scope)
                    continue
                case Begun(attempts_ended=attempts_ended, is_started=True):
                    if self._is_once:
                        yield from self._fail(self._interruption(), attempts_ended)
                        continue
                case decision:
                    attempts_ended = decision.attempts_ended if isinstance(decision, Begun) else 0
                    yield from self._start()
            attempt = attempts_ended + 1
            scope = Scope(self._context.scope, self._identity.name, is_work=True)
            call = Call(function, arguments(self._step_context(attempt)), scope, is_work=True)
            try:
                return (yield from self._attempt(call, attempt))
            except (RetryableSerDesError, ExecutionError):
                raise
            except SerDesError as error:
                yield from self._give_up(error)
            except Exception as error:  # noqa: BLE001 - whatever the user's function raises
                name = self._identity.name or self._identity.operation_id
                _log.warning("attempt %d of step %s failed", attempt, name, exc_info=error)
                yield from self._fail(error, attempts_ended)

    def _start(self) -> Generator[Request, Any, None]:
        start = update_of(self._identity, OperationAction.START)
        if self._is_once:
            yield from store(self._run, start, self._context.scope)
        else:
            self._run.record(start, self._context.scope)

    def _attempt(self, call: Call, attempt: int) -> Generator[Request, Any, Any]:
        run, identity, serdes = self._run, self._identity, self._config.serdes
        if run.witness is not None:
            run.witness.attempted(identity, attempt)
        if run.hooks is None:
            result = yield call
        else:
            with run.hooks.user_function(identity, attempt=attempt):
                result = yield call
        payload = dump(run, identity, serdes, result)
        # What a replay will see, made before it is stored: what cannot be read must not be kept.
        value = load(run, identity, serdes, payload)
        succeed = update_of(identity, OperationAction.SUCCEED, payload=payload)
        yield from store(run, succeed, self._context.scope)
        return value

    def _fail(self, error: Exception, attempts_ended: int) -> Generator[Request, Any, None]:
        """Record that there is another attempt, or raise ``StepError``."""
        strategy = self._config.retry_strategy or RetryPresets.default()
        decision = strategy(error, attempts_ended + 1)
        if not decision.should_retry:
            yield from self._give_up(error)
        delay_seconds = self._context.whole_seconds(decision.delay_seconds, "the retry's delay")
        retry = update_of(
            self._identity,
            OperationAction.RETRY,
            error=record_of(error),
            step_options=StepOptions(next_attempt_delay_seconds=delay_seconds),
        )
        yield from store(self._run, retry, self._context.scope)

    def _give_up(self, error: Exception) -> Generator[Request, Any, NoReturn]:
        record = record_of(error)
        fail = update_of(self._identity, OperationAction.FAIL, error=record)
        yield from store(self._run, fail, self._context.scope)
        failure = failure_of(record, StepError)
        raise failure from failure.__cause__

    def _interruption(self) -> StepInterruptedError:
        return StepInterruptedError(
            f"Step operation_id={self._identity.operation_id} name={self._identity.name} was"
            " previously interrupted"
        )

    def _step_context(self, attempt: int) -> StepContext:
        run, identity = self._run, self._identity
        # Most functions log nothing.
        logger = self._context.logger.at(
            lambda: LogInfo.from_operation_identifier(run, identity, attempt)
        )
        return StepContext(logger=logger, attempt=attempt)
