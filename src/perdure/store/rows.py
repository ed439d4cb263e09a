"""How identities, progress, operations, events and messages are kept as bytes.

Tuples are JSON arrays in the order of their members, so a member may be added at the end, with a
default, and older rows still read. Payloads are not in there: they are kept beside, as they are.
Every row carries a checksum (D6).
"""

import zlib
from typing import Any, Final

import msgspec

from perdure.core.event import Event
from perdure.core.execution import Identity, Progress
from perdure.core.operation import Operation
from perdure.core.outcome import AnnounceEnd, Message, NotifyParent, StartChild
from perdure.store.protocol import CorruptRowError

__all__ = [
    "checksum",
    "decode_event_details",
    "decode_identity",
    "decode_message",
    "decode_operation",
    "decode_progress",
    "encode",
    "encode_message",
    "encode_operation",
]

_KINDS: Final[dict[str, type[Message]]] = {
    "start-child": StartChild,
    "notify-parent": NotifyParent,
    "announce-end": AnnounceEnd,
}
_KIND_NAMES: Final = {kind: name for name, kind in _KINDS.items()}

_encoder: Final = msgspec.json.Encoder()
encode: Final = _encoder.encode

_progress: Final = msgspec.json.Decoder(Progress)
_identity: Final = msgspec.json.Decoder(Identity)
_operation: Final = msgspec.json.Decoder(Operation)
_details: Final = msgspec.json.Decoder(dict[str, Any])
_messages: Final = {name: msgspec.json.Decoder(kind) for name, kind in _KINDS.items()}


def checksum(*parts: bytes | None) -> int:
    """Return the checksum of a row's bytes."""
    value = 0
    for part in parts:
        value = zlib.crc32(part or b"", value)
    return value


def encode_operation(operation: Operation) -> tuple[bytes, bytes | None, bytes | None, int]:
    """Return an operation as (body, payload, input, checksum)."""
    payload = None if operation.payload is None else operation.payload.encode()
    entered = None if operation.input is None else operation.input.encode()
    body = encode(operation._replace(payload=None, input=None))
    return body, payload, entered, checksum(body, payload, entered)


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


def decode_identity(body: bytes) -> Identity:
    """Return the identity; its checksum was verified with the progress beside it."""
    return _identity.decode(body)


def decode_progress(identity: bytes, progress: bytes, expected: int) -> Progress:
    """Return the progress.

    Raises:
        CorruptRowError: the bytes are not those that were written.
    """
    _verify("execution", expected, identity, progress)
    return _progress.decode(progress)


def decode_event_details(body: bytes | None) -> dict[str, Any] | None:
    """Return an event's details."""
    return None if body is None else _details.decode(body)


def encode_message(message: Message) -> tuple[str, bytes]:
    """Return a message as (kind, body)."""
    return _KIND_NAMES[type(message)], encode(message)


def decode_message(kind: str, body: bytes) -> Message:
    """Return the message."""
    return _messages[kind].decode(body)


def event_details(event: Event) -> bytes | None:
    """Return an event's details as bytes."""
    return None if event.details is None else encode(event.details)


def _verify(what: str, expected: int, *parts: bytes | None) -> None:
    if checksum(*parts) != expected:
        raise CorruptRowError(f"an {what} row does not have its checksum")
