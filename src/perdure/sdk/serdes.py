"""Serdes: how values become payloads and payloads become values again.

The default is ``EXTENDED_TYPES_SERDES``. None, text, numbers and lists of such are plain JSON; all
else is in envelopes with type tags (``serdes_tags``), so that it comes back as what it was. What
AWS's SDK can write is written as it does, to the byte, and each reads what the other wrote.

A serdes that raises ``SerDesError`` has failed for good, one that raises ``RetryableSerDesError``
for now; anything else that it raises counts as for good.
"""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from perdure.sdk.exceptions import RetryableSerDesError, SerDesError
from perdure.sdk.json_text import read_json
from perdure.sdk.serdes_reading import read_tagged
from perdure.sdk.serdes_tags import TYPE_TOKEN, VALUE_TOKEN, TypeTag
from perdure.sdk.serdes_writing import dumps, is_plain, write

__all__ = [
    "DEFAULT_JSON_SERDES",
    "EXTENDED_TYPES_SERDES",
    "PASS_THROUGH_SERDES",
    "TYPE_TOKEN",
    "VALUE_TOKEN",
    "ExtendedTypeSerDes",
    "JsonSerDes",
    "PassThroughSerDes",
    "SerDes",
    "SerDesContext",
    "TypeTag",
    "deserialize",
    "serialize",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SerDesContext:
    """Whose value it is. Both are empty where there is no operation."""

    operation_id: str = ""
    durable_execution_arn: str = ""


class SerDes(ABC, Generic[T]):
    """Writes values as payloads and reads them. Subclass it for a form of your own.

    Both methods may be called from several threads at once, and ``deserialize`` may run in another
    process than ``serialize`` did.
    """

    @abstractmethod
    def serialize(self, value: T, serdes_context: SerDesContext) -> str:
        """Return the payload that holds ``value``."""

    @abstractmethod
    def deserialize(self, data: str, serdes_context: SerDesContext) -> T:
        """Return the value that the payload ``data`` holds."""

    @staticmethod
    def is_primitive(obj: Any) -> bool:
        """Tell whether ``obj`` is None, text, a number, or a list of such, however deep."""
        if obj is None or isinstance(obj, str | int | float):
            return True
        return isinstance(obj, list) and all(SerDes.is_primitive(item) for item in obj)  # pyright: ignore[reportUnknownVariableType]  a list of anything


class PassThroughSerDes(SerDes[T]):
    """Takes values for payloads and payloads for values: both are text."""

    def serialize(self, value: T, _: SerDesContext) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]  AWS's name
        """Return ``value``."""
        return value  # pyright: ignore[reportReturnType]  who uses it has text

    def deserialize(self, data: str, _: SerDesContext) -> T:  # pyright: ignore[reportIncompatibleMethodOverride]  AWS's name
        """Return ``data``."""
        return data  # pyright: ignore[reportReturnType]  who uses it has text


class JsonSerDes(SerDes[T]):
    """Plain JSON: what it does not know is an error, and a tuple comes back as a list."""

    def serialize(self, value: T, _: SerDesContext) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]  AWS's name
        """Return ``value`` as JSON."""
        return json.dumps(value)

    def deserialize(self, data: str, _: SerDesContext) -> T:  # pyright: ignore[reportIncompatibleMethodOverride]  AWS's name
        """Return what the JSON ``data`` holds."""
        return json.loads(data)


class ExtendedTypeSerDes(SerDes[T]):
    """JSON with type tags: most values come back as what they were.

    See docs/guide/serialization.md for which.
    """

    def serialize(  # pyright: ignore[reportIncompatibleMethodOverride]  AWS's name
        self, value: Any, context: SerDesContext | None = None
    ) -> str:
        """Return the payload that holds ``value``.

        Raises:
            SerDesError: some value in it is of a class that we cannot write, or could not find
                again.
        """
        return dumps(value) if is_plain(value) else write(value)

    def deserialize(  # pyright: ignore[reportIncompatibleMethodOverride]  AWS's name
        self, data: str, context: SerDesContext | None = None
    ) -> Any:
        """Return the value that the payload ``data`` holds.

        Raises:
            SerDesError: it has an unknown tag, or names a class that is not there or may not be
                made, or that requires what was not recorded.
        """
        tree = read_json(data)
        try:
            tag, held = tree[TYPE_TOKEN], tree[VALUE_TOKEN]
        except (KeyError, TypeError):
            if is_plain(tree):
                return tree
            raise SerDesError(
                f'malformed envelope: no "{TYPE_TOKEN}" or no "{VALUE_TOKEN}" at its root'
            ) from None
        return read_tagged(str(tag), held)


DEFAULT_JSON_SERDES: Final[SerDes[Any]] = JsonSerDes()
_EXTENDED: Final[ExtendedTypeSerDes[Any]] = ExtendedTypeSerDes()
EXTENDED_TYPES_SERDES: Final[SerDes[Any]] = _EXTENDED
PASS_THROUGH_SERDES: Final[SerDes[Any]] = PassThroughSerDes()


def serialize(
    serdes: SerDes[T] | None, value: T, operation_id: str, durable_execution_arn: str
) -> str:
    """Return the payload that ``serdes`` makes of ``value``; None: the default.

    Raises:
        RetryableSerDesError: as ``serdes`` raised it.
        SerDesError: as ``serdes`` raised it, or from whatever else it raised.
    """
    try:
        if serdes is None:
            return _EXTENDED.serialize(value)
        return serdes.serialize(value, SerDesContext(operation_id, durable_execution_arn))
    except (RetryableSerDesError, SerDesError):
        raise
    except Exception as error:
        raise SerDesError(f"serialization failed for id {operation_id}: {error}") from error


def deserialize(
    serdes: SerDes[T] | None, data: str, operation_id: str, durable_execution_arn: str
) -> T:
    """Return the value that ``serdes`` reads from ``data``; None: the default.

    Raises:
        RetryableSerDesError: as ``serdes`` raised it.
        SerDesError: as ``serdes`` raised it, or from whatever else it raised.
    """
    try:
        if serdes is None:
            return _EXTENDED.deserialize(data)
        return serdes.deserialize(data, SerDesContext(operation_id, durable_execution_arn))
    except (RetryableSerDesError, SerDesError):
        raise
    except Exception as error:
        raise SerDesError(f"deserialization failed for id {operation_id}: {error}") from error
