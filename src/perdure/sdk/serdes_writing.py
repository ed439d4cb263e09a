"""Values to envelopes: text that AWS's SDK would write too, to the byte, where it can.

Text is put together directly, in one pass over the value; to build a tree of envelopes and have
``json`` write it takes twice as long. What AWS's SDK carries and brings back as something simpler
it gets in its own form, but enums and named tuples are kept, unless no other process would find
their class. A dict whose keys JSON would turn into text has AWS's form, so that a handler of AWS's
SDK sees what it saw; inside of what AWS's SDK refuses (a set, a dataclass), keys keep their types.

Classes that may not be loaded are known by their module: whoever has a Decimal has ``decimal``.
"""

import binascii
import enum
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from json.encoder import encode_basestring_ascii as quote
from types import NoneType
from typing import Any, Final, cast

from perdure.sdk.batches import BatchResult
from perdure.sdk.exceptions import SerDesError
from perdure.sdk.serdes_classes import name_of
from perdure.sdk.serdes_instances import NAMED_TUPLE, Kind, fields_of, kind_of
from perdure.sdk.serdes_tags import TypeTag

__all__ = ["dumps", "is_plain", "write"]

#: A value and whether its keys keep their types, to text.
Writer = Callable[[Any, bool], str]

#: ``type``, as pyright should see it in the inner loop.
_class_of = cast("Callable[[Any], Any]", type)

#: JSON as AWS's extended serdes writes it.
dumps: Final = json.JSONEncoder(separators=(",", ":")).encode

_PLAIN: Final = frozenset({NoneType, str, int, float, bool})
_JSON_KEYS: Final = (NoneType, str, int, float, bool)
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def is_plain(value: object) -> bool:
    """Tell whether ``value`` is written as it is: None, text, numbers and lists of such.

    AWS's rule, but for enums that are kept.
    """
    kind = type(value)
    if kind in _PLAIN:
        return True
    if isinstance(value, list):
        items = cast("list[object]", value)
        return _PLAIN.issuperset(map(type, items)) or all(map(is_plain, items))
    return isinstance(value, str | int | float) and not _is_kept_enum(kind)


def write(value: object) -> str:
    """Return the envelope of ``value`` as JSON.

    Raises:
        SerDesError: some value in it is of a class that we cannot write, or could not find again.
    """
    try:
        return _write(value, False)
    except _UnknownTypeError as error:
        place = _place_of(value)
        advice = (
            "it keeps a secret, which would be stored in clear: leave it out, or give the"
            " operation a serdes that encrypts"
            if error.is_secret
            else "give the operation a serdes that knows it"
        )
        raise SerDesError(f"{error}{place and f' at {place}'}; {advice}") from None


class _UnknownTypeError(Exception):
    """A value is of a class that we cannot write."""

    def __init__(self, cls: type) -> None:
        super().__init__(f"unsupported type: {cls}")
        #: It hides its value from whoever would write it.
        self.is_secret = hasattr(cls, "get_secret_value")


def _write(value: Any, keeps_keys: bool) -> str:
    kind = _class_of(value)
    if kind is str:
        return f'{{"t":"s","v":{quote(value)}}}'
    if kind is dict:
        return _write_dict(value, keeps_keys)
    if kind is int:
        return f'{{"t":"i","v":{value}}}'
    writer = _WRITERS.get(kind) or _writer_of(kind)
    return writer(value, keeps_keys)


def _place_of(value: object) -> str:
    """Return where in ``value`` that is which cannot be written, as in ``['orders'][2].client``."""
    for name, part in _parts(value):
        try:
            _write(part, False)
        except _UnknownTypeError:
            return name + _place_of(part)
    return ""


def _parts(value: Any) -> Iterable[tuple[str, object]]:
    fields = fields_of(value)
    if fields is not None:
        return [(f".{name}", part) for name, part in fields.items()]
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        return [(f"[{key!r}]", part) for key, part in pairs.items()]
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return [(f"[{index}]", part) for index, part in enumerate(items)]
    return []


def _write_dict(value: dict[Any, Any], keeps_keys: bool) -> str:
    parts: list[str] = []
    for key, item in value.items():
        if type(key) is not str:
            return _write_keys(value, keeps_keys)
        kind = _class_of(item)
        if kind is str:
            parts.append(f'{quote(key)}:{{"t":"s","v":{quote(item)}}}')
        elif kind is int:
            parts.append(f'{quote(key)}:{{"t":"i","v":{item}}}')
        else:
            parts.append(f"{quote(key)}:{_write(item, keeps_keys)}")
    return f'{{"t":"m","v":{{{",".join(parts)}}}}}'


