"""How invocations begin and end: leases, epochs, verdicts, and the ladder of retries."""

from typing import Final

from perdure.core.closing import close, end_invocation
from perdure.core.commands import (
    BeginInvocation,
    FinishInvocation,
    ReleaseLease,
    RenewLease,
    Verdict,
)
from perdure.core.draft import Draft
from perdure.core.errors import ResourceConflict
from perdure.core.outcome import (
    Accepted,
    CancelInvocation,
    InvocationInput,
    Outcome,
    TokenState,
)
from perdure.core.quotas import CHAINED_PAYLOAD_BYTES_MAX
from perdure.core.timers import fire_due, want_invocation
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, InvocationStatus

__all__ = ["begin_invocation", "finish_invocation", "release_lease", "renew_lease"]

#: Errors of the service's side are tried again at once this often, before the ladder. Source:
#: SERVICE.md section 4.
_IMMEDIATE_RETRIES: Final = 3
_IMMEDIATE_TYPES: Final = ("Runtime.", "Sandbox.", "Extension.")
_DELAY_BASE_MS: Final = 1_000
_DELAY_MAX_MS: Final = 300_000
#: An answer of PENDING that waits for nothing is the handler's mistake; after so many in a row it
#: is its verdict.
_EMPTY_PENDING_MAX: Final = 3
_EMPTY_PENDING: Final = ErrorObject(
    error_type="InvalidParameterValueException",
    error_message="Cannot return PENDING status with no pending operations.",
)


def begin_invocation(draft: Draft, command: BeginInvocation) -> Outcome:
    """Take the lease under the next epoch (F5) and return what is new to the handler.

    Raises:
        ResourceConflict: another invocation holds the lease, or none is wanted now.
    """
    fire_due(draft)
    progress = draft.progress
    if progress.lease_until_ms is not None:
        raise ResourceConflict(f"an invocation holds the lease until {progress.lease_until_ms}")
    if (
        progress.status is not ExecutionStatus.RUNNING
        or progress.ready_at_ms is None
        or progress.ready_at_ms > draft.now_ms
    ):
        raise ResourceConflict(f"no invocation is wanted; the execution is {progress.status}")
    unseen = draft.deliver()
    epoch = progress.epoch + 1
    changes = unseen if progress.epoch else ()
    return draft.finish(
        InvocationInput(token=TokenState(epoch, 0), changes=changes),
        epoch=epoch,
        token_sequence=0,
        nonce_sha256=command.nonce_sha256,
        lease_owner=command.owner,
        lease_until_ms=draft.now_ms + command.lease_ms,
        request_id=command.request_id,
        invoked_at_ms=draft.now_ms,
        ready_at_ms=None,
        last_reply=None,
    )


def renew_lease(draft: Draft, command: RenewLease) -> Outcome:
    """Keep the lease of a live invocation.

    Raises:
        ResourceConflict: the lease is not (or no longer) of this epoch.
    """
    progress = draft.progress
    if progress.lease_until_ms is None or progress.epoch != command.epoch:
        raise ResourceConflict(f"the lease of epoch {command.epoch} is over")
    draft.update(lease_until_ms=draft.now_ms + command.lease_ms)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def release_lease(draft: Draft, command: ReleaseLease) -> Outcome:
    """Take the lease from an invocation nobody serves any more; another one follows."""
    progress = draft.progress
    until_ms = progress.lease_until_ms
    is_over = until_ms is not None and (
        until_ms <= draft.now_ms if command.epoch is None else progress.epoch == command.epoch
    )
    if is_over:
        draft.hint(CancelInvocation(epoch=progress.epoch))
        end_invocation(
            draft,
            started_at_ms=progress.invoked_at_ms,
            error=ErrorObject(
                error_type="Runtime.Unavailable", error_message="the worker or its server was lost"
            ),
        )
        _settle_pause(draft)
        want_invocation(draft)
    fire_due(draft)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def finish_invocation(draft: Draft, command: FinishInvocation) -> Outcome:
    """Record the end of an invocation; its verdict decides what becomes of the execution.

    An invocation that has lost its lease changes nothing (F7).
    """
    progress = draft.progress
    if progress.lease_until_ms is None or progress.epoch != command.epoch:
        return draft.finish(Accepted(at_ms=draft.now_ms))
    verdict = command.verdict
    end_invocation(
        draft,
        started_at_ms=command.started_at_ms,
        ended_at_ms=command.ended_at_ms,
        error=verdict.error if verdict.status is None else None,
    )
    match verdict.status:
        case InvocationStatus.SUCCEEDED:
            _succeed(draft, verdict.result)
        case InvocationStatus.FAILED:
            close(draft, ExecutionStatus.FAILED, error=verdict.error or ErrorObject())
        case InvocationStatus.PENDING:
            _suspend(draft, command.jitter)
        case None if verdict.is_final:
            close(draft, ExecutionStatus.FAILED, error=verdict.error)
        case _:
            _try_again(draft, verdict, command.jitter)
    return draft.finish(Accepted(at_ms=draft.now_ms))


