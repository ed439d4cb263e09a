"""An endpoint that does what a test says, byte by byte, and an invoker that posts to it."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from perdure.clock import ManualClock
from perdure.engine.invoker import (
    Crashed,
    FunctionVersion,
    InvocationReport,
    InvocationRequest,
)
from perdure.runtime.endpoint_addresses import AllowedEndpoints
from perdure.runtime.endpoint_http import EndpointHttp, Resolve, resolve_by_system
from perdure.runtime.endpoint_invoker import EndpointInvoker
from perdure.store.logs import LogQuery
from perdure.store.memory_logs import MemoryLogStore

__all__ = ["KEY", "Rig", "ScriptedEndpoint", "Taken", "an_http_answer", "with_rig"]

T = TypeVar("T")
ARN = "arn:aws:lambda:us-east-1:000000000000:function:shop"
KEY = b"s" * 32
NOW_MS = 1_700_000_000_000

Behave = Callable[["Taken", asyncio.StreamWriter], Awaitable[None]]


class Taken:
    """A request as it came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        pairs = [line.partition(":") for line in lines[1:] if line]
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.body = body


def an_http_answer(body: bytes = b"null", status: str = "200 OK", **headers: str) -> bytes:
    """Return an answer's bytes; underscores in the names of headers are hyphens."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines])
    return f"{head}\r\n\r\n".encode() + body


class ScriptedEndpoint:
    """A server on a free port; each request is answered as ``behave`` says."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.taken: list[Taken] = []
        self.connections = 0
        self.hung_up = asyncio.Event()  #: a caller has closed its connection
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen: at the same port, if it did before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone, with all connections."""
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.decode("latin-1").lower().split("\r\n"):
                    if line.startswith("content-length:"):
                        length = int(line.partition(":")[2])
                taken = Taken(head[:-4], await reader.readexactly(length))
                self.taken.append(taken)
                answering = asyncio.ensure_future(self.behave(taken, writer))
                gone = asyncio.ensure_future(_until_closed(reader))
                await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    answering.cancel()
                    self.hung_up.set()
                    break
                gone.cancel()
                await asyncio.gather(gone, return_exceptions=True)
                answering.result()
        self._writers.discard(writer)
        writer.close()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    """Return when the other side has closed; a test's caller sends one request at a time."""
    while not reader.at_eof():  # noqa: ASYNC110 - nothing says so without reading
        await asyncio.sleep(0.01)


class Rig:
    """An invoker, its clock and its logs."""

    def __init__(self, allowed: tuple[str, ...], resolve: Resolve, invocations_max: int) -> None:
        self.clock = ManualClock(NOW_MS)
        self.logs = MemoryLogStore(clock=self.clock)
        self.invoker = EndpointInvoker(
            EndpointHttp(AllowedEndpoints(allowed), resolve=resolve, connect_seconds=2),
            clock=self.clock,
            logs=self.logs,
            service_key=KEY,
            invocations_max=invocations_max,
        )
        self._endpoints: list[ScriptedEndpoint] = []

    async def serve(self, behave: Behave | bytes) -> ScriptedEndpoint:
        """Return an endpoint that behaves so; bytes are what it answers."""
        if isinstance(behave, bytes):
            said = behave

            async def answer(_taken: Taken, writer: asyncio.StreamWriter) -> None:
                writer.write(said)
                await writer.drain()

            behave = answer
        endpoint = ScriptedEndpoint(behave)
        await endpoint.start()
        self._endpoints.append(endpoint)
        return endpoint

    async def invoke(
        self, url: str, event: Any = None, *, timeout_seconds: int = 5, **changes: Any
    ) -> InvocationReport:
        """Run a function at ``url`` once; changes are the request's, or the function's."""
        of_request = {
            name: changes.pop(name)
            for name in ("client_context", "tenant_id", "trace_id")
            if name in changes
        }
        values: dict[str, Any] = {
            "function_arn": ARN,
            "function_name": "shop",
            "version": "7",
            "revision_id": "r1",
            "runtime": "",
            "handler": "",
            "timeout_seconds": timeout_seconds,
            "memory_mb": 128,
            "endpoint_url": url,
        }
        return await self.invoker.invoke(
            InvocationRequest(
                function=FunctionVersion(**(values | changes)),
                invoked_arn=f"{ARN}:live",
                request_id="r-1",
                event=event if isinstance(event, bytes) else json.dumps(event).encode(),
                **of_request,
            )
        )

    async def crash(self, url: str, **changes: Any) -> Crashed:
        """Return the crash that an invocation comes to."""
        report = await self.invoke(url, **changes)
        assert isinstance(report.outcome, Crashed), report.outcome
        return report.outcome

    async def lines(self) -> list[str]:
        """Return the function's whole log."""
        events = await self.logs.events(LogQuery(group="/aws/lambda/shop", limit=1_000_000))
        return [event.message for event in events]

    async def aclose(self) -> None:
        """Stop everything."""
        await self.invoker.aclose()
        for endpoint in self._endpoints:
            await endpoint.stop()


def with_rig(
    story: Callable[[Rig], Coroutine[Any, Any, T]],
    *,
    allowed: tuple[str, ...] = ("127.0.0.1",),
    resolve: Resolve = resolve_by_system,
    invocations_max: int = 8,
) -> T:
    """Run a story on a rig of its own."""

    async def tell() -> T:
        rig = Rig(allowed, resolve, invocations_max)
        try:
            return await story(rig)
        finally:
            await rig.aclose()

    return asyncio.run(tell())
