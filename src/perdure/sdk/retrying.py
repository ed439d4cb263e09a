"""A block of operations, tried again as a whole: ``with_retry``.

It is made of operations alone (a child context, waits), and knows neither threads nor event loops:
``_attempts`` says what to do next, two drivers do it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from perdure.sdk.records import record
from perdure.sdk.retries import create_retry_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.sdk.config import ChildConfig
    from perdure.sdk.duration import DurationLike
    from perdure.sdk.retries import RetryStrategy

__all__ = ["WithRetryConfig", "with_retry"]

T = TypeVar("T")

_COROUTINE_FUNCTION = 0x80  # inspect.CO_COROUTINE; inspect is slow to import


class _Context(Protocol):
    """What is needed of a DurableContext, or of an AsyncDurableContext."""

    def wait(self, duration: DurationLike, name: str | None = None) -> Any: ...

    def run_in_child_context(
        self, func: Callable[..., Any], name: str | None = None, config: Any = None
    ) -> Any: ...


Context = TypeVar("Context", bound=_Context)


@record
class WithRetryConfig(Generic[T]):
    """How a block is tried again.

    Attributes:
        retry_strategy: decides whether there is another attempt; None: ``create_retry_strategy()``.
        wrap_with_run_in_child_context: run it all in a child context; the last failure is then a
            ChildContextError, otherwise the exception itself.
        child_context_config: how that child context is run.
    """

    retry_strategy: RetryStrategy | None = None
    wrap_with_run_in_child_context: bool = True
    child_context_config: ChildConfig[T] | None = None


def with_retry(
    context: Context,
    func: Callable[[Context, int], T],
    config: WithRetryConfig[Any],
    name: str | None = None,
) -> T:
    """Call ``func`` with a context and the attempt's number until it returns, and return that.

    Between attempts it waits, durably, as the strategy says. In an async context, or with an
    ``async def``, it returns an awaitable.

    Raises:
        Exception: what the last attempt raised, in a child context as a ChildContextError.
    """
    strategy = config.retry_strategy or create_retry_strategy()
    drive = _drive_async if _is_async(context, func) else _drive

    def run(ctx: Context) -> Any:
        return drive(_attempts(ctx, func, strategy, name))

    if not config.wrap_with_run_in_child_context:
        return cast("T", run(context))
    child = partial(context.run_in_child_context, name=name, config=config.child_context_config)
    return cast("T", child(_as_coroutine_function(run) if drive is _drive_async else run))


def _attempts(
    ctx: _Context, func: Callable[[Any, int], object], strategy: RetryStrategy, name: str | None
) -> Generator[Callable[[], Any], Any, Any]:
    """Yield what is to be called next; each result or exception is sent back."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return (yield partial(func, ctx, attempt))
        except Exception as error:  # the strategy decides which ones pass
            decision = strategy(error, attempt)
            if not decision.should_retry:
                raise
            backoff = f"{name}-backoff-{attempt}" if name else None
            yield partial(ctx.wait, decision.delay, name=backoff)


def _drive(plan: Generator[Callable[[], Any], Any, Any]) -> Any:
    advance: Callable[[], Callable[[], Any]] = partial(next, plan)
    while True:
        try:
            call = advance()
        except StopIteration as end:
            return end.value
        try:
            advance = partial(plan.send, call())
        except BaseException as error:  # noqa: BLE001  # it is raised again in the plan
            advance = partial(plan.throw, error)


async def _drive_async(plan: Generator[Callable[[], Any], Any, Any]) -> Any:
    advance: Callable[[], Callable[[], Any]] = partial(next, plan)
    while True:
        try:
            call = advance()
        except StopIteration as end:
            return end.value
        try:
            answer = call()
            advance = partial(plan.send, await answer if hasattr(answer, "__await__") else answer)
        except BaseException as error:  # noqa: BLE001  # it is raised again in the plan
            advance = partial(plan.throw, error)


def _as_coroutine_function(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def run_async(ctx: Any) -> Any:
        return await run(ctx)

    return run_async


def _is_async(context: object, func: Any) -> bool:
    """Tell whether the operations of ``context`` are awaited, or ``func`` is."""
    if getattr(context, "is_async", False):
        return True
    while isinstance(func, partial):
        func = cast("partial[Any]", func).func
    called = func if hasattr(func, "__code__") or hasattr(func, "__func__") else type(func).__call__
    code = getattr(getattr(called, "__func__", called), "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE_FUNCTION)
