"""Progress and operations as the bytes that rows keep.

MessagePack arrays of their members in an order of ours: what most have comes first, and a tail of
defaults is left out. A member that ``Progress`` or ``Operation`` gains at its end, with a default,
is stored without a change here, and older rows still read. Instants are kept as differences from
one that is there anyway. Payloads are not in there: they are kept beside, as they are.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from perdure.core.execution import LastReply, Pause, Progress
from perdure.core.operation import Operation
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus
from perdure.store.codes import (
    STATE_CODES,
    STATES,
    SUB_TYPE_CODES,
    SUB_TYPES,
    pack,
    unpack,
)

__all__ = ["decode_operation", "decode_progress", "encode_operation", "encode_progress"]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode

#: Of an operation: its members from here on belong to the kinds that are rare.
_RARE: Final = Operation._fields.index("replay_children")
_NO_TIMING: Final = (None, None, None, None)
_NO_REST: Final = (None, *(Operation._field_defaults[name] for name in Operation._fields[_RARE:]))
_TIMING_AT: Final = 8
_REST_AT: Final = _TIMING_AT + len(_NO_TIMING)

#: Of progress: its members from here on came later.
_LATER: Final = Progress._fields.index("quarantine") + 1
_NO_LEASE: Final = (b"", None, None, None)
_NO_TROUBLE: Final = (
    *(0, False, None, None, None, None, None),
    *(Progress._field_defaults[name] for name in Progress._fields[_LATER:]),
)
_LEASE_AT: Final = 9
_TROUBLE_AT: Final = _LEASE_AT + len(_NO_LEASE)

_ERROR: Final = tuple(field.name for field in dataclasses.fields(ErrorObject))


def encode_operation(operation: Operation) -> bytes:
    """Return the operation without its id, its position and its payloads."""
    return _encode(_operation_values(operation))


def decode_operation(
    operation_id: str, position: int, body: bytes, payload: bytes | None, entered: bytes | None
) -> Operation:
    """Return the operation."""
    return _operation(
        operation_id,
        position,
        _decode(body),
        None if payload is None else payload.decode(),
        None if entered is None else entered.decode(),
    )


def encode_progress(progress: Progress) -> bytes:
    """Return the progress without its status, version, last instant, and what it is due for."""
    at_ms = progress.updated_at_ms
    reply = progress.last_reply
    head = (
        progress.epoch,
        progress.token_sequence,
        progress.sequence,
        progress.seen_sequence,
        progress.event_count,
        progress.operation_count,
        progress.stored_bytes,
        _span(progress.timeout_at_ms, at_ms),
        None if reply is None else _reply_values(reply, at_ms),
    )
    lease = (
        progress.nonce_sha256,
        progress.lease_owner,
        pack(progress.request_id),
        _span(progress.invoked_at_ms, at_ms),
    )
    trouble = (
        progress.failures,
        progress.owes_invocation,
        progress.timeout_left_ms,
        _span(progress.ended_at_ms, at_ms),
        progress.pause,
        progress.resume_token,
        progress.quarantine,
        *progress[_LATER:],
    )
    if trouble != _NO_TROUBLE:
        return _encode((*head, *lease, *trouble))
    return _encode(head if lease == _NO_LEASE else (*head, *lease))


def decode_progress(
    status: str, version: int, updated_at_ms: int, due: Sequence[int | None], body: bytes
) -> Progress:
    """Return the progress."""
    values = _decode(body)
    epoch, token, sequence, seen, events, operations, stored, timeout, reply = values[:_LEASE_AT]
    nonce, owner, request_id, invoked = values[_LEASE_AT:_TROUBLE_AT] or _NO_LEASE
    failures, owes, left, ended, pause, resume, quarantine, *later = (
        values[_TROUBLE_AT:] or _NO_TROUBLE
    )
    wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms = due
    return Progress(
        ExecutionStatus(status),
        version,
        updated_at_ms,
        epoch,
        token,
        nonce,
        owner,
        lease_until_ms,
        unpack(request_id),
        _instant(invoked, updated_at_ms),
        failures,
        ready_at_ms,
        owes,
        _instant(timeout, updated_at_ms),
        left,
        wake_at_ms,
        sequence,
        seen,
        events,
        operations,
        stored,
        _instant(ended, updated_at_ms),
        expires_at_ms,
        None if pause is None else Pause(*pause),
        resume,
        None if reply is None else _reply(reply, updated_at_ms),
        quarantine,
        *later,
    )


def _operation_values(operation: Operation) -> tuple[Any, ...]:
    started_at_ms, error = operation.started_at_ms, operation.error
    sub_type = operation.sub_type
    head = (
        STATE_CODES[operation.type, operation.status],
        started_at_ms,
        operation.sequence - operation.position,
        operation.name,
        sub_type if sub_type is None else SUB_TYPE_CODES.get(sub_type, sub_type),
        _span(operation.ended_at_ms, started_at_ms),
        operation.attempt,
        pack(operation.parent_id),
    )
    timing = (
        _span(operation.due_at_ms, started_at_ms),
        _span(operation.heartbeat_due_at_ms, started_at_ms),
        operation.heartbeat_seconds,
        operation.seconds,
    )
    rest = (
        None if error is None else tuple(getattr(error, name) for name in _ERROR),
        *operation[_RARE:],
    )
    if rest != _NO_REST:
        return (*head, *timing, *rest)
    return head if timing == _NO_TIMING else (*head, *timing)


def _operation(
    operation_id: str,
    position: int,
    values: Sequence[Any],
    payload: str | None,
    entered: str | None,
) -> Operation:
    code, started_at_ms, later, name, sub_type, ended, attempt, parent = values[:_TIMING_AT]
    due, heartbeat_due, heartbeat_seconds, seconds = values[_TIMING_AT:_REST_AT] or _NO_TIMING
    error, *rest = values[_REST_AT:] or _NO_REST
    kind, status = STATES[code]
    return Operation(
        operation_id,
        kind,
        status,
        started_at_ms,
        position + later,
        position,
        SUB_TYPES[sub_type] if isinstance(sub_type, int) else sub_type,
        name,
        unpack(parent),
        _instant(ended, started_at_ms),
        attempt,
        _instant(due, started_at_ms),
        _instant(heartbeat_due, started_at_ms),
        heartbeat_seconds,
        seconds,
        payload,
        None if error is None else _error(error),
        entered,
        *rest,
    )


def _reply_values(reply: LastReply, at_ms: int) -> tuple[Any, ...]:
    values = (
        pack(reply.client_token),
        reply.inbound_sequence,
        reply.outbound_sequence,
        reply.updates_sha256,
        reply.after_sequence,
        reply.until_sequence,
        reply.at_ms - at_ms,
    )
    if not reply.earlier:
        return values
    earlier = [
        (pack(o.id), o.position, _operation_values(o), o.payload, o.input) for o in reply.earlier
    ]
    return (*values, earlier)


def _reply(values: Sequence[Any], at_ms: int) -> LastReply:
    token, inbound, outbound, updates, after, until, span, *earlier = values
    return LastReply(
        _text(token),
        inbound,
        outbound,
        updates,
        after,
        until,
        at_ms + span,
        tuple(_operation(_text(i), *values) for i, *values in earlier[0]) if earlier else (),
    )


def _error(values: Sequence[Any]) -> ErrorObject:
    error: dict[str, Any] = dict(zip(_ERROR, values, strict=False))
    if error["stack_trace"] is not None:
        error["stack_trace"] = tuple(error["stack_trace"])
    return ErrorObject(**error)


def _text(packed: Any) -> str:
    text = unpack(packed)
    assert text is not None, "what was packed is a text"
    return text


def _span(at_ms: int | None, since_ms: int) -> int | None:
    return None if at_ms is None else at_ms - since_ms


def _instant(span_ms: int | None, since_ms: int) -> int | None:
    return None if span_ms is None else since_ms + span_ms
