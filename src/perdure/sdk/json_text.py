"""JSON as it is most often found: one value, and nothing around it."""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["read_json"]

_read: Final = json.JSONDecoder().raw_decode


def read_json(text: str) -> Any:
    """Return what ``text`` holds, as ``json.loads``, which looks for space first.

    Raises ``ValueError`` for what is no JSON.
    """
    try:
        value, end = _read(text)
    except (TypeError, ValueError):
        end = -1
    else:
        if end == len(text):
            return value
    return json.loads(text)
