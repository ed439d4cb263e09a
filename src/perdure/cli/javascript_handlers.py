"""Which handlers a JavaScript file exports, found by its words: the file is never run.

The words are enough for what handlers look like: ``export const NAME =``, ``export function NAME``,
``export { NAME }``, ``exports.NAME =``. Comments and the insides of strings do not count.
"""

import re
from typing import Final

from perdure.cli.handlers import Handler

__all__ = ["find_javascript_handlers"]

_WRAPPER: Final = "withDurableExecution"
_PLAIN_NAME: Final = "handler"
_NAME: Final = r"[A-Za-z_$][\w$]*"
_SILENT: Final = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL
)
_RENAMED: Final = re.compile(rf"\b{_WRAPPER}\s*(?:as\b|:)\s*({_NAME})")
_DECLARED: Final = re.compile(rf"\b(?:const|let|var)\s+({_NAME})\s*=\s*")
_START: Final = r"(?:^|;)[ \t]*"
_VALUES: Final = (
    re.compile(rf"{_START}export\s+(?:const|let|var)\s+({_NAME})\s*=\s*", re.MULTILINE),
    re.compile(rf"{_START}export\s+(?:async\s+)?function\b\s*\*?\s*({_NAME})", re.MULTILINE),
    re.compile(rf"{_START}(?:module\s*\.\s*)?exports\s*\.\s*({_NAME})\s*=\s*", re.MULTILINE),
)
_LIST: Final = re.compile(
    rf"{_START}(?:export|module\s*\.\s*exports\s*=)\s*\{{([^{{}}]*)\}}", re.MULTILINE
)
_ENTRY: Final = re.compile(rf"\s*({_NAME})(?:\s*(as\b|:)\s*({_NAME}))?\s*\Z")


def find_javascript_handlers(text: str) -> list[Handler]:
    """Return the exported handlers, in the file's order.

    A handler is durable if ``withDurableExecution`` makes it. An export called ``handler`` is one
    in any case, and durable if the file uses ``withDurableExecution`` at all.
    """
    code = _SILENT.sub(_blank, text)
    wrappers = "|".join(re.escape(name) for name in {_WRAPPER, *_RENAMED.findall(code)})
    wrapped = re.compile(rf"(?:await\s+)?(?:{_NAME}\s*\.\s*)*(?:{wrappers})\s*\(")
    durable = {found[1] for found in _DECLARED.finditer(code) if wrapped.match(code, found.end())}
    if wrapped.search(code):
        durable.add(_PLAIN_NAME)
    exports = [
        (found.start(), found[1], bool(wrapped.match(code, found.end())))
        for pattern in _VALUES
        for found in pattern.finditer(code)
    ]
    for found in _LIST.finditer(code):
        for entry in found[1].split(","):
            if names := _ENTRY.match(entry):
                local, exported = _entry_names(names)
                exports.append((found.start(), exported, local in durable))
    return [
        Handler(name=name, is_durable=is_wrapped or name in durable)
        for _, name, is_wrapped in sorted(exports)
        if is_wrapped or name in durable or name == _PLAIN_NAME
    ]


def _entry_names(entry: re.Match[str]) -> tuple[str, str]:
    """Return what an entry of a list of exports is called here, and outside."""
    first, separator, second = entry[1], entry[2], entry[3]
    if second is None:
        return first, first
    return (first, second) if separator == "as" else (second, first)


def _blank(match: re.Match[str]) -> str:
    """Return nothing but the newlines of a comment, and empty quotes for a string."""
    text = match[0]
    newlines = "\n" * text.count("\n")
    return newlines if text[0] == "/" else f"''{newlines}"
