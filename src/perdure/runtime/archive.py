"""Code archives: reads a zip that nobody vouches for, and writes it to a folder if there is nothing
wrong with it.

An own reader of the little of the format that code needs, so that there is one interpretation of
every byte: the central directory and each local header must agree, entries may not overlap, and
what is written is counted as it is inflated, whatever was declared.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from perdure.runtime.errors import BadArchiveError

__all__ = [
    "ARCHIVE_BYTES_MAX",
    "CODE_BYTES_MAX",
    "DEPTH_MAX",
    "FILES_MAX",
    "RATIO_MAX",
    "ArchiveEntry",
    "check_archive",
    "extract_archive",
    "read_entries",
]

ARCHIVE_BYTES_MAX: Final = 50 * 1_048_576  #: Source: Lambda quotas, deployment package, zipped
CODE_BYTES_MAX: Final = 250 * 1_048_576  #: Source: Lambda quotas, deployment package, unzipped
FILES_MAX: Final = 20_000
DEPTH_MAX: Final = 50
RATIO_MAX: Final = 200  #: uncompressed to compressed, of entries above ``_RATIO_FREE_BYTES``
_RATIO_FREE_BYTES: Final = 1_048_576
_NAME_BYTES_MAX: Final = 255  #: of one component, as file systems have it
_PATH_BYTES_MAX: Final = 1_024

_END: Final = struct.Struct("<4s4H2LH")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_END_MARK: Final = b"PK\x05\x06"
_END64_LOCATOR_MARK: Final = b"PK\x06\x07"
_END64_LOCATOR_BYTES: Final = 20
_CENTRAL_MARK: Final = b"PK\x01\x02"
_LOCAL_MARK: Final = b"PK\x03\x04"
_ZIP64_FIELD: Final = 1
_UNICODE_PATH_FIELD: Final = 0x7075
_COMMENT_BYTES_MAX: Final = 65_535
_FULL16: Final = 0xFFFF
_FULL32: Final = 0xFFFFFFFF
_STORED: Final = 0
_DEFLATED: Final = 8
_FLAG_ENCRYPTED: Final = 0x1
_FLAG_DESCRIPTOR: Final = 0x8
_FLAG_PATCHED: Final = 0x20
_FLAG_STRONG: Final = 0x40
_FLAG_UTF8: Final = 0x800
_FLAG_MASKED: Final = 0x2000
_MADE_BY_UNIX: Final = 3
_CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEntry:
    """One file or folder of an archive."""

    name: str  #: relative, with ``/`` between components; a folder's has none at its end
    is_folder: bool
    is_executable: bool
    size: int
    packed_size: int
    crc: int
    method: int
    data_start: int


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class _Nothing:
    def write(self, data: bytes, /) -> object:
        return len(data)


def check_archive(data: bytes) -> None:
    """Return if ``data`` is an archive we extract: every byte is inflated, none written.

    Raises:
        BadArchiveError: it is not.
    """
    nothing = _Nothing()
    for entry in read_entries(data):
        if not entry.is_folder:
            _inflate(data, entry, nothing)


def extract_archive(data: bytes, folder: Path) -> None:
    """Write the archive below ``folder``, which must be new and empty; make it read-only.

    Raises:
        BadArchiveError: the archive is not one we extract; the folder may then hold a part of it.
    """
    folders: set[Path] = {folder}
    for entry in read_entries(data):
        path = folder / entry.name
        parent = path if entry.is_folder else path.parent
        if parent not in folders:
            parent.mkdir(parents=True, exist_ok=True)
            while parent not in folders:
                folders.add(parent)
                parent = parent.parent
        if not entry.is_folder:
            mode = 0o555 if entry.is_executable else 0o444
            fd = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode
            )
            with os.fdopen(fd, "wb") as file:
                _inflate(data, entry, file)
                os.fchmod(fd, mode)
    for path in folders:
        path.chmod(0o555)


def read_entries(data: bytes) -> list[ArchiveEntry]:
    """Return what the archive says it holds, checked in every way that needs no inflating.

    Raises:
        BadArchiveError: it is no archive, or one we refuse.
    """
    if len(data) > ARCHIVE_BYTES_MAX:
        raise BadArchiveError(f"the archive is {len(data)} bytes; the limit is {ARCHIVE_BYTES_MAX}")
    count, start, end = _read_end(data)
    entries = list(_read_central(data, count=count, start=start, end=end))
    total = sum(entry.size for entry in entries)
    if total > CODE_BYTES_MAX:
        raise BadArchiveError(f"the files are {total} bytes; the limit is {CODE_BYTES_MAX}")
    _check_names(entries)
    _check_overlap(entries, start)
    return entries


def _read_end(data: bytes) -> tuple[int, int, int]:
    """Return the number of entries, and where the central directory starts and ends."""
    at = data.rfind(_END_MARK, max(0, len(data) - _END.size - _COMMENT_BYTES_MAX))
    if at < 0 or len(data) - at < _END.size:
        raise BadArchiveError("it is not a zip archive, or its end is missing")
    _mark, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, at)
    if at + _END.size + comment != len(data):
        raise BadArchiveError("there is something after the end of the archive")
    if disk or first_disk or here != count:
        raise BadArchiveError("it is one part of an archive in several")
    if (
        count == _FULL16
        or _FULL32 in (size, start)
        or data[max(0, at - _END64_LOCATOR_BYTES) :].startswith(_END64_LOCATOR_MARK)
    ):
        raise BadArchiveError("it is in the zip64 format, which no archive of this size needs")
    if count > FILES_MAX:
        raise BadArchiveError(f"it has {count} entries; the limit is {FILES_MAX}")
    if start + size != at:
        raise BadArchiveError("its central directory is not where it says")
    return count, start, at


def _read_central(data: bytes, *, count: int, start: int, end: int) -> Iterator[ArchiveEntry]:
    at = start
    for _number in range(count):
        if end - at < _CENTRAL.size or not data.startswith(_CENTRAL_MARK, at):
            raise BadArchiveError("its central directory is damaged")
        head = _CENTRAL.unpack_from(data, at)
        name_length, extra_length, comment_length = head[10:13]
        name_at = at + _CENTRAL.size
        at = name_at + name_length + extra_length + comment_length
        if at > end:
            raise BadArchiveError("its central directory is damaged")
        raw_name = data[name_at : name_at + name_length]
        extra = data[name_at + name_length : name_at + name_length + extra_length]
        yield _read_entry(data, head, raw_name, extra, central_start=start)
    if at != end:
        raise BadArchiveError("its central directory holds more than it says")


def _read_entry(
    data: bytes, head: tuple[int, ...], raw_name: bytes, extra: bytes, *, central_start: int
) -> ArchiveEntry:
    made_by, flags, method, crc = head[1], head[3], head[4], head[7]
    packed_size, size, disk, attributes, local_at = head[8], head[9], head[13], head[15], head[16]
    name = _read_name(raw_name, is_utf8=bool(flags & _FLAG_UTF8))
    is_folder = name.endswith("/")
    if flags & (_FLAG_ENCRYPTED | _FLAG_STRONG | _FLAG_MASKED):
        raise BadArchiveError(f"{name!r} is encrypted")
    if method not in (_STORED, _DEFLATED) or flags & _FLAG_PATCHED:
        raise BadArchiveError(
            f"{name!r} is packed by method {method}; only stored and deflated files are read"
        )
    if disk:
        raise BadArchiveError("it is one part of an archive in several")
    if _FULL32 in (packed_size, size, local_at) or any(
        kind == _UNICODE_PATH_FIELD for kind, _ in _fields(extra, name)
    ):
        raise BadArchiveError(f"{name!r} has its size, place or name in an extra field")
    mode = attributes >> 16 if made_by >> 8 == _MADE_BY_UNIX else 0
    _check_mode(name, mode, is_folder=is_folder)
    if is_folder and (size or packed_size > 2):
        raise BadArchiveError(f"{name!r} is a folder with content")
    if size > _RATIO_FREE_BYTES and size > packed_size * RATIO_MAX:
        raise BadArchiveError(f"{name!r} unpacks to more than {RATIO_MAX} times its size")
    entry = ArchiveEntry(
        name=name.rstrip("/"),
        is_folder=is_folder,
        is_executable=bool(mode & 0o111),
        size=size,
        packed_size=packed_size,
        crc=crc,
        method=method,
        data_start=_check_local(data, head, raw_name, name=name),
    )
    if method == _STORED and size != packed_size:
        raise BadArchiveError(f"{name!r} has two sizes")
    if entry.data_start + packed_size > central_start:
        raise BadArchiveError(f"{name!r} reaches into the central directory")
    return entry


def _read_name(raw_name: bytes, *, is_utf8: bool) -> str:
    try:
        name = raw_name.decode("utf-8" if is_utf8 or not raw_name.isascii() else "ascii")
    except UnicodeDecodeError:
        raise BadArchiveError(f"the name {raw_name!r} is not UTF-8") from None
    if len(raw_name) > _PATH_BYTES_MAX:
        raise BadArchiveError(f"a name is {len(raw_name)} bytes; the limit is {_PATH_BYTES_MAX}")
    parts = name.removesuffix("/").split("/")
    if not name.isprintable() or "\\" in name:
        raise BadArchiveError(f"the name {name!r} has a character that names may not have")
    if any(part in ("", ".", "..") for part in parts) or (len(parts[0]) > 1 and parts[0][1] == ":"):
        raise BadArchiveError(f"the name {name!r} is not a relative path")
    if len(parts) > DEPTH_MAX:
        raise BadArchiveError(
            f"the name {name[:80]!r}... is {len(parts)} deep; the limit is {DEPTH_MAX}"
        )
    if any(len(part.encode()) > _NAME_BYTES_MAX for part in parts):
        raise BadArchiveError(
            f"the name {name[:80]!r}... has a component over {_NAME_BYTES_MAX} bytes"
        )
    return name


def _check_mode(name: str, mode: int, *, is_folder: bool) -> None:
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
        raise BadArchiveError(f"{name!r} is a link, a device or something else that is no file")
    if mode & (stat.S_ISUID | stat.S_ISGID):
        raise BadArchiveError(f"{name!r} has the setuid or setgid bit")


def _check_local(data: bytes, head: tuple[int, ...], raw_name: bytes, *, name: str) -> int:
    """Return where an entry's data starts, if its local header agrees with the directory."""
    at = head[16]
    if len(data) - at < _LOCAL.size or not data.startswith(_LOCAL_MARK, at):
        raise BadArchiveError(f"{name!r} is not where the central directory says")
    (
        _mark,
        _needs,
        flags,
        method,
        _time,
        _date,
        crc,
        packed_size,
        size,
        name_length,
        extra_length,
    ) = _LOCAL.unpack_from(data, at)
    name_at = at + _LOCAL.size
    extra = data[name_at + name_length : name_at + name_length + extra_length]
    if (packed_size, size) == (_FULL32, _FULL32):
        size, packed_size = _sizes64(extra, name)
    said = (method, flags & ~_FLAG_DESCRIPTOR, data[name_at : name_at + name_length])
    if said != (head[4], head[3] & ~_FLAG_DESCRIPTOR, raw_name):
        raise BadArchiveError(f"{name!r} is something else in its local header")
    known = (head[7], head[8], head[9])
    if (crc, packed_size, size) != known and not (
        flags & _FLAG_DESCRIPTOR and crc == packed_size == size == 0
    ):
        raise BadArchiveError(f"{name!r} has other sizes in its local header")
    return name_at + name_length + extra_length


