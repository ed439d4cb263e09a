"""What people do to an execution: start, stop, pause, resume, delete."""

from typing import Final

from perdure.core.closing import close
from perdure.core.commands import Delete, Pause, Resume, Start, Stop
from perdure.core.draft import Draft
from perdure.core.errors import (
    ExecutionAlreadyStarted,
    RecursiveInvocation,
    ResourceConflict,
)
from perdure.core.execution import NOTHING, Execution
from perdure.core.execution import Pause as PauseState
from perdure.core.operation import Operation
from perdure.core.outcome import Accepted, Attached, Outcome
from perdure.core.quotas import CHAIN_DEPTH_MAX
from perdure.core.timers import fire_due
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationStatus,
    OperationType,
)

__all__ = ["attach", "delete", "pause", "resume", "start", "stop"]

_LIFE_MS_MAX: Final = 366 * 86_400_000

#: Source: AWS's testing package, the default of a stop.
_STOPPED: Final = ErrorObject(error_message="Execution stopped by user request")


def start(command: Start, now_ms: int) -> Outcome:
    """Begin a new execution, ready for its first invocation.

    Raises:
        RecursiveInvocation: too many chained invokes lead here (I5).
    """
    identity = command.identity
    if identity.depth > CHAIN_DEPTH_MAX:
        raise RecursiveInvocation(
            f"{identity.depth} chained invokes lead to this one; the limit is {CHAIN_DEPTH_MAX}"
        )
    draft = Draft(Execution(identity, NOTHING, {}), now_ms)
    draft.put(
        Operation(
            identity.id,
            OperationType.EXECUTION,
            OperationStatus.STARTED,
            draft.now_ms,
            name=identity.name,
            input=command.input,
        )
    )
    draft.record(EventType.EXECUTION_STARTED)
    draft.update(
        ready_at_ms=draft.now_ms,
        timeout_at_ms=draft.now_ms + identity.execution_timeout_seconds * 1000,
    )
    return draft.finish(Accepted(at_ms=draft.now_ms))


def attach(existing: Execution, command: Start) -> Outcome:
    """Answer a start whose name is taken: with the execution that has it, if the input is the same
    (I1).

    Raises:
        ExecutionAlreadyStarted: the input is another.
    """
    if existing.identity.input_sha256 != command.identity.input_sha256:
        raise ExecutionAlreadyStarted(
            f"the execution name {existing.identity.name} is taken, with another input",
            durable_execution_arn=existing.identity.arn,
        )
    return Outcome(
        identity=existing.identity,
        progress=existing.progress,
        base_version=existing.progress.version,
        reply=Attached(execution=existing),
    )


def stop(draft: Draft, command: Stop) -> Outcome:
    """End the execution; if it has ended already, that end stands and its instant is the answer."""
    fire_due(draft)
    if draft.progress.ended_at_ms is not None:
        return draft.finish(Accepted(at_ms=draft.progress.ended_at_ms))
    close(draft, ExecutionStatus.STOPPED, error=command.error or _STOPPED)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def pause(draft: Draft, command: Pause) -> Outcome:
    """Begin no more invocations. The running one may end; what completes meanwhile is kept (X7).

    Raises:
        ResourceConflict: the execution has ended, or is paused by another request.
    """
    fire_due(draft)
    progress = draft.progress
    before = progress.pause
    if before is not None and command.client_token and before.client_token == command.client_token:
        return draft.finish(Accepted(at_ms=before.requested_at_ms))
    if command.client_token and command.client_token == progress.ended_pause_token:
        return draft.finish(Accepted(at_ms=draft.now_ms))  # it comes once more, after its resume
    if progress.status is not ExecutionStatus.RUNNING:
        raise ResourceConflict(
            f"only a RUNNING execution can be paused; this one is {progress.status}"
        )
    is_invoking = progress.lease_until_ms is not None
    draft.record(
        EventType.EXECUTION_PAUSED, reason=command.reason, timeout_paused=command.is_timeout_paused
    )
    draft.update(
        status=ExecutionStatus.PAUSING if is_invoking else ExecutionStatus.PAUSED,
        pause=PauseState(
            draft.now_ms, command.is_timeout_paused, command.reason, command.client_token
        ),
        owes_invocation=progress.ready_at_ms is not None,
        ready_at_ms=None,
    )
    if command.is_timeout_paused and progress.timeout_at_ms is not None:
        draft.update(
            timeout_at_ms=_end_of_life_ms(draft),
            timeout_left_ms=progress.timeout_at_ms - draft.now_ms,
        )
    return draft.finish(Accepted(at_ms=draft.now_ms))


def resume(draft: Draft, command: Resume) -> Outcome:
    """End the pause; if anything has changed that the handler should know, it is invoked.

    Raises:
        ResourceConflict: the execution is not paused.
    """
    fire_due(draft)
    progress = draft.progress
    if command.client_token and progress.resume_token == command.client_token:
        return draft.finish(Accepted(at_ms=draft.now_ms))
    if progress.pause is None:
        raise ResourceConflict(
            f"only a paused execution can be resumed; this one is {progress.status}"
        )
    draft.record(EventType.EXECUTION_RESUMED, reason=command.reason)
    draft.update(
        status=ExecutionStatus.RUNNING,
        pause=None,
        resume_token=command.client_token,
        ended_pause_token=progress.pause.client_token,
        owes_invocation=False,
    )
    if progress.timeout_left_ms is not None:
        timeout_at_ms = min(draft.now_ms + progress.timeout_left_ms, _end_of_life_ms(draft))
        draft.update(timeout_at_ms=timeout_at_ms, timeout_left_ms=None)
    is_owed = progress.owes_invocation or draft.has_unseen()
    if is_owed and progress.lease_until_ms is None:
        draft.update(ready_at_ms=draft.now_ms)
    elif progress.owes_invocation:
        draft.update(owes_invocation=True)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def _end_of_life_ms(draft: Draft) -> int:
    """Return the instant at which even a paused execution times out.

    Source: Lambda model, PauseDurableExecutionRequest, ExecutionTimeoutPaused: 366 days.
    """
    return draft.identity.started_at_ms + _LIFE_MS_MAX


def delete(draft: Draft, command: Delete) -> Outcome:
    """Mark a closed execution for removal; its name is free from now on.

    Raises:
        ResourceConflict: the execution has not ended (R1).
    """
    _ = command
    fire_due(draft)
    progress = draft.progress
    if progress.ended_at_ms is None:
        raise ResourceConflict(
            f"only an ended execution can be deleted; this one is {progress.status}"
        )
    if progress.status is not ExecutionStatus.DELETING:
        draft.update(status=ExecutionStatus.DELETING, expires_at_ms=draft.now_ms)
    return draft.finish(Accepted(at_ms=draft.now_ms))
