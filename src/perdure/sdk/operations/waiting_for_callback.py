"""Waiting for a callback: its creation, a step that hands out its id, and its answer, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perdure.protocol.words import OperationType
from perdure.sdk.config import CallbackConfig, StepConfig
from perdure.sdk.exceptions import (
    CallbackError,
    CallbackSubmitterError,
    ChildContextError,
    StepError,
)
from perdure.sdk.operations.callback import await_callback, create_callback
from perdure.sdk.operations.step import step
from perdure.sdk.types import WaitForCallbackContext
from perdure.sdk.words import OperationSubType

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.config import WaitForCallbackConfig
    from perdure.sdk.requests import Request
    from perdure.sdk.types import StepContext

__all__ = ["submit_and_await", "translated"]


def submit_and_await(
    context: BaseContext,
    submitter: Callable[..., Any],
    name: str | None,
    config: WaitForCallbackConfig | None,
) -> Generator[Request, Any, Any]:
    """Return the answer; ``context`` is the operation's own."""
    prefix = f"{name} " if name else ""
    callback_config = config or CallbackConfig()
    sub_type = callback_config.sub_type or OperationSubType.CALLBACK.value
    created = context.next_identity(OperationType.CALLBACK, sub_type, f"{prefix}create callback id")
    callback_id = yield from context.followed(
        created, create_callback(context, created, callback_config)
    )

    def arguments(step_context: StepContext) -> tuple[Any, ...]:
        return callback_id, WaitForCallbackContext(logger=step_context.logger)

    step_config = (
        StepConfig(retry_strategy=config.retry_strategy, serdes=config.serdes)
        if config
        else StepConfig()
    )
    handed_out = context.next_identity(
        OperationType.STEP, OperationSubType.STEP.value, f"{prefix}submitter"
    )
    work = step(context, handed_out, submitter, step_config, arguments=arguments)
    yield from context.followed(handed_out, work)
    return (yield from await_callback(context, created, callback_config.serdes))


def translated(body: Generator[Request, Any, Any]) -> Generator[Request, Any, Any]:
    """Return what ``body`` does; the failure of its context is raised as the callback's own."""
    try:
        return (yield from body)
    except ChildContextError as error:
        inner = error.__cause__
        if isinstance(inner, CallbackError):
            raise inner from inner.__cause__
        if isinstance(inner, StepError):
            raise CallbackSubmitterError(
                inner.message or "Callback submitter failed",
                data=inner.data,
                stack_trace=inner.stack_trace,
            ) from inner
        raise
