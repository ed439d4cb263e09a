"""How identities, progress, operations, events and messages are kept as bytes, and a change as
rows.

Tuples are JSON arrays in the order of their members, so a member may be added at the end, with a
default, and older rows still read. Payloads are not in there: they are kept beside, as they are.
Every row carries a checksum (D6).
"""

import hashlib
import zlib
from typing import Any, Final, NamedTuple

import msgspec

from perdure.core.execution import ExecutionKind, Identity, Progress
from perdure.core.operation import Operation
from perdure.core.outcome import AnnounceEnd, Message, NotifyParent, StartChild
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Change
from perdure.store.protocol import CorruptRowError

__all__ = [
    "ChangeRows",
    "checksum",
    "decode_event_details",
    "decode_identity",
    "decode_message",
    "decode_operation",
    "decode_progress",
    "execution_key",
    "name_key",
    "rows_of",
]

_KINDS: Final[dict[str, type[Message]]] = {
    "start-child": StartChild,
    "notify-parent": NotifyParent,
    "announce-end": AnnounceEnd,
}
_KIND_NAMES: Final = {kind: name for name, kind in _KINDS.items()}

_encode: Final = msgspec.json.Encoder().encode
_progress: Final = msgspec.json.Decoder(Progress)
_identity: Final = msgspec.json.Decoder(Identity)
_operation: Final = msgspec.json.Decoder(Operation)
_details: Final = msgspec.json.Decoder(dict[str, Any])
_messages: Final = {name: msgspec.json.Decoder(kind) for name, kind in _KINDS.items()}


class ChangeRows(NamedTuple):
    """A change as values that SQL takes."""

    key: bytes
    expected_version: int
    name_key: bytes | None
    function_arn: str | None
    started_at_ms: int
    identity: bytes | None  #: None: the execution is there already
    identity_checksum: int
    frees_name: bool
    #: status, version, updated, wake, ready, lease, expires, progress, checksum
    progress: tuple[str, int, int, int | None, int | None, int | None, int | None, bytes, int]
    #: position, id, body, payload, input, checksum
    operations: list[tuple[int, str, bytes, bytes | None, bytes | None, int]]
    #: event id, type, instant, position of its operation, details, checksum
    events: list[tuple[int, str, int, int | None, bytes | None, int | None]]
    #: id, sender, instant, kind, body, checksum
    letters: list[tuple[str, bytes, int, str, bytes, int]]
    delivered: list[str]


def rows_of(change: Change) -> ChangeRows:
    """Return the rows that ``change`` writes."""
    progress, identity = change.progress, change.identity
    positions = {operation.id: operation.position for operation in change.operations}
    is_durable = identity is not None and identity.kind is ExecutionKind.DURABLE
    kept = None if identity is None else _encode(identity)
    body = _encode(progress)
    return ChangeRows(
        key=execution_key(change.execution_id),
        expected_version=change.expected_version,
        name_key=name_key(identity.function_arn, identity.name)
        if identity and is_durable
        else None,
        function_arn=identity.function_arn if identity and is_durable else None,
        started_at_ms=identity.started_at_ms if identity else 0,
        identity=kept,
        identity_checksum=checksum(kept),
        frees_name=progress.status is ExecutionStatus.DELETING,
        progress=(
            progress.status.value,
            progress.version,
            progress.updated_at_ms,
            progress.wake_at_ms,
            progress.ready_at_ms,
            progress.lease_until_ms,
            progress.expires_at_ms,
            body,
            checksum(body),
        ),
        operations=[_operation_row(operation) for operation in change.operations],
        events=[
            (
                event.id,
                event.type.value,
                event.at_ms,
                None if event.operation_id is None else positions[event.operation_id],
                details := None if event.details is None else _encode(event.details),
                None if details is None else checksum(details),
            )
            for event in change.events
        ],
        letters=[
            (
                letter.id,
                execution_key(letter.sender_id),
                letter.sent_at_ms,
                _KIND_NAMES[type(letter.message)],
                body := _encode(letter.message),
                checksum(body),
            )
            for letter in change.letters
        ],
        delivered=list(change.delivered),
    )


def execution_key(execution_id: str) -> bytes:
    """Return an execution's id as it is stored."""
    return bytes.fromhex(execution_id)


def name_key(function_arn: str, name: str) -> bytes:
    """Return what makes a name unique: it belongs to one function."""
    return hashlib.sha256(f"{function_arn}\n{name}".encode()).digest()[:16]


def checksum(*parts: bytes | None) -> int:
    """Return the checksum of a row's bytes."""
    value = 0
    for part in parts:
        value = zlib.crc32(part or b"", value)
    return value


def decode_operation(
    body: bytes, payload: bytes | None, entered: bytes | None, expected: int
) -> Operation:
    """Return the operation.

    Raises:
        CorruptRowError: the bytes are not those that were written.
    """
    _verify("operation", expected, body, payload, entered)
    operation = _operation.decode(body)
    if payload is None and entered is None:
        return operation
    return operation._replace(
        payload=None if payload is None else payload.decode(),
        input=None if entered is None else entered.decode(),
    )


def decode_identity(body: bytes, expected: int) -> Identity:
    """Return the identity.

    Raises:
        CorruptRowError: the bytes are not those that were written.
    """
    _verify("execution", expected, body)
    return _identity.decode(body)


def decode_progress(body: bytes, expected: int) -> Progress:
    """Return the progress.

    Raises:
        CorruptRowError: the bytes are not those that were written.
    """
    _verify("execution", expected, body)
    return _progress.decode(body)


def decode_event_details(body: bytes | None, expected: int | None) -> dict[str, Any] | None:
    """Return an event's details; ``expected`` None: of an older file, and never checked.

    Raises:
        CorruptRowError: the bytes are not those that were written.
    """
    if body is None:
        return None
    if expected is not None:
        _verify("event", expected, body)
    return _details.decode(body)


def decode_message(kind: str, body: bytes) -> Message:
    """Return the message."""
    return _messages[kind].decode(body)


def _operation_row(
    operation: Operation,
) -> tuple[int, str, bytes, bytes | None, bytes | None, int]:
    payload = None if operation.payload is None else operation.payload.encode()
    entered = None if operation.input is None else operation.input.encode()
    body = _encode(operation._replace(payload=None, input=None))
    return (
        operation.position,
        operation.id,
        body,
        payload,
        entered,
        checksum(body, payload, entered),
    )


def _verify(what: str, expected: int, *parts: bytes | None) -> None:
    if checksum(*parts) != expected:
        raise CorruptRowError(f"an {what} row does not have its checksum")
