"""A change as the rows it writes, and stored rows read back.

Every row has a checksum of all that it says, its keys included, and of the execution it belongs to
(D6): a row that is not as it was written, or lies where it was not put, is not served. It is what
SQL takes and gives: bytes, texts and numbers.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from perdure.core.event import Event
from perdure.core.execution import ExecutionKind, Identity, Progress
from perdure.core.operation import Operation
from perdure.protocol.words import ExecutionStatus
from perdure.store.bodies import (
    decode_operation,
    decode_progress,
    encode_operation,
    encode_progress,
)
from perdure.store.change import Change, Letter
from perdure.store.codes import pack, unpack
from perdure.store.event_bodies import (
    MESSAGE_KINDS,
    decode_events,
    decode_message,
    encode_events,
    encode_message,
)
from perdure.store.identity_bodies import decode_identity, encode_identity, encode_pin
from perdure.store.protocol import CorruptRowError
from perdure.store.records import Record

__all__ = [
    "ChangeRows",
    "FirstRows",
    "Pin",
    "execution_key",
    "first_rows_of",
    "letter_checksum",
    "operation_id_of",
    "read_events",
    "read_identity",
    "read_letter",
    "read_operation",
    "read_pin",
    "read_progress",
    "read_record",
    "record_checksum",
    "rows_of",
]

_EVENTS_MAX: Final = 64  #: of one row: whoever reads one of them reads all
_DIGEST_BYTES: Final = 16
_DELETING: Final = ExecutionStatus.DELETING

_encode: Final = msgspec.msgpack.Encoder().encode
_UNREADABLE: Final = (ValueError, TypeError, LookupError, msgspec.DecodeError)


class Pin(NamedTuple):
    """What executions of a function version that were started alike have in common."""

    digest: bytes
    function_arn: str
    version: str
    is_durable: bool
    body: bytes


class FirstRows(NamedTuple):
    """What a first change writes beside."""

    pin: Pin
    name: str | bytes
    started_at_ms: int
    body: bytes
    checksum: int


class ChangeRows(NamedTuple):
    """A change as values that SQL takes."""

    key: bytes
    expected_version: int
    first: FirstRows | None  #: None: the execution is there already
    frees_name: bool
    #: status, version, updated, progress, checksum
    state: tuple[str, int, int, bytes, int]
    #: wake, ready, lease, expires
    due: tuple[int | None, int | None, int | None, int | None]
    #: position, id, body, payload, input, checksum
    operations: list[tuple[int, str | bytes, bytes, bytes | None, bytes | None, int]]
    #: the first one's id, body, checksum
    events: list[tuple[int, bytes, int]]
    #: id, sender, instant, kind, body, checksum
    letters: list[tuple[str, bytes, int, str, bytes, int]]
    delivered: list[str]


def rows_of(change: Change) -> ChangeRows:
    """Return the rows that ``change`` writes."""
    key = execution_key(change.execution_id)
    seed = zlib.crc32(key)
    progress, identity = change.progress, change.identity
    status, version, at_ms = progress.status.value, progress.version, progress.updated_at_ms
    wake, ready = progress.wake_at_ms, progress.ready_at_ms
    lease, expires = progress.lease_until_ms, progress.expires_at_ms
    body = encode_progress(progress)
    checksum = _seal(seed, (status, version, at_ms, wake, ready, lease, expires, body))
    return ChangeRows(
        key,
        change.expected_version,
        None if identity is None else first_rows_of(identity),
        progress.status is _DELETING,
        (status, version, at_ms, body, checksum),
        (wake, ready, lease, expires),
        [_operation_row(operation, change.execution_id, seed) for operation in change.operations],
        _event_rows(change, seed) if change.events else [],
        [_letter_row(letter) for letter in change.letters] if change.letters else [],
        list(change.delivered) if change.delivered else [],
    )


def first_rows_of(identity: Identity) -> FirstRows:
    """Return what the first change of an execution writes beside."""
    pin = encode_pin(identity)
    seed = zlib.crc32(execution_key(identity.id))
    digest, name, body = _digest(pin), pack(identity.name) or "", encode_identity(identity)
    is_durable = identity.kind is ExecutionKind.DURABLE
    return FirstRows(
        Pin(digest, identity.function_arn, identity.version, is_durable, pin),
        name,
        identity.started_at_ms,
        body,
        _seal(seed, (name, identity.started_at_ms, digest, body)),
    )


def execution_key(execution_id: str) -> bytes:
    """Return an execution's id as it is stored."""
    return bytes.fromhex(execution_id)


def operation_id_of(kept: str | bytes, execution_id: str) -> str:
    """Return an operation's id from what its row keeps of it."""
    return (unpack(kept) or "") if kept != b"" else execution_id


def read_pin(digest: bytes, body: bytes, spare: bytes) -> bytes:
    """Return a pin's body: of the two that are kept, one that has the digest, or has not changed.

    Raises:
        CorruptRowError: neither has.
    """
    for one in (body, spare):
        if one == body == spare or _digest(one) == digest:
            return one
    raise CorruptRowError("a pin is not as it was written")


def read_identity(key: bytes, pin: bytes, row: Sequence[Any]) -> Identity:
    """Return the identity: ``row`` is name, start, body, checksum.

    Raises:
        CorruptRowError: it is not as it was written.
    """
    name, started_at_ms, body, checksum = row
    _verify(checksum, key, (name, started_at_ms, _digest(pin), body))
    try:
        return decode_identity(key.hex(), name, started_at_ms, pin, body)
    except _UNREADABLE as error:
        raise CorruptRowError(f"its identity cannot be read: {error}") from error


