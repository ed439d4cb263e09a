"""Runs functions in this process: an ``Invoker`` for handlers that are Python objects.

An async handler runs on the engine's loop, any other in a thread: the loop waits for none. What a
handler raises is an outcome, whatever it is. A run that is cancelled cannot be killed here: a
coroutine is cancelled, a thread is left alone. Its checkpoints are refused from then on, and it
leaves at the next.
"""

import asyncio
import contextlib
import functools
import json
import logging
import traceback
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, Final

import msgspec

from perdure.clock import Clock
from perdure.engine.invoker import (
    Crashed,
    FailureKind,
    InvocationOutcome,
    InvocationReport,
    InvocationRequest,
    Raised,
    Returned,
)
from perdure.protocol.wire import encode
from perdure.runtime.crossing import ClosedError, Crossing
from perdure.runtime.in_process_client import LoopClient, ThreadClient
from perdure.runtime.in_process_context import InProcessContext
from perdure.sdk.envelopes import Opening, input_of, open_envelope, opening_of
from perdure.sdk.execution import DurableFunction
from perdure.sdk.failures import record_of
from perdure.sdk.parking import Parking
from perdure.sdk.words import InvocationStatus
from perdure.sdk.workers import WORKERS

__all__ = ["WORKER_ID", "Handler", "InProcessInvoker"]

_log = logging.getLogger(__name__)

#: The one worker there is; handlers that it keeps go on without a replay.
WORKER_ID: Final = "in-process"

#: A durable function, or an ordinary one, async or not, of the event and the Lambda context.
Handler = DurableFunction | Callable[[Any, Any], Any]


class InProcessInvoker:
    """Runs handlers, by the names of their functions. Implements ``engine.invoker.Invoker``.

    How many run at once is the dispatcher's affair: here each has a thread, used again and again,
    or none.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        client: LoopClient,
        crossing: Crossing,
        parking: Parking,
        clock: Clock,
    ) -> None:
        """Run what is in ``handlers`` at the time; suspended ones are kept in ``parking``."""
        self._handlers = handlers
        self._loop_client = client
        self._thread_client = ThreadClient(client, crossing)
        self._crossing = crossing
        self._parking = parking
        self._clock = clock
        self._has_made_way = False

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        """Run the function once and return what happened."""
        began_ms = self._clock.now_ms()
        handler = self._handlers.get(request.function.function_name)
        if handler is None:
            message = f"no function is registered as {request.function.function_name!r}"
            kind = FailureKind.CODE_MISSING
            outcome: InvocationOutcome = Crashed(kind=kind, error_type=kind, message=message)
        else:
            outcome = await self._run(handler, request)
        return InvocationReport(
            outcome=outcome,
            started_at_ms=began_ms,
            ended_at_ms=self._clock.now_ms(),
            worker_id=WORKER_ID,
        )

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        """Do nothing: the next run takes the handler that is registered then."""

    async def _run(self, handler: Handler, request: InvocationRequest) -> InvocationOutcome:
        event = request.event_for(WORKER_ID)
        if isinstance(event, bytes):
            opening = open_envelope(msgspec.json.decode(event))
        else:
            opening = opening_of(event)
        context = InProcessContext(request, self._clock)
        await self._make_way(handler)
        if not isinstance(handler, DurableFunction):
            if iscoroutinefunction(handler):
                return await _awaited(_plain_async(handler, opening, context), request.request_id)
            return await self._in_thread(
                functools.partial(_plain, handler, opening, context), request.request_id
            )
        if handler.is_async:
            answer = handler.invoke_async(opening, context, self._loop_client, keep=self._parking)
            return await _awaited(answer, request.request_id)
        ended: asyncio.Future[InvocationOutcome] = asyncio.get_running_loop().create_future()

        def answered(answer: dict[str, Any] | BaseException) -> None:
            self._end(ended, answer, request.request_id)

        handler.begin(opening, context, self._thread_client, self._parking, answered)
        return await ended

    async def _make_way(self, handler: Handler) -> None:
        """Before the first handler on the loop: its code may expect to be in one thread."""
        is_durable = isinstance(handler, DurableFunction)
        is_async = handler.is_async if is_durable else iscoroutinefunction(handler)
        if is_async and not self._has_made_way:
            self._has_made_way = True
            self._crossing.keep_to_thread()
            await asyncio.sleep(0)  # the thread that does this may be another's

    async def _in_thread(
        self, run: Callable[[], dict[str, Any]], request_id: str
    ) -> InvocationOutcome:
        ended: asyncio.Future[InvocationOutcome] = asyncio.get_running_loop().create_future()

        def work() -> None:
            try:
                answer: dict[str, Any] | BaseException = run()
            except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its outcome
                answer = error
            self._end(ended, answer, request_id)

        WORKERS.run(work)
        return await ended

    def _end(
        self,
        ended: "asyncio.Future[InvocationOutcome]",
        answer: dict[str, Any] | BaseException,
        request_id: str,
    ) -> None:
        """Tell the loop, from a handler's thread."""
        if isinstance(answer, BaseException):
            outcome: InvocationOutcome = _raised(answer, request_id)
        else:
            outcome = _returned(answer)
        # A service that was closed meanwhile has no use for it: the execution goes on later.
        with contextlib.suppress(ClosedError):
            self._crossing.do(functools.partial(_settle, ended, outcome))


def _settle(ended: "asyncio.Future[InvocationOutcome]", outcome: InvocationOutcome) -> None:
    if not ended.done():
        ended.set_result(outcome)


async def _awaited(answer: Any, request_id: str) -> InvocationOutcome:
    try:
        return _returned(await answer)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return _raised(error, request_id)  # the handler's own
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its outcome
        return _raised(error, request_id)


async def _plain_async(
    function: Callable[[Any, Any], Any], opening: Opening, context: InProcessContext
) -> dict[str, Any]:
    try:
        return _succeeded(await function(input_of(opening.operations), context))
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - an ordinary function's error is its end
        return _failed(error)


def _plain(
    function: Callable[[Any, Any], Any], opening: Opening, context: InProcessContext
) -> dict[str, Any]:
    try:
        return _succeeded(function(input_of(opening.operations), context))
    except BaseException as error:  # noqa: BLE001 - an ordinary function's error is its end
        return _failed(error)


def _succeeded(result: Any) -> dict[str, Any]:
    return {"Status": InvocationStatus.SUCCEEDED.value, "Result": json.dumps(result)}


def _failed(error: BaseException) -> dict[str, Any]:
    _log.error("a function failed", exc_info=error)
    return {"Status": InvocationStatus.FAILED.value, "Error": encode(record_of(error))}


def _returned(answer: dict[str, Any]) -> InvocationOutcome:
    return Returned(payload=msgspec.json.encode(answer))


def _raised(error: BaseException, request_id: str) -> InvocationOutcome:
    """Return the error document of Lambda's Python runtime."""
    error_type = type(error).__name__
    document = {
        "errorMessage": str(error),
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    return Raised(payload=json.dumps(document).encode(), error_type=error_type)
