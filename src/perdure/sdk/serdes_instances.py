"""Values of classes with fields, taken apart and put together again.

Named tuples, dataclasses, attrs classes, msgspec Structs and pydantic models are known by their
marks, and their libraries are never imported: whoever has such a value has imported its library.

What is recorded of a value is its fields by name. A value is put together without running its
class's code: the fields are set as they were. Only where that would leave something open is the
constructor called, and the recorded fields are then set over what it made of them:

- the class has a hook after its ``__init__`` (``__post_init__``, ``__attrs_post_init__``), which
  may make more than fields;
- the class has fields that were not recorded, and the constructor knows their defaults;
- it is a Struct, which has no other way.

Recorded fields that the class no longer has are left out.
"""

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from perdure.sdk import serdes_pydantic as pydantic
from perdure.sdk.serdes_classes import required_fields_error

__all__ = ["NAMED_TUPLE", "Kind", "fields_of", "kind_of"]

Sections = dict[str, Any]

_ABSENT: Final = object()
_ATTRS_HASH: Final = "_attrs_cached_hash"


class Kind(NamedTuple):
    """How values of one kind of class are taken apart and put together."""

    #: A value's record, in sections; ``fields`` is always one of them.
    take: Callable[[Any], Sections]
    #: The value of a class whose record this is.
    make: Callable[[Any, Sections], Any]
    #: The class by which a value's class is recorded.
    recorded_class: Callable[[type], type] = lambda cls: cls
    #: A value as its library's JSON, and back: for fields that we do not know.
    dump: Callable[[Any], object] | None = None
    load: Callable[[Any, object], Any] | None = None


@functools.lru_cache(maxsize=1024)
def kind_of(cls: type) -> Kind | None:
    """Return what kind of class ``cls`` is, or None if it has no fields that we know of."""
    return next((kind for is_one, kind in _KINDS if is_one(cls)), None)


def fields_of(value: object) -> dict[str, Any] | None:
    """Return the fields of ``value`` by name; None if it has none that we know of."""
    kind = kind_of(type(value))
    return None if kind is None else kind.take(value)["fields"]


class _Shape(NamedTuple):
    """The fields of a class, and what its constructor takes."""

    #: Field to parameter; None: the constructor does not take it.
    parameters: dict[str, str | None]
    #: The constructor does more than set fields.
    has_hook: bool
    #: The parameters without a default.
    required: tuple[str, ...]


def _shape(cls: type, parameters: dict[str, str | None], *hooks: str) -> _Shape:
    taken = inspect.signature(cls).parameters
    return _Shape(
        parameters={
            field: parameter if parameter in taken else None
            for field, parameter in parameters.items()
        },
        has_hook=any(hasattr(cls, hook) for hook in hooks),
        required=tuple(
            name
            for name, parameter in taken.items()
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ),
    )


@functools.lru_cache(maxsize=512)
def _dataclass_shape(cls: Any) -> _Shape:
    parameters = {
        field.name: field.name if field.init else None for field in dataclasses.fields(cls)
    }
    return _shape(cls, parameters, "__post_init__")


@functools.lru_cache(maxsize=512)
def _attrs_shape(cls: Any) -> _Shape:
    parameters = {field.name: _attrs_parameter(field) for field in cls.__attrs_attrs__}
    return _shape(cls, parameters, "__attrs_pre_init__", "__attrs_post_init__")


def _attrs_parameter(field: Any) -> str | None:
    if not field.init:
        return None
    return getattr(field, "alias", None) or field.name.lstrip("_")  # aliases came with 22.2


@functools.lru_cache(maxsize=512)
def _struct_shape(cls: Any) -> _Shape:
    return _shape(cls, {name: name for name in cls.__struct_fields__}, "__post_init__")


def _take(value: object, shape: _Shape, absent: object = _ABSENT) -> Sections:
    """Return the fields of ``value`` but those that were never set."""
    held = {name: getattr(value, name, absent) for name in shape.parameters}
    return {"fields": {name: held[name] for name in held if held[name] is not absent}}


def _known(shape: _Shape, sections: Sections) -> dict[str, Any]:
    """Return the recorded fields that the class still has."""
    recorded = sections["fields"]
    return {name: recorded[name] for name in shape.parameters if name in recorded}


