"""An execution: who it is (``Identity``), where it stands (``Progress``), and its operations.

``Execution`` also keeps what follows from its operations and would cost a scan to find again: which
are open and when each wakes, and which have changed since the handler last heard. A store keeps
none of that.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from perdure.core.operation import Operation
from perdure.protocol.quick import quick
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, ExecutionStatus, OperationType

if TYPE_CHECKING:
    from perdure.core.outcome import Outcome

__all__ = [
    "NOTHING",
    "Execution",
    "ExecutionKind",
    "Identity",
    "LastReply",
    "ParentLink",
    "Pause",
    "Progress",
]


_STEP: Final = OperationType.STEP
#: What others than the handler bring to an end.
_OUTSIDE: Final = frozenset(
    {OperationType.WAIT, OperationType.CALLBACK, OperationType.CHAINED_INVOKE}
)


class ExecutionKind(StrEnum):
    """What runs: a durable function, or an ordinary one whose event must not be lost."""

    DURABLE = "durable"
    PLAIN = "plain"


class ParentLink(NamedTuple):
    """The chained invoke that waits for this execution."""

    execution_id: str
    operation_id: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What never changes in an execution's life."""

    id: str  #: 32 hexadecimal digits, unguessable
    name: str
    arn: str
    kind: ExecutionKind = ExecutionKind.DURABLE
    function_arn: str  #: unqualified
    invoked_arn: str  #: with the qualifier the caller used
    version: str
    code_sha256: str
    revision_id: str = ""  #: the configuration that was in force
    started_at_ms: int
    execution_timeout_seconds: int
    retention_days: int
    input_sha256: bytes
    parent: ParentLink | None = None
    depth: int = 0  #: how many chained invokes lead here (I5)
    retries_max: int = 0  #: PLAIN: how often a failed run is tried again
    tenant_id: str | None = None
    trace_id: str | None = None
    is_announced: bool = False  #: its end goes to the function's destinations


class Pause(NamedTuple):
    """A pause that was asked for and not yet ended."""

    requested_at_ms: int
    is_timeout_paused: bool
    reason: str | None = None
    client_token: str | None = None


class LastReply(NamedTuple):
    """What is needed to answer the last accepted checkpoint again, byte for byte (F4)."""

    client_token: str
    inbound_sequence: int  #: of the token it came with
    outbound_sequence: int | None  #: of the token it answered with; None: withheld
    updates_sha256: bytes
    after_sequence: int  #: it carried the operations changed after this ...
    until_sequence: int  #: ... up to this
    at_ms: int
    earlier: tuple[Operation, ...] = ()  #: of those, the ones that have changed since, as they were


class Progress(NamedTuple):
    """Where an execution stands: one row, replaced whole by every change."""

    status: ExecutionStatus = ExecutionStatus.RUNNING
    version: int = 0  #: raised by every committed change
    updated_at_ms: int = 0
    epoch: int = 0  #: of the current or last invocation (F5)
    token_sequence: int = 0  #: of the token that is current; raised by every accepted checkpoint
    nonce_sha256: bytes = b""  #: of the current invocation's tokens; empty: none is valid
    lease_owner: str | None = None
    lease_until_ms: int | None = None  #: None: no invocation runs
    request_id: str | None = None  #: of the running invocation
    invoked_at_ms: int | None = None  #: when the running invocation began
    failures: int = 0  #: invocations in a row that ended without a verdict or a checkpoint
    ready_at_ms: int | None = None  #: wants an invocation from this instant on
    owes_invocation: bool = False  #: paused while it wanted one
    timeout_at_ms: int | None = None  #: ends as TIMED_OUT then
    timeout_left_ms: int | None = None  #: what was left when its clock was paused
    wake_at_ms: int | None = None  #: the least instant at which time alone changes it (E4)
    sequence: int = 0  #: of the last change of an operation
    seen_sequence: int = 0  #: of the last change that the running or last invocation has heard of
    event_count: int = 0
    operation_count: int = 0
    stored_bytes: int = 0
    ended_at_ms: int | None = None
    expires_at_ms: int | None = None  #: retention: removed then
    pause: Pause | None = None
    resume_token: str | None = None  #: the ClientToken of the last resume
    last_reply: LastReply | None = None
    quarantine: str | None = (
        None  #: why it is left alone: an invariant did not hold, or a row is unreadable (X5)
    )
    ended_pause_token: str | None = None  #: the ClientToken of the last pause that has ended


#: What there is of an execution that has not begun.
NOTHING: Final = Progress()


@dataclass(slots=True)
class Execution:
    """An execution in memory: identity, progress, operations by id in the order they began."""

    identity: Identity
    progress: Progress
    operations: MutableMapping[str, Operation]
    pending: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    unseen: dict[str, None] = field(default_factory=dict[str, None])

    @classmethod
    def of(
        cls, identity: Identity, progress: Progress, operations: Iterable[Operation]
    ) -> "Execution":
        """Return the execution with what follows from its operations filled in."""
        execution = cls(identity, progress, {})
        for operation in operations:
            execution._put(operation)
        return execution

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self.progress.status in CLOSED_EXECUTION_STATUSES

    @property
    def is_leased(self) -> bool:
        """Whether an invocation runs, as far as is known."""
        return self.progress.lease_until_ms is not None

    def advance(self, outcome: "Outcome") -> None:
        """Take over a committed outcome, in place: costs its batch."""
        self.progress = outcome.progress
        for operation in outcome.operations.values():
            self._put(operation)
        if self.unseen and outcome.is_delivery:
            seen = outcome.progress.seen_sequence
            self.unseen = {i: None for i in self.unseen if self.operations[i].sequence > seen}

    def preview(self, outcome: "Outcome") -> "Execution":
        """Return the execution as an outcome that is not committed yet would leave it.

        Laid over this one, which stays as it is: costs the batch and the open operations.
        """
        operations: ChainMap[str, Operation] = ChainMap({}, self.operations)
        pending, unseen = dict(self.pending), dict(self.unseen)
        laid = Execution(self.identity, self.progress, operations, pending, unseen)
        laid.advance(outcome)
        return laid

    def after(self, outcome: "Outcome") -> "Execution":
        """Return a copy that has taken over the outcome: for tests and tools; costs the whole."""
        operations: Mapping[str, Operation] = {**self.operations, **outcome.operations}
        return Execution.of(self.identity, outcome.progress, operations.values())

    def _put(self, operation: Operation) -> None:
        self.operations[operation.id] = operation
        if waits_outside(operation):
            self.pending[operation.id] = operation.wakes_at_ms
        else:
            self.pending.pop(operation.id, None)
        if operation.sequence > self.progress.seen_sequence:
            self.unseen[operation.id] = None


def waits_outside(operation: Operation) -> bool:
    """Tell whether something other than the handler will change ``operation``: time, a caller,
    another execution.
    """
    if operation.type is _STEP:
        return operation.due_at_ms is not None
    return operation.type in _OUTSIDE and not operation.is_finished
