"""The one codec: shapes (dataclasses) to and from the plain values that JSON carries.

A member's wire name is its field name in PascalCase, unless the field says otherwise
(``wire_name``). ``None`` is absent; ``""``, ``0`` and ``{}`` are values and survive. Unknown
members are ignored, as AWS's services ignore them. Bad ones raise ``WireError`` with the member's
path, the value and the limit.

Instants are ``int`` epoch milliseconds inside. On the wire they are epoch seconds (the API) or
epoch milliseconds (the invocation envelope): ``TimeUnit`` says which. Blobs are base64.

It knows no shape, no HTTP and no JSON text: bytes are decoded and encoded by whoever calls it.
"""

import base64
import dataclasses
import enum
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar, Union

from perdure.protocol.constraints import Constraint, Items, Number, Text
from perdure.protocol.scalars import (
    SCALARS,
    Instant,
    TimeUnit,
    WireError,
    decode_instant,
    decode_str,
)

__all__ = [
    "IN_PAYLOAD",
    "IN_QUERY",
    "IN_URI",
    "Instant",
    "Location",
    "Member",
    "TimeUnit",
    "WireError",
    "bound",
    "camel_case",
    "decode",
    "encode",
    "members",
    "wire_name",
]

Shape = TypeVar("Shape")


class Location(enum.StrEnum):
    """Where a member of a request or response travels; the body unless said otherwise."""

    BODY = "body"
    URI = "uri"
    QUERY = "querystring"
    HEADER = "header"
    STATUS = "statusCode"
    PAYLOAD = "payload"  #: the member is the whole body, as it is


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """One member of a shape: names, place, whether required, and its two conversions."""

    attribute: str
    wire: str
    location: Location
    is_required: bool
    decode: Callable[[Any, str, TimeUnit], Any]
    encode: Callable[[Any, TimeUnit], Any] | None  #: None: the value is written as it is
    type: Any
    constraint: Constraint | None


def wire_name(name: str) -> dict[str, Any]:
    """Return field metadata for a member whose wire name is not its PascalCase."""
    return {"wire": name}


def bound(location: Location, name: str | None = None) -> dict[str, Any]:
    """Return field metadata for a member that travels outside the body, there called ``name``."""
    return {"location": location} if name is None else {"location": location, "wire": name}


IN_URI: Final = bound(Location.URI)
IN_QUERY: Final = bound(Location.QUERY)
IN_PAYLOAD: Final = bound(Location.PAYLOAD)


def pascal_case(attribute: str) -> str:
    """Return ``durable_execution_arn`` as ``DurableExecutionArn``."""
    return "".join(part[:1].upper() + part[1:] for part in attribute.split("_"))


def camel_case(attribute: str) -> str:
    """Return ``log_group_name`` as ``logGroupName``: a shape asks for it with ``wire_case``."""
    name = pascal_case(attribute)
    return name[:1].lower() + name[1:]


def decode(
    shape: type[Shape], data: object, *, path: str = "", unit: TimeUnit = TimeUnit.SECONDS
) -> Shape:
    """Return ``data`` as a ``shape``.

    Raises:
        WireError: ``data`` is no object, lacks a required member, or a member is of the wrong type
        or out of bounds.
    """
    # Most are dicts: to find out about others takes as long as to read a member.
    if type(data) is not dict and not isinstance(data, Mapping):
        raise WireError(path or shape.__name__, "must be an object", data)
    values = typing.cast("Mapping[str, Any]", data)
    prefix = f"{path}." if path else ""
    arguments: dict[str, Any] = {}
    by_wire, required = _plans.get(shape) or _plan(shape)
    for wire, value in values.items():
        if value is not None and wire in by_wire:
            attribute, convert = by_wire[wire]
            arguments[attribute] = convert(value, prefix + wire, unit)
    if not arguments.keys() >= required.keys():
        missing = next(wire for name, wire in required.items() if name not in arguments)
        raise WireError(prefix + missing, "is required")
    return shape(**arguments)


def encode(value: object, *, unit: TimeUnit = TimeUnit.SECONDS) -> dict[str, Any]:
    """Return the shape ``value`` as a plain dict; members that are None are left out."""
    write = _writers.get(type(value)) or _make_writer(type(value))
    return write(value, unit)


_writers: dict[type, Callable[[Any, TimeUnit], dict[str, Any]]] = {}


def _make_writer(shape: type) -> Callable[[Any, TimeUnit], dict[str, Any]]:
    """Return a function that writes a shape, made of a line for each member: to go through the
    members each time takes twice as long.
    """
    scope: dict[str, Any] = {}
    lines = ["def write(value, unit):", " out = {}"]
    for member in members(shape):
        name = member.attribute
        written = "item"
        if member.encode is not None:
            scope[f"encode_{name}"] = member.encode
            written = f"encode_{name}(item, unit)"
        lines += (
            f" item = value.{name}",
            f" if item is not None: out[{member.wire!r}] = {written}",
        )
    # Nobody else's words are in it, no more than in what ``dataclasses`` makes so.
    exec("\n".join((*lines, " return out")), scope)
    write = _writers[shape] = scope["write"]
    return write


class _Plan(typing.NamedTuple):
    """A shape's members as whoever reads one looks for them."""

    by_wire: dict[str, tuple[str, Callable[[Any, str, TimeUnit], Any]]]
    required: dict[str, str]  #: to their wire names


_plans: dict[type, _Plan] = {}


def _plan(shape: type) -> _Plan:
    found = members(shape)
    plan = _plans[shape] = _Plan(
        {member.wire: (member.attribute, member.decode) for member in found},
        {member.attribute: member.wire for member in found if member.is_required},
    )
    return plan


_members: dict[type, tuple[Member, ...]] = {}


