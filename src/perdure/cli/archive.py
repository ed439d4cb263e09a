"""A function's code as a zip file: the same files always give the same bytes.

Leaves out what no function needs: version control, caches, virtual environments, our own data.
Links to files are followed, so that the zip holds plain files only.
"""

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from perdure.cli.errors import CommandError, reading
from perdure.protocol.limits import CODE_ZIPPED_BYTES_MAX

__all__ = ["LEFT_OUT", "zip_code"]

#: Folders and files, by name, that are never code.
LEFT_OUT: Final = frozenset(
    {
        ".DS_Store",
        ".git",
        ".hg",
        ".mypy_cache",
        ".perdure",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".venv",
        "__pycache__",
    }
)
_LIBRARIES: Final = "node_modules"
_LEFT_OUT_SUFFIXES: Final = frozenset({".pyc", ".pyo"})
_DATE: Final = (1980, 1, 1, 0, 0, 0)  #: the earliest a zip file can carry
_UNIX: Final = 3


def zip_code(path: Path, *, with_node_modules: bool = False) -> bytes:
    """Return the zip of a folder or of one file; a zip file is returned as it is.

    Raises:
        CommandError: a file cannot be read, there is none, or the zip is too large.
    """
    with reading(path):
        if path.is_file() and path.suffix == ".zip":
            code = path.read_bytes()
        else:
            code = _zip(path, with_node_modules=with_node_modules)
    if len(code) > CODE_ZIPPED_BYTES_MAX:
        raise CommandError(
            f"the code of {path} is {len(code):,} bytes zipped; "
            f"the limit is {CODE_ZIPPED_BYTES_MAX:,}"
        )
    return code


def _zip(path: Path, *, with_node_modules: bool) -> bytes:
    left_out = LEFT_OUT if with_node_modules else LEFT_OUT | {_LIBRARIES}
    files = sorted(_files(path, left_out)) if path.is_dir() else [(path.name, path)]
    if not files:
        raise CommandError(f"{path} holds no file that could be code")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as entries:
        for name, file in files:
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            mode = 0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entries.writestr(entry, file.read_bytes())
    return archive.getvalue()


def _files(folder: Path, left_out: frozenset[str]) -> Iterator[tuple[str, Path]]:
    """Yield each file with its name in the zip."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if name not in left_out]
        for name in names:
            file = Path(parent, name)
            if name not in left_out and file.suffix not in _LEFT_OUT_SUFFIXES and file.is_file():
                yield file.relative_to(folder).as_posix(), file


def _raise(error: OSError) -> None:
    raise error
