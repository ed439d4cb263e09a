"""A load balancer: gives each request to the next node, whatever connection it comes over."""

import asyncio
import contextlib
import itertools
import re
import threading
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

__all__ = ["balancing"]

_CONNECTION = re.compile(rb"\r\nConnection: [^\r]*", re.IGNORECASE)
_CHUNK = 65_536


class _Balancer:
    """Relays one request a connection, and closes it: so the next one goes elsewhere."""

    def __init__(self, urls: Sequence[str]) -> None:
        places = [(str(urlsplit(url).hostname), urlsplit(url).port) for url in urls]
        self._places = itertools.cycle(places)
        self._relays: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.current_task()
        assert relay is not None
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._relay(reader, writer)
        writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        head = _CONNECTION.sub(b"", head[:-4]) + b"\r\nConnection: close\r\n\r\n"
        node_reader, node_writer = await asyncio.open_connection(*next(self._places))
        node_writer.write(head)
        upward = asyncio.create_task(_pour(reader, node_writer))
        try:
            await _pour(node_reader, writer)
        finally:
            upward.cancel()
            node_writer.close()

    async def end(self) -> None:
        for relay in self._relays:
            relay.cancel()
        if self._relays:
            await asyncio.wait(self._relays)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()


@contextlib.contextmanager
def balancing(urls: Sequence[str]) -> Iterator[str]:
    """Lend the URL of a balancer over ``urls``, which runs in a thread of its own."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[str] = []

    async def run() -> None:
        balancer = _Balancer(urls)
        server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0)
        found.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        ready.set()
        await over.wait()
        server.close()
        await balancer.end()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10), "the balancer does not start"
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