def _construct(cls: Any, shape: _Shape, known: dict[str, Any]) -> Any:
    """Return what the constructor makes of the known fields.

    Raises:
        SerDesError: it requires more.
    """
    missing = _missing(shape, known)
    if missing:
        raise required_fields_error(cls, missing)
    parameters = ((shape.parameters[name], value) for name, value in known.items())
    return cls(**{parameter: value for parameter, value in parameters if parameter is not None})


def _missing(shape: _Shape, known: dict[str, Any]) -> list[str]:
    given = {shape.parameters[name] for name in known}
    return [parameter for parameter in shape.required if parameter not in given]


def _make(cls: Any, shape: _Shape, sections: Sections) -> Any:
    known = _known(shape, sections)
    is_whole = len(known) == len(shape.parameters)
    if is_whole and (not shape.has_hook or _missing(shape, known)):
        made = cls.__new__(cls)
    else:
        made = _construct(cls, shape, known)
    for name, value in known.items():
        object.__setattr__(made, name, value)  # Frozen ones, too.
    return made


def _take_dataclass(value: object) -> Sections:
    return _take(value, _dataclass_shape(type(value)))


def _make_dataclass(cls: type, sections: Sections) -> Any:
    return _make(cls, _dataclass_shape(cls), sections)


def _take_attrs(value: object) -> Sections:
    return _take(value, _attrs_shape(type(value)))


def _make_attrs(cls: type, sections: Sections) -> Any:
    made = _make(cls, _attrs_shape(cls), sections)
    if _ATTRS_HASH in getattr(getattr(cls.__hash__, "__code__", None), "co_names", ()):
        object.__setattr__(made, _ATTRS_HASH, None)  # It keeps its hash once it has made it.
    return made


def _take_struct(value: object) -> Sections:
    return _take(value, _struct_shape(type(value)), sys.modules["msgspec"].UNSET)


def _make_struct(cls: Any, sections: Sections) -> Any:
    shape = _struct_shape(cls)
    known = _known(shape, sections)
    made = _construct(cls, shape, known)
    if shape.has_hook:
        for name, value in known.items():
            sys.modules["msgspec"].structs.force_setattr(made, name, value)
    return made


def _take_named_tuple(value: Any) -> Sections:
    return {"fields": dict(zip(value._fields, value, strict=True))}


def _make_named_tuple(cls: Any, sections: Sections) -> Any:
    recorded = {**cls._field_defaults, **sections["fields"]}
    missing = [name for name in cls._fields if name not in recorded]
    if missing:
        raise required_fields_error(cls, missing)
    values: list[Any] = [recorded[name] for name in cls._fields]
    return tuple.__new__(cls, values)  # pyright: ignore[reportUnknownMemberType]  of anything


def _is_named_tuple(cls: type) -> bool:
    return hasattr(cls, "_field_defaults") and issubclass(cls, tuple)


def _is_dataclass(cls: type) -> bool:
    return hasattr(cls, "__dataclass_fields__")


def _is_struct(cls: type) -> bool:
    return "msgspec" in sys.modules and hasattr(cls, "__struct_fields__")


def _is_attrs(cls: type) -> bool:
    return "attr" in sys.modules and hasattr(cls, "__attrs_attrs__")


NAMED_TUPLE: Final = Kind(_take_named_tuple, _make_named_tuple)
#: Tried in this order. A model may be an attrs class or a dataclass beneath, but not the reverse.
_KINDS: Final[tuple[tuple[Callable[[type], bool], Kind], ...]] = (
    (_is_named_tuple, NAMED_TUPLE),
    (
        pydantic.is_model,
        Kind(
            pydantic.take_model,
            pydantic.make_model,
            pydantic.recorded_class,
            pydantic.dump_model,
            pydantic.load_model,
        ),
    ),
    (
        pydantic.is_model_v1,
        Kind(
            pydantic.take_model_v1,
            pydantic.make_model_v1,
            dump=pydantic.dump_model_v1,
            load=pydantic.load_model_v1,
        ),
    ),
    (_is_struct, Kind(_take_struct, _make_struct)),
    (_is_attrs, Kind(_take_attrs, _make_attrs)),
    (_is_dataclass, Kind(_take_dataclass, _make_dataclass)),
)
