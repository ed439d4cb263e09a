"""The article that the JavaScript examples are from: its code, its event, its result."""

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["EVENT", "HELLO", "REGISTRATION", "RESULT", "TIMED_OUT"]

_TEXT: Final = (Path(__file__).parent / "data" / "article.txt").read_text(encoding="utf-8")
_IMPORT: Final = "import { withDurableExecution }"
_HELLO_END: Final = "return response;\n});"
_REGISTRATION_END: Final = "\n}\n);"


def _between(start: str, end: str, *, skip: int = 0) -> str:
    """Return the text from the ``start`` after ``skip`` others to the end of the next ``end``."""
    first = -1
    for _ in range(skip + 1):
        first = _TEXT.index(start, first + 1)
    return _TEXT[first : _TEXT.index(end, first) + len(end)]


def _json_from(start: str) -> Any:
    return json.JSONDecoder().raw_decode(_TEXT, _TEXT.index(start))[0]


HELLO: Final = _between(_IMPORT, _HELLO_END)
REGISTRATION: Final = _between(_IMPORT, _REGISTRATION_END, skip=1)
EVENT: Final[dict[str, str]] = _json_from(
    '{\n"username": "太郎",\n"email": "taro@example.com",\n"call'
)
RESULT: Final[dict[str, Any]] = _json_from('{\n"status": "completed"')
TIMED_OUT: Final = "タイムアウト: 50秒以内に処理が完了しませんでした"
