"""The endpoint as an ASGI application: AWS's invoke path, and a look at the process's health.

Each invocation runs in a thread of its own; the loop waits for none. More than may run at once are
turned away with 429, so that whoever balances the load, or the service itself, tries elsewhere or
later. A caller that hangs up changes nothing for the handler: a durable one is told at its next
checkpoint that nobody waits any more.
"""

import asyncio
import base64
import contextlib
import contextvars
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from perdure.endpoint.invocation import Result, invoke
from perdure.protocol.endpoint_signatures import SignatureError, verify
from perdure.protocol.limits import CHECKPOINT_BODY_BYTES_MAX
from perdure.sdk.workers import WORKERS

__all__ = ["EndpointApp"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_INVOKE: Final = re.compile(rb"/2015-03-31/functions/[^/]+/invocations\Z")
_BODY_BYTES_MAX: Final = CHECKPOINT_BODY_BYTES_MAX
_BODY_SECONDS_MAX: Final = 60.0
_CONCURRENCY_DEFAULT: Final = 64


class _Refused(Exception):
    """The request is answered with an error, and no handler runs."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


class EndpointApp:
    """An ASGI application that serves one handler."""

    def __init__(
        self,
        handler: Callable[..., Any],
        *,
        keys: Iterable[str] = (),
        concurrency: int = _CONCURRENCY_DEFAULT,
    ) -> None:
        """Serve ``handler``, at most so many times at once.

        ``keys``: invocations have to be signed with one of them; with none, anybody's are taken.
        """
        self._handler = handler
        self._keys = tuple(keys)
        self._concurrency = concurrency
        self.running = 0  #: how many invocations run now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the process's life."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            try:
                await self._serve(scope, receive, send)
            except _Refused as refused:
                document = {"errorType": refused.error_type, "errorMessage": str(refused)}
                extra = {"retry-after": "1"} if refused.status in (429, 503) else {}
                await _answer(send, refused.status, json.dumps(document).encode(), extra)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope.get("raw_path") or scope["path"].encode()
        if path == b"/healthz" and method in ("GET", "HEAD"):
            health = {"status": "ok", "running": self.running}
            await _answer(send, 200, json.dumps(health).encode(), {})
        elif not _INVOKE.match(path):
            raise _Refused(404, "ResourceNotFoundException", "there is nothing at this path")
        elif method != "POST":
            raise _Refused(405, "MethodNotAllowedException", f"{method} is not POST")
        else:
            await self._take(scope, receive, send, path)

    async def _take(self, scope: Scope, receive: Receive, send: Send, path: bytes) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        if self.running >= self._concurrency:
            raise _Refused(
                429,
                "TooManyRequestsException",
                f"{self.running} invocations run; the limit is {self._concurrency}",
            )
        self.running += 1
        try:
            body = await _read(receive, headers)
            self._verify(scope, path, headers, body)
            result = await _in_thread(partial(invoke, self._handler, headers, body))
        finally:
            self.running -= 1
        is_tail_wanted = headers.get("x-amz-log-type") == "Tail"
        await _answer(send, 200, result.body, _headers_of(result, is_tail_wanted=is_tail_wanted))

    def _verify(self, scope: Scope, path: bytes, headers: Mapping[str, str], body: bytes) -> None:
        if not self._keys:
            return
        query = scope.get("query_string") or b""
        try:
            verify(
                self._keys,
                method="POST",
                target=(path + (b"?" + query if query else b"")).decode("latin-1"),
                headers=headers,
                body=body,
                now_seconds=time.time_ns() / 1e9,
            )
        except SignatureError as error:
            raise _Refused(403, "InvalidSignatureException", str(error)) from None


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Return what ``work`` returns in a thread, with this context; the thread outlives a caller
    that goes.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if not done.done():
            if result is not None:
                done.set_result(result)
            elif error is not None:
                done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = context.run(work)
        except BaseException as fault:  # noqa: BLE001 - the loop has to hear of it
            error = fault
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    WORKERS.run(run)
    return await done


def _headers_of(result: Result, *, is_tail_wanted: bool) -> dict[str, str]:
    headers = {
        "content-type": result.content_type,
        "x-amzn-requestid": result.request_id,
        "x-amz-executed-version": result.version,
    }
    if result.is_error:
        headers["x-amz-function-error"] = "Unhandled"
    if is_tail_wanted:
        headers["x-amz-log-result"] = base64.b64encode(result.log_tail).decode()
    return headers


async def _read(receive: Receive, headers: Mapping[str, str]) -> bytes:
    message = f"the invocation is larger than {_BODY_BYTES_MAX:,} bytes"
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > _BODY_BYTES_MAX:
        raise _Refused(413, "RequestTooLargeException", message)
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS_MAX):
            while True:
                part = await receive()
                if part["type"] == "http.disconnect":
                    raise _Refused(400, "RequestDisconnected", "the caller hung up")
                body += part.get("body", b"")
                if len(body) > _BODY_BYTES_MAX:
                    raise _Refused(413, "RequestTooLargeException", message)
                if not part.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise _Refused(408, "RequestTimeout", "the invocation comes too slowly") from None


async def _answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    fields = {"content-type": "application/json", **headers, "content-length": str(len(body))}
    encoded = [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in fields.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
