"""One invocation of a handler under test: what it is given, the service as it sees it, its answer.

A handler is killed by its client: from then on every call fails as if the service were gone, which
ends the handler wherever it stands, and nothing it answers is heard.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from perdure.core.commands import Verdict
from perdure.protocol.operations import ErrorObject, OperationUpdate
from perdure.protocol.wire import WireError, decode
from perdure.protocol.words import InvocationStatus
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.execution import DurableFunction
from perdure.sdk.loop import shared_loop
from perdure.sdk.witness import WITNESS
from perdure.testing.trials import Effect, Moment, StepRun, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perdure.sdk.envelopes import Opening
    from perdure.sdk.journal import Identity
    from perdure.sdk.parking import Parking
    from perdure.testing.functions import LocalLambdaContext
    from perdure.testing.service import Held, LocalService

__all__ = ["Answered", "HandlerRun", "InvocationClient", "perform"]

_KILLED: Final = "the handler was killed here, by the test"


class HandlerRun:
    """A handler from its first line on, over all invocations it lives through: the witness of what
    it does. What a handler does after its death did not happen.
    """

    def __init__(self, arn: str, trial: Trial) -> None:
        """Count for ``trial``."""
        self.is_dead = False
        self._arn = arn
        self._trial = trial

    def attempted(self, identity: Identity, attempt: int) -> None:
        """Count a run of a step's function."""
        if not self.is_dead:
            self._trial.attempted(StepRun(self._arn, identity.operation_id, identity.name, attempt))

    def affected(self, effect: Effect) -> None:
        """Count an effect."""
        if not self.is_dead:
            self._trial.affected(effect)


class InvocationClient:
    """The service, for one invocation of one handler: both kinds of client in one."""

    def __init__(self, service: LocalService, held: Held, run: HandlerRun) -> None:
        """Be ``service`` for an execution's running invocation."""
        self.run = run
        self._service = service
        self._held = held

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """See ``ServiceClient``."""
        with self._service.lock:
            self._check()
            key = self._service.trial.key
            keys = [key(f"{update.action} {arn} {update.id}") for update in updates]
            self._come_to(Moment.BEFORE, updates, keys)
            progress = self._service.checkpoint(self._held, token, tuple(updates), client_token)
            self._come_to(Moment.AFTER, updates, keys)
            return progress

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """See ``ServiceClient``."""
        with self._service.lock:
            self._check()
            return self._service.read_state(self._held, marker)

    def _come_to(self, moment: Moment, updates: Sequence[OperationUpdate], keys: list[str]) -> None:
        if keys and self._service.trial.comes_to(moment, _summary(updates), keys):
            self.run.is_dead = True
            self._check()

    def _check(self) -> None:
        if self.run.is_dead:
            raise ServiceError(_KILLED, code="ServiceException", status=500)


class _OnLoop:
    """The client for coroutines: nothing it does takes long."""

    def __init__(self, client: InvocationClient) -> None:
        self._client = client

    async def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        return self._client.checkpoint(arn, token, updates, client_token)

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        return self._client.read_state(arn, token, marker)


class Answered(NamedTuple):
    """How an invocation ended."""

    verdict: Verdict
    is_kept: bool = False


def perform(
    held: Held,
    opening: Opening,
    lambda_context: LocalLambdaContext,
    client: InvocationClient,
    keep: Parking | None,
) -> Answered:
    """Run one invocation in this thread, and return how it ended; never raise."""
    handler = held.function.handler
    try:
        if held.is_durable:
            answer = contextvars.copy_context().run(
                _run_durable, handler, opening, lambda_context, client, keep
            )
            return Answered(_verdict(answer), isinstance(answer, dict) and "Kept" in answer)
        result = _run_plain(handler, held.root.input, lambda_context)
        return Answered(Verdict(status=InvocationStatus.SUCCEEDED, result=result))
    except BaseException as error:  # noqa: BLE001 - whatever leaves a handler
        kind = type(error).__name__
        record = ErrorObject(error_type=kind, error_message=str(error))
        return Answered(Verdict(status=None, error=record))


def _run_durable(
    handler: Callable[..., Any],
    opening: Opening,
    lambda_context: LocalLambdaContext,
    client: InvocationClient,
    keep: Parking | None,
) -> Any:
    WITNESS.set(client.run)
    if not isinstance(handler, DurableFunction):
        from perdure.testing.aws_handlers import run_aws

        return run_aws(handler, opening, lambda_context, client)
    if not handler.is_async:
        return handler.invoke(opening, lambda_context, client, keep=keep)
    coroutine = handler.invoke_async(opening, lambda_context, _OnLoop(client), keep=keep)
    return asyncio.run_coroutine_threadsafe(coroutine, shared_loop()).result()


def _run_plain(
    handler: Callable[..., Any], payload: str | None, lambda_context: LocalLambdaContext
) -> str:
    event = json.loads(payload) if payload and payload.strip() else None
    result = handler(event, lambda_context)
    if asyncio.iscoroutine(result):
        with asyncio.Runner() as runner:
            result = runner.run(cast("Any", result))
    return json.dumps(result)


def _verdict(answer: Any) -> Verdict:
    """Return what a durable handler's answer says; one that cannot be read ends its execution."""
    try:
        status = InvocationStatus(answer["Status"])
        error = answer.get("Error")
        result = answer.get("Result")
        if result is not None and not isinstance(result, str):
            raise TypeError("Result must be a string")
        record = None if error is None else decode(ErrorObject, error, path="Error")
    except (TypeError, ValueError, KeyError, AttributeError, WireError) as problem:
        message = f"the handler's answer is not an invocation's: {answer!r} ({problem!r})"
        record = ErrorObject(
            error_type="InvalidParameterValueException", error_message=message[:1_000]
        )
        return Verdict(status=None, error=record, is_final=True)
    return Verdict(status=status, result=result, error=record)


def _summary(updates: Sequence[OperationUpdate]) -> str:
    shown = [
        f"{update.action} {update.type}" + (f" {update.name!r}" if update.name else "")
        for update in updates
    ]
    rest = f", and {len(shown) - 3} more" if len(shown) > 4 else ""
    return ", ".join(shown[:3] if rest else shown) + rest
