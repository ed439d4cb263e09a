"""The workers of one function version, and those who wait for one of them."""

import asyncio
import dataclasses
import operator
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from perdure.engine.invoker import FunctionVersion
from perdure.runtime.worker import Worker

__all__ = ["SETTLE_SECONDS", "Fleet", "Ticket", "fleet_key"]

#: a worker that has answered is waited for this long before another is started
SETTLE_SECONDS: Final = 0.05


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """A place in the queue for a worker; ``number`` rises over all fleets of a pool."""

    number: int
    grant: "asyncio.Future[tuple[Fleet, Worker]]"  #: the worker, and whose it is
    preferred_worker: str | None = None
    request_id: str = ""  #: of the run that waits


@dataclass(slots=True, kw_only=True, eq=False)
class Fleet:
    """The workers of ``function``. One that is told to end is no longer counted."""

    function: FunctionVersion
    idle: list[Worker] = field(default_factory=list[Worker])  #: the most recently used at the end
    running: set[Worker] = field(default_factory=set[Worker])
    #: answered, and since when
    settling: dict[Worker, float] = field(default_factory=dict[Worker, float])
    starting: int = 0
    tickets: deque[Ticket] = field(default_factory=deque[Ticket])  #: in order; some may be settled
    waiting: int = 0  #: of the tickets, those that are not
    recheck: asyncio.TimerHandle | None = None
    is_retired: bool = False  #: its workers end when they are done

    @property
    def size(self) -> int:
        """Return how many workers there are, those on their way included."""
        return len(self.idle) + len(self.running) + len(self.settling) + self.starting

    def first_ticket(self) -> Ticket | None:
        """Return the oldest ticket somebody still waits on."""
        while self.tickets and self.tickets[0].grant.done():
            self.tickets.popleft()
        return self.tickets[0] if self.tickets else None

    def pick(self, preferred_worker: str | None) -> Worker:
        """Take an idle worker, of which there is one at least: the preferred one, or the most
        recently used.
        """
        for worker in self.idle:
            if worker.id == preferred_worker:
                self.idle.remove(worker)
                return worker
        return self.idle.pop()

    def lacks_workers(self, now: float) -> bool:
        """Tell whether more wait than there will soon be workers for."""
        soon = sum(now - since < SETTLE_SECONDS for since in self.settling.values())
        return self.waiting > self.starting + soon

    def forget(self, worker: Worker) -> None:
        """Count ``worker`` no longer."""
        self.running.discard(worker)
        self.settling.pop(worker, None)
        if worker in self.idle:
            self.idle.remove(worker)


def fleet_key(function: FunctionVersion) -> tuple[object, ...]:
    """Return what two equal versions have in common, and two others have not.

    The concurrency does not count: it says how many workers there may be, not what they run.
    """
    return (*_hashable_fields(function), tuple(sorted(function.environment.items())))


_hashable_fields: Final = operator.attrgetter(
    *(
        field.name
        for field in dataclasses.fields(FunctionVersion)
        if field.name not in ("environment", "concurrency_max")
    )
)