def _succeed(draft: Draft, result: str | None) -> None:
    is_child = draft.identity.parent is not None
    if is_child and result is not None and len(result.encode()) > CHAINED_PAYLOAD_BYTES_MAX:
        message = (
            "Execution output payload size must be less than or equal to"
            f" {CHAINED_PAYLOAD_BYTES_MAX} bytes."
        )
        close(draft, ExecutionStatus.FAILED, error=ErrorObject(error_message=message))
    else:
        close(draft, ExecutionStatus.SUCCEEDED, payload=result)


def _suspend(draft: Draft, jitter: float) -> None:
    """Let the execution wait; if it waits for nothing, the answer was wrong (X8)."""
    fire_due(draft)
    if draft.progress.ended_at_ms is not None:
        return
    if draft.progress.pause is not None:
        # A handler that waits for nothing is judged after the pause: nothing else would wake it.
        is_owed = draft.progress.owes_invocation or draft.has_unseen() or not _waits(draft)
        draft.update(owes_invocation=is_owed)
        _settle_pause(draft)
    elif draft.progress.owes_invocation or draft.has_unseen():
        draft.update(failures=0, owes_invocation=False)
        want_invocation(draft)
    elif _waits(draft):
        draft.update(failures=0)
    elif draft.progress.failures + 1 >= _EMPTY_PENDING_MAX:
        close(draft, ExecutionStatus.FAILED, error=_EMPTY_PENDING)
    else:
        _try_again(draft, Verdict(status=None, error=_EMPTY_PENDING), jitter)


def _waits(draft: Draft) -> bool:
    return bool(draft.pending())


def _try_again(draft: Draft, verdict: Verdict, jitter: float) -> None:
    failures = draft.progress.failures + verdict.is_counted
    if not draft.is_durable and failures > draft.identity.retries_max:
        close(draft, ExecutionStatus.FAILED, error=verdict.error)
        return
    draft.update(failures=failures)
    if draft.progress.pause is not None:
        draft.update(owes_invocation=True)
        _settle_pause(draft)
    else:
        kind = (verdict.error and verdict.error.error_type) or ""
        delay_ms = max(retry_delay_ms(failures, kind, jitter), _spread_ms(verdict, jitter))
        draft.update(ready_at_ms=draft.now_ms + delay_ms)
    fire_due(draft)


def retry_delay_ms(failures: int, error_type: str, jitter: float) -> int:
    """Return how long to wait before the next invocation: capped, exponential, spread by ``jitter``
    (0 to 1) (X4).
    """
    steps = failures - 1
    if error_type.startswith(_IMMEDIATE_TYPES):
        steps -= _IMMEDIATE_RETRIES
    if steps < 0 or failures == 0:
        return 0
    delay_ms = min(_DELAY_MAX_MS, _DELAY_BASE_MS << min(steps, 20))
    return round(delay_ms * (0.5 + jitter / 2))


def _spread_ms(verdict: Verdict, jitter: float) -> int:
    """Return what the verdict asks to wait, and up to half as much again: those who wait for the
    same thing do not all come back at once.
    """
    return min(_DELAY_MAX_MS, round(verdict.retry_after_ms * (1 + jitter / 2)))


def _settle_pause(draft: Draft) -> None:
    if draft.progress.status is ExecutionStatus.PAUSING:
        draft.update(status=ExecutionStatus.PAUSED)
