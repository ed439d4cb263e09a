"""Which endpoints the service may post to: what the operator has listed, and nothing else (SR-20).

A list has names, ``*.`` and the end of a name, addresses and networks, each perhaps with a port. A
URL's host has to be listed. The address that it resolves to has to be a public one, or be listed
too: nobody who can set a name's address reaches what is inside by it. An address at which clouds
keep credentials has to be listed by itself; no network that it is in is enough.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

__all__ = ["INVOKE_PATH", "AllowedEndpoints", "EndpointRefusedError", "invoke_url"]

#: Where AWS's runtime interface emulator takes invocations, whatever the function is called.
INVOKE_PATH: Final = "/2015-03-31/functions/function/invocations"

_URL_CHARACTERS_MAX: Final = 2_048
_PORTS: Final = {"http": 80, "https": 443}
_PORT_MAX: Final = 65_535
_METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200"))
) | {ipaddress.ip_address("fd00:ec2::254")}
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class EndpointRefusedError(ValueError):
    """The endpoint is not one that the service may post to; the message says why."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the list: a network (an address is the smallest one), or a name."""

    network: Network | None
    name: str  #: lower case; begins with a dot if it is the end of a name
    port: int | None

    def has_port(self, port: int) -> bool:
        return self.port is None or self.port == port

    def has_name(self, host: str) -> bool:
        if not self.name:
            return False
        return host.endswith(self.name) if self.name.startswith(".") else host == self.name

    def has_address(self, address: Address) -> bool:
        network = self.network
        if network is None or network.version != address.version or address not in network:
            return False
        return address not in _METADATA or network.num_addresses == 1


class AllowedEndpoints:
    """The operator's list."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Read the list; an empty one allows nothing.

        Raises:
            ValueError: an entry cannot be understood.
        """
        self._entries = tuple(_entry(text) for text in texts)

    def check_url(self, url: str) -> None:
        """Return if ``url`` is an endpoint's, and its host is listed.

        Raises:
            EndpointRefusedError: it is not.
        """
        host, port = _host_and_port(url)
        address = _address(host)
        for entry in self._entries:
            if entry.has_port(port) and (
                entry.has_name(host)
                if address is None
                else entry.network is not None and address in entry.network
            ):
                break
        else:
            raise EndpointRefusedError(
                f"the endpoint {host}:{port} is not allowed on this service; whoever runs it can"
                f" allow it with --allow-endpoint {host}:{port}"
            )
        if address is not None:
            self.check_address(host, address, port)

    def check_address(self, host: str, address: Address, port: int) -> None:
        """Return if the service may connect to ``address``, which is what ``host`` resolved to.

        Raises:
            EndpointRefusedError: it is not a public address, and is not listed.
        """
        inner = _unwrapped(address)
        if any(entry.has_port(port) and entry.has_address(inner) for entry in self._entries):
            return
        is_public = inner.is_global and not inner.is_multicast and not inner.is_reserved
        if is_public and inner not in _METADATA:
            return
        raise EndpointRefusedError(
            f"{host} is {address}, which is no public address; whoever runs the service can allow"
            f" it with --allow-endpoint {inner}"
        )


def invoke_url(url: str) -> str:
    """Return where invocations of the function at ``url`` are posted.

    The URL is the place of a server that answers the emulator's path, or that of the call itself.
    """
    base = url.rstrip("/")
    return base if base.endswith("/invocations") else base + INVOKE_PATH


def _host_and_port(url: str) -> tuple[str, int]:
    if len(url) > _URL_CHARACTERS_MAX:
        raise EndpointRefusedError(
            f"the endpoint's URL is {len(url):,} characters; the limit is {_URL_CHARACTERS_MAX:,}"
        )
    if not url.isascii() or not url.isprintable() or set(url) & set(' "<>\\^`{|}'):
        raise EndpointRefusedError(f"{url!r} has characters that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EndpointRefusedError(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise EndpointRefusedError(f"{url!r} is not an http:// or https:// URL")
    if "@" in parts.netloc:
        raise EndpointRefusedError("an endpoint's URL has no user or password in it")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise EndpointRefusedError(f"{url!r} has a query or a fragment, and an endpoint's has none")
    return parts.hostname.rstrip("."), port or _PORTS[parts.scheme]


def _address(host: str) -> Address | None:
    """Return the address that ``host`` is, or None if it is a name.

    Raises:
        EndpointRefusedError: it is a number in a form that some take for an address.
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        if last.isdigit() or last.startswith("0x"):
            raise EndpointRefusedError(f"{host} is no address, and no name") from None
        return None


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _entry(text: str) -> _Entry:
    text = text.strip().lower()
    with_brackets = text.startswith("[")
    host, port = text, None
    if with_brackets or text.count(":") == 1:
        host, colon, digits = text.rpartition(":") if not text.endswith("]") else (text, "", "")
        if colon:
            if not digits.isdigit() or not 0 < int(digits) <= _PORT_MAX:
                raise ValueError(f"{text!r} does not end with a port")
            port = int(digits)
        host = host.strip("[]")
    try:
        return _Entry(ipaddress.ip_network(host, strict=True), "", port)
    except ValueError:
        name = host.removeprefix("*").rstrip(".")
        if not name or "/" in name or not name.replace("-", "").replace(".", "").isalnum():
            raise ValueError(
                f"{text!r} is no host, *.NAME, address or network, perhaps with a port"
            ) from None
        if host.startswith("*") and not name.startswith("."):
            raise ValueError(f"{text!r}: an asterisk stands before a dot") from None
        return _Entry(None, name, port)
