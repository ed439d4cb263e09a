"""What stands behind the API in its tests: fakes of the engine's calls, a server around them."""

import asyncio
import atexit
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from perdure.api import ApiSettings, LogCalls, code_url, create_app, uvicorn_settings
from perdure.api.app import Application
from perdure.api.health import HealthSource
from perdure.engine.functions import Account, FunctionCatalog
from perdure.protocol import executions as shapes
from perdure.protocol.callbacks import (
    SendDurableExecutionCallbackFailureResponse,
    SendDurableExecutionCallbackHeartbeatResponse,
    SendDurableExecutionCallbackSuccessResponse,
)
from perdure.protocol.events import Event, EventInput, ExecutionStartedDetails
from perdure.protocol.invocations import InvocationType, InvokeRequest, InvokeResponse
from perdure.protocol.operations import Operation
from perdure.protocol.wire import Instant
from perdure.protocol.words import EventType, ExecutionStatus, OperationStatus, OperationType
from perdure.store.logs import LogEvent
from perdure.store.memory import MemoryStore
from perdure.store.memory_logs import MemoryLogStore

FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
EXECUTION_ARN = f"{FUNCTION_ARN}:$LATEST/durable-execution/name/{'0' * 32}"
CALLBACK_ID = "ab/cd+ef=="
TOKEN = "dG9r/W4+"
AT_MS = Instant(1_700_000_000_123)


class FakeClock:
    """Stands still."""

    def now_ms(self) -> int:
        return AT_MS


