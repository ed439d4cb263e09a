"""Where functions' code lies on this machine: extracted once by this process, and checked before
each worker starts.

A tree is trusted only if this process wrote it, from bytes whose SHA-256 is the version's, and if
no file in it has changed since: its metadata, the change time that no program can set included, is
compared each time, which costs a stat for each file. A tree that fails the comparison is written
anew.
"""

import asyncio
import base64
import hashlib
import os
import shutil
import stat
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from perdure.engine.invoker import FunctionVersion
from perdure.runtime.archive import extract_archive
from perdure.runtime.errors import BadArchiveError, CodeMissingError

__all__ = ["CodeCache", "LoadCode", "code_sha256"]

#: from the hash, base64 as on AWS, to the zip; KeyError if there is none
LoadCode = Callable[[str], Awaitable[bytes]]

_Signature = frozenset[tuple[str, int, int, int, int, int]]
_TEMPORARY: Final = ".new-"


def code_sha256(data: bytes) -> str:
    """Return the hash that names an archive: SHA-256 in base64.

    Source: Lambda model, FunctionConfiguration.CodeSha256.
    """
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class CodeCache:
    """Extracted code below one folder, which is this process's alone."""

    def __init__(self, folder: Path, load_code: LoadCode) -> None:
        """Keep trees below ``folder``; take archives from ``load_code``."""
        self._folder = folder
        self._load_code = load_code
        self._signatures: dict[str, _Signature] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def ensure(self, function: FunctionVersion) -> Path:
        """Return the folder to run ``function`` from.

        Raises:
            CodeMissingError: the code is gone, or is not what its hash says.
            BadArchiveError: the code is not an archive we extract.
        """
        if function.code_folder is not None:
            folder = Path(function.code_folder)
            if not await asyncio.to_thread(folder.is_dir):
                raise CodeMissingError(f"the code folder {function.code_folder} is not there")
            return await asyncio.to_thread(folder.resolve)
        async with self._locks.setdefault(function.code_sha256, asyncio.Lock()):
            return await self._ensure(function.code_sha256)

    async def forget(self, sha256: str) -> None:
        """Remove a tree that no worker runs from any more."""
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            self._signatures.pop(sha256, None)
            await asyncio.to_thread(_remove, self._place(sha256))

    def _place(self, sha256: str) -> Path:
        """Return a tree's folder, named by the hash in hexadecimal: no outside name is a path."""
        return self._folder / base64.b64decode(sha256, validate=True).hex()

    async def _ensure(self, sha256: str) -> Path:
        try:
            place = self._place(sha256)
        except ValueError:
            raise CodeMissingError(f"{sha256!r} is no code hash") from None
        known = self._signatures.get(sha256)
        if known is not None and await asyncio.to_thread(_signature, place) == known:
            return place
        try:
            data = await self._load_code(sha256)
        except KeyError:
            raise CodeMissingError(f"the code {sha256} is gone") from None
        self._signatures[sha256] = await asyncio.to_thread(_install, data, sha256, place)
        return place


def _install(data: bytes, sha256: str, place: Path) -> _Signature:
    if code_sha256(data) != sha256:
        raise CodeMissingError(f"the code's SHA-256 is {code_sha256(data)}; it should be {sha256}")
    fresh = place.with_name(f"{_TEMPORARY}{place.name}")
    _remove(fresh)
    fresh.mkdir(parents=True, mode=0o755)
    try:
        extract_archive(data, fresh)
    except BadArchiveError:
        _remove(fresh)
        raise
    _remove(place)
    fresh.rename(place)
    return _signature(place)


def _signature(place: Path) -> _Signature:
    """Return what no change of the tree leaves as it was; an empty set if there is no tree."""
    return frozenset(_walk(str(place), ""))


def _walk(root: str, prefix: str) -> Iterator[tuple[str, int, int, int, int, int]]:
    try:
        with os.scandir(os.path.join(root, prefix)) as found:
            for entry in found:
                name = prefix + entry.name
                status = entry.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(status.st_mode)
                size = 0 if is_folder else status.st_size
                yield (
                    name,
                    status.st_mode,
                    status.st_ino,
                    size,
                    status.st_mtime_ns,
                    status.st_ctime_ns,
                )
                if is_folder:
                    yield from _walk(root, name + "/")
    except FileNotFoundError:
        return


def _remove(folder: Path) -> None:
    """Remove a tree, read-only folders included; nothing if there is none."""
    if folder.is_dir() and not folder.is_symlink():
        for path, _folders, _files in os.walk(folder):
            os.chmod(path, 0o700)
        shutil.rmtree(folder)
    elif folder.is_symlink() or folder.exists():
        folder.unlink()
