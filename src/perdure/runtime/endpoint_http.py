"""Posts to endpoints over HTTP/1.1: with connections kept for the next time, to addresses that were
checked, with bounds on what is read.

A name is resolved once for a connection, and the connection goes to an address that this gave
(SR-20). Redirects are not followed, no cookie is kept, no proxy of the environment used, nothing
decompressed. Knows no function: what an answer means is ``endpoint_answers``'s business.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import aiohttp
import aiohttp.abc
import yarl

from perdure.runtime.endpoint_addresses import AllowedEndpoints, EndpointRefusedError
from perdure.runtime.endpoint_exchange import (
    Answer,
    EndpointUnreachableError,
    LostEndpointError,
)
from perdure.runtime.runtime_api import RESPONSE_BYTES_MAX

__all__ = [
    "EndpointHttp",
    "Resolve",
    "resolve_by_system",
]

#: A name's addresses now, as text.
Resolve = Callable[[str], Awaitable[Sequence[str]]]

_CONNECT_SECONDS: Final = 5.0
#: Shorter than most servers keep a connection that does nothing (uvicorn and Node.js: 5 s): on one
#: that they are just closing, a request would be lost.
_IDLE_SECONDS: Final = 4.0
_CHUNK_BYTES: Final = 65_536
#: A machine that went away without a word is noticed in half a minute, not at the timeout.
_KEEP_ALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)


async def resolve_by_system(host: str) -> Sequence[str]:
    """Return the addresses of ``host`` as the machine's resolver has them.

    Raises:
        OSError: it has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class EndpointHttp:
    """``Endpoints`` over HTTP; belongs to one event loop."""

    def __init__(
        self,
        allowed: AllowedEndpoints,
        *,
        resolve: Resolve = resolve_by_system,
        connect_seconds: float = _CONNECT_SECONDS,
    ) -> None:
        """Connect where ``allowed`` lets it; open nothing before the first call."""
        self._allowed = allowed
        self._resolver = _CheckingResolver(allowed, resolve)
        self._connect_seconds = connect_seconds
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """See ``Endpoints``."""
        self._allowed.check_url(url)
        try:
            request = self._opened().post(
                yarl.URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            )
            async with request as response:
                return await _read(response)
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, _RefusedAddressError):
                raise EndpointRefusedError(str(error.os_error)) from error
            raise EndpointUnreachableError(f"its name is not found: {error.os_error}") from error
        except (aiohttp.ClientConnectorError, aiohttp.ClientSSLError) as error:
            raise EndpointUnreachableError(f"no connection: {error}") from error
        except aiohttp.ServerTimeoutError as error:
            message = f"no connection within {self._connect_seconds:g} seconds"
            raise EndpointUnreachableError(message) from error
        except aiohttp.ClientError as error:
            raise LostEndpointError(f"{type(error).__name__}: {error}") from error

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # how many run at once is bounded before they come here
                    resolver=self._resolver,
                    use_dns_cache=False,
                    keepalive_timeout=_IDLE_SECONDS,
                    socket_factory=_make_socket,
                ),
                timeout=aiohttp.ClientTimeout(sock_connect=self._connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                headers={"User-Agent": "perdure", "Accept-Encoding": "identity"},
            )
        return self._session


class _RefusedAddressError(OSError):
    """The name resolves to an address that the service may not connect to."""


class _CheckingResolver(aiohttp.abc.AbstractResolver):
    """Resolves names, and gives no address that may not be connected to."""

    def __init__(self, allowed: AllowedEndpoints, resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        """Return the addresses of ``host``; one that is forbidden forbids all."""
        results: list[aiohttp.abc.ResolveResult] = []
        for text in await self._resolve(host):
            address = ipaddress.ip_address(text)
            try:
                self._allowed.check_address(host, address, port)
            except EndpointRefusedError as error:
                raise _RefusedAddressError(str(error)) from error
            results.append(
                {
                    "hostname": host,
                    "host": text,
                    "port": port,
                    "family": socket.AF_INET if address.version == 4 else socket.AF_INET6,
                    "proto": socket.IPPROTO_TCP,
                    "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                }
            )
        return results

    async def close(self) -> None:
        """Do nothing: nothing is held."""


def _make_socket(
    address: tuple[int, int, int, str, tuple[object, ...]],
) -> socket.socket:
    family, kind, protocol, _name, _address = address
    made = socket.socket(family, kind, protocol)
    with contextlib.suppress(OSError):
        for level, option, setting in _KEEP_ALIVE:
            made.setsockopt(level, option, setting)
    return made


async def _read(response: aiohttp.ClientResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > RESPONSE_BYTES_MAX:
            response.close()
            return Answer(status=response.status, headers=headers, body=b"", is_oversize=True)
    return Answer(status=response.status, headers=headers, body=bytes(body))