class CountingEntropy:
    """Gives the numbers from 1 on."""

    def __init__(self) -> None:
        self._count = 0

    def token(self, size: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(size, "big")

    def fraction(self) -> float:
        return 0.5


class FakeExecutions:
    """Answers calls on executions with examples; keeps what it was asked, and raises on request."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.failure: Exception | None = None
        self.wait: Callable[[], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name not in ANSWERS:
            raise AttributeError(name)

        async def method(request: Any, _prepare: Any = None) -> Any:
            self.asked.append(request)
            if self.wait is not None:
                await self.wait()
            if self.failure is not None:
                raise self.failure
            answer = ANSWERS[name]
            return answer(request) if callable(answer) else answer

        return method


def _invoked(request: InvokeRequest) -> InvokeResponse:
    match request.invocation_type:
        case InvocationType.EVENT:
            return InvokeResponse(status_code=202, durable_execution_arn=EXECUTION_ARN)
        case InvocationType.DRY_RUN:
            return InvokeResponse(status_code=204)
        case _:
            return InvokeResponse(
                status_code=200,
                payload=request.payload,
                executed_version="$LATEST",
                function_error="Unhandled" if request.payload == b'"fail"' else None,
                log_result="bG9n",
                durable_execution_arn=EXECUTION_ARN,
            )


def _operation() -> Operation:
    return Operation(
        id="o",
        type=OperationType.STEP,
        start_timestamp=AT_MS,
        status=OperationStatus.STARTED,
    )


ANSWERS: dict[str, Any] = {
    "checkpoint_durable_execution": shapes.CheckpointDurableExecutionResponse(
        checkpoint_token=TOKEN,
        new_execution_state=shapes.CheckpointUpdatedExecutionState(operations=(_operation(),)),
    ),
    "get_durable_execution_state": shapes.GetDurableExecutionStateResponse(
        operations=(_operation(),)
    ),
    "get_durable_execution": shapes.GetDurableExecutionResponse(
        durable_execution_arn=EXECUTION_ARN,
        durable_execution_name="name",
        function_arn=FUNCTION_ARN,
        start_timestamp=AT_MS,
        status=ExecutionStatus.RUNNING,
    ),
    "get_durable_execution_history": shapes.GetDurableExecutionHistoryResponse(
        events=(
            Event(
                event_type=EventType.EXECUTION_STARTED,
                event_id=1,
                event_timestamp=AT_MS,
                execution_started_details=ExecutionStartedDetails(
                    input=EventInput(payload="{}", truncated=False), execution_timeout=60
                ),
            ),
        )
    ),
    "list_durable_executions_by_function": shapes.ListDurableExecutionsByFunctionResponse(
        durable_executions=(
            shapes.ExecutionSummary(
                durable_execution_arn=EXECUTION_ARN,
                durable_execution_name="name",
                function_arn=FUNCTION_ARN,
                status=ExecutionStatus.RUNNING,
                start_timestamp=AT_MS,
            ),
        )
    ),
    "stop_durable_execution": shapes.StopDurableExecutionResponse(stop_timestamp=AT_MS),
    "pause_durable_execution": shapes.PauseDurableExecutionResponse(),
    "resume_durable_execution": shapes.ResumeDurableExecutionResponse(),
    "delete_durable_execution": shapes.DeleteDurableExecutionResponse(
        deletion_request_timestamp=AT_MS
    ),
    "send_durable_execution_callback_success": SendDurableExecutionCallbackSuccessResponse(),
    "send_durable_execution_callback_failure": SendDurableExecutionCallbackFailureResponse(),
    "send_durable_execution_callback_heartbeat": SendDurableExecutionCallbackHeartbeatResponse(),
    "invoke": _invoked,
}


def check_is_zip(archive: bytes) -> None:
    """Refuse what does not begin as a zip does."""
    if not archive.startswith(b"PK"):
        raise ValueError("it is no zip")


@dataclass
class Behind:
    """What the tests see of the server's inside."""

    executions: FakeExecutions = field(default_factory=FakeExecutions)
    logs: MemoryLogStore = field(default_factory=lambda: MemoryLogStore(clock=FakeClock()))
    store: MemoryStore = field(default_factory=MemoryStore)
    url: str = ""
    unreadable_rows: int = 0
    is_ready: bool = True

    def app(self, **settings: Any) -> Application:
        """Return the application over the fakes and a real catalog."""
        catalog = FunctionCatalog(
            self.store,
            clock=FakeClock(),
            entropy=CountingEntropy(),
            check_archive=check_is_zip,
            code_url=lambda name, code_sha256: code_url(self.url, name, code_sha256),
            account=Account(),
        )
        logs = LogCalls(self.logs, region="us-east-1", account_id="000000000000")
        return create_app(
            (self.executions, logs, *catalog.handlers),
            ApiSettings(**settings),
            read_code=catalog.read_code,
            health=HealthSource(
                unreadable_rows=lambda: self.unreadable_rows, is_ready=lambda: self.is_ready
            ),
        )

    def write_lines(
        self, *lines: str, group: str = "/aws/lambda/f", stream: str = "s", at_ms: int = AT_MS
    ) -> None:
        """Put lines into a log, a millisecond apart."""
        self.logs.append(
            [
                LogEvent(group=group, stream=stream, at_ms=at_ms + i, message=line)
                for i, line in enumerate(lines)
            ]
        )


@contextlib.contextmanager
def served(behind: Behind, **settings: Any) -> Iterator[str]:
    """Serve the application on loopback; give its address."""
    config = uvicorn.Config(
        behind.app(**settings), port=0, log_level="critical", **uvicorn_settings()
    )
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def start(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = start  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    started.wait(10)
    port = server.servers[0].sockets[0].getsockname()[1]
    behind.url = f"http://127.0.0.1:{port}"
    try:
        yield behind.url
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Reply:
    """An answer of the application."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    app: Application,
    method: str,
    path: str | bytes,
    *,
    body: bytes | Sequence[bytes | None] = b"",
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    query: str = "",
) -> Reply:
    """Send one request to the application, in process; a part None: the client goes away."""
    parts = [body] if isinstance(body, bytes) else list(body)
    given = headers.items() if isinstance(headers, dict) else headers or []
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in given]
    if not any(name == b"host" for name, _ in lines):
        lines.append((b"host", b"localhost:9070"))
    raw_path = path if isinstance(path, bytes) else path.encode()
    scope = {
        "type": "http",
        "method": method,
        "path": raw_path.decode("latin-1"),
        "raw_path": raw_path,
        "query_string": query.encode("latin-1"),
        "headers": lines,
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        part = parts.pop(0) if parts else None
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    _loop().run_until_complete(app(scope, receive, send))  # type: ignore[arg-type]
    start, *bodies = sent
    return Reply(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message["body"] for message in bodies),
    )


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop of all requests in process: a loop for each would take most of the time."""
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop
