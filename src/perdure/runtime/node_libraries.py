"""The packages AWS's Node.js runtimes bring along: installed once with npm into a folder every
function can import from.

A function's own ``node_modules`` comes first. CommonJS finds the folder by NODE_PATH, ES modules by
the bootstrap's resolve hook. npm is the one beside the Node.js that runs functions.
"""

import asyncio
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from perdure.runtime.errors import InterpreterMissingError
from perdure.runtime.interpreters import Interpreters

_logger = logging.getLogger(__name__)

__all__ = ["NODE_PACKAGES", "NodeLibraries", "NodeLibrariesError"]

#: Ranges, since npm resolves plain names to releases for older Node.js.
NODE_PACKAGES: Final = ("@aws/durable-execution-sdk-js@^2.4", "@aws-sdk/client-lambda@^3")

_INSTALL_SECONDS: Final = 300.0
_TAIL_CHARACTERS: Final = 2_000


class NodeLibrariesError(Exception):
    """The packages could not be installed; functions that bring their own run all the same."""


class NodeLibraries:
    """The packages in ``folder``, which is ours alone."""

    def __init__(self, folder: Path, interpreters: Interpreters | None = None) -> None:
        """Install nothing yet."""
        self.folder = folder
        self._interpreters = interpreters or Interpreters()
        self._lock = asyncio.Lock()
        self._problem: str | None = None

    async def offer(self) -> str:
        """Return why the packages are not there, after trying once; empty if they are."""
        if self._problem is None:
            try:
                await self.ensure()
                self._problem = ""
            except (NodeLibrariesError, InterpreterMissingError, OSError, TimeoutError) as error:
                self._problem = str(error) or type(error).__name__
                _logger.warning("no libraries for Node.js functions: %s", self._problem)
        return self._problem

    @property
    def is_installed(self) -> bool:
        """Tell whether all packages are there."""
        return all(
            (self.folder / "node_modules" / _bare_name(package)).is_dir()
            for package in NODE_PACKAGES
        )

    async def ensure(self) -> Path:
        """Install the packages unless they are there; return the folder.

        Raises:
            InterpreterMissingError: there is no Node.js, or no npm beside it.
            NodeLibrariesError: npm failed; the message ends with what it said.
        """
        async with self._lock:
            if not self.is_installed:
                await self._install()
        return self.folder

    async def _install(self) -> None:
        node = Path((await self._interpreters.find("nodejs24.x")).path)
        npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if not await asyncio.to_thread(npm.is_file):
            raise InterpreterMissingError(f"there is no npm beside {node}")
        fresh = await asyncio.to_thread(self._make_folder)
        try:
            await self._run(node, npm, fresh)
            await asyncio.to_thread(self._replace, fresh)
        finally:
            await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)

    def _make_folder(self) -> Path:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}-", dir=self.folder.parent))
        (fresh / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        return fresh

    def _replace(self, fresh: Path) -> None:
        if self.is_installed:
            return  # Another server on this machine was faster.
        shutil.rmtree(self.folder, ignore_errors=True)
        fresh.rename(self.folder)

    async def _run(self, node: Path, npm: Path, folder: Path) -> None:
        options = [
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            "--ignore-scripts",
            "--omit=dev",
            "--loglevel=error",
        ]
        process = await asyncio.create_subprocess_exec(
            str(node),
            str(npm),
            "install",
            *options,
            *NODE_PACKAGES,
            cwd=folder,
            env={
                **os.environ,
                "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _none = await asyncio.wait_for(process.communicate(), _INSTALL_SECONDS)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            raise NodeLibrariesError(
                f"npm failed: {output.decode(errors='replace')[-_TAIL_CHARACTERS:]}"
            )


def _bare_name(package: str) -> str:
    return package[: package.rindex("@")]
