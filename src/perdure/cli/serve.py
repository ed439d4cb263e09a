"""``perdure serve``: the service, until it is told to end.

SIGTERM or SIGINT ends it cleanly: invocations that run may end by themselves for a while, and what
was not finished goes on at the next start. A second signal ends it at once, which loses nothing
that was acknowledged.
"""

import asyncio
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypedDict, TypeVar, Unpack

import click
import uvloop

from perdure.cli.endpoint import DATA_FOLDER, announce, is_loopback, withdraw
from perdure.cli.errors import CommandError, ExitCode, StoreFailed
from perdure.cli.node_options import NodeOptions, node_options, with_node_options
from perdure.core.quotas import AWS_QUOTAS, RELAXED_QUOTAS
from perdure.runtime.endpoint_addresses import AllowedEndpoints
from perdure.server import Server
from perdure.settings import ServerSettings
from perdure.store.protocol import StoreOpenError

__all__ = [
    "Companion",
    "ServeOptions",
    "keeping_option",
    "run_server",
    "serve",
    "server_options",
    "settings_of",
]

_DEFAULTS: Final = ServerSettings(data_folder=DATA_FOLDER)
_QUOTAS: Final = {"relaxed": RELAXED_QUOTAS, "aws": AWS_QUOTAS}
_ACCOUNT_ID: Final = re.compile(r"\d{12}\Z", re.ASCII)
_REGION: Final = re.compile(r"(eusc-)?[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]+-\d\Z", re.ASCII)

Command = TypeVar("Command", bound=Callable[..., object])


class ServeOptions(TypedDict):
    """What the options of ``server_options`` give."""

    host: str
    port: int
    data: Path
    region: str
    account: str
    quotas: str
    insecure: bool
    allow_host: tuple[str, ...]
    allow_endpoint: tuple[str, ...]
    concurrency: int
    idle_seconds: float
    shutdown_seconds: float
    keep_handlers: int
    console: bool


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[..., str]:
    """Return an option's check, which says what was ``expected``."""

    def check(_context: click.Context, _option: click.Parameter, value: str) -> str:
        if not pattern.match(value):
            raise click.BadParameter(f"{value!r} is not {expected}")
        return value

    return check


