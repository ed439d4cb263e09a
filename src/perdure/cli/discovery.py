"""From a path to the functions in it: a source file, a folder of them, or a SAM template.

Files are read, never run.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from perdure.cli.errors import CommandError, reading
from perdure.cli.handlers import Handler, SourceError
from perdure.cli.javascript_handlers import find_javascript_handlers
from perdure.cli.python_handlers import find_python_handlers
from perdure.cli.sources import DURABLE_DEFAULT, FunctionSource, function_name
from perdure.cli.templates import read_template

__all__ = ["NODE_RUNTIME", "PYTHON_RUNTIME", "discover", "runtime_of"]

PYTHON_RUNTIME: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
NODE_RUNTIME: Final = "nodejs24.x"
_TIMEOUT_SECONDS: Final = 60  #: of functions that are only a file: generous, as for trying out
_MEMORY_MB: Final = 512  #: as above

_FINDERS: Final[Mapping[str, tuple[str, Callable[[str], list[Handler]]]]] = {
    ".py": (PYTHON_RUNTIME, find_python_handlers),
    ".mjs": (NODE_RUNTIME, find_javascript_handlers),
    ".js": (NODE_RUNTIME, find_javascript_handlers),
    ".cjs": (NODE_RUNTIME, find_javascript_handlers),
}
_TEMPLATES: Final = ("template.yaml", "template.yml")
_TEMPLATE_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})


def discover(path: Path, parameters: Mapping[str, str] | None = None) -> Sequence[FunctionSource]:
    """Return the functions in ``path``; ``parameters`` are those of a template.

    Raises:
        CommandError: there is none, or what is there cannot be understood.
    """
    with reading(path):
        if path.is_dir():
            return _in_folder(path, parameters or {})
        if path.suffix in _TEMPLATE_SUFFIXES:
            return read_template(path, parameters or {})
        found = _in_file(path)
    if not found:
        raise CommandError(
            f"{path} has no handler: "
            "in Python a function decorated with durable_execution or called handler, "
            "in JavaScript an export made by withDurableExecution or called handler"
        )
    return found


def runtime_of(path: Path) -> str | None:
    """Return the runtime for a source file by its suffix, or None."""
    found = _FINDERS.get(path.suffix)
    return found[0] if found else None


def _in_folder(folder: Path, parameters: Mapping[str, str]) -> Sequence[FunctionSource]:
    for name in _TEMPLATES:
        if (folder / name).is_file():
            return read_template(folder / name, parameters)
    files = sorted(file for file in folder.iterdir() if file.suffix in _FINDERS and file.is_file())
    found = [source for file in files for source in _in_file(file)]
    if not found:
        raise CommandError(
            f"{folder} has neither a template.yaml nor a Python or JavaScript file with a handler"
        )
    return _distinct([replace(source, file=None) for source in found])


def _in_file(file: Path) -> list[FunctionSource]:
    if file.suffix not in _FINDERS:
        known = ", ".join(sorted(_FINDERS))
        raise CommandError(
            f"{file}: {file.suffix or 'no suffix'} is not one of {known}, nor a template's .yaml"
        )
    runtime, find = _FINDERS[file.suffix]
    try:
        handlers = find(file.read_text(encoding="utf-8"))
    except SourceError as error:
        raise CommandError(f"{file}: {error}") from error
    return [
        FunctionSource(
            name=function_name(file.stem if len(handlers) == 1 else handler.name, file),
            folder=file.parent,
            file=file,
            origin=file,
            handler=f"{file.stem}.{handler.name}",
            runtime=runtime,
            durable=DURABLE_DEFAULT if handler.is_durable else None,
            timeout_seconds=_TIMEOUT_SECONDS,
            memory_mb=_MEMORY_MB,
        )
        for handler in handlers
    ]


def _distinct(sources: Sequence[FunctionSource]) -> Sequence[FunctionSource]:
    """Return the functions of a folder, with the file's name before those that two files have."""
    names = [source.name for source in sources]
    return [
        replace(source, name=function_name(source.handler.replace(".", "-"), source.origin))
        if names.count(source.name) > 1
        else source
        for source in sources
    ]
