"""What the engine needs of whoever runs function code: one Protocol, its request, its outcomes.

``runtime`` implements it with worker processes; tests and the simulator with plain objects. The
engine decides when a function runs and what its outcome means; an invoker only runs it, and says
what happened.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from perdure.protocol.invocations import InvocationEnvelope
from perdure.protocol.quick import quick
from perdure.protocol.wire import TimeUnit, encode

__all__ = [
    "Crashed",
    "DurableSettings",
    "FailureKind",
    "FunctionVersion",
    "InvocationOutcome",
    "InvocationReport",
    "InvocationRequest",
    "Invoker",
    "LogFormat",
    "Raised",
    "Resumption",
    "Returned",
]


class LogFormat(enum.StrEnum):
    """How a function's log lines are written."""

    TEXT = "Text"
    JSON = "JSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableSettings:
    """What makes a function durable."""

    execution_timeout_seconds: int
    retention_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """One immutable thing to run: code and everything that decides how it runs.

    Two equal values may share a worker; anything that differs may not.
    """

    function_arn: str  #: unqualified
    function_name: str
    version: str  #: a number, or ``$LATEST``
    revision_id: str  #: changes with every change of code or configuration
    runtime: str  #: ``python3.11`` ... ``nodejs24.x``, ``provided.al2023``
    handler: str
    timeout_seconds: int
    memory_mb: int
    code_sha256: str = ""  #: base64, as on AWS; names the zip in the store
    code_folder: str | None = None  #: dev mode: run from this folder instead of a zip
    endpoint_url: str | None = None  #: run by posting to this URL instead of by a worker
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    ephemeral_storage_mb: int = 512
    log_format: LogFormat = LogFormat.TEXT
    log_group: str = ""
    application_log_level: str | None = None
    system_log_level: str | None = None
    durable: DurableSettings | None = None
    is_tenant_isolated: bool = False  #: a worker serves one tenant
    tenant_id: str | None = None  #: the tenant, where they are isolated
    concurrency_max: int | None = None  #: reserved concurrency; None: only the node's bound
    runs_per_worker_max: int = 1  #: more than one: they share the worker's process

    def for_tenant(self, tenant_id: str | None) -> "FunctionVersion":
        """Return what runs for a tenant: the version itself, unless its tenants are isolated."""
        return replace(self, tenant_id=tenant_id) if self.is_tenant_isolated else self


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A suspended handler that a worker keeps, and what it is given to go on (K1)."""

    worker_id: str
    payload: Callable[[], InvocationEnvelope]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRequest:
    """One run of a function: what goes in.

    Any worker of the function may run it. One that keeps its handler is the better one, but is not
    waited for: ``resumption`` says which.
    """

    function: FunctionVersion
    invoked_arn: str  #: with the qualifier the caller used
    request_id: str
    #: what goes in, or what makes it when a worker is there
    event: bytes | Callable[[], InvocationEnvelope]
    resumption: Resumption | None = None
    durable_execution_arn: str | None = None
    client_context: str | None = None
    tenant_id: str | None = None
    trace_id: str | None = None

    @property
    def preferred_worker(self) -> str | None:
        """The worker that keeps the handler, if one does."""
        return None if self.resumption is None else self.resumption.worker_id

    @property
    def payload(self) -> bytes:
        """What a worker is given that keeps nothing."""
        return _encoded(self.event if isinstance(self.event, bytes) else self.event())

    def payload_for(self, worker_id: str) -> bytes:
        """Return what this worker is given: asked for once it has been chosen, and is idle."""
        return _encoded(self.event_for(worker_id))

    def event_for(self, worker_id: str) -> bytes | InvocationEnvelope:
        """As ``payload_for``; an envelope as it is, for whoever runs in this process."""
        if self.resumption is not None and self.resumption.worker_id == worker_id:
            return self.resumption.payload()
        return self.event if isinstance(self.event, bytes) else self.event()


def _encoded(event: bytes | InvocationEnvelope) -> bytes:
    if isinstance(event, bytes):
        return event
    return msgspec.json.encode(encode(event, unit=TimeUnit.MILLISECONDS))


class FailureKind(enum.StrEnum):
    """Why a run ended without the handler's verdict. The value is the error type on the wire."""

    TIMED_OUT = "Sandbox.Timedout"
    EXITED = "Runtime.ExitError"
    OUT_OF_MEMORY = "Runtime.OutOfMemory"
    INIT_FAILED = "Runtime.InitError"  #: the runtime or the user's module did not start
    CODE_MISSING = "Runtime.CodeMissing"  #: the version's code is gone or does not match its hash
    UNAVAILABLE = "Runtime.Unavailable"  #: no worker could be had; nothing of the user's ran
    CANCELLED = "Runtime.Cancelled"  #: the server asked for the end: a stop, or a shutdown
    RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"
    UNREADABLE = "Runtime.InvalidResponse"  #: an endpoint's answer is none that a runtime gives


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The handler returned; ``payload`` is its JSON."""

    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The handler raised; ``payload`` is the runtime's error document (errorType, errorMessage,
    stackTrace).
    """

    payload: bytes
    error_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The run ended without a verdict; ``error_type`` is the kind's value or the runtime's own
    ``Runtime.*`` word.
    """

    kind: FailureKind
    error_type: str
    message: str
    retry_after_ms: int = 0  #: to invoke again sooner would be in vain


InvocationOutcome = Returned | Raised | Crashed


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationReport:
    """One run of a function: what came out, and what it cost."""

    outcome: InvocationOutcome
    started_at_ms: int
    ended_at_ms: int
    billed_ms: int = 0
    init_ms: int | None = None  #: set when the run started a new worker
    memory_used_mb: int = 0
    log_tail: bytes = b""  #: the last 4 KB of the run's log
    worker_id: str | None = None  #: who ran it; None: nobody who could keep its handler


class Invoker(Protocol):
    """Runs functions."""

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        """Run the function once and return what happened; a run's failure is an outcome, never an
        exception.

        Waits for a free worker within the function's concurrency, and then asks ``payload_for`` it.
        Cancelling the call kills the run.
        """
        ...

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        """Let the function's workers finish what they run, and start none for it before the next
        ``invoke``.
        """
        ...