def members(shape: type) -> tuple[Member, ...]:
    """Return the members of ``shape``, computed once."""
    found = _members.get(shape)
    if found is None:
        hints = typing.get_type_hints(shape, include_extras=True)
        case: Callable[[str], str] = getattr(shape, "wire_case", pascal_case)
        found = _members[shape] = tuple(
            _member(field, hints[field.name], case) for field in dataclasses.fields(shape)
        )
    return found


def _member(field: "dataclasses.Field[Any]", hint: Any, case: Callable[[str], str]) -> Member:
    is_optional, hint = _without_none(hint)
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    constraint, bare = _split(hint)
    return Member(
        attribute=field.name,
        wire=field.metadata.get("wire", case(field.name)),
        location=field.metadata.get("location", Location.BODY),
        is_required=required and not is_optional,
        decode=_decoder(hint),
        encode=_encoder(hint),
        type=bare,
        constraint=constraint,
    )


def _without_none(hint: Any) -> tuple[bool, Any]:
    if typing.get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not types.NoneType]
        return len(rest) < len(typing.get_args(hint)), rest[0]
    return False, hint


def _split(hint: Any) -> tuple[Constraint | None, Any]:
    if typing.get_origin(hint) is Annotated:
        base, *extras = typing.get_args(hint)
        return next((e for e in extras if isinstance(e, Text | Number | Items)), None), base
    return None, hint


def _decoder(hint: Any) -> Callable[[Any, str, TimeUnit], Any]:
    constraint, hint = _split(hint)
    plain = _plain_decoder(hint)
    if constraint is None:
        return plain
    if isinstance(constraint, Text) and hint is str:
        return _text_decoder(constraint)

    def checked(value: Any, path: str, unit: TimeUnit) -> Any:
        result = plain(value, path, unit)
        problem = constraint.problem(result)
        if problem is not None:
            raise WireError(path, problem, value)
        return result

    return checked


def _text_decoder(constraint: Text) -> Callable[[Any, str, TimeUnit], Any]:
    """Return a decoder that spends one call on a string that is as it must be: most are."""
    least, most = constraint.min, sys.maxsize if constraint.max is None else constraint.max
    match: Callable[[str], object] | None = None

    def decode_text(value: Any, path: str, unit: TimeUnit) -> Any:
        nonlocal match
        if match is None and constraint.pattern:
            match = constraint.match
        if type(value) is str and least <= len(value) <= most and (match is None or match(value)):
            return value
        text = decode_str(value, path, unit)
        problem = constraint.problem(text)
        if problem is not None:
            raise WireError(path, problem, value)
        return text

    return decode_text


def _plain_decoder(hint: Any) -> Callable[[Any, str, TimeUnit], Any]:
    origin = typing.get_origin(hint)
    if origin is tuple:
        return _list_decoder(typing.get_args(hint)[0])
    if origin is dict:
        return _map_decoder(*typing.get_args(hint))
    if hint is Instant:
        return decode_instant
    if dataclasses.is_dataclass(hint):
        return _shape_decoder(typing.cast("type[Any]", hint))
    if issubclass(hint, enum.Enum):
        return _enum_decoder(hint)
    return SCALARS[hint]


def _shape_decoder(shape: type[Any]) -> Callable[[Any, str, TimeUnit], Any]:
    return lambda value, path, unit: decode(shape, value, path=path, unit=unit)


def _list_decoder(item: Any) -> Callable[[Any, str, TimeUnit], Any]:
    convert = _decoder(item)

    def decode_list(value: Any, path: str, unit: TimeUnit) -> Any:
        if not isinstance(value, list):
            raise WireError(path, "must be a list", value)
        items = typing.cast("list[Any]", value)
        return tuple(convert(entry, f"{path}[{i}]", unit) for i, entry in enumerate(items))

    return decode_list


def _map_decoder(key: Any, item: Any) -> Callable[[Any, str, TimeUnit], Any]:
    convert_key, convert = _decoder(key), _decoder(item)

    def decode_map(value: Any, path: str, unit: TimeUnit) -> Any:
        if not isinstance(value, dict):
            raise WireError(path, "must be an object", value)
        entries = typing.cast("dict[Any, Any]", value)
        return {
            convert_key(k, f"{path} key", unit): convert(v, f"{path}.{k}", unit)
            for k, v in entries.items()
        }

    return decode_map


def _enum_decoder(kind: type[enum.Enum]) -> Callable[[Any, str, TimeUnit], Any]:
    by_value: dict[object, enum.Enum] = {item.value: item for item in kind}
    allowed = ", ".join(str(item.value) for item in kind)

    def decode_enum(value: Any, path: str, _: TimeUnit) -> Any:
        found = by_value.get(value) if isinstance(value, (str, int)) else None
        if found is None:
            raise WireError(path, f"must be one of {allowed}", value)
        return found

    return decode_enum


def _encoder(hint: Any) -> Callable[[Any, TimeUnit], Any] | None:
    _, hint = _split(hint)
    origin = typing.get_origin(hint)
    if origin is tuple:
        item = _encoder(typing.get_args(hint)[0])
        if item is None:
            return lambda value, _: list(value)
        return lambda value, unit: [item(entry, unit) for entry in value]
    if origin is dict:
        entry_encoder = _encoder(typing.get_args(hint)[1])
        if entry_encoder is None:
            return None
        return lambda value, unit: {k: entry_encoder(v, unit) for k, v in value.items()}
    if hint is Instant:
        return lambda value, unit: value if unit is TimeUnit.MILLISECONDS else value / 1000
    if hint is bytes:
        return lambda value, _: base64.b64encode(value).decode("ascii")
    if dataclasses.is_dataclass(hint):
        return lambda value, unit: encode(value, unit=unit)
    return None  # str, numbers, bool, and StrEnum, which is a str
