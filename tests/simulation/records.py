"""What the oracles note: calls, attempts, and each execution's life as told by its commits."""

import asyncio
import contextvars
from dataclasses import dataclass, field
from typing import Any

from perdure.core.execution import Identity, Progress
from perdure.core.operation import Operation
from perdure.protocol.words import OperationStatus

__all__ = ["Attempt", "Call", "Life", "Trace", "current_call"]


@dataclass(slots=True, eq=False)
class Attempt:
    """One run of a handler, numbered here and not by the engine."""

    number: int
    execution_id: str
    request_id: str
    begun_tick: int
    synced_version: int  #: of the execution, up to which the handler was told everything
    #: The operations when it began.
    state: dict[str, Operation] = field(default_factory=dict)
    is_over: bool = False
    #: Tokens it has used up, with the version of the execution that came of it.
    consumed: dict[str, int] = field(default_factory=dict)
    #: ClientTokens of the requests that it has had an answer to: it hears no other.
    answered: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Call:
    """One request that a server works on."""

    number: int
    method: str
    request: Any
    attempt: Attempt | None
    server: str
    arrived_ms: int  #: by that server's clock
    commits: list[int] = field(default_factory=list)  #: versions that it committed
    serving: asyncio.Task[Any] | None = None


@dataclass(slots=True, eq=False)
class Life:
    """One execution, put together from its commits alone."""

    identity: Identity
    progress: Progress = field(default_factory=Progress)
    operations: dict[str, Operation] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    #: By version: what each commit made of the operations it touched.
    touched: dict[int, dict[str, OperationStatus]] = field(default_factory=dict)
    event_count: int = 0
    event_at_ms: int = 0
    ends_recorded: set[str] = field(default_factory=set)
    #: The earliest instants at which time may change an operation, and the latest at which an
    #: answer may still be taken: by operation id.
    due_low_ms: dict[str, int] = field(default_factory=dict)
    beat_low_ms: dict[str, int] = field(default_factory=dict)
    due_high_ms: dict[str, int] = field(default_factory=dict)
    has_news: bool = False  #: something came about from outside that no handler was told of
    is_pause_acknowledged: bool = False
    is_erased: bool = False

    @property
    def id(self) -> str:
        """Return the execution's id."""
        return self.identity.id

    @property
    def is_ended(self) -> bool:
        """Whether its end was committed."""
        return self.progress.ended_at_ms is not None

    def root(self) -> Operation:
        """Return the EXECUTION operation."""
        return self.operations[self.identity.id]


class Trace:
    """What happened, in order; put into words only when somebody reads it."""

    def __init__(self) -> None:
        """Begin empty."""
        self.entries: list[tuple[float, str, tuple[Any, ...]]] = []

    def add(self, at: float, what: str, *details: Any) -> None:
        """Append a line."""
        self.entries.append((at, what, details))

    def lines(self, last: int | None = None) -> list[str]:
        """Return the last lines."""
        entries = self.entries if last is None else self.entries[-last:]
        return [
            f"{at:10.3f}  {what:<12}" + " ".join(map(str, details)) for at, what, details in entries
        ]


#: The request that is being worked on, in the server's context.
current_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("call", default=None)
