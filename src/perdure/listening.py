"""Where a server listens, and the HTTP server that does."""

import asyncio
import contextlib
import ipaddress
import socket
from typing import Final

import uvicorn

from perdure.api.app import Application
from perdure.api.connections import uvicorn_settings
from perdure.settings import ServerSettings

__all__ = ["HttpServer", "InsecureBindError", "check_bind", "listen"]

_KEEP_ALIVE_SECONDS: Final = 75
_GRACEFUL_SECONDS: Final = 2
_BACKLOG: Final = 2048


class InsecureBindError(Exception):
    """The address can be reached from outside, and nothing asks who is calling (SR-1)."""


class HttpServer(uvicorn.Server):
    """uvicorn, leaving signals to whoever runs the server."""

    def __init__(self, app: Application) -> None:
        """Serve ``app``."""
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACEFUL_SECONDS,
                **uvicorn_settings(),
            )
        )
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self):
        """Leave them alone."""
        yield


def check_bind(settings: ServerSettings) -> None:
    """See that nobody from outside can reach what asks nobody who is calling.

    Raises:
        InsecureBindError: the address is not loopback, and the settings do not allow that.
    """
    if settings.is_insecure:
        return
    try:
        is_loopback = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        is_loopback = settings.host == "localhost"
    if not is_loopback:
        raise InsecureBindError(
            f"{settings.host} can be reached from other machines, and there is no authentication"
            " yet: bind to 127.0.0.1, or allow it with --insecure"
        )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 is any free one.

    Raises:
        OSError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listening
