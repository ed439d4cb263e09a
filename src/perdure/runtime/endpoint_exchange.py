"""What a request to an endpoint comes to, and what is needed of whoever makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from perdure.runtime.endpoint_addresses import EndpointRefusedError

__all__ = [
    "Answer",
    "EndpointUnreachableError",
    "Endpoints",
    "LostEndpointError",
    "NoEndpoints",
]


class EndpointUnreachableError(Exception):
    """There is no connection: nothing was sent."""


class LostEndpointError(Exception):
    """The connection ended after the request was sent, without a whole answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint answered; the names in ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_oversize: bool = False  #: the body was larger than any answer may be, and was not read


class Endpoints(Protocol):
    """Posts to endpoints."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post ``body``; return the answer, as soon as it is whole.

        Cancelling the call closes the connection. There is no bound on the time once there is a
        connection: that is the caller's.

        Raises:
            EndpointRefusedError: the service may not connect there.
            EndpointUnreachableError: there is no connection.
            LostEndpointError: the connection ended before the answer was whole.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class NoEndpoints:
    """``Endpoints`` of a service on which none are allowed."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Refuse."""
        raise EndpointRefusedError("no endpoints are allowed on this service")

    async def aclose(self) -> None:
        """Do nothing."""
