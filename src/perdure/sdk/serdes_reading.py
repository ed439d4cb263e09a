"""Envelopes to values: what ``serdes_writing`` writes, and what AWS's SDK writes.

What is no envelope is taken as it is, as AWS's SDK does. The only classes that a payload can name
are those of ``_MADE_OF_TEXT``, enums, and classes with fields that we know of; the name of anything
else is an error, and nothing of it is called.
"""

import binascii
import enum
import importlib
from collections.abc import Callable
from types import NoneType
from typing import Any, Final

from perdure.sdk.batches import BatchResult
from perdure.sdk.exceptions import SerDesError
from perdure.sdk.serdes_classes import find_class
from perdure.sdk.serdes_instances import kind_of
from perdure.sdk.serdes_tags import TypeTag

__all__ = ["read", "read_tagged"]

_PLAIN: Final[dict[str, type]] = {"s": str, "i": int, "f": float, "b": bool, "n": NoneType}


def read(tree: Any) -> Any:
    """Return the value in an envelope, which JSON has made a dict.

    Raises:
        SerDesError: an envelope in it is not as it should be.
    """
    try:
        tag = tree["t"]
        value = tree["v"]
    except (KeyError, TypeError):
        return tree
    if _PLAIN.get(tag) is type(value):
        return value
    return read_tagged(tag, value)


def read_tagged(tag: str, value: Any) -> Any:
    """Return the value that an envelope with ``tag`` holds.

    Raises:
        SerDesError: the tag is unknown, or holds something else.
    """
    reader = _READERS.get(tag)
    if reader is None:
        raise SerDesError(f"unknown type tag: {tag!r}")
    return reader(value)


def _list(value: Any, tag: TypeTag) -> list[Any]:
    if type(value) is not list:
        raise SerDesError(f"tag {tag.value!r} holds a {type(value).__name__}, not a list")
    return value  # pyright: ignore[reportUnknownVariableType]  what JSON gives


def _dict(value: Any, tag: TypeTag) -> dict[str, Any]:
    if type(value) is not dict:
        raise SerDesError(f"tag {tag.value!r} holds a {type(value).__name__}, not an object")
    return value  # pyright: ignore[reportUnknownVariableType]  what JSON gives


def _read_none(_value: Any) -> None:
    return None


def _read_list(value: Any) -> list[Any]:
    return [read(item) for item in _list(value, TypeTag.LIST)]


def _read_tuple(value: Any) -> tuple[Any, ...]:
    return tuple([read(item) for item in _list(value, TypeTag.TUPLE)])


def _read_dict(value: Any) -> dict[str, Any]:
    return {key: read(item) for key, item in _dict(value, TypeTag.DICT).items()}


def _read_batch(value: Any) -> Any:
    return BatchResult[Any].from_dict(_read_dict(value))


def _read_bytes(value: Any) -> bytes:
    return binascii.a2b_base64(value.encode())


def _read_uuid(value: Any) -> Any:
    import uuid

    return uuid.UUID(value)


def _read_decimal(value: Any) -> Any:
    import decimal

    return decimal.Decimal(value)


def _read_datetime(value: Any) -> Any:
    import datetime

    return datetime.datetime.fromisoformat(value)


def _read_date(value: Any) -> Any:
    import datetime

    return datetime.date.fromisoformat(value)


def _read_time(value: Any) -> Any:
    import datetime

    return datetime.time.fromisoformat(value)


def _read_timedelta(value: Any) -> Any:
    import datetime

    days, seconds, microseconds = _list(value, TypeTag.TIMEDELTA)
    return datetime.timedelta(days, seconds, microseconds)


def _read_set(value: Any) -> set[Any]:
    return {read(item) for item in _list(value, TypeTag.SET)}


def _read_frozenset(value: Any) -> frozenset[Any]:
    return frozenset([read(item) for item in _list(value, TypeTag.FROZENSET)])


def _read_map(value: Any) -> dict[Any, Any]:
    return {read(key): read(item) for key, item in _list(value, TypeTag.MAP)}


def _read_text(value: Any) -> Any:
    record = _dict(value, TypeTag.TEXT)
    name = record["class"]
    if name not in _MADE_OF_TEXT:
        raise SerDesError(f"{name!r} is not a class that is made of text")
    module_name, _colon, class_name = name.partition(":")
    return getattr(importlib.import_module(module_name), class_name)(record["text"])


def _read_enum(value: Any) -> Any:
    record = _dict(value, TypeTag.ENUM)
    cls = find_class(record["class"])
    if not issubclass(cls, enum.Enum):
        raise SerDesError(f"{record['class']} is not an enum")
    name, of_value = record["name"], record.get("value")
    if name in cls.__members__:
        return cls.__members__[name]
    if issubclass(cls, enum.Flag) and isinstance(of_value, int):
        return cls(of_value)
    for member in cls:
        if "value" in record and member.value == of_value:
            return member
    raise SerDesError(
        f"{record['class']} has no member {name}: it has {', '.join(cls.__members__)}"
    )


def _read_instance(value: Any) -> Any:
    record = _dict(value, TypeTag.INSTANCE)
    name = record["class"]
    cls = find_class(name)
    kind = kind_of(cls)
    if kind is None:
        raise SerDesError(
            f"{name} is none of what a payload may name:"
            " a dataclass, a named tuple, an attrs class, a Struct or a pydantic model"
        )
    if "json" not in record:
        return kind.make(cls, {section: _section(of) for section, of in record.items()})
    if kind.load is None:
        raise SerDesError(f"{name} was recorded as a pydantic model, and is none")
    return kind.load(cls, record["json"])


def _section(content: Any) -> Any:
    return _read_dict(content) if type(content) is dict else content


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    TypeTag.NONE: _read_none,
    TypeTag.STR: str,
    TypeTag.INT: int,
    TypeTag.FLOAT: float,
    TypeTag.BOOL: bool,
    TypeTag.BYTES: _read_bytes,
    TypeTag.UUID: _read_uuid,
    TypeTag.DECIMAL: _read_decimal,
    TypeTag.DATETIME: _read_datetime,
    TypeTag.DATE: _read_date,
    TypeTag.LIST: _read_list,
    TypeTag.TUPLE: _read_tuple,
    TypeTag.DICT: _read_dict,
    TypeTag.BATCH_RESULT: _read_batch,
    TypeTag.SET: _read_set,
    TypeTag.FROZENSET: _read_frozenset,
    TypeTag.MAP: _read_map,
    TypeTag.TIMEDELTA: _read_timedelta,
    TypeTag.TIME: _read_time,
    TypeTag.TEXT: _read_text,
    TypeTag.ENUM: _read_enum,
    TypeTag.INSTANCE: _read_instance,
}
_MADE_OF_TEXT: Final = frozenset(
    {
        "builtins:complex",
        "pathlib:Path",
        "pathlib:PurePosixPath",
        "pathlib:PureWindowsPath",
        "fractions:Fraction",
        "zoneinfo:ZoneInfo",
        "ipaddress:IPv4Address",
        "ipaddress:IPv4Interface",
        "ipaddress:IPv4Network",
        "ipaddress:IPv6Address",
        "ipaddress:IPv6Interface",
        "ipaddress:IPv6Network",
    }
)