def _sizes64(extra: bytes, name: str) -> tuple[int, int]:
    """Return the sizes in a local header's zip64 field, where streaming writers leave them."""
    for kind, body in _fields(extra, name):
        if kind == _ZIP64_FIELD and len(body) >= 16:
            size, packed_size = struct.unpack_from("<QQ", body)
            return size, packed_size
    raise BadArchiveError(f"{name!r} lacks the zip64 field it announces")


def _fields(extra: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    at = 0
    while len(extra) - at >= 4:
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4
        if length > len(extra) - at:
            raise BadArchiveError(f"{name!r} has a damaged extra field")
        yield kind, extra[at : at + length]
        at += length


def _check_names(entries: list[ArchiveEntry]) -> None:
    """Refuse names that some file system takes for the same, and files used as folders."""
    seen: dict[str, ArchiveEntry] = {}
    for entry in entries:
        if seen.setdefault(entry.name.casefold(), entry) is not entry:
            raise BadArchiveError(f"{entry.name!r} is there twice, but for upper and lower case")
    for entry in entries:
        at = entry.name.find("/")
        while at >= 0:
            parent = seen.get(entry.name[:at].casefold())
            if parent is not None and (not parent.is_folder or parent.name != entry.name[:at]):
                raise BadArchiveError(
                    f"{parent.name!r} is both a file and a folder, or a folder in two spellings"
                )
            at = entry.name.find("/", at + 1)


def _check_overlap(entries: list[ArchiveEntry], central_start: int) -> None:
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.data_start):
        header_start = entry.data_start - _LOCAL.size - len(entry.name.encode()) - entry.is_folder
        if header_start < end:
            raise BadArchiveError(f"{entry.name!r} overlaps another entry")
        end = entry.data_start + entry.packed_size
    assert end <= central_start, "an entry was let into the central directory"


