"""The console's ASGI application: finds the route, and answers with headers that let a browser do
nothing that is not needed (SR-19).

It stands behind the API's guards: whoever comes here has a Host that this server answers to, and a
browser that changes something has shown the token of the session.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import parse_qsl

from perdure.api.errors import ApiError, error_status
from perdure.api.exchange import Exchange, Receive, Scope, Send
from perdure.api.routing import Router
from perdure.console.exchanges import Reply, Request, Route, Stream, json_reply
from perdure.core.errors import InvalidParameterValue, Refusal

__all__ = ["Console", "Service"]

_log = logging.getLogger(__name__)

_METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_QUERY_MEMBERS_MAX: Final = 50
#: Of every answer; a page says for itself what it needs more.
_HEADERS: Final[Mapping[bytes, bytes]] = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class Service(Protocol):
    """Answers some of the console's routes."""

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return them: method, template of the path, and what answers."""
        ...


class Console:
    """Serves the page and its routes. An ASGI application."""

    def __init__(self, services: Sequence[Service], *, node: str) -> None:
        """Answer with the routes of ``services``; ``node`` begins the ids of requests."""
        self._router: Router[Route] = Router()
        self._node = node
        self._streams: set[asyncio.Task[None]] = set()
        for service in services:
            for method, template, route in service.routes():
                self._router.add(method, template, route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, send, node=self._node)
        try:
            answer = await self._answer(exchange)
        except Refusal as refusal:
            answer = _refused(refusal)
        except Exception:  # noqa: BLE001 - the edge: logged once, with its id
            _log.exception("request %s %s", exchange.request_id, exchange.method)
            answer = json_reply(
                {"type": "ServiceException", "message": "An error occurred. Try again."},
                status=500,
            )
        if isinstance(answer, Stream):
            await self._stream(answer, exchange, receive, send)
        else:
            headers = tuple({**_HEADERS, **answer.headers}.items())
            await exchange.answer(
                answer.status, answer.body, content_type=answer.content_type, headers=headers
            )

    async def aclose(self) -> None:
        """End the streams: whoever follows one comes back after the next start."""
        for task in self._streams:
            task.cancel()
        if self._streams:
            await asyncio.wait(self._streams)

    async def _answer(self, exchange: Exchange) -> Reply | Stream:
        method = "GET" if exchange.method == "HEAD" else exchange.method
        match = self._router.find(method, exchange.path)
        if match is None:
            return self._unknown(exchange.path)
        request = Request(exchange=exchange, labels=match.labels, query=_query(exchange.query))
        return await match.target(request)

    def _unknown(self, path: bytes) -> Reply:
        allowed = [method for method in _METHODS if self._router.find(method, path)]
        if not allowed:
            message = "there is no such page or route"
            return json_reply({"type": "ResourceNotFoundException", "message": message}, status=404)
        message = f"this route answers to {', '.join(allowed)}"
        reply = json_reply({"type": "MethodNotAllowed", "message": message}, status=405)
        return reply._replace(headers={b"allow": ", ".join(allowed).encode()})

    async def _stream(
        self, stream: Stream, exchange: Exchange, receive: Receive, send: Send
    ) -> None:
        """Send the events until they end, the client leaves, or the server closes."""
        headers = {**_HEADERS, b"content-type": b"text/event-stream", b"x-accel-buffering": b"no"}
        sending = asyncio.create_task(_send_events(stream, tuple(headers.items()), send))
        leaving = asyncio.create_task(_until_gone(receive))
        self._streams.add(sending)
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._streams.discard(sending)
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await stream.events.aclose()
        fault = None if sending.cancelled() else sending.exception()
        if fault is not None:
            _log.error("stream %s ended", exchange.request_id, exc_info=fault)
        with contextlib.suppress(OSError):
            await send({"type": "http.response.body", "body": b""})


async def _send_events(
    stream: Stream, headers: tuple[tuple[bytes, bytes], ...], send: Send
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for block in stream.events:
        await send({"type": "http.response.body", "body": block, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _query(text: bytes) -> dict[str, str]:
    try:
        members = parse_qsl(
            text.decode("latin-1"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_QUERY_MEMBERS_MAX,
        )
    except ValueError:
        raise InvalidParameterValue(
            f"the query is not UTF-8, or has more than {_QUERY_MEMBERS_MAX} members"
        ) from None
    return dict(members)


def _refused(refusal: Refusal) -> Reply:
    status = error_status(refusal)
    reply = json_reply({"type": refusal.code, "message": refusal.message}, status=status)
    headers = {b"x-amzn-errortype": refusal.code.encode()}
    if isinstance(refusal, ApiError) and refusal.is_closing:
        headers[b"connection"] = b"close"
    return reply._replace(headers=headers)
