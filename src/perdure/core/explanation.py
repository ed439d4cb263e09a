"""Why an execution does not go on: one sentence, and what it is made of.

``explain`` is given an execution and what is known of the world around it: workers, its function,
its children. It says what the execution waits for, since when, until when, what would unblock it,
what has been retried, and whether a worker is there. ``phrases`` has the words.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from perdure.core import phrases
from perdure.core.execution import Execution
from perdure.core.operation import Operation
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType

__all__ = [
    "WAIT_FOR_CALLBACK",
    "Circumstances",
    "Explanation",
    "Kind",
    "OpenWait",
    "WorkerView",
    "explain",
    "known_as",
]

WAIT_FOR_CALLBACK: Final = "WaitForCallback"  #: Source: AWS's SDKs, OperationSubType

WAITS_MAX: Final = 100  #: listed one by one; the sentence counts them all
_NEVER_MS: Final = 1 << 62


class Kind(StrEnum):
    """How an execution stands, seen from outside."""

    WAITING = "waiting"  #: suspended: time, somebody, or another execution has to move
    RUNNING = "running"  #: its handler runs
    READY = "ready"  #: it wants an invocation, and waits for its turn
    RETRYING = "retrying"  #: something failed, and is tried again at an instant
    PAUSED = "paused"
    BLOCKED = "blocked"  #: nothing moves before somebody does something about it
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known beside the execution itself."""

    now_ms: int
    callback_id: Callable[[str], str]  #: gives the id a callback is answered with
    function_gone: str | None = None  #: why its function version cannot be had
    runtime_missing: str | None = None  #: why nothing here runs its code
    concurrency_max: int | None = None  #: of its function; None: no bound of its own
    function_running: int = 0  #: handlers of the function that run here
    node_running: int = 0  #: handlers that run here
    node_max: int = 1
    is_draining: bool = False  #: this node begins no more invocations
    is_without_worker: bool = False  #: an invocation has begun, and waits for a worker here
    queued_before: int | None = None  #: executions that come first here; None: it is not queued
    children: Mapping[str, str] = field(default_factory=dict[str, str])  #: statuses, by ARN
    last_failure: ErrorObject | None = None  #: how the last invocation failed


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWait:
    """One operation that something other than the handler will change."""

    operation: Operation  #: under the name that people know it by
    path: tuple[str, ...]  #: names of the contexts around it, from the outside
    until_ms: int | None
    unblocks: str
    callback_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """Whether an invocation could run now, and why not."""

    is_available: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an execution does not go on."""

    kind: Kind
    sentence: str
    waits: tuple[OpenWait, ...]  #: those that end first; at most ``WAITS_MAX``
    wait_count: int
    worker: WorkerView


def explain(execution: Execution, around: Circumstances) -> Explanation:
    """Return why ``execution`` does not go on, as things stand."""
    waits = () if execution.is_closed else _first_waits(execution, around)
    worker = _worker(execution, around)
    kind = _kind(execution, around)
    said = _SENTENCES[kind](execution, around, waits)
    if kind in (Kind.WAITING, Kind.RETRYING, Kind.READY):
        said = phrases.joined(said, _deadline(execution, waits), worker.text)
    return Explanation(
        kind=kind,
        sentence=phrases.sentence(said),
        waits=waits,
        wait_count=0 if execution.is_closed else len(execution.pending),
        worker=worker,
    )


def _kind(execution: Execution, around: Circumstances) -> Kind:
    progress = execution.progress
    if execution.is_closed:
        return Kind.ENDED
    if progress.quarantine is not None:
        return Kind.BLOCKED
    if progress.pause is not None:
        return Kind.PAUSED
    if progress.lease_until_ms is not None:
        if not around.is_without_worker:
            return Kind.RUNNING
        return Kind.READY if _obstacle(around) is None else Kind.BLOCKED
    if progress.ready_at_ms is not None:
        if _obstacle(around) is not None:
            return Kind.BLOCKED
        return Kind.READY if progress.ready_at_ms <= around.now_ms else Kind.RETRYING
    if not execution.pending:
        return Kind.BLOCKED
    is_retry = all(execution.operations[i].type is OperationType.STEP for i in execution.pending)
    return Kind.RETRYING if is_retry else Kind.WAITING


def _obstacle(around: Circumstances) -> str | None:
    """Return what keeps any invocation of the function from running, until somebody mends it."""
    if around.function_gone is not None:
        return phrases.gone(around.function_gone)
    if around.concurrency_max == 0:
        return phrases.NO_CONCURRENCY
    if around.runtime_missing is not None:
        return phrases.cut(around.runtime_missing)
    return None


def _worker(execution: Execution, around: Circumstances) -> WorkerView:
    if execution.is_closed:
        return WorkerView(is_available=False, text="none is needed")
    if execution.is_leased and not around.is_without_worker:
        return WorkerView(is_available=True, text="a worker runs it")
    obstacle = _obstacle(around)
    limit = around.concurrency_max
    if obstacle is not None:
        return WorkerView(is_available=False, text=f"no worker can run it: {obstacle}")
    if around.is_draining:
        return WorkerView(is_available=False, text="this node is shutting down and starts nothing")
    if limit is not None and around.function_running >= limit:
        return WorkerView(is_available=False, text=phrases.function_full(limit))
    if around.node_running >= around.node_max:
        return WorkerView(is_available=False, text=phrases.node_full(around.node_max))
    return WorkerView(is_available=True, text="a worker is available")


def _deadline(execution: Execution, waits: tuple[OpenWait, ...]) -> str:
    """Say when the execution times out: it may be before anything else."""
    at_ms = execution.progress.timeout_at_ms
    if at_ms is None:
        return ""
    is_first = any(wait.until_ms is not None for wait in waits) and all(
        wait.until_ms is None or wait.until_ms > at_ms for wait in waits
    )
    said = "but the execution times out before, at" if is_first else "the execution times out at"
    return f"{said} {phrases.instant(at_ms)}"


def _first_waits(execution: Execution, around: Circumstances) -> tuple[OpenWait, ...]:
    first = heapq.nsmallest(
        WAITS_MAX,
        execution.pending.items(),
        key=lambda item: (_NEVER_MS if item[1] is None else item[1], item[0]),
    )
    return tuple(_open_wait(execution, execution.operations[i], around) for i, _ in first)


def _open_wait(execution: Execution, operation: Operation, around: Circumstances) -> OpenWait:
    is_callback = operation.type is OperationType.CALLBACK
    known = known_as(execution.operations, operation)
    path = _path(execution, operation)
    return OpenWait(
        operation=known,
        path=path if known is operation else path[:-1],
        until_ms=operation.wakes_at_ms,
        unblocks=phrases.unblocks(operation),
        callback_id=around.callback_id(operation.id) if is_callback else None,
    )


def known_as(operations: Mapping[str, Operation], operation: Operation) -> Operation:
    """Return an operation under the name that people gave it: ``wait_for_callback`` names its
    context, and what is in it after that.
    """
    parent = operations.get(operation.parent_id or "")
    if operation.type is not OperationType.CALLBACK or parent is None:
        return operation
    is_named = parent.sub_type == WAIT_FOR_CALLBACK and parent.name
    return operation._replace(name=parent.name) if is_named else operation


def _path(execution: Execution, operation: Operation) -> tuple[str, ...]:
    names: list[str] = []
    parent_id = operation.parent_id
    while parent_id is not None and parent_id in execution.operations:
        parent = execution.operations[parent_id]
        if parent.type is not OperationType.EXECUTION:
            names.append(phrases.name_of(parent))
        parent_id = parent.parent_id
    return tuple(reversed(names))


def _ended(execution: Execution, around: Circumstances, waits: tuple[OpenWait, ...]) -> str:
    progress = execution.progress
    if progress.status is ExecutionStatus.DELETING:
        return "it has ended and is being removed"
    root = execution.operations[execution.identity.id]
    return phrases.ended(progress.status, progress.ended_at_ms or 0, progress.epoch, root.error)


def _paused(execution: Execution, around: Circumstances, waits: tuple[OpenWait, ...]) -> str:
    progress = execution.progress
    pause = progress.pause
    assert pause is not None, "only what has a pause is paused"
    since = phrases.instant(pause.requested_at_ms)
    if progress.lease_until_ms is not None:
        said = f"it is paused as soon as its running invocation ends (asked for at {since}"
    else:
        said = f"it has been paused (since {since}"
    said += ")" if pause.reason is None else f": {phrases.cut(pause.reason)})"
    clock = "stands still" if pause.is_timeout_paused else "goes on"
    owed = "an invocation follows at once" if progress.owes_invocation else ""
    return phrases.joined(
        f"{said}, and goes on when it is resumed", f"its timeout {clock} meanwhile", owed
    )


def _running(execution: Execution, around: Circumstances, waits: tuple[OpenWait, ...]) -> str:
    progress = execution.progress
    since = phrases.instant(progress.invoked_at_ms or progress.updated_at_ms)
    said = (
        f"its handler has run since {since} (invocation {progress.epoch}, on node"
        f" {progress.lease_owner})"
    )
    steps = [
        operation
        for operation in execution.operations.values()
        if operation.type is OperationType.STEP and operation.status is OperationStatus.STARTED
    ]
    return phrases.joined(said, phrases.under_way(steps), phrases.meanwhile(len(execution.pending)))


def _ready(execution: Execution, around: Circumstances, waits: tuple[OpenWait, ...]) -> str:
    progress = execution.progress
    if progress.ready_at_ms is None:
        since = phrases.instant(progress.invoked_at_ms or progress.updated_at_ms)
        return f"invocation {progress.epoch} has waited for a worker since {since}"
    since = phrases.instant(progress.ready_at_ms)
    said = f"it has been ready to go on since {since}"
    if around.queued_before is None:
        return f"{said} and waits to be taken up"
    return f"{said} and waits for its turn, {phrases.behind(around.queued_before)}"


def _blocked(execution: Execution, around: Circumstances, waits: tuple[OpenWait, ...]) -> str:
    progress = execution.progress
    if progress.quarantine is not None:
        return phrases.quarantined(progress.quarantine)
    if progress.lease_until_ms is not None:
        since = phrases.instant(progress.invoked_at_ms or progress.updated_at_ms)
        return f"it has wanted a worker since {since}, but {_obstacle(around)}"
    if progress.ready_at_ms is None:
        return "nothing that is open would move it; stop it, or look at the server's log"
    since = phrases.instant(progress.ready_at_ms)
    wanted = "wants" if progress.ready_at_ms <= around.now_ms else "will want"
    said = f"it {wanted} an invocation from {since} on, but {_obstacle(around)}"
    return phrases.joined(said, phrases.failures(progress.failures, around.last_failure))


def _waiting(execution: Execution, around: Circumstances, waits: tuple[OpenWait, ...]) -> str:
    if len(execution.pending) == 1:
        return phrases.one(waits[0].operation, waits[0].path, around.children)
    return phrases.several([execution.operations[i] for i in execution.pending])


def _retrying(execution: Execution, around: Circumstances, waits: tuple[OpenWait, ...]) -> str:
    progress = execution.progress
    if progress.ready_at_ms is None:
        return _waiting(execution, around, waits)
    next_at = phrases.instant(progress.ready_at_ms)
    failed = phrases.failures(progress.failures, around.last_failure)
    return phrases.joined(failed, f"the next invocation begins at {next_at}")


_Sentence = Callable[[Execution, Circumstances, tuple[OpenWait, ...]], str]
_SENTENCES: Final[Mapping[Kind, _Sentence]] = {
    Kind.ENDED: _ended,
    Kind.PAUSED: _paused,
    Kind.RUNNING: _running,
    Kind.READY: _ready,
    Kind.BLOCKED: _blocked,
    Kind.WAITING: _waiting,
    Kind.RETRYING: _retrying,
}
