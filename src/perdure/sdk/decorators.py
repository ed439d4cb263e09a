"""Decorators that bind arguments to a function before it is handed to an operation.

A bound coroutine function is one itself, so that an async handler awaits it where it stands.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from perdure.sdk.config import ParallelBranch

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.sdk.context import DurableContext
    from perdure.sdk.types import StepContext, WaitForCallbackContext

__all__ = [
    "durable_parallel_branch",
    "durable_step",
    "durable_wait_for_callback",
    "durable_with_child_context",
    "name_of",
]

Params = ParamSpec("Params")
T = TypeVar("T")


def durable_step(
    func: Callable[Concatenate[StepContext, Params], T],
) -> Callable[Params, Callable[[StepContext], T]]:
    """Return ``func`` so that ``func(...)`` is what ``context.step`` takes, under its name."""
    return _binding(func)


def durable_with_child_context(
    func: Callable[Concatenate[DurableContext, Params], T],
) -> Callable[Params, Callable[[DurableContext], T]]:
    """Return ``func`` so that ``func(...)`` is what ``run_in_child_context`` takes."""
    return _binding(func)


def durable_wait_for_callback(
    func: Callable[Concatenate[str, WaitForCallbackContext, Params], T],
) -> Callable[Params, Callable[[str, WaitForCallbackContext], T]]:
    """Return ``func`` so that ``func(...)`` is a submitter that ``wait_for_callback`` takes."""
    return _binding(func)


def durable_parallel_branch(
    name: str | None = None,
) -> Callable[
    [Callable[Concatenate[DurableContext, Params], T]], Callable[Params, ParallelBranch[T]]
]:
    """Return a decorator by which ``func(...)`` is a branch that ``parallel`` takes.

    Without a ``name`` the branch is named by its position.
    """

    def decorate(
        func: Callable[Concatenate[DurableContext, Params], T],
    ) -> Callable[Params, ParallelBranch[T]]:
        bind = _binding(func)

        def make(*args: Params.args, **kwargs: Params.kwargs) -> ParallelBranch[T]:
            return ParallelBranch(func=bind(*args, **kwargs), name=name)

        return make

    return decorate


def name_of(name: str | None, func: Any) -> str | None:
    """Return an operation's name: the one given, or that of a decorated function."""
    return name or getattr(func, "_original_name", None)


def _binding(func: Any) -> Any:
    """Return what binds all arguments of ``func`` but the first, which the operation passes."""

    def bind(*args: Any, **kwargs: Any) -> Any:
        bound: Any
        if iscoroutinefunction(func):

            async def bound_async(*first: Any) -> Any:
                return await func(*first, *args, **kwargs)

            bound = bound_async
        else:

            def bound_plain(*first: Any) -> Any:
                return func(*first, *args, **kwargs)

            bound = bound_plain
        bound._original_name = func.__name__
        bound.__wrapped__ = func
        return bound

    return bind
