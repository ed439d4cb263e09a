"""Inputs and results as the text that travels."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["as_text", "json_text"]


def json_text(value: Any) -> str | None:
    """Return an input as JSON: text that is JSON as it is, everything else made into it."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return json.dumps(value)
        return value
    return json.dumps(value)


def as_text(result: Any) -> str | None:
    """Return a callback's result as it travels: text and bytes as they are, the rest as JSON."""
    if isinstance(result, bytes):
        return result.decode()
    if result is None or isinstance(result, str):
        return result
    return json.dumps(result)
