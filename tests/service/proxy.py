"""A proxy that forwards every request, and loses every n-th answer: the connection ends instead."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

__all__ = ["LossyProxy", "losing_every"]


class LossyProxy:
    """Listens on a port of its own; counts answers over all connections."""

    def __init__(self, target: str, *, every: int) -> None:
        """Stand before ``target``, a URL."""
        place = urlsplit(target)
        self._host, self._port = place.hostname or "", place.port or 0
        self._every = every
        self._answers = 0
        self.lost = 0
        self.url = ""

    async def serve(self, listening: threading.Event, stopping: asyncio.Event) -> None:
        """Forward until told to stop."""
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        listening.set()
        async with server:
            await stopping.wait()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        requests = asyncio.create_task(_copy(reader, back))
        try:
            while data := await there.read(65_536):
                # An answer that is lost begins with this piece: nothing of it is passed on.
                if data.startswith(b"HTTP/1.1 200"):
                    self._answers += 1
                    if self._answers % self._every == 0:
                        self.lost += 1
                        return
                writer.write(data)
                await writer.drain()
        finally:
            requests.cancel()
            await asyncio.gather(requests, return_exceptions=True)
            for stream in (back, writer):
                stream.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@contextmanager
def losing_every(every: int, target: str) -> Iterator[LossyProxy]:
    """Run a proxy before ``target`` in a thread of its own."""
    proxy = LossyProxy(target, every=every)
    loop = asyncio.new_event_loop()
    listening, stopping = threading.Event(), asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(proxy.serve(listening, stopping)), daemon=True
    )
    thread.start()
    listening.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()
