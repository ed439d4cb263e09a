"""One run of a function on a worker: what is sent, and what is made of the answer."""

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from perdure.clock import wall_ms
from perdure.engine.invoker import (
    Crashed,
    FailureKind,
    InvocationOutcome,
    InvocationReport,
    InvocationRequest,
    Raised,
    Returned,
)
from perdure.runtime import log_lines
from perdure.runtime.errors import InitError
from perdure.runtime.log_lines import RunFigures
from perdure.runtime.processes import Exit
from perdure.runtime.runtime_api import RESPONSE_BYTES_MAX, NextReply

if TYPE_CHECKING:
    from perdure.runtime.worker_log import WorkerLog

__all__ = [
    "Run",
    "close_run",
    "crash_of_exit",
    "crash_of_oversize",
    "crash_of_stop",
    "crash_of_timeout",
    "init_error_of_exit",
    "next_reply",
    "raised",
]


@dataclass(slots=True, kw_only=True)
class Run:
    """A run from the moment the process gets its event."""

    request: InvocationRequest
    report: asyncio.Future[InvocationReport]
    started_at_ms: int
    started: float  #: on the loop's clock
    log_position: int = 0  #: where its part of the worker's log begins
    init_ms: float | None = None
    timer: asyncio.TimerHandle | None = None
    doom: Crashed | None = None  #: why it ends before the process answers
    is_told: bool = False  #: its report is made


def next_reply(request: InvocationRequest, payload: bytes) -> NextReply:
    """Return the answer to ``next`` that carries ``request``, with ``payload`` as its event.

    The function's time begins now. Its deadline is told on the machine's clock, which the worker
    compares it with: the service's may be ahead of that.
    """
    deadline_ms = wall_ms() + request.function.timeout_seconds * 1000
    headers = {
        "Lambda-Runtime-Aws-Request-Id": request.request_id,
        "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": request.invoked_arn,
    }
    optional = {
        "Lambda-Runtime-Trace-Id": request.trace_id,
        "Lambda-Runtime-Client-Context": _ascii_json(request.client_context),
        "Lambda-Runtime-Aws-Tenant-Id": request.tenant_id,
    }
    present = {name: text for name, text in optional.items() if text and _fits_header(text)}
    return NextReply(headers=headers | present, payload=payload)


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _ascii_json(text: str | None) -> str | None:
    """Return the same JSON in printable ASCII, as a header needs it; None if it is not JSON."""
    if not text or _fits_header(text):
        return text
    try:
        return json.dumps(json.loads(text))
    except (ValueError, RecursionError):
        return None


def raised(error_type: str, payload: bytes) -> Raised:
    """Return the outcome of a posted error; what is no error document is put into one."""
    document = _document(payload)
    if document is None:
        document = {
            "errorMessage": payload.decode(errors="replace"),
            "errorType": error_type or "Unhandled",
        }
        payload = json.dumps(document).encode()
    named = document.get("errorType")
    said = named if isinstance(named, str) and named else error_type or "Unhandled"
    # JSON can spell half a character, which no text that is written anywhere may hold.
    return Raised(payload=payload, error_type=said.encode(errors="replace").decode())


def _document(payload: bytes) -> dict[str, object] | None:
    try:
        document: object = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", document) if isinstance(document, dict) else None


def crash_of_exit(request_id: str, how: Exit) -> Crashed:
    """Return the outcome of a run whose process ended under it."""
    kind = FailureKind.OUT_OF_MEMORY if how.is_out_of_memory else FailureKind.EXITED
    return Crashed(
        kind=kind, error_type=kind.value, message=f"RequestId: {request_id} Error: {how.reason}"
    )


def init_error_of_exit(how: Exit) -> InitError:
    """Return what keeps a worker from its first run whose process ended before."""
    kind = FailureKind.OUT_OF_MEMORY if how.is_out_of_memory else FailureKind.INIT_FAILED
    error_type = kind.value if how.is_out_of_memory else FailureKind.EXITED.value
    return InitError(how.reason, kind=kind, error_type=error_type)


def crash_of_stop(request_id: str, reason: str) -> Crashed:
    """Return the outcome of a run that the server has ended."""
    kind = FailureKind.CANCELLED
    message = f"RequestId: {request_id} Error: {reason}"
    return Crashed(kind=kind, error_type=kind.value, message=message)


def crash_of_timeout(request_id: str, timeout_seconds: int) -> Crashed:
    """Return the outcome of a run that took longer than its function may."""
    kind = FailureKind.TIMED_OUT
    message = f"RequestId: {request_id} Error: Task timed out after {timeout_seconds:.2f} seconds"
    return Crashed(kind=kind, error_type=kind.value, message=message)


def crash_of_oversize() -> Crashed:
    """Return the outcome of a run whose result was too large."""
    kind = FailureKind.RESPONSE_TOO_LARGE
    message = (
        f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
    )
    return Crashed(kind=kind, error_type=kind.value, message=message)


def close_run(
    run: Run,
    outcome: InvocationOutcome,
    *,
    log: "WorkerLog",
    ended_at_ms: int,
    duration_ms: float,
    memory_used_mb: int,
) -> InvocationReport:
    """Write the last lines of a run's log; return its report."""
    function = run.request.function
    figures = _figures(run, outcome, duration_ms=duration_ms, memory_used_mb=memory_used_mb)
    if isinstance(outcome, Crashed):
        log.write(log_lines.crash_line(function, outcome, at_ms=ended_at_ms), at_ms=ended_at_ms)
    log.write(*log_lines.report_lines(function, figures, at_ms=ended_at_ms), at_ms=ended_at_ms)
    return InvocationReport(
        outcome=outcome,
        started_at_ms=run.started_at_ms,
        ended_at_ms=ended_at_ms,
        billed_ms=figures.billed_ms,
        init_ms=None if run.init_ms is None else round(run.init_ms),
        memory_used_mb=figures.memory_used_mb,
        log_tail=log.tail.bytes(since=run.log_position),
        worker_id=log.stream,
    )


def _figures(
    run: Run, outcome: InvocationOutcome, *, duration_ms: float, memory_used_mb: int
) -> RunFigures:
    status, error_type = "success", None
    match outcome:
        case Returned():
            pass
        case Raised(error_type=error_type):
            status = "error"
        case Crashed(kind=FailureKind.TIMED_OUT):
            status = "timeout"
        case Crashed(error_type=error_type):
            status = "error"
    return RunFigures(
        request_id=run.request.request_id,
        duration_ms=duration_ms,
        memory_used_mb=memory_used_mb,
        init_ms=run.init_ms,
        status=status,
        error_type=error_type,
    )
