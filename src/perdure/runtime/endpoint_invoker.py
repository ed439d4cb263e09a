"""Runs functions that are HTTP endpoints: posts each invocation, and reports what came of it.

The invocation is the body; what a worker is told by the Runtime API is in the same headers, and the
request is signed. The timeout is the function's, as for a worker. A place that cannot be reached,
or says that it cannot take more, is nobody's failure: the execution is invoked again, later and
later the longer the place is away. No handler is believed to be kept there: many processes may
answer one URL. A cancelled call closes its connection; what runs at the other end may go on, and
its checkpoints are refused.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from perdure.clock import Clock
from perdure.engine.invoker import (
    Crashed,
    FailureKind,
    FunctionVersion,
    InvocationOutcome,
    InvocationReport,
    InvocationRequest,
    Raised,
)
from perdure.protocol.endpoint_signatures import (
    FUNCTION_VERSION_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    SignedRequest,
    function_key,
    sign,
)
from perdure.runtime import log_lines
from perdure.runtime.endpoint_addresses import EndpointRefusedError, invoke_url
from perdure.runtime.endpoint_answers import (
    crash_of,
    is_there,
    log_tail_of,
    outcome_of,
    retry_after_ms,
)
from perdure.runtime.endpoint_exchange import (
    Answer,
    Endpoints,
    EndpointUnreachableError,
    LostEndpointError,
)
from perdure.runtime.endpoint_gate import Gate, Outages
from perdure.runtime.run import crash_of_timeout, next_reply
from perdure.store.logs import LogEvent, LogStore

__all__ = ["EndpointInvoker"]

_STREAMS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One invocation on its way."""

    request: InvocationRequest
    url: str
    payload: bytes
    headers: Mapping[str, str]
    started_at_ms: int
    started: float  #: on the loop's clock


class EndpointInvoker:
    """An ``Invoker`` of functions that have an ``endpoint_url``. Belongs to one event loop."""

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        clock: Clock,
        logs: LogStore,
        service_key: bytes,
        invocations_max: int,
    ) -> None:
        """Post through ``endpoints``, signed with keys that ``service_key`` gives."""
        self._endpoints = endpoints
        self._clock = clock
        self._logs = logs
        self._service_key = service_key
        self._gate = Gate(invocations_max)
        self._outages = Outages()
        self._streams: dict[tuple[str, str], str] = {}

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        """Run the function once and return what happened; cancelling the call hangs up."""
        async with self._gate.entered(request.function):
            run = self._begin(request)
            answer: Answer | None = None
            try:
                async with asyncio.timeout(request.function.timeout_seconds):
                    answer = await self._endpoints.post(run.url, run.headers, run.payload)
                outcome = outcome_of(answer, request.request_id)
            except TimeoutError:
                outcome = crash_of_timeout(request.request_id, request.function.timeout_seconds)
            except LostEndpointError as error:
                words = f"the endpoint hung up: {error}"
                outcome = crash_of(FailureKind.EXITED, request.request_id, words)
            except (EndpointUnreachableError, EndpointRefusedError) as error:
                words = f"the endpoint {run.url} cannot be reached: {error}"
                outcome = crash_of(FailureKind.UNAVAILABLE, request.request_id, words)
            return self._report(run, self._delayed(run, outcome, answer), answer)

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        """Do nothing: no worker of the function is here."""

    async def aclose(self) -> None:
        """Close all connections."""
        await self._endpoints.aclose()

    def _begin(self, request: InvocationRequest) -> _Run:
        function = request.function
        assert function.endpoint_url is not None, "the function is no endpoint's"
        url = invoke_url(function.endpoint_url)
        payload = request.payload
        now_ms = self._clock.now_ms()
        told = next_reply(request, payload)
        headers = {
            "Content-Type": "application/json",
            **told.headers,
            "X-Amz-Log-Type": "Tail",
            FUNCTION_VERSION_HEADER: function.version,
            TIMESTAMP_HEADER: str(now_ms // 1000),
        }
        if "Lambda-Runtime-Trace-Id" in headers:
            headers["X-Amzn-Trace-Id"] = headers["Lambda-Runtime-Trace-Id"]
        if request.client_context:
            context = base64.b64encode(request.client_context.encode()).decode()
            headers["X-Amz-Client-Context"] = context
        signed = SignedRequest(
            method="POST",
            target=urlsplit(url).path,
            timestamp=headers[TIMESTAMP_HEADER],
            request_id=request.request_id,
            body=payload,
        )
        key = function_key(self._service_key, function.function_name)
        headers[SIGNATURE_HEADER] = sign(key, signed)
        self._write(function, log_lines.start_line(function, request.request_id, at_ms=now_ms))
        return _Run(
            request=request,
            url=url,
            payload=payload,
            headers=headers,
            started_at_ms=now_ms,
            started=asyncio.get_running_loop().time(),
        )

    def _delayed(
        self, run: _Run, outcome: InvocationOutcome, answer: Answer | None
    ) -> InvocationOutcome:
        """Return the outcome, with how long the endpoint is to be left alone."""
        if is_there(outcome):
            self._outages.note_answer(run.url)
            return outcome
        assert isinstance(outcome, Crashed), "only a crash says that nobody is there"
        wait_ms = self._outages.wait_ms(run.url, self._clock.now_ms())
        asked_ms = 0 if answer is None else retry_after_ms(answer)
        return replace(outcome, retry_after_ms=max(wait_ms, asked_ms))

    def _report(
        self, run: _Run, outcome: InvocationOutcome, answer: Answer | None
    ) -> InvocationReport:
        function, ended_at_ms = run.request.function, self._clock.now_ms()
        tail = b"" if answer is None else log_tail_of(answer)
        # Runtimes write a message of several lines as one, with carriage returns between them.
        text = tail.decode(errors="replace")
        lines = [line.replace("\r", "\n") for line in text.split("\n")]
        status, error_type = "success", None
        if isinstance(outcome, Crashed | Raised):
            is_timeout = isinstance(outcome, Crashed) and outcome.kind is FailureKind.TIMED_OUT
            status, error_type = ("timeout", None) if is_timeout else ("error", outcome.error_type)
        if isinstance(outcome, Crashed):
            lines.append(log_lines.crash_line(function, outcome, at_ms=ended_at_ms))
        figures = log_lines.RunFigures(
            request_id=run.request.request_id,
            duration_ms=(asyncio.get_running_loop().time() - run.started) * 1000,
            memory_used_mb=0,
            status=status,
            error_type=error_type,
        )
        lines += log_lines.report_lines(function, figures, at_ms=ended_at_ms)
        self._write(function, *lines)
        return InvocationReport(
            outcome=outcome,
            started_at_ms=run.started_at_ms,
            ended_at_ms=ended_at_ms,
            billed_ms=figures.billed_ms,
            log_tail=tail,
        )

    def _write(self, function: FunctionVersion, *lines: str) -> None:
        now_ms, stream = self._clock.now_ms(), self._stream(function)
        group = log_lines.log_group_of(function)
        self._logs.append(
            [
                LogEvent(group=group, stream=stream, at_ms=now_ms, message=f"{line}\n")
                for line in lines
                if line
            ]
        )

    def _stream(self, function: FunctionVersion) -> str:
        """Return the log stream of what this node runs of a version."""
        key = (function.function_arn, function.version)
        if key not in self._streams:
            if len(self._streams) >= _STREAMS_MAX:
                self._streams.clear()
            now_ms = self._clock.now_ms()
            self._streams[key] = log_lines.stream_name(
                function.version, at_ms=now_ms, token=secrets.token_hex(16)
            )
        return self._streams[key]
