"""A handler's run from its first line to its answer, without colour."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from perdure.protocol.operations import OperationUpdate
from perdure.protocol.wire import encode
from perdure.protocol.words import OperationAction, OperationType
from perdure.sdk.envelopes import PENDING, Answer
from perdure.sdk.exceptions import (
    BackgroundThreadError,
    ExecutionError,
    InvocationError,
    SuspendExecution,
)
from perdure.sdk.failures import record_of
from perdure.sdk.operations.storing import store
from perdure.sdk.requests import Call
from perdure.sdk.words import InvocationStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.requests import Request

__all__ = ["ANSWER_CHARACTERS_MAX", "conduct"]

_log: Final = logging.getLogger(__name__)

#: A longer answer is stored by a checkpoint first. Source: AWS's SDK 3.0, which leaves 50 bytes of
#: Lambda's 6 MB for what is around it.
ANSWER_CHARACTERS_MAX: Final = 6 * 1024 * 1024 - 50


def conduct(
    context: BaseContext, function: Callable[..., Any], event: Any
) -> Generator[Request, Any, Answer]:
    """Call the handler; return what its invocation is answered with.

    Raises what is to be raised out of the invocation, so that the service tries it again.
    """
    run = context.run
    try:
        try:
            result = yield Call(function, (event, context), context.scope, is_work=False)
            if run.is_suspended:
                return PENDING
            return (yield from _succeeded(context, json.dumps(result)))
        except BaseException as error:  # noqa: BLE001 - sorted just below
            if run.is_suspended or isinstance(error, SuspendExecution):
                return PENDING
            return (yield from _failed(context, error))
    except BackgroundThreadError as error:
        return _unstored(error)


def _succeeded(context: BaseContext, text: str) -> Generator[Request, Any, Answer]:
    if len(text) <= ANSWER_CHARACTERS_MAX:
        return Answer(InvocationStatus.SUCCEEDED, result=text)
    update = OperationUpdate(
        id="execution-result",
        type=OperationType.EXECUTION,
        action=OperationAction.SUCCEED,
        payload=text,
    )
    yield from store(context.run, update, context.scope)
    return Answer(InvocationStatus.SUCCEEDED, result="")


def _failed(context: BaseContext, error: BaseException) -> Generator[Request, Any, Answer]:
    if isinstance(error, BackgroundThreadError) or not isinstance(error, Exception):
        raise error
    if isinstance(error, InvocationError) and error.is_retryable():
        _log.error("the invocation failed, and is tried again", exc_info=error)
        raise error
    _log.error("the execution failed", exc_info=error)
    record = record_of(error)
    is_ours = isinstance(error, ExecutionError | InvocationError)
    if is_ours or len(json.dumps(encode(record))) <= ANSWER_CHARACTERS_MAX:
        return Answer(InvocationStatus.FAILED, error=record)
    update = OperationUpdate(
        id="execution-result",
        type=OperationType.EXECUTION,
        action=OperationAction.FAIL,
        error=record,
    )
    yield from store(context.run, update, context.scope)
    return Answer(InvocationStatus.FAILED)


def _unstored(error: BackgroundThreadError) -> Answer:
    """Return the answer when the service has refused a checkpoint, for good; raise otherwise."""
    source = error.source_exception
    if isinstance(source, InvocationError) and not source.is_retryable():
        _log.error("a checkpoint was refused: the execution fails", exc_info=source)
        return Answer(InvocationStatus.FAILED, error=record_of(source))
    raise source
