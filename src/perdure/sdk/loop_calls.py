"""Calls to the service on an event loop, for somebody who is called back.

A task that awaits a checkpoint costs an event loop more turns than the checkpoint has parts. A
client that can call back is begun with, and nothing wakes but what waits for the outcome; any other
is awaited in a task.
"""

from __future__ import annotations

import asyncio
import contextvars
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from perdure.sdk.calls import Calls
    from perdure.sdk.client import AsyncServiceClient, Progress

    #: Is told what a call was answered with, or what it has raised.
    Answered: TypeAlias = Callable[[Progress | BaseException], None]
    #: Begins a call, of this method with these arguments; may answer before it returns.
    Begin: TypeAlias = Callable[[str, tuple[Any, ...], Answered], None]

__all__ = ["begin_calls"]


def begin_calls(
    calls: Calls[Any], client: AsyncServiceClient, ended: Callable[[Any], None]
) -> None:
    """Make the calls; ``ended`` is told what the generator returns or raises, in a copy of this
    context.
    """
    begin: Begin = getattr(client, "begin", None) or partial(_begin_in_task, client)
    _Calls(calls, begin, ended).go_on(None)


class _Calls:
    """Calls under way."""

    __slots__ = ("_begin", "_calls", "_context", "_ended")

    def __init__(self, calls: Calls[Any], begin: Begin, ended: Callable[[Any], None]) -> None:
        self._calls = calls
        self._begin = begin
        self._ended = ended
        self._context = contextvars.copy_context()

    def go_on(self, answer: Any) -> None:
        outcome: Any
        try:
            if isinstance(answer, BaseException):
                method, arguments = self._calls.throw(answer)
            else:
                method, arguments = self._calls.send(answer)
        except StopIteration as end:
            outcome = end.value
        except BaseException as error:  # noqa: BLE001 - whoever is told decides what it means
            outcome = error
        else:
            self._begin(method, arguments, self._answered)
            return
        self._ended(outcome)

    def _answered(self, answer: Progress | BaseException) -> None:
        self._context.copy().run(self.go_on, answer)


_tasks: Final[set[asyncio.Task[None]]] = set()  #: an event loop itself holds none


def _begin_in_task(
    client: AsyncServiceClient, method: str, arguments: tuple[Any, ...], answered: Answered
) -> None:
    task = asyncio.get_running_loop().create_task(_await(client, method, arguments, answered))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _await(
    client: AsyncServiceClient, method: str, arguments: tuple[Any, ...], answered: Answered
) -> None:
    try:
        answer: Any = await getattr(client, method)(*arguments)
    except BaseException as error:  # noqa: BLE001 - whoever is told decides what it means
        answer = error
    answered(answer)
