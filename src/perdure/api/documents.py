"""JSON bodies: as plain values, or, where they are just as they must be, at once as their shapes.

What reads a shape at once is msgspec: it fills a double of the shape, with the same members and
bounds under their wire names, and makes the shape of it. It says no to whatever is unusual, without
a word: the codec then reads it, and knows what is wrong, if anything is.
"""

import dataclasses
import enum
import functools
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, cast

import msgspec

from perdure.api.errors import ApiError
from perdure.protocol.constraints import Constraint, Number, Text
from perdure.protocol.wire import Instant, Location, Member, TimeUnit, members

__all__ = ["QuickReader", "read_document"]

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_KNOWN_LABELS_MAX: Final = 1_024
_SCALARS: Final = (str, int, bool)


def read_document(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is.

    Of a repeated key the last value counts, as with AWS.

    Raises:
        ApiError: it is none: malformed, too deep, not UTF-8, a number out of range, no object.
    """
    try:
        document = msgspec.json.decode(body)
    except _UNREADABLE as error:
        raise _no_document(f"Could not parse request body into json: {error}") from None
    if not isinstance(document, dict):
        raise _no_document("the request's body must be a JSON object")
    return cast("dict[str, Any]", document)


class QuickReader:
    """Reads one shape, whose members travel in the body and the path alone."""

    def __init__(self, shape: type[Any]) -> None:
        """Prepare to read bodies as ``shape``.

        Raises:
            TypeError: it has members that msgspec would not read as the codec does.
        """
        self._shape = shape
        #: An execution's checkpoints all have one label.
        self._labels = [
            (m.attribute, m.wire, functools.lru_cache(_KNOWN_LABELS_MAX)(_label_reader(m)))
            for m in members(shape)
            if m.location is not Location.BODY
        ]
        self._decoder = msgspec.json.Decoder(_double(shape))

    def read(self, body: bytes, labels: Mapping[str, str]) -> object | None:
        """Return the shape, or None if the codec has to look at it.

        Raises:
            WireError: a label is not what the shape says.
        """
        try:
            double = self._decoder.decode(body)
            for attribute, wire, read in self._labels:
                setattr(double, attribute, read(labels[wire]))
            return msgspec.convert(double, self._shape, from_attributes=True)
        except _UNREADABLE:
            return None


def _label_reader(member: Member) -> Callable[[str], Any]:
    return lambda text: member.decode(text, member.wire, TimeUnit.SECONDS)


def _double(shape: type[Any]) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        shape.__name__,
        [_field(member, shape) for member in members(shape)],
        rename={member.attribute: member.wire for member in members(shape)},
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
    )


def _field(member: Member, shape: type[Any]) -> Any:
    if member.location is Location.URI:
        return member.attribute, Any, None  # whatever the body says: the path's word counts
    if member.location is not Location.BODY:
        raise TypeError(f"{shape.__name__} does not travel in body and path alone")
    kind = _kind(member.type, member.constraint)
    if member.is_required:
        return member.attribute, kind
    return member.attribute, kind | None, None


def _kind(kind: Any, constraint: Constraint | None) -> Any:
    """Return the type that tells msgspec what the codec knows of a member."""
    if typing.get_origin(kind) is tuple:
        item, *extras = (typing.get_args(kind)[0],)
        if typing.get_origin(item) is Annotated:
            item, *extras = typing.get_args(item)
        kind = tuple[_kind(item, next(iter(extras), None)), ...]
    elif dataclasses.is_dataclass(kind):
        kind = _double(cast("type[Any]", kind))
    elif kind is Instant or not (kind in _SCALARS or issubclass(kind, enum.StrEnum)):
        raise TypeError(f"{kind} is read otherwise")
    return kind if constraint is None else Annotated[kind, _bounds(constraint)]


def _bounds(constraint: Constraint) -> msgspec.Meta:
    if isinstance(constraint, Number):
        return msgspec.Meta(ge=constraint.min, le=constraint.max)
    pattern = constraint.pattern if isinstance(constraint, Text) else None
    if pattern is not None:
        if r"\p" in pattern:
            raise TypeError(f"{pattern} names classes of Unicode, which are read otherwise")
        pattern = rf"\A(?a:{pattern})\Z"
    return msgspec.Meta(min_length=constraint.min, max_length=constraint.max, pattern=pattern)


def _no_document(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)
