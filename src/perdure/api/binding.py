"""From a request to its shape, and from a shape to its answer, by where each member travels.

Everything that depends on the shapes alone is worked out once, when a ``Binding`` is made.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, get_origin
from urllib.parse import parse_qsl

import msgspec

from perdure.api.documents import QuickReader, read_document
from perdure.core.errors import InvalidParameterValue
from perdure.protocol.calls import Call
from perdure.protocol.wire import Instant, Location, Member, decode, encode, members

__all__ = ["Answer", "Binding"]

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}\Z")
_SECONDS: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?\Z")
_BOOLEANS: Final = {"true": True, "false": False}
_QUERY_FIELDS_MAX: Final = 1_000
_NO_CONTENT: Final = 204


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Binding:
    """How one call's request is read and its response is written."""

    def __init__(self, call: Call) -> None:
        """Work out where the members of the call's shapes travel."""
        self._shape = call.request
        self._status = call.status
        request = members(call.request)
        self._query = [member for member in request if member.location is Location.QUERY]
        self._header = [
            (member.wire.lower().encode(), member.wire)
            for member in request
            if member.location is Location.HEADER
        ]
        self._payload = next((m for m in request if m.location is Location.PAYLOAD), None)
        self._has_document = any(member.location is Location.BODY for member in request)
        #: What must not be taken from the body: it travels elsewhere.
        self._elsewhere = [m.wire for m in request if m.location is not Location.BODY]
        self._quick_reader = _quick_reader(call.request) if self._has_document else None
        response = () if call.response is None else members(call.response)
        self._placed = [m for m in response if m.location is not Location.BODY]

    @property
    def has_body(self) -> bool:
        """Whether the call's request has a body."""
        return self._has_document or self._payload is not None

    def request(
        self, labels: Mapping[str, str], query: bytes, headers: Mapping[bytes, bytes], body: bytes
    ) -> object:
        """Return the call's request.

        Raises:
            WireError: a member is not what its shape says.
            InvalidParameterValue: body or query cannot be read.
        """
        request = None
        if body and self._quick_reader is not None:
            request = self._quick_reader.read(body, labels)
        if request is None:
            request = decode(self._shape, self._data(labels, query, headers, body))
        return request

    def _data(
        self, labels: Mapping[str, str], query: bytes, headers: Mapping[bytes, bytes], body: bytes
    ) -> dict[str, Any]:
        data: dict[str, Any] = {}
        if self._has_document and body:
            data = read_document(body)
            for name in self._elsewhere:
                data.pop(name, None)
        elif self._payload is not None and body:
            is_blob = self._payload.type is bytes
            data[self._payload.wire] = body if is_blob else read_document(body)
        data.update(labels)
        for name, wire in self._header:
            value = headers.get(name)
            if value is not None:
                data[wire] = value.decode("latin-1")
        if self._query and query:
            given = _read_query(query)
            for member in self._query:
                values = given.get(member.wire)
                if values is not None:
                    data[member.wire] = _query_value(member, values)
        return data

    def answer(self, response: object) -> Answer:
        """Return the answer that carries the call's response."""
        if response is None:
            return Answer(self._status, b"")
        document = encode(response)
        if not self._placed:
            return Answer(self._status, msgspec.json.encode(document))
        status, body, headers = self._status, None, list[tuple[bytes, bytes]]()
        for member in self._placed:
            document.pop(member.wire, None)
            value: Any = getattr(response, member.attribute)
            if member.location is Location.STATUS:
                status = value or status
            elif member.location is Location.PAYLOAD:
                body = value or b""
            elif value is not None:
                headers.append((member.wire.encode(), f"{value}".encode()))
        if body is None:
            body = b"" if status == _NO_CONTENT else msgspec.json.encode(document)
        return Answer(status, body, tuple(headers))


def _quick_reader(shape: type[Any]) -> QuickReader | None:
    try:
        return QuickReader(shape)
    except TypeError:
        return None


def _read_query(query: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_QUERY_FIELDS_MAX,
        )
    except ValueError as error:
        raise InvalidParameterValue(f"the query cannot be read: {error}") from None
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    return given


def _query_value(member: Member, values: Sequence[str]) -> object:
    """Return what the shape expects of a member that travels as text."""
    if get_origin(member.type) is tuple:
        return list(values)
    text = values[-1]
    convert = _CONVERSIONS.get(member.type)
    return text if convert is None else convert(text)


def _whole(text: str) -> object:
    return int(text) if _INTEGER.match(text) else text


def _boolean(text: str) -> object:
    return _BOOLEANS.get(text.lower(), text)


def _seconds(text: str) -> object:
    """Return epoch seconds, given as such or as a date and time; botocore writes the latter."""
    if _SECONDS.match(text):
        return float(text)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return text


_CONVERSIONS: Final[Mapping[Any, Callable[[str], object]]] = {
    int: _whole,
    bool: _boolean,
    Instant: _seconds,
}
