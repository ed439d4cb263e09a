"""Text of users, made safe to print (SR-19).

Names, payloads, errors and log lines may hold anything. Printed as it is, an escape sequence
repaints the terminal and a bidirectional control makes a line read as another. Both become visible
escapes here; nothing else changes.
"""

import json
import re
from typing import Final

__all__ = ["json_text", "neutral", "neutral_json"]

#: Controls (C0 but tab and newline, DEL, C1), bidirectional and invisible format characters, line
#: separators that are no newline, surrogates that stand alone, and tags.
_DANGEROUS: Final = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
)
_IN_TEXT: Final = re.compile(f"[{_DANGEROUS}]")
_IN_LINE: Final = re.compile(rf"[\t\n{_DANGEROUS}]")
_BASIC_PLANE_END: Final = 0xFFFF


def neutral(text: str, *, is_line: bool = True) -> str:
    r"""Return ``text`` with dangerous characters as ``\x1b`` or ``\u202e``.

    A line has no newline or tab either.
    """
    pattern = _IN_LINE if is_line else _IN_TEXT
    return pattern.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def neutral_json(text: str) -> str:
    r"""Return the JSON document ``text`` with dangerous characters as ``\u`` escapes.

    In JSON they stand in strings only, so the document keeps its meaning.
    """
    return _IN_TEXT.sub(_json_escape, text)


def json_text(value: object, *, indent: int | None = 2) -> str:
    """Return ``value`` as JSON that is safe to print; text beyond ASCII stays readable."""
    return neutral_json(json.dumps(value, ensure_ascii=False, indent=indent))


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= _BASIC_PLANE_END:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
