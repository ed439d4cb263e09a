"""The console around a whole engine in the test's own process: asked without a socket, by a clock
that the test sets.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from perdure.console.app import Console
from perdure.console.assembly import ConsoleParts, create_console
from perdure.console.explaining import Explainer
from perdure.console.links import Links
from perdure.console.operations import NodeFacts, StoreFacts
from perdure.console.series import Series
from perdure.console.tokens import PageTokens
from perdure.engine.entropy import SystemEntropy
from perdure.engine.functions.registry import Account, Registry
from perdure.engine.invoker import FunctionVersion
from perdure.engine.seals import Seals, load_key
from tests.service.in_process import PENDING, Call, Clock, Handler, Service, serving_in_process

__all__ = [
    "HOST",
    "ORIGIN",
    "Answer",
    "Rig",
    "Stream",
    "a_console",
    "callback",
    "context",
    "doing",
    "step",
    "wait",
]

HOST = "127.0.0.1:9070"
ORIGIN = f"http://{HOST}"
SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """What a request came to."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Stream:
    """An answer that goes on: its messages, one by one."""

    def __init__(self) -> None:
        self.status = 0
        self.gone = asyncio.Event()
        self.ended = asyncio.Event()
        self._buffer = b""
        self._blocks: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive(self) -> dict[str, Any]:
        """Say that the client leaves, once it does."""
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take in a part."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self._buffer += message["body"]
        *blocks, self._buffer = self._buffer.split(b"\n\n")
        for block in blocks:
            self._blocks.put_nowait(block)
        if not message.get("more_body", False):
            self.ended.set()

    async def message(self) -> dict[str, Any]:
        """Return the next message that is no comment: ``event``, ``data``, and ``id``, if any."""
        async with asyncio.timeout(SECONDS):
            while True:
                block = (await self._blocks.get()).decode()
                lines = dict(line.split(": ", 1) for line in block.splitlines())
                if "event" in lines:
                    return {**lines, "data": json.loads(lines["data"])}

    async def until(self, event: str) -> dict[str, Any]:
        """Return the next message of a kind."""
        while (message := await self.message())["event"] != event:
            continue
        return message


class Rig:
    """A console and the engine behind it."""

    def __init__(self, service: Service, console: Console, parts: ConsoleParts) -> None:
        self.service = service
        self.console = console
        self.parts = parts
        self.seals = parts.explainer.seals
        self.links = parts.links
        self.store = service.store

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return what a request is answered."""
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.console(_scope(method, path, query, headers), receive, send)
        start, *parts = sent
        return Answer(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(part["body"] for part in parts),
        )

    async def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of one of the console's routes."""
        answer = await self.ask("GET", f"/console/api/{path}", query=query)
        assert answer.status == 200, answer.text
        return answer.json

    async def every(self, path: str, member: str, **query: Any) -> list[Any]:
        """Return what all pages of a list hold."""
        found: list[Any] = []
        marker = None
        while True:
            page = await self.get(path, **query, **({"marker": marker} if marker else {}))
            found += page[member]
            marker = page["next_marker"]
            if marker is None:
                return found

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str] | None = None, **query: Any
    ) -> AsyncGenerator[Stream]:
        """Follow a stream; the client leaves at the end."""
        stream = Stream()
        scope = _scope("GET", f"/console/api/{path}", query, headers)
        serving = asyncio.create_task(self.console(scope, stream.receive, stream.send))
        try:
            yield stream
        finally:
            stream.gone.set()
            async with asyncio.timeout(SECONDS):
                await serving

    async def start(self, payload: str = "{}") -> str:
        """Start an execution, and return its ARN once it has suspended or ended."""
        arn = await self.service.start(payload)
        await self.service.settle()
        return arn

    async def explain(self, arn: str) -> Any:
        """Return why an execution does not go on."""
        return await self.get("explain", arn=arn)


def _scope(
    method: str,
    path: str,
    query: Mapping[str, Any] | None,
    headers: Mapping[str, str] | None,
) -> dict[str, Any]:
    lines = {"host": HOST, **(headers or {})}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode() if "%" in path else quote(path).encode(),
        "query_string": urlencode(query or {}).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in lines.items()],
    }


class _NoWorkers:
    """A pool without a worker: handlers run in the test's process."""

    def workers(self) -> Sequence[Any]:
        return ()


async def _store_facts() -> StoreFacts:
    return StoreFacts(kind="sqlite", size_bytes=1, free_bytes=1 << 40, unreadable_rows=0)


async def _runs(function: FunctionVersion) -> str | None:
    return None


async def _runtimes() -> Sequence[str]:
    return ("python3.11",)


@asynccontextmanager
async def a_console(
    folder: Path, handler: Handler | None = None, *, clock: Clock | None = None
) -> AsyncGenerator[Rig]:
    """Run a console on the data in ``folder``."""
    async with serving_in_process(folder, clock or Clock(), handler or doing()) as service:
        seals = Seals(load_key(folder / "secret.key"))
        registry = Registry(
            service.store, account=Account(), clock=service.clock, entropy=SystemEntropy()
        )
        parts = ConsoleParts(
            explainer=Explainer(
                engine=service.engine,
                functions=service.functions,
                dispatcher=service.dispatcher,
                seals=seals,
                node_max=64,
                runtime_problem=_runs,
                is_waiting=lambda _: False,
            ),
            registry=registry,
            tokens=PageTokens(seals, service.clock),
            links=Links(seals, service.store),
            facts={"region": "us-east-1", "mode": "serve"},
            runtimes=_runtimes,
            pool=_NoWorkers(),  # type: ignore[arg-type]
            series=Series(service.engine, service.dispatcher),
            node_facts=NodeFacts(
                id="node",
                version="0",
                address=ORIGIN,
                started_at_ms=0,
                capacity=64,
                store=_store_facts,
                nodes=lambda: (),
                letters=lambda: 0,
                sync_callers=lambda: 0,
            ),
        )
        console = create_console(parts)
        try:
            yield Rig(service, console, parts)
        finally:
            await console.aclose()


def doing(*updates: dict[str, Any]) -> Handler:
    """Return a handler that begins operations the first time, and suspends; ends the next time."""

    async def handler(call: Call) -> dict[str, Any]:
        if len(call.operations) == 1 and updates:
            await call.checkpoint(*updates)
            return PENDING
        return {"Status": "SUCCEEDED", "Result": '"done"'}

    return handler


def callback(operation_id: str = "callback", **members: Any) -> dict[str, Any]:
    """Return the start of a callback."""
    return {"Id": operation_id, "Type": "CALLBACK", "Action": "START", "Name": "ask", **members}


def wait(seconds: int = 60, operation_id: str = "wait", **members: Any) -> dict[str, Any]:
    """Return the start of a wait."""
    options = {"WaitOptions": {"WaitSeconds": seconds}}
    return (
        {"Id": operation_id, "Type": "WAIT", "Action": "START", "Name": "nap"} | options | members
    )


def step(action: str = "START", operation_id: str = "step", **members: Any) -> dict[str, Any]:
    """Return an update of a step."""
    return {"Id": operation_id, "Type": "STEP", "Action": action, "Name": "charge", **members}


def context(operation_id: str = "context", **members: Any) -> dict[str, Any]:
    """Return the start of a child context."""
    return {"Id": operation_id, "Type": "CONTEXT", "Action": "START", "Name": "order", **members}