def _endpoints(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what was given, which may be several in one, with commas between."""
    entries = tuple(entry for text in given for entry in text.split(",") if entry)
    try:
        AllowedEndpoints(entries)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return entries


_OPTIONS: Final = (
    click.option(
        "--port",
        type=click.IntRange(0, 65_535),
        default=_DEFAULTS.port,
        envvar="PERDURE_PORT",
        help="The port; 0 for any free one.",
    ),
    click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=DATA_FOLDER,
        envvar="PERDURE_DATA",
        help="The folder for state, code and logs; made if it is not there.",
    ),
    click.option(
        "--host",
        default=_DEFAULTS.host,
        envvar="PERDURE_HOST",
        help="The address to listen on; others than loopback need --insecure.",
    ),
    click.option(
        "--region",
        default=_DEFAULTS.region,
        envvar="PERDURE_REGION",
        callback=_matching(_REGION, "a region's name, such as us-east-1"),
        help="The region in ARNs, and of functions.",
    ),
    click.option(
        "--account",
        default=_DEFAULTS.account_id,
        envvar="PERDURE_ACCOUNT",
        callback=_matching(_ACCOUNT_ID, "12 digits"),
        help="The account in ARNs.",
    ),
    click.option(
        "--quotas",
        type=click.Choice(list(_QUOTAS)),
        default="relaxed",
        envvar="PERDURE_QUOTAS",
        help="Hold executions to AWS's quotas, or only warn.",
    ),
    click.option(
        "--insecure",
        is_flag=True,
        envvar="PERDURE_INSECURE",
        help="Listen on any address, though nothing authenticates callers.",
    ),
    click.option(
        "--allow-host",
        multiple=True,
        metavar="NAME",
        envvar="PERDURE_ALLOW_HOST",
        help="A Host header to take beside those of loopback. Repeatable.",
    ),
    click.option(
        "--allow-endpoint",
        multiple=True,
        metavar="HOST[:PORT]",
        envvar="PERDURE_ALLOWED_ENDPOINTS",
        callback=_endpoints,
        help="A host, address or network that functions may be at. Repeatable.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        default=_DEFAULTS.invocations_max,
        envvar="PERDURE_CONCURRENCY",
        help="How many handlers run at once.",
    ),
    click.option(
        "--idle-seconds",
        type=click.FloatRange(min=0),
        default=_DEFAULTS.worker_idle_seconds,
        envvar="PERDURE_IDLE_SECONDS",
        help="How long an idle worker is kept.",
    ),
    click.option(
        "--shutdown-seconds",
        type=click.FloatRange(min=0),
        default=_DEFAULTS.shutdown_seconds,
        envvar="PERDURE_SHUTDOWN_SECONDS",
        help="How long running invocations may take when the service ends.",
    ),
    click.option(
        "--console/--no-console",
        default=_DEFAULTS.has_console,
        envvar="PERDURE_CONSOLE",
        help="Serve the console, a web page, at /console.",
    ),
)


class ServeAllOptions(ServeOptions, NodeOptions):
    """Everything that ``serve`` takes."""


def server_options(command: Command) -> Command:
    """Give a command the options that decide how a server runs, all but ``keeping_option``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def keeping_option(default: int, why: str) -> Callable[[Command], Command]:
    """Return the option that says how many suspended handlers a worker keeps, and why by default
    so many.
    """
    return click.option(
        "--keep-handlers",
        type=click.IntRange(min=0),
        metavar="N",
        default=default,
        envvar="PERDURE_KEEP_HANDLERS",
        help=f"How many suspended handlers a worker keeps in memory. {why}",
    )


@click.command(context_settings={"show_default": True})
@server_options
@node_options
@keeping_option(
    _DEFAULTS.kept_handlers_max,
    "A kept one goes on where it stands; with 0, every resume replays.",
)
def serve(**options: Unpack[ServeAllOptions]) -> None:
    """Run the service.

    \b
    perdure serve --port 9070 --data ./state
    PERDURE_PORT=0 perdure serve
    perdure serve --store postgres://perdure@db/perdure --key-file key
    aws lambda list-functions --endpoint-url http://127.0.0.1:9070

    Prints one line when it is ready, and the console's address. SIGTERM and SIGINT
    end it cleanly, a second one at once. Exit codes: 0 ended cleanly, 1 error,
    2 usage, 3 the data cannot be opened or written.
    """
    run_server(with_node_options(settings_of(options), options))


def settings_of(options: ServeOptions, *, is_development: bool = False) -> ServerSettings:
    """Return what the options ask for.

    Raises:
        click.UsageError: the address can be reached from elsewhere, and that was not asked for.
    """
    host = options["host"]
    if not is_loopback(host) and not options["insecure"]:
        raise click.UsageError(
            f"{host} can be reached from other machines, and nothing authenticates callers yet; "
            "listen on 127.0.0.1, or say --insecure"
        )
    return ServerSettings(
        data_folder=options["data"].absolute(),
        host=host,
        port=options["port"],
        region=options["region"],
        account_id=options["account"],
        allowed_hosts=options["allow_host"],
        allowed_endpoints=options["allow_endpoint"],
        is_insecure=options["insecure"],
        quotas=_QUOTAS[options["quotas"]],
        invocations_max=options["concurrency"],
        worker_idle_seconds=options["idle_seconds"],
        shutdown_seconds=options["shutdown_seconds"],
        kept_handlers_max=options["keep_handlers"],
        has_console=options["console"],
        is_development=is_development,
    )


class Companion(Protocol):
    """What runs in the process of a server, beside it."""

    async def begin(self, server: Server) -> None:
        """Prepare, before the server is said to be ready."""
        ...

    async def run(self, server: Server) -> None:
        """Go on until cancelled; to return changes nothing for the server."""
        ...


def run_server(settings: ServerSettings, companion: Companion | None = None) -> None:
    """Run a server, and its companion, until a signal ends both.

    Raises:
        StoreFailed: the data cannot be opened, or could no longer be written.
        CommandError: the address cannot be had, or the companion failed.
    """
    uvloop.run(_run(settings, companion))


async def _run(settings: ServerSettings, companion: Companion | None) -> None:
    server = Server(settings)
    try:
        await server.start()
    except (StoreOpenError, ValueError) as error:
        raise StoreFailed(str(error)) from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise CommandError(f"{place}{error.strerror or error}") from error
    told, is_sound = _signals(), True
    try:
        if companion is not None:
            await companion.begin(server)
        announce(settings.data_folder, server.url)
        click.echo(f"Perdure is ready at {server.url} ({_place(server)})")
        if settings.has_console:
            click.echo(f"The console is at {server.url}/console")
        await _first_end(server, companion, told)
    except StoreFailed:
        is_sound = False  # nothing may be written any more: the next start reads what is there (D4)
        raise
    finally:
        withdraw(settings.data_folder, server.url)
        if is_sound:
            await server.aclose()


def _place(server: Server) -> str:
    if server.settings.store_url:
        return f"node {server.node_id} on {server.place}"
    return f"data in {_shown(server.settings.data_folder)}"


def _shown(folder: Path) -> Path:
    """Return the folder as seen from here, if it lies below."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _signals() -> asyncio.Event:
    """Return what the first signal sets; the second ends the process."""
    told = asyncio.Event()

    def on_signal() -> None:
        if told.is_set():
            os._exit(ExitCode.ERROR)
        told.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return told


async def _first_end(server: Server, companion: Companion | None, told: asyncio.Event) -> None:
    """Return when a signal came; raise when the server ended by itself or the companion failed."""
    signalled = asyncio.create_task(_until(told))
    stopped = asyncio.create_task(server.wait_stopped())
    waiting = {signalled, stopped}
    if companion is not None:
        waiting.add(asyncio.create_task(companion.run(server)))
    try:
        while not signalled.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if stopped in done:
                reason = stopped.exception() or "it was closed"
                raise StoreFailed(f"the service stopped: {reason}")
            for ended in done:
                ended.result()
    finally:
        for running in waiting:
            running.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _until(told: asyncio.Event) -> None:
    await told.wait()
