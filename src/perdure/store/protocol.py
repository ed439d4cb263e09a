"""What the engine needs of a store: one Protocol. Nothing in it assumes one process.

A commit is answered with a ``CommitResult``. If a store cannot tell whether a commit happened, it
raises ``StoreUnknownError`` for it, and nothing goes over that connection any more (D4). On SQLite
there is but one, so that everything after is unknown too: the process ends, and a new one reads
what is there. On PostgreSQL the connection is given up and another one opened: only the changes
that were under way are unknown, and whoever reads them again finds what became of them, since a
change that is still on its way then either was committed before, or meets another version.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Change, Letter
from perdure.store.records import Record, RecordWrite

__all__ = [
    "Agenda",
    "Claim",
    "CommitResult",
    "CorruptRowError",
    "Due",
    "EventQuery",
    "ExecutionQuery",
    "Store",
    "StoreFullError",
    "StoreOpenError",
    "StoreUnavailableError",
    "StoreUnknownError",
    "Tally",
]


class CommitResult(Enum):
    """How a commit came out."""

    COMMITTED = "committed"
    CONFLICT = (
        "conflict"  #: somebody else changed the execution, or has its name; nothing was written
    )


class StoreUnknownError(Exception):
    """Whether the commit happened cannot be told (D4)."""


class StoreFullError(Exception):
    """There is no room; nothing was written, and reading still works."""


class StoreUnavailableError(Exception):
    """It cannot be reached now, or has too much to do; nothing was written."""


class StoreOpenError(Exception):
    """The store cannot be opened as it must be; the message says why and what to do."""


class CorruptRowError(Exception):
    """A stored row does not have its checksum, or cannot be read (D6)."""


class Agenda(Enum):
    """What an execution can be due for. The value is the member of ``Progress`` that says when."""

    WAKE = "wake_at_ms"
    READY = "ready_at_ms"
    LEASE = "lease_until_ms"
    EXPIRY = "expires_at_ms"


class Due(NamedTuple):
    """An execution that is due for something at an instant."""

    at_ms: int
    execution_id: str


class Claim(NamedTuple):
    """Who reads in order to act, and for how long others leave it alone.

    A courtesy among nodes against doing the same twice: what holds is decided by the version (F6).
    A change of the execution ends the claim.
    """

    owner: str
    at_ms: int  #: now, as the owner has it
    for_ms: int

    @property
    def until_ms(self) -> int:
        """When it ends."""
        return self.at_ms + self.for_ms


class Tally(NamedTuple):
    """How many executions of a function have a status."""

    function_arn: str
    status: ExecutionStatus
    executions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """A page of an execution's history: events after ``after_id`` (or before it, newest first)."""

    execution_id: str
    after_id: int = 0
    limit: int = 1000
    newest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionQuery:
    """A page of executions, by start and then by id. Bounds are exclusive; None: no bound."""

    function_arn: str | None = None
    version: str | None = None
    name: str | None = None
    statuses: frozenset[ExecutionStatus] | None = None
    started_after_ms: int | None = None
    started_before_ms: int | None = None
    after: tuple[int, str] | None = None  #: (started_at_ms, id) of the last one of the page before
    limit: int = 1000
    newest_first: bool = False


class Store(Protocol):
    """Keeps executions, records and letters. Reads see every commit answered before (F9)."""

    #: No other process can have this store open: leases found at start are dead.
    is_exclusive: bool

    @property
    def unreadable_rows(self) -> int:
        """How many stored rows were found unreadable since it was opened (D6)."""
        ...

    async def open(self) -> int:
        """Make ready; return the highest instant ever stored, in epoch milliseconds (T5)."""
        ...

    async def aclose(self) -> None:
        """Commit what was submitted, and let go."""
        ...

    def commit(self, change: Change) -> Awaitable[CommitResult]:
        """Make a change durable; answered after it is. It may be under way from the call on."""
        ...

    async def load(self, execution_id: str, known: Execution | None = None) -> Execution | None:
        """Return an execution with all its operations.

        ``known``: what the caller has of it; a store may read only what has changed since, and
        returns ``known`` itself if that is nothing. It may also bring ``known`` up to date.
        """
        ...

    async def find(self, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any."""
        ...

    async def upcoming(
        self, agenda: Agenda, *, before_ms: int, limit: int, claim: Claim | None = None
    ) -> Sequence[Due]:
        """Return the executions due before an instant, the earliest first.

        With a ``claim``, those that are claimed by others are left out and the rest are claimed. A
        store that is exclusive may ignore it.
        """
        ...

    async def letters(
        self, *, limit: int, after_id: str = "", claim: Claim | None = None
    ) -> Sequence[Letter]:
        """Return letters not yet delivered, by id; those that cannot be read are left out.

        With a ``claim``, those that are claimed by others are left out and the rest are claimed.
        """
        ...

    async def discard(self, letter_ids: Sequence[str]) -> None:
        """Remove letters that nobody can receive."""
        ...

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Return a page of history."""
        ...

    async def list(self, query: ExecutionQuery) -> Sequence[tuple[Identity, Progress]]:
        """Return a page of durable executions, without their operations; those that cannot be read
        are left out.
        """
        ...

    async def tally(self, *, limit: int) -> Sequence[Tally]:
        """Return how many of the newest durable executions have which status, by function; no more
        than ``limit`` are counted, and those that cannot be read with the others. In no order.
        """
        ...

    async def erase(self, execution_id: str) -> None:
        """Remove every row of an execution whose status is DELETING (R2)."""
        ...

    async def read_record(self, collection: str, key: str) -> Record | None:
        """Return one record."""
        ...

    async def list_records(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Sequence[Record]:
        """Return records by key."""
        ...

    async def write_records(self, writes: Sequence[RecordWrite]) -> None:
        """Write records, all or none, durably.

        Raises:
            RecordConflictError: one of them was written by somebody else.
        """
        ...
