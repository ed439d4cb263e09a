"""How work and answers travel to and from the writer process: a length, then MessagePack."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from perdure.store.protocol import CommitResult, StoreFullError, StoreUnknownError
from perdure.store.records import RecordConflictError, RecordWrite
from perdure.store.rows import ChangeRows, FirstRows, Pin
from perdure.store.sqlite_commits import Answer, Discard, EraseSome, Forget, Work, WriteRecords

__all__ = [
    "Frames",
    "decode_answers",
    "decode_works",
    "encode_answers",
    "encode_work",
    "encode_works",
]

_LENGTH: Final = struct.Struct(">Q")
_ARRAY: Final = struct.Struct(">BI")  #: how MessagePack begins an array of any length
_ARRAY_MARK: Final = 0xDD
_KINDS: Final[tuple[type[Any], ...]] = (ChangeRows, Discard, EraseSome, WriteRecords, Forget)
_NUMBER: Final = {kind: number for number, kind in enumerate(_KINDS)}
_ERRORS: Final[dict[str, type[Exception]]] = {
    "full": StoreFullError,
    "unknown": StoreUnknownError,
    "record-conflict": RecordConflictError,
}
_ERROR_NAMES: Final = {kind: name for name, kind in _ERRORS.items()}

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[int, Any]]).decode
_decode_answers: Final = msgspec.msgpack.Decoder(list[tuple[str, Any]]).decode


class Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes; yield the frames that are complete."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer)
            end = _LENGTH.size + length
            if len(buffer) < end:
                return
            frame = bytes(memoryview(buffer)[_LENGTH.size : end])
            del buffer[:end]
            yield frame


def encode_work(work: Work) -> bytes:
    """Return a piece of work as a part of a frame.

    Raises:
        UnicodeEncodeError: a text in it is none.
        OverflowError: a number in it is too large.
    """
    return _encode((_NUMBER[type(work)], work))


def encode_works(parts: Sequence[bytes]) -> bytes:
    """Return the parts as one frame."""
    return _frame(b"".join((_ARRAY.pack(_ARRAY_MARK, len(parts)), *parts)))


def decode_works(frame: bytes) -> list[Work]:
    """Return the works of a frame."""
    return [_work(number, values) for number, values in _decode(frame)]


def encode_answers(answers: Sequence[Answer]) -> bytes:
    """Return answers as one frame."""
    return _frame(_encode([_plain(answer) for answer in answers]))


def decode_answers(frame: bytes) -> list[Answer]:
    """Return the answers of a frame."""
    return [_answer(kind, value) for kind, value in _decode_answers(frame)]


def _frame(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body


def _work(number: int, values: list[Any]) -> Work:
    kind = _KINDS[number]
    if kind is ChangeRows:
        return _change(values)
    if kind is WriteRecords:
        return WriteRecords([RecordWrite(**write) for write in values[0]])
    return kind(*values)


def _change(values: list[Any]) -> ChangeRows:
    key, version, first, *rest = values
    if first is not None:
        pin, *others = first
        first = FirstRows(Pin(*pin), *others)
    return ChangeRows(key, version, first, *rest)


def _plain(answer: Answer) -> tuple[str, Any]:
    if isinstance(answer, CommitResult):
        return "result", answer.value
    if isinstance(answer, Exception):
        return _ERROR_NAMES[type(answer)], str(answer)
    return "value", answer


def _answer(kind: str, value: Any) -> Answer:
    if kind == "result":
        return CommitResult(value)
    if kind in _ERRORS:
        return _ERRORS[kind](value)
    return value
