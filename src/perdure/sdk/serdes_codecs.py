"""AWS's codecs: one envelope at a time, as an object instead of text.

Nothing of ours goes through them. They are there for who used AWS's, and say what
``serdes_writing`` and ``serdes_reading`` say.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast

from perdure.sdk.batches import BatchResult
from perdure.sdk.exceptions import DurableExecutionsError, SerDesError
from perdure.sdk.serdes_reading import read_tagged
from perdure.sdk.serdes_tags import TYPE_TOKEN, VALUE_TOKEN, TypeTag
from perdure.sdk.serdes_writing import write

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "TYPE_CODEC",
    "BytesCodec",
    "Codec",
    "ContainerCodec",
    "DateTimeCodec",
    "DecimalCodec",
    "EncodedValue",
    "PrimitiveCodec",
    "TypeCodec",
    "UuidCodec",
]


@dataclass(frozen=True, slots=True)
class EncodedValue:
    """An envelope; the values in that of a container are envelopes, too."""

    tag: TypeTag
    value: Any


class Codec(Protocol):
    """Makes envelopes of values, and values of what envelopes hold."""

    def encode(self, obj: Any) -> EncodedValue:
        """Return the envelope of ``obj``."""
        ...

    def decode(self, tag: TypeTag, value: Any) -> Any:
        """Return the value in an envelope with this tag."""
        ...


class _LeafCodec:
    """Envelopes with some of the tags."""

    tags: ClassVar[frozenset[TypeTag]]

    def encode(self, obj: Any) -> EncodedValue:
        """Return the envelope of ``obj``.

        Raises:
            SerDesError: it would have a tag that is not of this codec.
        """
        tree = json.loads(write(obj))
        tag = TypeTag(tree[TYPE_TOKEN])
        self._check(tag)
        return EncodedValue(tag, tree[VALUE_TOKEN])

    def decode(self, tag: TypeTag, value: Any) -> Any:
        """Return the value in an envelope with this tag.

        Raises:
            SerDesError: the tag is not of this codec.
        """
        self._check(tag)
        return read_tagged(tag, value)

    def _check(self, tag: TypeTag) -> None:
        if tag not in self.tags:
            known = ", ".join(sorted(repr(known.value) for known in self.tags))
            raise SerDesError(f"tag {str(tag)!r} is none of {type(self).__name__}'s: {known}")


class PrimitiveCodec(_LeafCodec):
    """None, text, numbers."""

    tags = frozenset({TypeTag.NONE, TypeTag.STR, TypeTag.BOOL, TypeTag.INT, TypeTag.FLOAT})


class BytesCodec(_LeafCodec):
    """Bytes, bytearrays and memoryviews, all of which come back as bytes."""

    tags = frozenset({TypeTag.BYTES})


class UuidCodec(_LeafCodec):
    """UUIDs."""

    tags = frozenset({TypeTag.UUID})


class DecimalCodec(_LeafCodec):
    """Decimals."""

    tags = frozenset({TypeTag.DECIMAL})


class DateTimeCodec(_LeafCodec):
    """Datetimes and dates."""

    tags = frozenset({TypeTag.DATETIME, TypeTag.DATE})


class _PythonCodec(_LeafCodec):
    """What AWS's SDK does not know."""

    tags = frozenset(tag for tag in TypeTag if tag.startswith("py:"))


