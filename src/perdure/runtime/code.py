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
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perdure.engine.invoker import FunctionVersion
from perdure.runtime.archive import extract_archive
from perdure.runtime.errors import BadArchiveError, CodeMissingError

__all__ = ["CodeCache", "LoadCode", "code_sha256"]

#: from the hash, base64 as on AWS, to the zip; KeyError if there is none
LoadCode = Callable[[str], Awaitable[bytes]]

_Signature = frozenset[tuple[str, int, int, int, int, int]]
_UNUSED_TREES_MAX: Final = 32  #: kept for their next worker


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """A tree this process wrote, and what it was like when it had."""

    place: Path
    signature: _Signature


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
        self._trees: dict[str, _Tree] = {}  #: the most recently used at the end
        self._users: Counter[Path] = Counter()
        self._locks: dict[str, asyncio.Lock] = {}
        self._opening: asyncio.Task[None] | None = None
        self._serial = 0

    async def borrow(self, function: FunctionVersion) -> Path:
        """Return the folder to run ``function`` from; it stays until it is given back.

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
            tree = await self._ensure(function.code_sha256)
            self._users[tree.place] += 1
            self._trees[function.code_sha256] = self._trees.pop(function.code_sha256)
            return tree.place

    async def give_back(self, place: Path) -> None:
        """Take note that a worker no longer runs from ``place``; remove it if it was replaced."""
        if place in self._users:
            self._users[place] -= 1
            await self._tidy(place)
            unused = [key for key, tree in self._trees.items() if self._users[tree.place] <= 0]
            for sha256 in unused[:-_UNUSED_TREES_MAX]:
                await self.forget(sha256)

    async def forget(self, sha256: str) -> None:
        """Keep a version's code no longer than workers run from it."""
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            if tree := self._trees.pop(sha256, None):
                await self._tidy(tree.place)

    async def _tidy(self, place: Path) -> None:
        if self._users[place] <= 0 and all(tree.place != place for tree in self._trees.values()):
            del self._users[place]
            await asyncio.to_thread(_remove, place)

    async def _ensure(self, sha256: str) -> _Tree:
        try:
            name = base64.b64decode(sha256, validate=True).hex()
        except ValueError:
            name = ""
        if not name:
            raise CodeMissingError(f"{sha256!r} is no code hash")
        known = self._trees.get(sha256)
        if known and await asyncio.to_thread(_signature, known.place) == known.signature:
            return known
        try:
            data = await self._load_code(sha256)
        except KeyError:
            raise CodeMissingError(f"the code {sha256} is gone") from None
        if self._opening is None:
            self._opening = asyncio.create_task(asyncio.to_thread(_remove, self._folder))
        await self._opening
        self._serial += 1
        # Named by the hash in hexadecimal, so that no name from outside is ever a path.
        place = self._folder / f"{name}-{self._serial}"
        signature = await asyncio.to_thread(_install, data, sha256, place)
        self._trees[sha256] = _Tree(place=place, signature=signature)
        if known:
            await self._tidy(known.place)
        return self._trees[sha256]


def _install(data: bytes, sha256: str, place: Path) -> _Signature:
    if code_sha256(data) != sha256:
        raise CodeMissingError(f"the code's SHA-256 is {code_sha256(data)}; it should be {sha256}")
    place.mkdir(parents=True, mode=0o755)
    try:
        extract_archive(data, place)
    except BadArchiveError:
        _remove(place)
        raise
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