def _inflate(data: bytes, entry: ArchiveEntry, sink: _Sink) -> None:
    """Write an entry's content to ``sink`` until it is not what was declared."""
    written, crc = 0, 0
    for chunk in _chunks(data, entry):
        written += len(chunk)
        if written > entry.size:
            raise BadArchiveError(
                f"{entry.name!r} unpacks to more than the {entry.size} bytes it declares"
            )
        crc = zlib.crc32(chunk, crc)
        sink.write(chunk)
    if written != entry.size or crc != entry.crc:
        raise BadArchiveError(f"{entry.name!r} is damaged: its size or checksum is wrong")


def _chunks(data: bytes, entry: ArchiveEntry) -> Iterator[bytes]:
    packed = memoryview(data)[entry.data_start : entry.data_start + entry.packed_size]
    if entry.method == _STORED:
        for at in range(0, len(packed), _CHUNK_BYTES):
            yield bytes(packed[at : at + _CHUNK_BYTES])
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for at in range(0, len(packed), _CHUNK_BYTES):
            piece = bytes(packed[at : at + _CHUNK_BYTES])
            while piece:
                yield inflater.decompress(piece, _CHUNK_BYTES)
                piece = inflater.unconsumed_tail
        while not inflater.eof and (rest := inflater.decompress(b"", _CHUNK_BYTES)):
            yield rest
    except zlib.error as error:
        raise BadArchiveError(f"{entry.name!r} is damaged: {error}") from None
    if not inflater.eof or inflater.unused_data:
        raise BadArchiveError(f"{entry.name!r} is damaged: its data ends early or late")