def _write_keys(value: dict[Any, Any], keeps_keys: bool) -> str:
    """Write a dict with keys that are not text."""
    if not keeps_keys and all(isinstance(key, _JSON_KEYS) for key in value):
        pairs = (f"{_key(key)}:{_write(item, False)}" for key, item in value.items())
        return f'{{"t":"m","v":{{{",".join(pairs)}}}}}'
    pairs = (f"[{_write(key, True)},{_write(item, True)}]" for key, item in value.items())
    return _tagged(TypeTag.MAP, f"[{','.join(pairs)}]")


def _key(key: object) -> str:
    """Return ``key`` as ``json`` writes keys."""
    return dumps({key: 0})[1:-3]


def _tagged(tag: str, text: str) -> str:
    return f'{{"t":"{tag}","v":{text}}}'


def _subclass_writer(tag: TypeTag) -> Writer:
    return lambda value, _: _tagged(tag, dumps(value))


def _write_float(value: float, _: bool) -> str:
    text = float.__repr__(value)
    return f'{{"t":"f","v":{_NOT_FINITE.get(text, text)}}}'


def _write_bool(value: bool, _: bool) -> str:
    return '{"t":"b","v":true}' if value else '{"t":"b","v":false}'


def _write_none(_value: None, _: bool) -> str:
    return '{"t":"n","v":null}'


def _write_bytes(value: Any, _: bool) -> str:
    return _tagged(TypeTag.BYTES, f'"{binascii.b2a_base64(bytes(value), newline=False).decode()}"')


def _write_list(value: list[Any], keeps_keys: bool) -> str:
    return f'{{"t":"l","v":[{",".join([_write(item, keeps_keys) for item in value])}]}}'


def _write_tuple(value: tuple[Any, ...], keeps_keys: bool) -> str:
    return f'{{"t":"t","v":[{",".join([_write(item, keeps_keys) for item in value])}]}}'


def _members_writer(tag: TypeTag) -> Writer:
    """Sets have no order; in that of their text they are written alike by every process."""
    return lambda value, _: _tagged(
        tag, f"[{','.join(sorted(_write(item, True) for item in value))}]"
    )


def _write_batch(value: Any, keeps_keys: bool) -> str:
    fields = _write(value.to_dict(), keeps_keys).removeprefix('{"t":"m",')
    return f'{{"t":"br",{fields}'


def _write_timedelta(value: Any, _: bool) -> str:
    return _tagged(TypeTag.TIMEDELTA, f"[{value.days},{value.seconds},{value.microseconds}]")


def _text_writer(tag: TypeTag, text_of: Callable[[Any], str] = str) -> Writer:
    return lambda value, _: _tagged(tag, quote(text_of(value)))


def _iso_writer(tag: TypeTag) -> Writer:
    return _text_writer(tag, lambda value: value.isoformat())


def _named_writer(name: str) -> Writer:
    """Write a value of a class of the standard library that is made of its own text."""
    head = f'{{"t":"{TypeTag.TEXT}","v":{{"class":"{name}","text":'
    return lambda value, _: f"{head}{quote(str(value))}}}}}"


def _enum_writer(cls: type) -> Writer:
    """Both name and value are written: either may change as long as the other stays."""
    head = f'{{"t":"{TypeTag.ENUM}","v":{{"class":{quote(name_of(cls))},"name":'

    def writer(member: Any, _: bool) -> str:
        text = f"{head}{dumps(member.name)}"
        if type(member.value) in (str, int):
            text = f'{text},"value":{dumps(member.value)}'
        return f"{text}}}}}"

    return writer


def _instance_writer(cls: type, kind: Kind) -> Writer:
    name = quote(name_of(kind.recorded_class(cls)))
    head = f'{{"t":"{TypeTag.INSTANCE}","v":{{"class":{name}'

    def writer(value: object, _: bool) -> str:
        try:
            parts = [_section(*section) for section in kind.take(value).items()]
        except _UnknownTypeError as error:
            if kind.dump is None or error.is_secret:
                raise
            try:
                parts = [f'"json":{dumps(kind.dump(value))}']
            except (TypeError, ValueError):
                raise error from None  # Its library does not know it either.
        return f"{head},{','.join(parts)}}}}}"

    return writer


