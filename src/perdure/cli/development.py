"""What ``dev`` does beside its server: registers functions, again on every change, and shows how
they do.

A source that cannot be understood changes nothing: what was registered before stays.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import watchfiles

from perdure.cli.archive import LEFT_OUT
from perdure.cli.client import Client
from perdure.cli.discovery import discover
from perdure.cli.display import Display
from perdure.cli.endpoint import DEFAULT_REGION, Endpoint
from perdure.cli.errors import CommandError, NotFound
from perdure.cli.observation import Observation
from perdure.cli.sources import FunctionSource, request_of
from perdure.core.errors import Refusal
from perdure.protocol.configurations import LoggingConfig
from perdure.protocol.setting_words import ApplicationLogLevel, LogFormat
from perdure.server import Server

__all__ = ["Development"]

_OBSERVE_SECONDS: Final = 0.3
_SETTLE_MS: Final = 200  #: an editor's several writes are one change
_WATCH_MS: Final = 200  #: after which the watcher says that there was nothing
_LATEST: Final = "$LATEST"
#: Of functions that say nothing of it. AWS's default leaves out what a Python function logs below
#: a warning, which is the last thing wanted while it is being written.
_LOGGING: Final = LoggingConfig(
    log_format=LogFormat.JSON, application_log_level=ApplicationLogLevel.INFO
)
_NEVER_CODE: Final = (".pyc", ".swp", "~")


class Development:
    """Keeps a server's functions as their sources are."""

    def __init__(self, paths: Sequence[Path], parameters: Mapping[str, str]) -> None:
        """Read the sources, so that what is wrong with them is known before a server starts.

        Raises:
            CommandError: a source cannot be understood, or two functions have one name.
        """
        self._paths = paths
        self._parameters = parameters
        self._sources = self._discover()
        self._display = Display()

    async def begin(self, server: Server) -> None:
        """Register the functions, as they are once changes are noticed.

        Raises:
            CommandError: the server refuses one.
        """
        self._client = Client(Endpoint(url=server.url, region=DEFAULT_REGION, source="dev"))
        self._observation = Observation(self._client)
        self._changes = self._watch(server.settings.data_folder.resolve())
        await anext(self._changes)
        self._sources = self._discover()
        for source in self._sources.values():
            await self._put(server, source)

    async def run(self, server: Server) -> None:
        """Show what the functions do, and register them again when they change."""
        self._display.functions(list(self._sources.values()))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._observe())
            group.create_task(self._follow(server))

    def _discover(self) -> dict[str, FunctionSource]:
        found = [source for path in self._paths for source in discover(path, self._parameters)]
        by_name = {source.name: source for source in found}
        for source, other in itertools.combinations(found, 2):
            if source.name == other.name:
                raise CommandError(
                    f"{source.origin} and {other.origin} both have a function called {source.name}"
                )
        return by_name

    async def _put(self, server: Server, source: FunctionSource) -> None:
        try:
            await server.functions.put_folder_function(
                request_of(replace(source, logging=source.logging or _LOGGING)),
                code_folder=str(source.folder.resolve()),
            )
        except Refusal as error:
            raise CommandError(f"{source.origin}: {source.name}: {error.message}") from error
        if source.alias:
            await asyncio.to_thread(self._point, source.name, source.alias)

    def _point(self, name: str, alias: str) -> None:
        """Let an alias follow the sources: here no version is ever made of them."""
        try:
            self._client.call(
                "update_alias", FunctionName=name, Name=alias, FunctionVersion=_LATEST
            )
        except NotFound:
            self._client.call(
                "create_alias", FunctionName=name, Name=alias, FunctionVersion=_LATEST
            )

    async def _observe(self) -> None:
        problem = ""
        while True:
            try:
                for seen in await asyncio.to_thread(self._observation.read, list(self._sources)):
                    self._display.show(seen)
                problem = ""
            except CommandError as error:
                if error.message != problem:
                    self._display.problem(error.message)
                problem = error.message
            await asyncio.sleep(_OBSERVE_SECONDS)

    async def _follow(self, server: Server) -> None:
        async for changed in self._changes:
            if changed:
                await self._take(server, changed)

    async def _watch(self, data_folder: Path) -> AsyncGenerator[set[Path], None]:
        """Yield what changed: at first, when changes begin to be noticed, and from time to time,
        nothing.
        """
        folders = sorted(self._folders())

        def is_source(_change: watchfiles.Change, path: str) -> bool:
            return _is_source(Path(path), folders, data_folder)

        try:
            async for changes in watchfiles.awatch(  # pyright: ignore[reportUnknownMemberType]  # names a type of trio, which is not installed
                *folders,
                watch_filter=is_source,
                debounce=_SETTLE_MS,
                rust_timeout=_WATCH_MS,
                yield_on_timeout=True,
                ignore_permission_denied=True,
            ):
                yield {Path(path) for _, path in changes}
        except OSError as error:
            self._display.problem(f"changes are not noticed: {error}")
            yield set()

    def _folders(self) -> set[Path]:
        """Return what to watch: the folders of code, and those of templates."""
        folders = {source.folder.resolve() for source in self._sources.values()}
        return folders | {source.origin.resolve().parent for source in self._sources.values()}

    async def _take(self, server: Server, changed: set[Path]) -> None:
        """Register what the changed files belong to, and forget what is gone."""
        self._display.changed(sorted(changed))
        try:
            sources = self._discover()
            for name, source in sources.items():
                is_new = name not in self._sources
                if is_new or source != self._sources[name] or _holds(source, changed):
                    await self._put(server, source)
                    self._display.registered(source, is_new=is_new)
            for name in self._sources.keys() - sources.keys():
                await asyncio.to_thread(self._client.call, "delete_function", FunctionName=name)
                self._display.removed(name)
        except CommandError as error:
            self._display.problem(error.message)
        else:
            self._sources = sources


def _holds(source: FunctionSource, changed: set[Path]) -> bool:
    folder = source.folder.resolve()
    return any(path.is_relative_to(folder) for path in changed)


def _is_source(path: Path, folders: Sequence[Path], data_folder: Path) -> bool:
    """Tell whether a change of ``path`` can be one of code."""
    if path.is_relative_to(data_folder) or path.name.endswith(_NEVER_CODE) or _is_output(path):
        return False
    inside = [path.relative_to(folder) for folder in folders if path.is_relative_to(folder)]
    return any(LEFT_OUT.isdisjoint(place.parts) for place in inside)


def _is_output(path: Path) -> bool:
    """Tell whether what we print goes to this file: it must not make us print more."""
    try:
        status = path.stat()
        return any(os.path.samestat(status, os.fstat(number)) for number in (1, 2))
    except OSError:
        return False
