"""Calls to the service as data, and the two ways to make them.

Whoever needs several calls in a row yields a method's name and its arguments, and is sent what it
answered; so the text is the same whether one blocks for the answer or awaits it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.sdk.client import AsyncServiceClient, Progress, ServiceClient

    Result = TypeVar("Result")
    #: A method's name and its arguments, one call after another.
    Calls = Generator[tuple[str, tuple[Any, ...]], Progress, Result]

__all__ = ["make_calls", "make_calls_async"]


def make_calls(calls: Calls[Result], client: ServiceClient) -> Result:
    """Make the calls, blocking; return what the generator returns."""
    go_on: Callable[[Any], tuple[str, tuple[Any, ...]]] = calls.send
    answer: Any = None
    while True:
        try:
            method, arguments = go_on(answer)
        except StopIteration as end:
            return end.value
        try:
            answer = getattr(client, method)(*arguments)
            go_on = calls.send
        except Exception as error:  # noqa: BLE001 - whoever asked decides what it means
            answer = error
            go_on = calls.throw


async def make_calls_async(calls: Calls[Result], client: AsyncServiceClient) -> Result:
    """Make the calls, awaiting; return what the generator returns."""
    go_on: Callable[[Any], tuple[str, tuple[Any, ...]]] = calls.send
    answer: Any = None
    while True:
        try:
            method, arguments = go_on(answer)
        except StopIteration as end:
            return end.value
        try:
            answer = await getattr(client, method)(*arguments)
            go_on = calls.send
        except Exception as error:  # noqa: BLE001 - whoever asked decides what it means
            answer = error
            go_on = calls.throw