def _section(name: str, content: Any) -> str:
    if isinstance(content, list):
        return f'"{name}":{dumps(content)}'
    fields = (f"{quote(field)}:{_write(item, True)}" for field, item in content.items())
    return f'"{name}":{{{",".join(fields)}}}'


def _writer_of(cls: type) -> Writer:
    """Return what writes values of ``cls``; it is remembered.

    Raises:
        _UnknownTypeError: nothing does.
        SerDesError: ``cls`` could not be found again, and AWS's SDK does not carry its values.
    """
    builtin = next(
        (_WRITERS_OF_BASES[base] for base in cls.__mro__ if base in _WRITERS_OF_BASES), None
    )
    writer = _kept_writer(cls, builtin) or builtin or _library_writer(cls)
    if writer is None:
        kind = kind_of(cls)
        if kind is None:
            raise _UnknownTypeError(cls)
        writer = _instance_writer(cls, kind)
    _WRITERS[cls] = writer
    return writer


def _is_kept_enum(cls: type) -> bool:
    return issubclass(cls, enum.Enum) and _kept_writer(cls, _write_none) is not None


def _kept_writer(cls: type[Any], builtin: Writer | None) -> Writer | None:
    """Return what writes an enum or a named tuple.

    None: it is neither, or no other process would find it, and ``builtin`` can do without.
    """
    is_enum = issubclass(cls, enum.Enum)
    try:
        if is_enum:
            return _enum_writer(cls)
        return _instance_writer(cls, NAMED_TUPLE) if kind_of(cls) is NAMED_TUPLE else None
    except SerDesError:
        if builtin is None:
            raise
        return None


def _library_writer(cls: type) -> Writer | None:
    for module_name, name, writer in _LIBRARIES:
        if issubclass(cls, getattr(sys.modules.get(module_name), name, ())):
            return writer
    return None


#: The writers of builtin classes, and of their subclasses unless these are known better.
_WRITERS_OF_BASES: Final[dict[type, Writer]] = {
    str: _subclass_writer(TypeTag.STR),
    int: _subclass_writer(TypeTag.INT),
    float: _subclass_writer(TypeTag.FLOAT),
    bytes: _write_bytes,
    bytearray: _write_bytes,
    memoryview: _write_bytes,
    list: _write_list,
    tuple: _write_tuple,
    dict: _write_dict,
    set: _members_writer(TypeTag.SET),
    frozenset: _members_writer(TypeTag.FROZENSET),
    complex: _named_writer("builtins:complex"),
    BatchResult: _write_batch,
}
#: The writer of each class that was met.
_WRITERS: Final[dict[type, Writer]] = {
    float: _write_float,
    bool: _write_bool,
    NoneType: _write_none,
    list: _write_list,
    tuple: _write_tuple,
}
#: Module, class and writer. A datetime is a date, and a path a pure one.
_LIBRARIES: Final[tuple[tuple[str, str, Writer], ...]] = (
    ("uuid", "UUID", _text_writer(TypeTag.UUID)),
    ("decimal", "Decimal", _text_writer(TypeTag.DECIMAL)),
    ("datetime", "datetime", _iso_writer(TypeTag.DATETIME)),
    ("datetime", "date", _iso_writer(TypeTag.DATE)),
    ("datetime", "time", _iso_writer(TypeTag.TIME)),
    ("datetime", "timedelta", _write_timedelta),
    ("pathlib", "Path", _named_writer("pathlib:Path")),
    ("pathlib", "PurePosixPath", _named_writer("pathlib:PurePosixPath")),
    ("pathlib", "PureWindowsPath", _named_writer("pathlib:PureWindowsPath")),
    ("fractions", "Fraction", _named_writer("fractions:Fraction")),
    ("zoneinfo", "ZoneInfo", _named_writer("zoneinfo:ZoneInfo")),
    ("ipaddress", "IPv4Interface", _named_writer("ipaddress:IPv4Interface")),
    ("ipaddress", "IPv6Interface", _named_writer("ipaddress:IPv6Interface")),
    ("ipaddress", "IPv4Address", _named_writer("ipaddress:IPv4Address")),
    ("ipaddress", "IPv6Address", _named_writer("ipaddress:IPv6Address")),
    ("ipaddress", "IPv4Network", _named_writer("ipaddress:IPv4Network")),
    ("ipaddress", "IPv6Network", _named_writer("ipaddress:IPv6Network")),
)
