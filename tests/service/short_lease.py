"""A server whose invocations have a short lease: ``python -m tests.service.short_lease``, with the
options of ``perdure serve``.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Final

import uvloop

from perdure.server import Server
from perdure.settings import ServerSettings
from tests.serving import ServerProcess

__all__ = ["LEASE_MS", "ShortLeaseServer"]

LEASE_MS: Final = 1_000


class ShortLeaseServer(ServerProcess):
    """Such a server."""

    command = ("-m", "tests.service.short_lease")


async def main(port: int, data: Path) -> None:
    """Run it until SIGTERM."""
    server = Server(ServerSettings(data_folder=data, port=port, lease_ms=LEASE_MS))
    await server.start()
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    sys.stdout.write(f"ready at {server.url}\n")
    sys.stdout.flush()
    await told.wait()
    await server.aclose()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[2]), Path(sys.argv[4])))
