"""What can be asked of an execution. ``machine.apply`` carries one out.

Whatever the core may not have of its own comes with a command: random bits, jitter, the caller's
clock is ``now_ms``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from perdure.core.execution import Identity
from perdure.core.quotas import Quotas
from perdure.protocol.operations import ErrorObject, OperationUpdate
from perdure.protocol.quick import quick
from perdure.protocol.words import InvocationStatus, OperationStatus

__all__ = [
    "AnswerCallback",
    "BeginInvocation",
    "ChainTarget",
    "Checkpoint",
    "Command",
    "Delete",
    "FinishChainedInvoke",
    "FinishInvocation",
    "Heartbeat",
    "Pause",
    "ReleaseLease",
    "RenewLease",
    "Resume",
    "Start",
    "Stop",
    "Token",
    "Verdict",
    "Wake",
]


class Token(NamedTuple):
    """A checkpoint token whose signature was found good."""

    epoch: int
    sequence: int
    nonce_sha256: bytes


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin a new execution; the core is given the one that has the name, if any."""

    identity: Identity
    input: str | None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BeginInvocation:
    """Take the lease and give the handler what it needs."""

    owner: str
    lease_ms: int
    nonce_sha256: bytes
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewLease:
    """Keep the lease of a live invocation."""

    epoch: int
    lease_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLease:
    """Give back a lease nobody serves any more: it ran out, or its owner died.

    ``epoch`` None: whatever epoch, if the lease has run out; a number: that epoch's, at once.
    """

    epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTarget:
    """What the function of a chained invoke was found to be, or why not (``error``)."""

    function_arn: str = ""
    version: str = ""
    child_id: str = ""
    child_arn: str | None = None  #: None: an ordinary function, whose run is no execution to see
    error: ErrorObject | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Apply updates, all or none. ``targets``: one for each chained invoke they start.

    Without a ``client_token``, the same updates cannot be sent again.
    """

    token: Token
    updates: tuple[OperationUpdate, ...]
    client_token: str = ""
    updates_sha256: bytes = b""
    quotas: Quotas
    targets: Mapping[str, ChainTarget] = field(default_factory=dict[str, ChainTarget])


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an invocation ended.

    ``status`` None: without the handler's verdict (a crash, a timeout, an answer that is no
    answer); ``error`` says why. ``is_final``: such an end is nevertheless the execution's (its
    answer cannot be understood).
    """

    status: InvocationStatus | None
    result: str | None = None
    error: ErrorObject | None = None
    is_final: bool = False
    is_counted: bool = True  #: False: nothing of the user's ran; not a failure of the function
    retry_after_ms: int = 0  #: the next invocation waits at least so long, whatever the ladder says


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class FinishInvocation:
    """Record the end of an invocation and what follows from it."""

    epoch: int
    started_at_ms: int
    ended_at_ms: int
    verdict: Verdict
    jitter: float  #: 0 to 1, spreads retries


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Do what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCallback:
    """Complete a callback from outside: with an error if ``error`` is not None."""

    operation_id: str
    payload: str | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Say that a callback is still being worked on."""

    operation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishChainedInvoke:
    """Bring a chained invoke its child's outcome."""

    operation_id: str
    status: OperationStatus  #: SUCCEEDED, FAILED, TIMED_OUT or STOPPED
    payload: str | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End the execution from outside."""

    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Begin no more invocations until resumed."""

    client_token: str | None = None
    reason: str | None = None
    is_timeout_paused: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """End the pause."""

    client_token: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Mark a closed execution for removal."""


Command = (
    Start
    | BeginInvocation
    | RenewLease
    | ReleaseLease
    | Checkpoint
    | FinishInvocation
    | Wake
    | AnswerCallback
    | Heartbeat
    | FinishChainedInvoke
    | Stop
    | Pause
    | Resume
    | Delete
)