class ContainerCodec(Codec):
    """Lists, tuples, dicts and batch results. What is in them goes to a dispatcher."""

    tags: ClassVar[frozenset[TypeTag]] = frozenset(
        {TypeTag.LIST, TypeTag.TUPLE, TypeTag.DICT, TypeTag.BATCH_RESULT}
    )

    def __init__(self) -> None:
        """Have no dispatcher yet."""
        self._dispatcher: Codec | None = None

    def set_dispatcher(self, dispatcher: Codec) -> None:
        """Give what is in a container to ``dispatcher``."""
        self._dispatcher = dispatcher

    @property
    def dispatcher(self) -> Codec:
        """What takes the values in a container.

        Raises:
            DurableExecutionsError: none was set.
        """
        if self._dispatcher is None:
            raise DurableExecutionsError("this ContainerCodec has no dispatcher: set one")
        return self._dispatcher

    def encode(self, obj: Any) -> EncodedValue:
        """Return the envelope of ``obj``, with envelopes in it.

        Raises:
            SerDesError: it is no container, or has a tuple for a key.
        """
        if isinstance(obj, BatchResult):
            return EncodedValue(TypeTag.BATCH_RESULT, self.encode(obj.to_dict()).value)
        if isinstance(obj, list | tuple):
            tag = TypeTag.LIST if isinstance(obj, list) else TypeTag.TUPLE
            items = cast("Iterable[Any]", obj)
            return EncodedValue(tag, [self.dispatcher.encode(item) for item in items])
        if not isinstance(obj, dict):
            raise SerDesError(f"unsupported type of container: {type(obj)}")
        fields = cast("dict[Any, Any]", obj)
        if any(isinstance(key, tuple) for key in fields):
            raise SerDesError("an object of JSON has no tuples for keys")
        encode = self.dispatcher.encode
        return EncodedValue(TypeTag.DICT, {key: encode(item) for key, item in fields.items()})

    def decode(self, tag: TypeTag, value: Any) -> Any:
        """Return the value in an envelope with this tag.

        Raises:
            SerDesError: the tag is not that of a container, or holds something else.
        """
        if tag not in self.tags:
            raise SerDesError(f"tag {str(tag)!r} is not that of a container")
        if tag in (TypeTag.DICT, TypeTag.BATCH_RESULT):
            if not isinstance(value, dict):
                raise SerDesError(f"tag {str(tag)!r} holds a {type(value).__name__}, not an object")
            held = cast("dict[Any, Any]", value)
            fields = {key: self._decoded(item) for key, item in held.items()}
            return fields if tag is TypeTag.DICT else BatchResult[Any].from_dict(fields)
        if not isinstance(value, list):
            raise SerDesError(f"tag {str(tag)!r} holds a {type(value).__name__}, not a list")
        items = cast("list[Any]", value)
        decoded = [self._decoded(item) for item in items]
        return decoded if tag is TypeTag.LIST else tuple(decoded)

    def _decoded(self, item: Any) -> Any:
        """Return the value in ``item``; what is no envelope is a value."""
        if isinstance(item, EncodedValue):
            return self.dispatcher.decode(item.tag, item.value)
        try:
            tag, value = item[TYPE_TOKEN], item[VALUE_TOKEN]
        except (KeyError, TypeError):
            return item
        return self.dispatcher.decode(TypeTag(tag), value)


class TypeCodec(Codec):
    """Everything: gives each value to the codec that knows it."""

    def __init__(self) -> None:
        """Have one codec of each kind."""
        self.primitive_codec = PrimitiveCodec()
        self.bytes_codec = BytesCodec()
        self.uuid_codec = UuidCodec()
        self.decimal_codec = DecimalCodec()
        self.datetime_codec = DateTimeCodec()
        self.container_codec = ContainerCodec()
        self.container_codec.set_dispatcher(self)
        self._leaves = (
            self.primitive_codec,
            self.bytes_codec,
            self.uuid_codec,
            self.decimal_codec,
            self.datetime_codec,
            _PythonCodec(),
        )

    def encode(self, obj: Any) -> EncodedValue:
        """Return the envelope of ``obj``.

        Raises:
            SerDesError: some value in it is of a class that we cannot write, or could not find
                again.
        """
        tag = TypeTag(json.loads(write(obj))[TYPE_TOKEN])
        return self._codec(tag).encode(obj)

    def decode(self, tag: TypeTag, value: Any) -> Any:
        """Return the value in an envelope with this tag.

        Raises:
            SerDesError: the tag is unknown, or holds something else.
        """
        return self._codec(tag).decode(tag, value)

    def _codec(self, tag: TypeTag) -> Codec:
        leaves = (codec for codec in self._leaves if tag in codec.tags)
        return next(leaves, self.container_codec)


TYPE_CODEC: Final = TypeCodec()
