"""A group of changes as the arrays that the functions in the database take, and the few values
that PostgreSQL keeps in another form than SQLite.
"""

import hashlib
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from perdure.store.change import Change
from perdure.store.postgres_functions import (
    COMMIT_MANY,
    COMMIT_MANY_EVEN,
    COMMIT_PLAIN,
    COMMIT_PLAIN_EVEN,
)
from perdure.store.postgres_row_functions import COMMIT_FEW, COMMIT_FEW_EVEN, COMMIT_STEP
from perdure.store.protocol import CorruptRowError
from perdure.store.rows import ChangeRows, rows_of

__all__ = [
    "Piece",
    "Statement",
    "function_key",
    "name_checksum",
    "pack_text",
    "piece_of",
    "statement_of",
    "unpack_text",
]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode
_DIGEST_BYTES: Final = 16
_FEW_MAX: Final = 8  #: changes that are written row by row
_FEW_ROWS_MAX: Final = 32  #: and their operations


class Piece(NamedTuple):
    """A change as rows, and what PostgreSQL keeps beside."""

    rows: ChangeRows
    #: position, sequence, id, body, payload, input, checksum
    operations: list[tuple[int, int, bytes, bytes, bytes | None, bytes | None, int]]
    size_bytes: int

    @property
    def is_plain(self) -> bool:
        """Whether it changes an execution that is there already, and nothing beside it."""
        return self.rows.first is None and self.is_own

    @property
    def is_own(self) -> bool:
        """Whether it touches nothing but its execution, and the name that this one takes."""
        rows = self.rows
        is_freeing = rows.frees_name and rows.first is None
        return not (rows.letters or rows.delivered or is_freeing)


class Statement(NamedTuple):
    """What commits a group."""

    sql: str
    values: list[Any]
    digests: list[bytes]  #: of the pins that are known to be there after it


def piece_of(change: Change) -> Piece:
    """Return a change as rows.

    Raises:
        ValueError: one of its texts cannot be kept.
    """
    rows = rows_of(change)
    if rows.letters or rows.delivered:
        _check_texts([*rows.delivered, *(letter[0] for letter in rows.letters)])
    operations: list[tuple[int, int, bytes, bytes, bytes | None, bytes | None, int]] = []
    size = 0
    for operation, row in zip(change.operations, rows.operations, strict=True):
        position, kept_id, body, payload, entered, checksum = row
        kept = position, operation.sequence, _encode(kept_id), body, payload, entered, checksum
        operations.append(kept)
        size += len(body) + len(payload or b"") + len(entered or b"") + 100
    return Piece(rows, operations, size)


def statement_of(
    pieces: Sequence[Piece], known_pins: set[bytes], level: str, wait_ms: int
) -> Statement:
    """Return the statement that commits ``pieces``, of as many executions.

    ``level``: the ``synchronous_commit`` to hold it to, or empty; ``wait_ms``: how long it may wait
    for a lock.
    """
    rows = [piece.rows for piece in pieces]
    pinned = [level, str(wait_ms), max(row.state[2] for row in rows)]
    are_plain = all(piece.is_plain for piece in pieces)
    are_even = all(len(row.operations) == 1 and len(row.events) == 1 for row in rows)
    if len(pieces) == 1 and are_plain and are_even:
        return Statement(COMMIT_STEP, [*pinned, *_step(pieces[0])], [])
    whose = 2 if are_even else 0
    values: list[Any] = [*pinned, *_state(rows), *_operations(pieces)[whose:]]
    events = [(n, row.key, *event) for n, row in enumerate(rows, 1) for event in row.events]
    values += _columns(5, events)[whose:]
    are_few = len(pieces) <= _FEW_MAX and sum(len(row.operations) for row in rows) <= _FEW_ROWS_MAX
    if are_plain and not (are_few and len(pieces) == 1):
        return Statement(COMMIT_PLAIN_EVEN if are_even else COMMIT_PLAIN, values, [])
    pins = {
        row.first.pin.digest: row.first.pin
        for row in rows
        if row.first is not None and row.first.pin.digest not in known_pins
    }
    begun = max((n for n, row in enumerate(rows, 1) if row.first is not None), default=0)
    values += _columns(8, [_start(row) for row in rows[:begun]])
    values += _columns(
        6,
        [(pin.digest, function_key(pin.function_arn), *pin[1:]) for _, pin in sorted(pins.items())],
    )
    if are_few and all(piece.is_own for piece in pieces):
        return Statement(COMMIT_FEW_EVEN if are_even else COMMIT_FEW, values, list(pins))
    values += _columns(7, [(n, *letter) for n, row in enumerate(rows, 1) for letter in row.letters])
    delivered = sorted((i, n) for n, row in enumerate(rows, 1) for i in row.delivered)
    values += [[n for _, n in delivered], [i for i, _ in delivered]]
    values.append([row.key for row in rows if row.frees_name and row.first is None])
    return Statement(COMMIT_MANY_EVEN if are_even else COMMIT_MANY, values, list(pins))


