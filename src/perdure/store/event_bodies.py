"""Lines of history and messages as the bytes that rows keep.

The events of one change are one body: they share its instant, and they are read together. Its form
is a MessagePack array: the first event's instant, then a line for each; a line ends where only
defaults would follow.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from perdure.core.event import Event
from perdure.core.outcome import AnnounceEnd, Message, NotifyParent, StartChild
from perdure.store.codes import DETAIL_CODES, DETAILS, EVENT_CODES, EVENTS, pack, unpack

__all__ = [
    "MESSAGE_KINDS",
    "decode_events",
    "decode_message",
    "encode_events",
    "encode_message",
]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode
_INSTANTS: Final = frozenset({"started_at_ms", "ended_at_ms"})

_MESSAGES: Final[dict[str, type[Message]]] = {
    "start-child": StartChild,
    "notify-parent": NotifyParent,
    "announce-end": AnnounceEnd,
}
MESSAGE_KINDS: Final = {kind: name for name, kind in _MESSAGES.items()}
_encode_message: Final = msgspec.json.Encoder().encode
_message_decoders: Final = {name: msgspec.json.Decoder(kind) for name, kind in _MESSAGES.items()}


def encode_events(events: Sequence[Event], positions: Mapping[str, int]) -> bytes:
    """Return events that follow each other, without the first one's id; an operation is named by
    its position.
    """
    base_ms = events[0].at_ms
    lines: list[Any] = [base_ms]
    for _, kind, at_ms, operation_id, details in events:
        code = EVENT_CODES[kind]
        position = None if operation_id is None else positions[operation_id]
        if at_ms != base_ms:
            kept = None if details is None else _packed(details, at_ms)
            lines.append((code, position, kept, at_ms - base_ms))
        elif details is not None:
            lines.append((code, position, _packed(details, at_ms)))
        else:
            lines.append((code,) if position is None else (code, position))
    return _encode(lines)


def decode_events(first_id: int, body: bytes) -> list[tuple[Event, int | None]]:
    """Return the events, each with its operation's position, and without that one's id."""
    base_ms, *lines = _decode(body)
    events: list[tuple[Event, int | None]] = []
    for number, (code, *rest) in enumerate(lines, start=first_id):
        position, kept, later_ms = (*rest, None, None, None)[:3]
        at_ms = base_ms + (later_ms or 0)
        details = None if kept is None else _unpacked(kept, at_ms)
        events.append((Event(number, EVENTS[code], at_ms, None, details), position))
    return events


def encode_message(message: Message) -> bytes:
    """Return a message."""
    return _encode_message(message)


def decode_message(kind: str, body: bytes) -> Message:
    """Return the message."""
    return _message_decoders[kind].decode(body)


def _packed(details: Mapping[str, Any], at_ms: int) -> dict[int | str, Any]:
    packed: dict[int | str, Any] = {}
    for name, value in details.items():
        if isinstance(value, str):
            value = pack(value)
        elif name in _INSTANTS and value is not None:
            value -= at_ms
        packed[DETAIL_CODES.get(name, name)] = value
    return packed


def _unpacked(kept: Mapping[int | str, Any], at_ms: int) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for code, value in kept.items():
        name = code if isinstance(code, str) else DETAILS[code]
        if isinstance(value, bytes):
            value = unpack(value)
        elif name in _INSTANTS and value is not None:
            value += at_ms
        details[name] = value
    return details
