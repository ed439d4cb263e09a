"""Single values as they travel, and what is said of bad ones.

Instants are ``int`` epoch milliseconds inside; ``TimeUnit`` says what they are on the wire.
"""

import base64
import binascii
import enum
import reprlib
from collections.abc import Callable
from typing import Any, Final, NewType

__all__ = ["SCALARS", "Instant", "TimeUnit", "WireError", "decode_instant", "decode_str"]

#: An instant: epoch milliseconds, UTC.
Instant = NewType("Instant", int)
_INSTANT_MS_MAX: Final = 253_402_300_799_999  # the end of the year 9999
_SHOWN_CHARACTERS_MAX: Final = 80


class TimeUnit(enum.Enum):
    """How an instant is written."""

    SECONDS = 1000
    MILLISECONDS = 1


class WireError(ValueError):
    """A value on the wire is not what its shape says: the caller's fault."""

    def __init__(self, path: str, problem: str, value: object = None) -> None:
        """Say that the member at ``path`` has ``problem``; ``value`` is shown shortened."""
        shown = "" if value is None else f" (value: {_shown(value)})"
        super().__init__(f"{path} {problem}{shown}")
        self.path = path


def decode_str(value: Any, path: str, _: TimeUnit) -> str:
    """Return a string as it is."""
    if not isinstance(value, str):
        raise WireError(path, "must be a string", value)
    return value


def _decode_int(value: Any, path: str, _: TimeUnit) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WireError(path, "must be a whole number", value)
    return value


def _decode_float(value: Any, path: str, _: TimeUnit) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise WireError(path, "must be a number", value)
    return float(value)


def _decode_bool(value: Any, path: str, _: TimeUnit) -> bool:
    if not isinstance(value, bool):
        raise WireError(path, "must be true or false", value)
    return value


def _decode_blob(value: Any, path: str, _: TimeUnit) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise WireError(path, "must be base64", value) from None


def decode_instant(value: Any, path: str, unit: TimeUnit) -> Instant:
    """Return an instant, given in seconds or milliseconds."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise WireError(path, f"must be epoch {unit.name.lower()}", value)
    # Without ``unit.value``: that is a call of a property.
    at_ms = value if unit is TimeUnit.MILLISECONDS else value * 1000
    if not 0 <= at_ms <= _INSTANT_MS_MAX:
        raise WireError(path, "is out of range", value)
    return Instant(round(at_ms))


SCALARS: Final[dict[Any, Callable[[Any, str, TimeUnit], Any]]] = {
    str: decode_str,
    int: _decode_int,
    float: _decode_float,
    bool: _decode_bool,
    bytes: _decode_blob,
}


def _shown(value: object) -> str:
    text = (
        repr(value[: _SHOWN_CHARACTERS_MAX + 1]) if isinstance(value, str) else reprlib.repr(value)
    )
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[:_SHOWN_CHARACTERS_MAX]}..."
