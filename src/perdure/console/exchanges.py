"""What the console's routes are given and what they answer; they know no ASGI and no headers.

A route takes a ``Request`` and returns a ``Reply``, or a ``Stream`` that goes on until somebody
ends it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from perdure.api.exchange import Exchange
from perdure.core.errors import InvalidParameterValue

__all__ = [
    "JSON",
    "Reply",
    "Request",
    "Route",
    "Stream",
    "json_reply",
]

JSON: Final = b"application/json"
_BODY_BYTES_MAX: Final = 512 * 1024
_NUMBER_DIGITS_MAX: Final = 16

Document = TypeVar("Document")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to one of the console's routes."""

    exchange: Exchange
    labels: Mapping[str, str]
    query: Mapping[str, str]  #: of a repeated member, the last

    async def document(self, shape: type[Document]) -> Document:
        """Return the body as ``shape``.

        Raises:
            InvalidParameterValue: it is something else.
        """
        body = await self.exchange.body(_BODY_BYTES_MAX)
        try:
            return msgspec.json.decode(body or b"{}", type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise InvalidParameterValue(f"the body is not what it should be: {problem}") from None

    def text(self, name: str, *, characters_max: int = 1_024) -> str:
        """Return a member of the query; empty if it is not there.

        Raises:
            InvalidParameterValue: it is longer than ``characters_max``.
        """
        value = self.query.get(name, "")
        if len(value) > characters_max:
            raise InvalidParameterValue(
                f"{name} has {len(value):,} characters; the limit is {characters_max:,}"
            )
        return value

    def number(self, name: str) -> int | None:
        """Return a member of the query that is a whole number; None if it is not there.

        Raises:
            InvalidParameterValue: it is something else.
        """
        value = self.query.get(name, "")
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= _NUMBER_DIGITS_MAX):
            raise InvalidParameterValue(f"{name} must be a whole number: {value[:40]!r}")
        return int(value)

    def limit(self, *, default: int = 100, most: int = 1_000) -> int:
        """Return how many are asked for: ``limit``, from 1 to ``most``.

        Raises:
            InvalidParameterValue: it is out of bounds.
        """
        limit = self.number("limit")
        if limit is None:
            return default
        if not 1 <= limit <= most:
            raise InvalidParameterValue(f"limit is {limit}; it must be from 1 to {most:,}")
        return limit


class Reply(NamedTuple):
    """A whole answer. ``headers`` come after those that every answer has, and win."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = JSON
    headers: Mapping[bytes, bytes] = {}


class Stream(NamedTuple):
    """An answer without end: server-sent events, each a block of bytes."""

    events: AsyncGenerator[bytes, None]


Route = Callable[[Request], Awaitable[Reply | Stream]]


def json_reply(document: Mapping[str, Any], *, status: int = 200) -> Reply:
    """Return the answer that carries ``document``."""
    return Reply(status, msgspec.json.encode(document))
