"""What a command comes to: the change, the reply, messages to other executions, and effects.

The change and the messages are committed together (D3). Effects are hints for the engine at hand:
losing one costs a poll, never a result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, ParentLink, Progress
from perdure.core.operation import Operation
from perdure.protocol.operations import ErrorObject
from perdure.protocol.quick import quick
from perdure.protocol.words import ExecutionStatus, OperationStatus

__all__ = [
    "Accepted",
    "AnnounceEnd",
    "Attached",
    "CancelInvocation",
    "CheckpointReply",
    "Closed",
    "Effect",
    "InvocationInput",
    "Message",
    "NotifyParent",
    "Outcome",
    "QuotaPassed",
    "Reply",
    "StartChild",
    "TokenState",
]


class TokenState(NamedTuple):
    """The checkpoint token that is valid now."""

    epoch: int
    sequence: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The command was carried out; ``at_ms`` is the instant that counts."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A start found the execution that has its name and input."""

    execution: Execution


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationInput:
    """What the new invocation is given beside the state as it stands.

    The state itself is not in here: it costs the execution's length, and a handler that was kept
    needs ``changes`` alone (K1).
    """

    token: TokenState
    #: what the handler was not told yet, in the order of change; nothing the first time
    changes: tuple[Operation, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointReply:
    """What a checkpoint is answered: the next token (None: withheld) and what has changed."""

    token: TokenState | None
    operations: tuple[Operation, ...]


Reply = Accepted | Attached | InvocationInput | CheckpointReply


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Invoke a function for a chained invoke."""

    operation_id: str
    child_id: str
    child_arn: str | None
    function_arn: str
    version: str
    target: str  #: as the handler named it
    payload: str | None
    tenant_id: str | None
    trace_id: str | None
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyParent:
    """Bring the outcome to the chained invoke that waits for it."""

    parent: ParentLink
    status: OperationStatus
    payload: str | None
    error: ErrorObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceEnd:
    """Send the outcome of an asynchronous start to the function's destination."""

    status: ExecutionStatus


Message = StartChild | NotifyParent | AnnounceEnd


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The execution has ended: callers that wait for it can be answered."""

    status: ExecutionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelInvocation:
    """The invocation of this epoch runs for nothing: kill it."""

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaPassed:
    """The execution has just outgrown one of AWS's hard limits."""

    message: str


Effect = Closed | CancelInvocation | QuotaPassed


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command comes to. ``version`` in ``progress`` equals the base's if nothing changed."""

    identity: Identity
    progress: Progress
    base_version: int
    reply: Reply
    operations: Mapping[str, Operation] = field(default_factory=dict[str, Operation])
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()
    effects: tuple[Effect, ...] = ()
    is_delivery: bool = False  #: the handler is told something by this reply
    sequel_reply: Reply | None = None  #: the answer to the second command, where there were two

    def then(self, later: "Outcome") -> "Outcome":
        """Return the outcome of two commands as one change, with the answer to the first."""
        return Outcome(
            identity=later.identity,
            progress=later.progress._replace(version=self.progress.version),
            base_version=self.base_version,
            reply=self.reply,
            sequel_reply=later.reply,
            operations={**self.operations, **later.operations},
            events=self.events + later.events,
            messages=self.messages + later.messages,
            effects=self.effects + later.effects,
            is_delivery=self.is_delivery or later.is_delivery,
        )

    @property
    def is_change(self) -> bool:
        """Whether there is anything to commit."""
        return self.progress.version != self.base_version
