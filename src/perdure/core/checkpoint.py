"""What a checkpoint does: its token is checked, its updates are applied, and the answer says what
has changed.

A batch meets the operations as time has left them, whether or not anybody had noticed before: a
retry that is due can be started. The token is single-use. The same request again is answered with
the same bytes (F4); a poll that finds nothing new consumes nothing and commits nothing. What a poll
has told counts as heard when the token of its answer comes back (X8).
"""

from typing import Final

from perdure.core.commands import Checkpoint, Token
from perdure.core.draft import Draft
from perdure.core.errors import InvalidCheckpointToken, InvalidParameterValue
from perdure.core.execution import LastReply, Progress
from perdure.core.outcome import CheckpointReply, Outcome, QuotaPassed, TokenState
from perdure.core.quotas import REPLY_KEPT_MS, Quotas
from perdure.core.timers import fire_due, wake_operations
from perdure.core.updates import apply_updates
from perdure.protocol.words import ExecutionStatus

__all__ = ["checkpoint"]

_PAUSING: Final = ExecutionStatus.PAUSING


def checkpoint(draft: Draft, command: Checkpoint) -> Outcome:
    """Apply the updates and answer with the next token and everything that has changed.

    Raises:
        InvalidCheckpointToken: the token is not the current one of the running invocation (F1, F3).
        InvalidParameterValue: an update is not acceptable; nothing was applied (D2).
    """
    again = _answer_again(draft, command)
    if again is not None:
        return draft.finish(again)
    _check_token(draft.progress, command.token)
    inbound = draft.progress
    wake_operations(draft)
    apply_updates(draft, command.updates, command.targets)
    fire_due(draft)
    if command.updates:
        _check_quotas(draft, command.quotas)
    if draft.progress.status is _PAUSING:
        return _withhold(draft, command)
    heard_sequence = _heard_sequence(inbound)
    told = draft.news(after_sequence=heard_sequence)
    if not command.updates and not told:
        token = TokenState(inbound.epoch, inbound.token_sequence)
        return draft.finish(CheckpointReply(token=token, operations=()))
    sequence = inbound.token_sequence + 1
    is_open = bool(draft.progress.nonce_sha256)
    # A poll may have been answered before, when there was nothing new: then this is a copy of it
    # that comes late, and nobody hears what it is answered.
    is_heard = bool(command.updates) or not command.client_token
    draft.see(draft.sequence if is_heard else heard_sequence)
    token = TokenState(inbound.epoch, sequence) if is_open else None
    return draft.finish(
        CheckpointReply(token=token, operations=told),
        token_sequence=sequence,
        failures=0 if command.updates else inbound.failures,
        last_reply=_kept_reply(draft, command, heard_sequence, sequence if is_open else None),
    )


def _heard_sequence(progress: Progress) -> int:
    """Return up to which change the bearer of the current token has heard: the answer that brought
    the token has told of them.
    """
    last = progress.last_reply
    if last is None or last.outbound_sequence != progress.token_sequence:
        return progress.seen_sequence
    return max(progress.seen_sequence, last.until_sequence)


def _kept_reply(
    draft: Draft, command: Checkpoint, heard_sequence: int, outbound: int | None
) -> LastReply | None:
    """Return what is needed to answer once more; nothing for a caller who could not ask (F4)."""
    inbound = draft.base.progress
    if not command.client_token:
        return None
    return LastReply(
        client_token=command.client_token,
        inbound_sequence=inbound.token_sequence,
        outbound_sequence=outbound,
        updates_sha256=command.updates_sha256,
        after_sequence=heard_sequence,
        until_sequence=draft.sequence,
        at_ms=draft.now_ms,
    )


def _answer_again(draft: Draft, command: Checkpoint) -> CheckpointReply | None:
    last = draft.progress.last_reply
    token = command.token
    if (
        last is None
        or not command.client_token
        or last.client_token != command.client_token
        or (token.epoch, token.sequence) != (draft.progress.epoch, last.inbound_sequence)
        or draft.now_ms - last.at_ms > REPLY_KEPT_MS
    ):
        return None
    if last.updates_sha256 != command.updates_sha256:
        raise InvalidCheckpointToken("the client token was used for other updates")
    changed = {
        operation.id: operation
        for operation in draft.base.operations.values()
        if last.after_sequence < operation.sequence <= last.until_sequence
    }
    changed |= {operation.id: operation for operation in last.earlier}
    outbound = last.outbound_sequence
    return CheckpointReply(
        token=None if outbound is None else TokenState(token.epoch, outbound),
        operations=tuple(sorted(changed.values(), key=lambda operation: operation.sequence)),
    )


def _check_token(progress: Progress, token: Token) -> None:
    if progress.ended_at_ms is not None:
        raise InvalidCheckpointToken("the execution has ended")
    if (
        not progress.nonce_sha256
        or token.epoch != progress.epoch
        or token.nonce_sha256 != progress.nonce_sha256
    ):
        raise InvalidCheckpointToken("it belongs to another invocation")
    if token.sequence != progress.token_sequence:
        raise InvalidCheckpointToken("it was used before")


def _withhold(draft: Draft, command: Checkpoint) -> Outcome:
    """Keep the updates, but take no more: the execution is being paused."""
    return draft.finish(
        CheckpointReply(token=None, operations=()),
        nonce_sha256=b"",
        owes_invocation=True,
        last_reply=LastReply(
            client_token=command.client_token,
            inbound_sequence=draft.progress.token_sequence,
            outbound_sequence=None,
            updates_sha256=command.updates_sha256,
            after_sequence=draft.sequence,
            until_sequence=draft.sequence,
            at_ms=draft.now_ms,
        ),
    )


def _check_quotas(draft: Draft, quotas: Quotas) -> None:
    if (
        draft.operation_count <= quotas.operations_max
        and draft.stored_bytes <= quotas.stored_bytes_max
    ):
        return
    before = draft.base.progress
    for held, holds, limit, what in (
        (before.operation_count, draft.operation_count, quotas.operations_max, "operations"),
        (before.stored_bytes, draft.stored_bytes, quotas.stored_bytes_max, "bytes of data"),
    ):
        if holds <= limit:
            continue
        message = f"the execution holds {holds:,} {what}; the limit is {limit:,}"
        if quotas.is_hard:
            raise InvalidParameterValue(message)
        if held <= limit:
            draft.hint(QuotaPassed(message=message))
