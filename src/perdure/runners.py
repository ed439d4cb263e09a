"""What runs function code for a server: worker processes here, and endpoints elsewhere."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from perdure.clock import Clock
from perdure.engine.invoker import Invoker
from perdure.runtime.endpoint_addresses import AllowedEndpoints
from perdure.runtime.endpoint_exchange import Endpoints, NoEndpoints
from perdure.runtime.endpoint_invoker import EndpointInvoker
from perdure.runtime.pool import WorkerPool
from perdure.runtime.routing_invoker import RoutingInvoker
from perdure.runtime.settings import RuntimeSettings
from perdure.settings import ServerSettings
from perdure.store.logs import LogStore

__all__ = ["Runners", "runners_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runners:
    """The workers, the endpoints, and who sends each invocation to one or the other."""

    pool: WorkerPool
    endpoints: EndpointInvoker
    invoker: Invoker
    check_endpoint: Callable[[str], None]  #: refuses a URL that may not be invoked

    async def aclose(self) -> None:
        """End the workers; let the endpoints go."""
        await self.pool.aclose()
        await self.endpoints.aclose()


def runners_of(
    settings: ServerSettings,
    *,
    url: str,
    clock: Clock,
    logs: LogStore,
    key: bytes,
    load_code: Callable[[str], Awaitable[bytes]],
) -> Runners:
    """Return what runs code for the server at ``url``; ``key`` is the service's own."""
    pool = WorkerPool(
        RuntimeSettings(
            endpoint_url=url,
            data_folder=settings.data_folder.absolute(),
            region=settings.region,
            account_id=settings.account_id,
            worker_max=settings.invocations_max,
            idle_seconds=settings.worker_idle_seconds,
            kept_handlers_max=settings.kept_handlers_max,
            node_libraries_folder=settings.node_libraries_folder or _cache_folder() / "node",
        ),
        clock=clock,
        logs=logs,
        load_code=load_code,
    )
    allowed = AllowedEndpoints(settings.allowed_endpoints)
    endpoints = EndpointInvoker(
        _endpoints(allowed) if settings.allowed_endpoints else NoEndpoints(),
        clock=clock,
        logs=logs,
        service_key=key,
        invocations_max=settings.invocations_max,
    )
    return Runners(
        pool=pool,
        endpoints=endpoints,
        invoker=RoutingInvoker(pool, endpoints),
        check_endpoint=allowed.check_url,
    )


def _endpoints(allowed: AllowedEndpoints) -> Endpoints:
    # The client is a quarter of what the server imports, and most servers have no endpoints.
    from perdure.runtime.endpoint_http import EndpointHttp

    return EndpointHttp(allowed)


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "perdure"
