"""The ASGI application: guards first, then the Lambda API, the logs API, health, and all else.

A request to the API meets no framework: that is where checkpoints come in. What is neither API nor
health goes to ``fallback``, which may be any ASGI application (the console is one).
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from perdure.api.code import CodeService, ReadCode
from perdure.api.endpoints import LambdaService
from perdure.api.errors import ApiError, error_status
from perdure.api.exchange import App, Exchange, Receive, Scope, Send
from perdure.api.guards import Guards
from perdure.api.health import HealthService, HealthSource
from perdure.api.log_service import LogsService
from perdure.api.settings import ApiSettings
from perdure.engine.entropy import SystemEntropy

__all__ = ["Application", "create_app"]

_log = logging.getLogger(__name__)

Lifespan = Callable[[], AbstractAsyncContextManager[object]]


def create_app(
    handlers: Sequence[object],
    settings: ApiSettings,
    *,
    read_code: ReadCode,
    lifespan: Lifespan = nullcontext,
    fallback: App | None = None,
    health: HealthSource | None = None,
) -> "Application":
    """Return the application that answers with the methods of ``handlers``.

    Each call, of Lambda and of logs, is answered by the method of its name in snake case, of the
    first handler that has one. ``lifespan`` is entered before the first request; ``health`` knows
    how this process is.

    Raises:
        LookupError: a call has no method.
    """
    services = (
        LambdaService(handlers, hurried_seconds_max=settings.checkpoint_seconds_max),
        LogsService(handlers),
        CodeService(read_code),
        HealthService(health or HealthSource()),
    )
    return Application(services, settings, lifespan=lifespan, fallback=fallback)


class Service(Protocol):
    """Answers some of the requests."""

    async def serve(self, exchange: Exchange) -> bool:
        """Answer a request if it is one of the service's; return whether it was."""
        ...


class Application:
    """Everything that is served on the API's address.

    ASGI 3, which a server that guesses has to be told: it is no coroutine function.
    """

    def __init__(
        self,
        services: Sequence[Service],
        settings: ApiSettings,
        *,
        lifespan: Lifespan,
        fallback: App | None,
    ) -> None:
        """Offer each request to the ``services`` in turn, then to ``fallback``."""
        self._guards = Guards(settings.allowed_hosts, settings.own_pages)
        self._services = services
        self._settings = settings
        self._lifespan = lifespan
        self._fallback = fallback
        self._node = _node()
        self._request_count = 0
        self._body_bytes = 0

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection's request, or the process's life."""
        if scope["type"] == "http":
            return self._serve_http(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        return send({"type": "websocket.close", "code": 1000})

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send, node=self._node)
        declared_bytes = exchange.declared_bytes
        self._request_count += 1
        self._body_bytes += declared_bytes
        try:
            if not exchange.is_known:
                self._guards.check(exchange, scope["headers"])
            self._check_load(declared_bytes)
            for service in self._services:
                if await service.serve(exchange):
                    if not exchange.is_known and self._guards.is_lasting(exchange):
                        exchange.remember()
                    return
            await self._fall_back(exchange, scope, receive, send)
        except ApiError as refusal:
            await exchange.refuse(
                error_status(refusal),
                refusal.code,
                refusal.message,
                is_closing=refusal.is_closing,
            )
        finally:
            self._request_count -= 1
            self._body_bytes -= declared_bytes

    def _check_load(self, declared_bytes: int) -> None:
        """Refuse early what would be too much (Q3).

        Raises:
            ApiError: the caller should try again.
        """
        settings = self._settings
        is_too_much = self._body_bytes > settings.body_bytes_max and declared_bytes > 0
        if is_too_much or self._request_count > settings.requests_max:
            raise ApiError("TooManyRequestsException", "Rate exceeded", is_closing=is_too_much)

    async def _fall_back(
        self, exchange: Exchange, scope: Scope, receive: Receive, send: Send
    ) -> None:
        is_date = exchange.path[1:2].isdigit()  # /2015-03-31/...
        if self._fallback is None or is_date or exchange.method == "OPTIONS":
            await exchange.refuse(
                404, "UnknownOperationException", "there is no such operation", is_closing=True
            )
        else:
            await self._fallback(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            _log.exception("the server cannot start or stop")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def _node() -> str:
    """Return the beginning of this process's request ids, in the form of a UUID's."""
    digits = SystemEntropy().token(10).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}"
