"""The envelope of a value on the wire: ``{"t": <tag>, "v": <value>}``, and its tags.

Tags of one or two letters are AWS's, and what they hold is written as AWS's SDK writes it, to the
byte. Tags that begin with ``py:`` are ours: they hold what AWS's SDK refuses, or what would come
back as something else. AWS's SDK does not know them and says so.
"""

from enum import StrEnum
from typing import Final

__all__ = ["TYPE_TOKEN", "VALUE_TOKEN", "TypeTag"]

TYPE_TOKEN: Final = "t"
VALUE_TOKEN: Final = "v"


class TypeTag(StrEnum):
    """What an envelope holds."""

    NONE = "n"
    STR = "s"
    INT = "i"
    FLOAT = "f"
    BOOL = "b"
    BYTES = "B"  #: base64
    UUID = "u"
    DECIMAL = "d"
    DATETIME = "dt"  #: ISO 8601
    DATE = "D"  #: ISO 8601
    TUPLE = "t"
    LIST = "l"
    DICT = "m"
    BATCH_RESULT = "br"

    SET = "py:set"
    FROZENSET = "py:frozenset"
    MAP = "py:map"  #: a dict whose keys keep their types: a list of pairs
    TIMEDELTA = "py:timedelta"  #: days, seconds, microseconds
    TIME = "py:time"  #: ISO 8601
    TEXT = "py:text"  #: a class of the standard library that is made of its own text
    ENUM = "py:enum"
    INSTANCE = "py:instance"  #: a class and the values of its fields
