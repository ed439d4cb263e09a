"""A program that is killed again and again: it goes on with what it finds, and begins more.

``python -m tests.embedded.traveller FILE LINES ROUND`` says ``started NAME`` for what was
acknowledged, and ``left ...`` for each step that has been.
"""

import itertools
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

from perdure import AsyncDurableContext, DurableContext, durable_execution
from perdure.embedded import DurableService
from tests.embedded.handlers import append

__all__ = ["EXECUTIONS", "STEPS", "journey", "journey_async"]

STEPS: Final = 4
EXECUTIONS: Final = 25  #: begun by each round
_PAUSE_SECONDS: Final = 0.02
_stamps = itertools.count()


@durable_execution
def journey(event: Any, context: DurableContext) -> list[str]:
    """Steps with waits between them; each step writes down the result of the one before."""
    stamps = ["home"]
    for number in range(STEPS):
        stamps.append(
            context.step(lambda _, n=number: leave(event, n, stamps[-1]), name=f"{number}")
        )
        context.wait(_PAUSE_SECONDS)
    return stamps


@durable_execution
async def journey_async(event: Any, context: AsyncDurableContext) -> list[str]:
    """The same, awaited."""
    stamps = ["home"]
    for number in range(STEPS):

        async def step(_: Any, number: int = number) -> str:
            return leave(event, number, stamps[-1])

        stamps.append(await context.step(step, name=f"{number}"))
        await context.wait(_PAUSE_SECONDS)
    return stamps


def leave(event: Any, number: int, before: str) -> str:
    """Write a line, and return what no other run of any step returns."""
    stamp = f"{os.getpid()}.{next(_stamps)}"
    append(Path(event["path"]), f"{event['id']} {number} {before} {stamp}")
    say(f"left {event['id']} {number}")
    return stamp


def say(text: str) -> None:
    """Write a whole line that the parent sees at once."""
    os.write(1, f"{text}\n".encode())


def main(file: str, lines: str, round_: str) -> None:
    """Run until killed."""
    with DurableService(file) as service:
        service.register("journey", journey)
        service.register("journey_async", journey_async)
        for number in range(EXECUTIONS):
            name = f"{round_}-{number}"
            function = "journey_async" if number % 2 else "journey"
            service.start(function, {"path": lines, "id": name}, execution_name=name)
            say(f"started {name}")
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
