"""Values in files on a durable file system; the checkpoint says where.

The file system must be the same for every worker, as Amazon EFS and S3 Files are; the ``/tmp`` of a
Lambda function is not. Payloads, file names and envelopes are those of AWS's SDK, and each reads
what the other wrote:

    {"data": "<payload>"}                       in the checkpoint itself (OVERFLOW, small enough)
    {"file": "<path>"}                          in a file
    {"file": "<path>", "preview": {...}}        in a file, some fields in the checkpoint

Beyond it: a file is there whole or not at all, whenever the machine stops; nothing is read or
written outside of the base path, whatever a payload says; what passes by itself, as a file server
that is away, is a ``RetryableSerDesError``.

Files are never removed: who owns the file system decides how long they are kept.
"""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import quote

from perdure.sdk.exceptions import RetryableSerDesError, SerDesError
from perdure.sdk.serdes import EXTENDED_TYPES_SERDES, SerDes, SerDesContext
from perdure.sdk.types import DurableExecutionArn

__all__ = [
    "FileSystemPathEncoding",
    "FileSystemSerDes",
    "FileSystemSerDesConfig",
    "FileSystemSerDesMode",
    "GeneratePreview",
]

#: How large an envelope in a checkpoint may be. Source: AWS's SDK 3.0, which keeps 1 KB of 256.
INLINE_BYTES_MAX: Final = 256 * 1024 - 1024

#: What another try may get past.
_PASSING: Final = frozenset(
    {errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.ESTALE, errno.ETIMEDOUT}
)
#: What a file system answers that has nothing to flush.
_NOT_SYNCABLE: Final = frozenset({errno.EINVAL, errno.ENOTSUP})


class FileSystemSerDesMode(StrEnum):
    """Which values go to files."""

    ALWAYS = "ALWAYS"  #: all
    OVERFLOW = "OVERFLOW"  #: those that are too large for a checkpoint


class FileSystemPathEncoding(StrEnum):
    """How executions become directories, and operations file names."""

    #: ``<function>/<execution name>/<invocation id>/<operation id>.json``, readable; an ARN of
    #: another form is one directory, percent-encoded.
    URI = "URI"
    #: The SHA-256 of each, as long for the longest name as for the shortest.
    HASH = "HASH"


class GeneratePreview(Protocol):
    """Says what of a value is shown in the checkpoint; ``build_preview`` with a configuration."""

    def __call__(self, value: Any) -> dict[str, Any] | None:
        """Return the preview, which JSON must know; None: nothing is shown."""
        ...


@dataclass(frozen=True, slots=True)
class FileSystemSerDesConfig:
    """How a ``FileSystemSerDes`` stores values.

    Attributes:
        storage_mode: which values go to files.
        path_encoding: how the files are called.
        generate_preview: what is shown of a value in a file.
        serdes: writes the payloads themselves.
    """

    storage_mode: FileSystemSerDesMode = FileSystemSerDesMode.ALWAYS
    path_encoding: FileSystemPathEncoding = FileSystemPathEncoding.URI
    generate_preview: GeneratePreview | None = None
    serdes: SerDes[Any] = EXTENDED_TYPES_SERDES


class FileSystemSerDes(SerDes[Any]):
    """Keeps values in files below a directory that every worker has."""

    def __init__(self, base_path: str, config: FileSystemSerDesConfig | None = None) -> None:
        """Keep values below ``base_path``; directories in it are made as they are needed."""
        self._base_path = base_path
        self._config = config or FileSystemSerDesConfig()

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        """Return the envelope of ``value``; what belongs into a file is on disk by then.

        Raises:
            SerDesError: the file's name leads out of the base path.
            RetryableSerDesError: the file system is not there, for now.
            OSError: it refuses for good.
        """
        payload = self._config.serdes.serialize(value, serdes_context)
        if self._config.storage_mode == FileSystemSerDesMode.OVERFLOW:
            envelope = json.dumps({"data": payload})
            if len(envelope) <= INLINE_BYTES_MAX:
                return envelope
        path = self._path(serdes_context)
        with _passing_errors():
            _write(path, payload)
        preview = self._config.generate_preview and self._config.generate_preview(value)
        return json.dumps({"file": path, "preview": preview} if preview else {"file": path})

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        """Return the value whose envelope is ``data``.

        Raises:
            SerDesError: it is no envelope, or names a file outside of the base path.
            RetryableSerDesError: the file system is not there, for now.
            OSError: the file cannot be read, or is not there.
        """
        envelope = json.loads(data)
        match envelope:
            case {"file": str(path)}:
                with _passing_errors():
                    payload = self._read(path)
            case {"data": payload}:
                pass
            case _:
                raise SerDesError('malformed envelope: neither "file" nor "data" at its root')
        return self._config.serdes.deserialize(payload, serdes_context)

    def _path(self, context: SerDesContext) -> str:
        arn = DurableExecutionArn.from_arn(context.durable_execution_arn)
        if arn is None or self._config.path_encoding == FileSystemPathEncoding.HASH:
            names = [self._encoded(context.durable_execution_arn)]
        else:
            names = [arn.function_name, arn.execution_name, arn.invocation_id]
        if not {os.curdir, os.pardir}.isdisjoint(names):
            raise SerDesError(f"{context.durable_execution_arn!r} names no directory")
        file_name = f"{self._encoded(context.operation_id)}.json"
        return os.path.join(self._base_path, *names, file_name)

    def _encoded(self, text: str) -> str:
        if self._config.path_encoding == FileSystemPathEncoding.HASH:
            return hashlib.sha256(text.encode()).hexdigest()
        return quote(text, safe="")

    def _read(self, path: str) -> str:
        """Return what is in a file; payloads may come from who should not see other files."""
        base = os.path.realpath(self._base_path)
        real = os.path.realpath(path)
        if os.path.commonpath([base, real]) != base:
            raise SerDesError(f"{path} is not below {self._base_path}, where values are kept")
        with open(real, encoding="utf-8", newline="") as file:
            return file.read()


@contextlib.contextmanager
def _passing_errors() -> Generator[None]:
    """Have the invocation tried again where the file system may do better then."""
    try:
        yield
    except OSError as error:
        if error.errno not in _PASSING:
            raise
        raise RetryableSerDesError(f"the file system does not answer now: {error}") from error


def _write(path: str, payload: str) -> None:
    """Put ``payload`` into a file, which is whole and on disk when this returns."""
    directory = os.path.dirname(path)
    _make_directory(directory)
    draft = os.path.join(directory, f".{os.urandom(8).hex()}.tmp")
    try:
        with open(draft, "x", encoding="utf-8", newline="") as file:
            file.write(payload)
            file.flush()
            _sync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
    _sync_directory(directory)


def _make_directory(directory: str) -> None:
    """Make it and those above it; all are on disk when this returns."""
    if not os.path.isdir(directory):
        parent = os.path.dirname(directory) or os.curdir
        _make_directory(parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory)
        _sync_directory(parent)


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SYNCABLE:
            raise