def read_progress(key: bytes, row: Sequence[Any]) -> Progress:
    """Return the progress: ``row`` is status, version, updated, wake, ready, lease, expires, body,
    checksum.

    Raises:
        CorruptRowError: it is not as it was written.
    """
    *said, checksum = row
    _verify(checksum, key, tuple(said))
    status, version, updated_at_ms, *due, body = said
    try:
        return decode_progress(status, version, updated_at_ms, due, body)
    except _UNREADABLE as error:
        raise CorruptRowError(f"its progress cannot be read: {error}") from error


def read_operation(key: bytes, position: int, row: Sequence[Any]) -> Operation:
    """Return the operation: ``row`` is id, body, payload, input, checksum.

    Raises:
        CorruptRowError: it is not as it was written, or belongs to another execution.
    """
    kept_id, body, payload, entered, checksum = row
    _verify(checksum, key, (position, kept_id, body), payload, entered)
    operation_id = operation_id_of(kept_id, key.hex())
    try:
        return decode_operation(operation_id, position, body, payload, entered)
    except _UNREADABLE as error:
        raise CorruptRowError(f"operation {operation_id} cannot be read: {error}") from error


def read_events(
    key: bytes, first_id: int, body: bytes, checksum: int
) -> list[tuple[Event, int | None]]:
    """Return a row's events, each with its operation's position, and without that one's id.

    Raises:
        CorruptRowError: they are not as they were written, or belong to another execution.
    """
    _verify(checksum, key, (first_id, body))
    try:
        return decode_events(first_id, body)
    except _UNREADABLE as error:
        raise CorruptRowError(f"events from {first_id} on cannot be read: {error}") from error


def read_letter(row: Sequence[Any]) -> Letter:
    """Return the letter: ``row`` is id, sender, instant, kind, body, checksum.

    Raises:
        CorruptRowError: it is not as it was written.
    """
    *said, checksum = row
    _verify(checksum, b"", tuple(said))
    letter_id, sender, sent_at_ms, kind, body = said
    try:
        return Letter(letter_id, sender.hex(), sent_at_ms, decode_message(kind, body))
    except _UNREADABLE as error:
        raise CorruptRowError(f"its message cannot be read: {error}") from error


def read_record(collection: str, row: Sequence[Any]) -> Record:
    """Return the record: ``row`` is key, revision, body, checksum.

    Raises:
        CorruptRowError: it is not as it was written.
    """
    key, revision, body, checksum = row
    _verify(checksum, b"", (collection, key, revision), body)
    return Record(collection=collection, key=key, revision=revision, body=body)


def letter_checksum(said: tuple[Any, ...]) -> int:
    """Return the checksum of a letter's row: ``said`` is all of it before."""
    return _seal(0, said)


def record_checksum(collection: str, key: str, revision: int, body: bytes) -> int:
    """Return the checksum of a record's row."""
    return _seal(0, (collection, key, revision), body)


def _operation_row(
    operation: Operation, execution_id: str, seed: int
) -> tuple[int, str | bytes, bytes, bytes | None, bytes | None, int]:
    payload = None if operation.payload is None else operation.payload.encode()
    entered = None if operation.input is None else operation.input.encode()
    body, position = encode_operation(operation), operation.position
    kept_id = b"" if operation.id == execution_id else pack(operation.id) or ""
    checksum = _seal(seed, (position, kept_id, body), payload, entered)
    return position, kept_id, body, payload, entered, checksum


def _event_rows(change: Change, seed: int) -> list[tuple[int, bytes, int]]:
    positions = {operation.id: operation.position for operation in change.operations}
    events = change.events
    return [
        _event_row(events[start : start + _EVENTS_MAX], positions, seed)
        for start in range(0, len(events), _EVENTS_MAX)
    ]


def _event_row(
    events: Sequence[Event], positions: Mapping[str, int], seed: int
) -> tuple[int, bytes, int]:
    first_id, body = events[0].id, encode_events(events, positions)
    return first_id, body, _seal(seed, (first_id, body))


def _letter_row(letter: Letter) -> tuple[str, bytes, int, str, bytes, int]:
    said = (
        letter.id,
        execution_key(letter.sender_id),
        letter.sent_at_ms,
        MESSAGE_KINDS[type(letter.message)],
        encode_message(letter.message),
    )
    return (*said, letter_checksum(said))


@lru_cache(maxsize=1024)
def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _seal(seed: int, said: tuple[Any, ...], *payloads: bytes | None) -> int:
    """Return the checksum of a row, as SQLite keeps it in the fewest bytes: signed.

    Payloads are not copied for it: their lengths stand for them among what is said.
    """
    for payload in payloads:
        said += (None if payload is None else len(payload),)
    value = zlib.crc32(_encode(said), seed)
    for payload in payloads:
        if payload:
            value = zlib.crc32(payload, value)
    return value - 0x8000_0000


def _verify(checksum: int, key: bytes, said: tuple[Any, ...], *payloads: bytes | None) -> None:
    try:
        is_whole = _seal(zlib.crc32(key), said, *payloads) == checksum
    except _UNREADABLE:
        is_whole = False  # a damaged text may be none at all
    if not is_whole:
        raise CorruptRowError("a row does not have its checksum")
