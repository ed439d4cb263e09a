"""Previews: a few fields of a large value, shown in a checkpoint beside a pointer to the rest.

Fields are told by name at any depth, or by their path from the root with dots between the names; a
name with a dot in it can be neither told nor shown. The elements of a list are shown as one object,
in which a later element hides an earlier one's field of the same name. Excluding wins over masking,
masking over all else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from perdure.sdk.serdes_instances import fields_of

__all__ = ["FieldMatchMode", "PreviewConfig", "PreviewField", "PreviewMode", "build_preview"]


class PreviewMode(StrEnum):
    """Which fields are shown of which nothing is said."""

    INCLUDE_ALL = "INCLUDE_ALL"  #: all but those excluded
    EXCLUDE_ALL = "EXCLUDE_ALL"  #: none but those included or masked


class FieldMatchMode(StrEnum):
    """What a field's name stands for."""

    ANYWHERE = "ANYWHERE"  #: every field of that name, and all that is in it
    PATH = "PATH"  #: the one field at that path from the root


@dataclass(frozen=True, slots=True)
class PreviewField:
    """A field, or all of one name."""

    name: str
    match: FieldMatchMode = FieldMatchMode.ANYWHERE


@dataclass(frozen=True, slots=True)
class PreviewConfig:
    """What a preview shows.

    Attributes:
        mode: whether to show fields of which the lists say nothing.
        include: what to show nevertheless, with EXCLUDE_ALL.
        exclude: what never to show.
        mask: what to show as ``mask_string``, in either mode.
        mask_string: what stands for a masked value.
        max_preview_bytes: how large the preview may be as JSON; what comes after is left out.
    """

    mode: PreviewMode
    include: list[PreviewField] = field(default_factory=list[PreviewField])
    exclude: list[PreviewField] = field(default_factory=list[PreviewField])
    mask: list[PreviewField] = field(default_factory=list[PreviewField])
    mask_string: str = "***"
    max_preview_bytes: int = 4096


def build_preview(value: Any, config: PreviewConfig) -> dict[str, Any] | None:
    """Return the fields of ``value`` that ``config`` shows, nested as they are in it.

    Returns None if there are none, or if ``value`` has no fields: it is neither a dict nor one of
    the classes that the default serdes knows (a dataclass, a pydantic model and so on). A value
    that JSON does not know is shown as its text.
    """
    fields = _fields(value)
    if fields is None:
        return None
    preview: dict[str, Any] = {}
    size = len("{}")
    for path, shown in _shown(fields, "", config):
        size += len(f'"{path}":{json.dumps(shown)},'.encode())
        if size > config.max_preview_bytes:
            break
        _put(preview, path.split("."), shown)
    return preview or None


def _shown(fields: dict[Any, Any], prefix: str, config: PreviewConfig) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each field that is shown, in order."""
    for key, value in fields.items():
        if "." in str(key):
            continue
        path = f"{prefix}.{key}" if prefix else str(key)
        if _is_told(path, config.exclude):
            continue
        if _is_told(path, config.mask):
            yield path, config.mask_string
            continue
        parts = _parts(value)
        if parts is not None:
            for part in parts:
                yield from _shown(part, path, config)
        elif config.mode == PreviewMode.INCLUDE_ALL or _is_told(path, config.include):
            yield path, _plain(value)


def _is_told(path: str, fields: list[PreviewField]) -> bool:
    return any(
        path == told.name if told.match == FieldMatchMode.PATH else told.name in path.split(".")
        for told in fields
    )


def _fields(value: object) -> dict[Any, Any] | None:
    """Return the fields of ``value``; a named tuple is a tuple here, as in AWS's SDK."""
    if isinstance(value, dict):
        return cast("dict[Any, Any]", value)
    return None if isinstance(value, tuple) else fields_of(value)


def _parts(value: object) -> list[dict[Any, Any]] | None:
    """Return what has fields in ``value``; None if it is shown itself."""
    if not isinstance(value, list):
        fields = _fields(value)
        return None if fields is None else [fields]
    items = cast("list[object]", value)
    return [part for item in items for part in _parts(item) or ()]


def _plain(value: Any) -> Any:
    """Return ``value``, or what stands for it in JSON."""
    try:
        json.dumps(value)
    except TypeError:
        return json.loads(json.dumps(value, default=str))
    return value


def _put(preview: dict[str, Any], names: list[str], shown: object) -> None:
    """Put a value into the preview; objects on the way to it replace what is there."""
    node = preview
    for name in names[:-1]:
        if not isinstance(node.get(name), dict):
            node[name] = {}
        node = node[name]
    node[names[-1]] = shown
