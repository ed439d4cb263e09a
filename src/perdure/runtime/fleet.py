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
    """The workers of ``function``."""

    function: FunctionVersion
    workers: set[Worker] = field(default_factory=set[Worker])  #: those that have come up
    #: those that may be given a run; the most recently used at the end
    free: list[Worker] = field(default_factory=list[Worker])
    running: int = 0  #: runs, from the grant of their worker to their report
    starting: int = 0  #: workers on their way
    #: in order; whoever held the first ones may have left
    tickets: deque[Ticket] = field(default_factory=deque[Ticket])
    recheck: asyncio.TimerHandle | None = None
    is_retired: bool = False  #: its workers end when they are done

    @property
    def size(self) -> int:
        """Return how many workers there are, those on their way included."""
        return len(self.workers) + self.starting

    @property
    def waiting(self) -> int:
        """Return how many wait for a worker."""
        return len(self.tickets)

    def first_ticket(self) -> Ticket | None:
        """Return the oldest ticket somebody still waits on."""
        while self.tickets and self.tickets[0].grant.done():
            self.tickets.popleft()
        return self.tickets[0] if self.tickets else None

    def pick(self, preferred_worker: str | None) -> Worker:
        """Return a free worker, of which there is one at least: the preferred one, or the one that
        runs least, or of these the most recently used.
        """
        if preferred_worker is not None:
            for worker in self.free:
                if worker.id == preferred_worker:
                    return worker
        if self.function.runs_per_worker_max == 1 or len(self.free) == 1:
            return self.free[-1]
        return min(reversed(self.free), key=lambda worker: len(worker.slots.runs))

    def grant(self, worker: Worker) -> None:
        """Promise one of the worker's free slots."""
        worker.slots.promise()
        self.running += 1
        if worker.slots.free <= 0:  # below, where a call has hung up that was promised
            self.free.remove(worker)

    def free_again(self, worker: Worker) -> None:
        """Note that the worker may be given one more run."""
        self.workers.add(worker)
        if worker in self.free:
            self.free.remove(worker)
        self.free.append(worker)

    def soon(self, now: float) -> int:
        """Return how many slots are on their way; one that takes longer is not waited for."""
        settling = sum(
            worker.slots.settling
            for worker in self.workers
            if now - worker.answered_at < SETTLE_SECONDS
        )
        return self.starting * self.function.runs_per_worker_max + settling

    def lacks_workers(self, now: float) -> bool:
        """Tell whether more wait than there will soon be slots for."""
        return self.waiting > self.soon(now)

    def forget(self, worker: Worker) -> None:
        """Count ``worker`` no longer."""
        self.workers.discard(worker)
        if worker in self.free:
            self.free.remove(worker)


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
