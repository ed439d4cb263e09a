"""Who may ask: known hosts, browsers only from our own pages, no oversized heads (SR-15 to 17).

A page on the web can make a browser send requests to loopback. It cannot choose the ``Host`` that
its name leads to, nor hide where it came from, nor send JSON without being asked first. What one
of our own pages makes it send carries a token that only such a page can read (SR-18).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from perdure.api.errors import ApiError
from perdure.api.exchange import Exchange
from perdure.protocol.limits import HEADER_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX

__all__ = ["TOKEN_HEADER", "Guards", "OwnPages"]

TOKEN_HEADER: Final = b"x-perdure-token"

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_READING: Final = frozenset({"GET", "HEAD"})
_OWN_SITE: Final = frozenset({b"same-origin", b"none"})
#: What a form can send without a preflight.
_FORM_TYPES: Final = (
    b"text/plain",
    b"multipart/form-data",
    b"application/x-www-form-urlencoded",
)
_FORM: Final = b"application/x-www-form-urlencoded"
_KNOWN_HOSTS_MAX: Final = 64
#: Headers with which the verdict may be another later, or that are new with each request.
_PASSING: Final = frozenset(
    {
        *(b"authorization", b"proxy-authorization", b"x-amz-security-token", b"cookie"),
        *(b"origin", b"sec-fetch-site", TOKEN_HEADER),
        *(b"amz-sdk-invocation-id", b"traceparent", b"x-amzn-trace-id"),
    }
)
_SIGNATURE: Final = b"X-Amz-Signature="  #: in a query: it is good for a while


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPages:
    """What browsers may change from pages of ours."""

    is_token: Callable[[bytes], bool]  #: tells whether one of our pages was given this token
    #: Below it forms are taken, without a token: their address is the secret.
    form_prefix: bytes | None = None


class Guards:
    """Lets requests pass, or refuses them."""

    def __init__(self, allowed_hosts: Iterable[str], own_pages: OwnPages | None = None) -> None:
        """Answer to the names of loopback, and to ``allowed_hosts``; with ``own_pages``, ask
        browsers that change something for a token.
        """
        self._own_pages = own_pages
        self._allowed = frozenset(name.lower() for name in (*_LOOPBACK, *allowed_hosts))
        self._known: set[bytes] = set()

    def check(self, exchange: Exchange, header_lines: Sequence[tuple[bytes, bytes]]) -> None:
        """Refuse a request that did not come to us, or not from where it may.

        Raises:
            ApiError: it is refused.
        """
        headers = exchange.headers
        if len(headers) != len(header_lines):
            _check_repeated(header_lines)
        if len(header_lines) > HEADERS_MAX:
            raise _too_large(f"{len(header_lines)} headers", f"{HEADERS_MAX} headers")
        if sum([len(name) + len(value) for name, value in header_lines]) > HEADER_BYTES_MAX:
            raise _too_large("the headers", f"{HEADER_BYTES_MAX:,} bytes")
        if len(exchange.path) + len(exchange.query) > TARGET_BYTES_MAX:
            raise _too_large("path and query", f"{TARGET_BYTES_MAX:,} bytes")
        host = headers.get(b"host", b"")
        if host not in self._known:
            self._check_host(host)
        self._check_browser(exchange, host)
        if exchange.method not in _READING:
            is_form = self._check_token(exchange)
            _check_media_type(headers.get(b"content-type", b""), is_form=is_form)

    def is_lasting(self, exchange: Exchange) -> bool:
        """Return whether who asks with this very head again may pass, now and later, unasked.

        Whoever adds a check whose verdict may change says here of which heads.
        """
        return _PASSING.isdisjoint(exchange.headers) and _SIGNATURE not in exchange.query

    def _check_host(self, host: bytes) -> None:
        """Refuse a host that is not on the list (DNS rebinding)."""
        text = host.decode("latin-1").lower()
        name, _, port = text.rpartition(":")
        if not name or not port.isdigit():
            name = text
        if text not in self._allowed and name not in self._allowed:
            raise _forbidden(
                f"Host {text[:80]!r} is not one this server answers to; add it to the allowed hosts"
            )
        if len(self._known) < _KNOWN_HOSTS_MAX:
            self._known.add(host)

    def _check_browser(self, exchange: Exchange, host: bytes) -> None:
        """Refuse what a page of another site makes a browser send."""
        headers = exchange.headers
        origin = headers.get(b"origin")
        if origin is not None and origin.partition(b"://")[2].lower() != host.lower():
            raise _forbidden("requests from pages of other sites are refused (Origin)")
        site = headers.get(b"sec-fetch-site")
        if site is None or site in _OWN_SITE:
            return
        is_credentialed = b"authorization" in headers or b"cookie" in headers
        if exchange.method not in _READING or is_credentialed:
            raise _forbidden("requests from pages of other sites are refused (Sec-Fetch-Site)")

    def _check_token(self, exchange: Exchange) -> bool:
        """Refuse what a browser sends without the token of our pages; tell whether it is a form,
        which has none.
        """
        pages, headers = self._own_pages, exchange.headers
        if pages is None:
            return False
        if pages.form_prefix is not None and exchange.path.startswith(pages.form_prefix):
            return True
        is_browser = b"origin" in headers or b"sec-fetch-site" in headers
        if is_browser and not pages.is_token(headers.get(TOKEN_HEADER, b"")):
            raise _forbidden(
                "a browser must send the token of the console's session (X-Perdure-Token);"
                " load the page again"
            )
        return False


def _check_repeated(header_lines: Sequence[tuple[bytes, bytes]]) -> None:
    """Refuse two of what there can be only one of: others might read the other one."""
    names = [name for name, _ in header_lines]
    for name in (b"host", b"content-length", b"content-type", b"origin", b"transfer-encoding"):
        if names.count(name) > 1:
            raise ApiError(
                "InvalidParameterValueException",
                f"the header {name.decode()} is given more than once",
                is_closing=True,
            )


def _check_media_type(content_type: bytes, *, is_form: bool) -> None:
    kind = content_type.partition(b";")[0].strip().lower()
    if kind in _FORM_TYPES and not (is_form and kind == _FORM):
        raise _forbidden(
            f"Content-Type {kind.decode()} is refused: a page of another site could send it;"
            " use application/json"
        )


def _forbidden(message: str) -> ApiError:
    return ApiError("AccessDeniedException", message, is_closing=True)


def _too_large(what: str, limit: str) -> ApiError:
    message = f"{what} are too much; the limit is {limit}"
    return ApiError("RequestTooLargeException", message, is_closing=True)
