"""``durable_execution``: makes a function the handler of a durable execution."""

from __future__ import annotations

import contextvars
import functools
import os
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, cast, overload
from urllib.parse import urlsplit

from perdure.sdk.calls import make_calls, make_calls_async
from perdure.sdk.envelopes import Answer, Opening, input_of, open_envelope
from perdure.sdk.failures import record_of
from perdure.sdk.parking import process_parking
from perdure.sdk.plugin_discovery import load_configured_plugins, open_hooks
from perdure.sdk.service_errors import GetExecutionStateError
from perdure.sdk.thread_handler import ThreadHandler
from perdure.sdk.words import InvocationStatus
from perdure.sdk.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.sdk.calls import Calls
    from perdure.sdk.client import AsyncServiceClient, ServiceClient
    from perdure.sdk.loop_handler import LoopHandler
    from perdure.sdk.parking import Parking
    from perdure.sdk.plugin import DurableInstrumentationPluginFactory
    from perdure.sdk.plugin_executor import PluginExecutor
    from perdure.sdk.types import LambdaContext

__all__ = ["DurableFunction", "durable_execution"]


class DurableFunction:
    """A function whose executions are durable.

    Lambda's runtimes call it with an event; the in-process runtime calls ``invoke`` or
    ``invoke_async``.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        boto3_client: Any = None,
        plugins: list[DurableInstrumentationPluginFactory] | None = None,
    ) -> None:
        """Wrap ``function``; see ``durable_execution``."""
        functools.update_wrapper(self, function)
        self.function = function
        self.is_async = iscoroutinefunction(function)
        self._boto3_client = boto3_client
        self._plugins = load_configured_plugins(plugins)

    def __call__(self, event: Any, context: LambdaContext) -> dict[str, Any]:
        """Run one invocation; return its answer as the service reads it.

        Raises what says that the invocation is to be tried again, and ``ExecutionError`` if the
        event is not a durable execution's.
        """
        if not isinstance(event, dict) and hasattr(event, "service_client"):
            from perdure.sdk.aws_runner import client_of, envelope_of

            return self.invoke(envelope_of(event), context, client_of(event))
        client = _client(self._boto3_client)
        return self.invoke(event, context, client, keep=process_parking())

    def invoke(
        self,
        envelope: Any,
        lambda_context: LambdaContext | None,
        client: ServiceClient,
        *,
        keep: Parking | None = None,
    ) -> dict[str, Any]:
        """Run one invocation with ``client``, in this thread; a suspended handler is kept in
        ``keep``.
        """
        if self.is_async:
            from asyncio import run_coroutine_threadsafe

            from perdure.sdk.loop import shared_loop

            coroutine = self.invoke_async(
                envelope, lambda_context, _client_for_loop(client), keep=keep
            )
            return run_coroutine_threadsafe(coroutine, shared_loop()).result()
        opening = _opening(envelope)
        parked = keep.take(opening.arn) if keep is not None else None
        if isinstance(parked, ThreadHandler) and opening.changes_only:
            parked.resume(opening, client, lambda_context)
            return self._waited(parked, opening.arn, keep)
        if parked is not None:
            parked.discard()
        state = make_calls(_whole_state(opening), client)
        if isinstance(state, Answer):
            return state.to_dict()
        hooks = open_hooks(self._plugins)
        handler = self._handler(state, client, lambda_context, hooks)
        if hooks is not None:
            # What hooks bind in the context must not outlive the invocation.
            return contextvars.copy_context().run(self._with_hooks, handler, hooks, state)
        if keep is None:
            return handler.run_here().to_dict()
        handler.begin()
        return self._waited(handler, opening.arn, keep)

    def begin(
        self,
        opening: Opening,
        lambda_context: LambdaContext | None,
        client: ServiceClient,
        keep: Parking,
        answered: Callable[[dict[str, Any] | BaseException], None],
    ) -> None:
        """Begin one invocation of a handler that blocks, in a thread that it may be kept in, and
        return; ``answered`` is called there with what ``invoke`` would return or raise.
        """

        def tell(answer: Answer | BaseException | None) -> None:
            if isinstance(answer, BaseException):
                answered(answer)
            elif answer is not None:
                answered(answer.to_dict())
            else:
                answered(_parked(opening.arn, handler, keep))

        parked = keep.take(opening.arn)
        if isinstance(parked, ThreadHandler) and opening.changes_only:
            handler = parked
            parked.resume(opening, client, lambda_context, tell)
            return

        def run() -> None:
            nonlocal handler
            try:
                if parked is not None:
                    parked.discard()
                state = make_calls(_whole_state(opening), client)
                if isinstance(state, Answer):
                    answered(state.to_dict())
                    return
                hooks = open_hooks(self._plugins)
                handler = self._handler(state, client, lambda_context, hooks)
                if hooks is not None:
                    answered(self._with_hooks(handler, hooks, state))
                    return
            except BaseException as error:  # noqa: BLE001 - the invocation's to tell
                answered(error)
                return
            handler.run_kept(tell)

        handler: ThreadHandler
        context = contextvars.copy_context()
        WORKERS.run(lambda: context.run(run))

    async def invoke_async(
        self,
        envelope: Any,
        lambda_context: LambdaContext | None,
        client: AsyncServiceClient,
        *,
        keep: Parking | None = None,
    ) -> dict[str, Any]:
        """Run one invocation of an async handler on this loop, which has to be a
        ``DurableLoop``.
        """
        from perdure.sdk.loop_handler import LoopHandler

        opening = _opening(envelope)
        parked = keep.take(opening.arn) if keep is not None else None
        if isinstance(parked, LoopHandler) and opening.changes_only and parked.is_resumable:
            parked.resume(opening, client, lambda_context)
            return await self._awaited(parked, opening.arn, keep)
        if parked is not None:
            parked.discard()
        state = await make_calls_async(_whole_state(opening), client)
        if isinstance(state, Answer):
            return state.to_dict()
        hooks = open_hooks(self._plugins)
        handler = LoopHandler(
            self.function, input_of(state.operations), state, client, lambda_context, hooks
        )
        if hooks is not None:
            from asyncio import create_task

            # A task has a context of its own: what hooks bind must not outlive the invocation.
            return await create_task(self._with_hooks_async(handler, hooks, state))
        if keep is None:
            return (await handler.run_here()).to_dict()
        handler.begin()
        return await self._awaited(handler, opening.arn, keep)

    def _handler(
        self,
        state: Opening,
        client: ServiceClient,
        lambda_context: LambdaContext | None,
        hooks: PluginExecutor | None,
    ) -> ThreadHandler:
        event = input_of(state.operations)
        return ThreadHandler(self.function, event, state, client, lambda_context, hooks)

    def _waited(self, handler: ThreadHandler, arn: str, keep: Parking | None) -> dict[str, Any]:
        answer = handler.wait()
        return answer.to_dict() if answer is not None else _parked(arn, handler, keep)

    async def _awaited(
        self, handler: LoopHandler, arn: str, keep: Parking | None
    ) -> dict[str, Any]:
        answer = await handler.wait()
        return answer.to_dict() if answer is not None else _parked(arn, handler, keep)

    def _with_hooks(
        self, handler: ThreadHandler, hooks: PluginExecutor, opening: Opening
    ) -> dict[str, Any]:
        with hooks.run():
            with hooks.failing():
                _begin_hooks(hooks, handler.run.lambda_context, opening)
                answer = handler.run_here()
            hooks.on_invocation_end(answer)
        return answer.to_dict()

    async def _with_hooks_async(
        self, handler: LoopHandler, hooks: PluginExecutor, opening: Opening
    ) -> dict[str, Any]:
        with hooks.run():
            with hooks.failing():
                _begin_hooks(hooks, handler.run.lambda_context, opening)
                answer = await handler.run_here()
            hooks.on_invocation_end(answer)
        return answer.to_dict()


@overload
def durable_execution(func: Callable[..., Any]) -> DurableFunction: ...
@overload
def durable_execution(
    func: None = None,
    *,
    boto3_client: Any = None,
    plugins: list[DurableInstrumentationPluginFactory] | None = None,
) -> Callable[[Callable[..., Any]], DurableFunction]: ...
def durable_execution(
    func: Callable[..., Any] | None = None,
    *,
    boto3_client: Any = None,
    plugins: list[DurableInstrumentationPluginFactory] | None = None,
) -> DurableFunction | Callable[[Callable[..., Any]], DurableFunction]:
    """Make ``func(event, context)`` the handler of a durable execution.

    An ``async def`` gets an ``AsyncDurableContext``, any other function a ``DurableContext``.

    Args:
        func: the handler.
        boto3_client: a client for Lambda, to be used instead of the environment's endpoint.
        plugins: what makes instrumentation plugins, anew for each invocation.
    """
    if func is None:
        return functools.partial(_decorate, boto3_client=boto3_client, plugins=plugins)
    return _decorate(func, boto3_client=boto3_client, plugins=plugins)


def _decorate(func: Callable[..., Any], *, boto3_client: Any, plugins: Any) -> DurableFunction:
    return DurableFunction(func, boto3_client=boto3_client, plugins=plugins)


def _opening(envelope: Any) -> Opening:
    return envelope if isinstance(envelope, Opening) else open_envelope(envelope)


def _whole_state(opening: Opening) -> Calls[Opening | Answer]:
    """Return the opening with all of the state, or the answer if it cannot be had."""
    operations = [] if opening.changes_only else list(opening.operations)
    marker = opening.marker
    is_missing = opening.changes_only
    while marker or is_missing:
        try:
            page = yield "read_state", (opening.arn, opening.token, marker)
        except Exception as error:
            problem = GetExecutionStateError.from_exception(error)
            if problem.is_retryable():
                raise problem from error
            return Answer(InvocationStatus.FAILED, error=record_of(problem))
        operations.extend(page.operations)
        marker, is_missing = page.marker, False
    return opening._replace(operations=operations, marker=None, changes_only=False)


def _begin_hooks(
    hooks: PluginExecutor, lambda_context: LambdaContext | None, opening: Opening
) -> None:
    hooks.on_invocation_start(
        execution_arn=opening.arn,
        request_id=lambda_context.aws_request_id if lambda_context is not None else None,
        is_first_invocation=len(opening.operations) <= 1,
        execution_input=input_of(opening.operations),
        operations=opening.operations,
        updated_operation_ids=opening.updated_ids,
    )


def _parked(arn: str, handler: Any, keep: Parking | None) -> dict[str, Any]:
    assert keep is not None, "only what may be kept comes to rest"
    left = keep.put(arn, handler)
    for _, other in left:
        if other is handler:
            WORKERS.run(other.discard)  # this may be its own thread, which cannot wait for itself
        else:
            other.discard()
    dropped = list(dict.fromkeys(other_arn for other_arn, _ in left))
    return Answer(InvocationStatus.PENDING).to_dict(is_kept=arn not in dropped, dropped=dropped)


def _client_for_loop(client: ServiceClient) -> AsyncServiceClient:
    """Return a client for the process's event loop: the client's own, or calls in threads."""
    from perdure.sdk.loop_threads import ClientInThread

    for_loop: Callable[[], AsyncServiceClient] | None = getattr(client, "for_loop", None)
    return ClientInThread(client) if for_loop is None else for_loop()


_clients: Final[dict[str, Any]] = {}


def _client(boto3_client: Any) -> ServiceClient:
    """Return the client for what the environment says: Perdure's endpoint, or AWS."""
    if boto3_client is not None:
        from perdure.sdk.boto import BotoClient

        return BotoClient(boto3_client)
    url = os.environ.get("AWS_ENDPOINT_URL_LAMBDA") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if url not in _clients:
        host = urlsplit(url).hostname or ""
        if url and not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            from perdure.sdk.http import HttpClient

            _clients[url] = HttpClient(url)
        else:
            from perdure.sdk.boto import BotoClient

            _clients[url] = BotoClient()
    return cast("ServiceClient", _clients[url])
