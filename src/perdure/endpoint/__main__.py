"""``python -m perdure.endpoint app.handler``: serves a handler with uvicorn until told to end.

SIGTERM or SIGINT: no more invocations are taken, and those that run may end within the grace; then
the process ends with status 0. Whatever is cut off goes on from its last checkpoint elsewhere.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final

import uvicorn

from perdure.endpoint.app import EndpointApp
from perdure.endpoint.current_run import set_up_logging
from perdure.runtime.bootstrap.runtime_rules import RuntimeFault, load_handler

__all__ = ["main"]

_KEY_VARIABLE: Final = "PERDURE_ENDPOINT_KEY"
_KEEP_ALIVE_SECONDS: Final = 75
_KEY_CHARACTERS_MIN: Final = 32
_REGION_DEFAULT: Final = "us-east-1"  #: of the service, too, where nobody says another
_USAGE: Final = 2


class _Server(uvicorn.Server):
    """uvicorn, which ends without raising the signal anew: to be told to end is no failure."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Begin to end at the first signal; at once at the second."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        yield

    def _on_signal(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin, and say where."""
        await super().startup(sockets)  # type: ignore[arg-type]
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                sys.stdout.write(f"the endpoint is ready at http://{host}:{port}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; return the exit status."""
    options = _parser().parse_args(arguments)
    set_up_logging(
        os.environ.get("AWS_LAMBDA_LOG_FORMAT", "Text"), os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    )
    try:
        keys = _keys(options.key_file)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"perdure.endpoint: {error}\n")
        return _USAGE
    if not keys and not options.unsigned:
        sys.stderr.write(
            f"perdure.endpoint: there is no key to verify invocations with: set {_KEY_VARIABLE} to"
            " what `perdure functions key NAME` prints, or take anybody's with --unsigned\n"
        )
        return _USAGE
    _set_region()
    # Nobody comes back to a handler that is kept here: the next invocation may go anywhere.
    os.environ.pop("PERDURE_KEEP_HANDLERS", None)
    sys.path.insert(0, str(Path.cwd()))
    try:
        handler = load_handler(options.handler)
    except RuntimeFault as fault:
        sys.stderr.write(f"perdure.endpoint: {fault.error_type}: {fault}\n")
        return 1
    app = EndpointApp(handler, keys=keys, concurrency=options.concurrency)
    server = _Server(
        uvicorn.Config(
            app,
            host=options.host,
            port=options.port,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=options.grace_seconds,
        )
    )
    server.run()
    return 0 if server.started else 1


def _set_region() -> None:
    """Have both variables say the region, as on Lambda: boto3 reads one, handlers the other."""
    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    region = next((text for name in names if (text := os.environ.get(name))), _REGION_DEFAULT)
    for name in names:
        os.environ[name] = os.environ.get(name) or region


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m perdure.endpoint",
        description="Serve a function at AWS's invoke path, for a Perdure service to run.",
    )
    parser.add_argument("handler", help="such as app.handler: the module is looked for here")
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen on (%(default)s)")
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("PORT", "8080")),
        help="the port (PORT, or 8080); 0 for any free one",
    )
    parser.add_argument(
        "--concurrency",
        type=int,
        default=64,
        help="how many invocations run at once (%(default)s); more are answered with 429",
    )
    parser.add_argument(
        "--grace-seconds",
        type=int,
        default=25,
        help="how long what runs may take once told to end (%(default)s)",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        help=f"a file with the function's key, instead of {_KEY_VARIABLE}; several, one a line",
    )
    parser.add_argument(
        "--unsigned", action="store_true", help="take invocations that nobody has signed"
    )
    return parser


def _keys(file: Path | None) -> tuple[str, ...]:
    text = os.environ.get(_KEY_VARIABLE, "") if file is None else file.read_text()
    keys = tuple(text.replace(",", " ").split())
    for key in keys:
        if len(key) < _KEY_CHARACTERS_MIN:
            raise ValueError(
                f"a key of {len(key)} characters is none; `perdure functions key NAME` prints it"
            )
    return keys


if __name__ == "__main__":
    sys.exit(main())
