"""A program that is killed: it opens a service on a file, and says what was acknowledged.

``python -m tests.embedded.programs FILE MODE LINES``: ``hold`` runs one execution up to a step that
never ends; ``flood`` starts executions until it is killed.
"""

import itertools
import sys
import threading
from pathlib import Path
from typing import Any

from perdure import DurableContext, durable_execution
from perdure.embedded import DurableService
from tests.embedded.handlers import append, approve, approve_async, note, note_async

__all__: list[str] = []


def say(text: str) -> None:
    """Write a line that the parent sees at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@durable_execution
def _hold(event: Any, context: DurableContext) -> None:
    path = Path(event["path"])
    for number in range(3):
        context.step(lambda _, n=number: append(path, f"{n}"), name=f"{number}")
    context.step(lambda _: stay(path), name="hold")


def stay(path: Path) -> None:
    """Never return."""
    append(path, "held")
    say("held")
    threading.Event().wait()


def hold(service: DurableService, lines: str) -> None:
    """Run one execution that comes to stay."""
    service.register("hold", _hold)
    handle = service.start("hold", {"path": lines}, execution_name="held")
    say(handle.arn)
    handle.result()


def suspend(service: DurableService, lines: str) -> None:
    """Leave two executions that wait for a callback."""
    for name, handler in (("approve", approve), ("approve_async", approve_async)):
        service.register(name, handler)
        handle = service.start(name, "x", execution_name=name)
        while not handle.pending_callbacks():
            continue
        say(handle.pending_callbacks()[0].callback_id)
    threading.Event().wait()


def flood(service: DurableService, lines: str) -> None:
    """Start executions until killed."""
    service.register("note", note)
    service.register("note_async", note_async)
    for number in itertools.count():
        event = {"path": lines, "id": number, "steps": 5}
        service.start(
            "note_async" if number % 2 else "note", event, execution_name=f"note-{number}"
        )
        say(f"note-{number}")


def main(file: str, mode: str, lines: str) -> None:
    """Run until killed."""
    modes = {"hold": hold, "flood": flood, "suspend": suspend}
    with DurableService(file) as service:
        modes[mode](service, lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