def function_key(function_arn: str) -> bytes:
    """Return what stands for a function in the table of names."""
    return _function_key(function_arn)


def name_checksum(function: bytes, name: bytes, execution: bytes) -> int:
    """Return the checksum of a name's row."""
    return zlib.crc32(_encode((function, name, execution))) - 0x8000_0000


def pack_text(text: str | bytes) -> bytes:
    """Return a text, or an id in half its length, as bytes that tell which it is."""
    return _encode(text)


def unpack_text(kept: bytes) -> str | bytes:
    """Return what was packed.

    Raises:
        CorruptRowError: it is not as it was written.
    """
    try:
        found = _decode(kept)
    except (msgspec.DecodeError, ValueError) as error:
        raise CorruptRowError("a text cannot be read") from error
    if not isinstance(found, str | bytes):
        raise CorruptRowError("a text cannot be read")
    return found


def _state(rows: Sequence[ChangeRows]) -> list[Any]:
    status, version, updated, progress, checksum = zip(*(row.state for row in rows), strict=True)
    numbers = [*range(1, len(rows) + 1)]
    expected = [row.expected_version for row in rows]
    due = map(_column, zip(*(row.due for row in rows), strict=True))
    keys = [row.key for row in rows]
    return [numbers, keys, expected, status, version, updated, *due, progress, checksum]


def _operations(pieces: Sequence[Piece]) -> list[Any]:
    return _columns(
        9,
        [
            (n, piece.rows.key, *row)
            for n, piece in enumerate(pieces, 1)
            for row in piece.operations
        ],
    )


def _step(piece: Piece) -> list[Any]:
    rows, operations, _ = piece
    status, version, updated, progress, checksum = rows.state
    return [
        *(rows.key, rows.expected_version, status, version, updated, *rows.due, progress, checksum),
        *operations[0],
        *rows.events[0],
    ]


def _start(row: ChangeRows) -> tuple[Any, ...]:
    """Return what an execution's first row has beside; names are only kept of durable ones."""
    first = row.first
    if first is None:
        return (None,) * 8
    name = _encode(first.name)
    function = function_key(first.pin.function_arn) if first.pin.is_durable else None
    checksum = None if function is None else name_checksum(function, name, row.key)
    holder = row.key if row.frees_name else b""
    pin = first.pin.digest
    return (
        *(function, name, holder, checksum, first.started_at_ms, pin),
        *(first.body, first.checksum),
    )


def _columns(count: int, table: Sequence[tuple[Any, ...]]) -> list[Any]:
    return list(map(_column, zip(*table, strict=True))) if table else [()] * count


def _column(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a column as it is sent: to PostgreSQL, there is NULL beyond an array's end."""
    return () if values.count(None) == len(values) else values


def _check_texts(texts: Sequence[str]) -> None:
    if "\0" in "".join(texts).encode().decode():
        raise ValueError("an id of a letter holds a NUL character")


@lru_cache(maxsize=1024)
def _function_key(function_arn: str) -> bytes:
    return hashlib.blake2b(function_arn.encode(), digest_size=_DIGEST_BYTES).digest()
