"""The calls that keep a function's tags.

Source: botocore, ``lambda/2015-03-31``.
"""

from dataclasses import dataclass, field
from typing import Annotated

from perdure.protocol.constraints import Text
from perdure.protocol.identifiers import TaggableResource
from perdure.protocol.wire import IN_URI, Location, bound

__all__ = [
    "ListTagsRequest",
    "ListTagsResponse",
    "TagKey",
    "TagResourceRequest",
    "TagValue",
    "Tags",
    "UntagResourceRequest",
]

TagKey = Annotated[str, Text(1, 128, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)")]
TagValue = Annotated[str, Text(0, 256, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)")]
Tags = dict[TagKey, TagValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagResourceRequest:
    """Adds tags to a function, or replaces their values."""

    resource: TaggableResource = field(metadata=IN_URI)
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class UntagResourceRequest:
    """Removes tags."""

    resource: TaggableResource = field(metadata=IN_URI)
    tag_keys: tuple[TagKey, ...] = field(metadata=bound(Location.QUERY, "tagKeys"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTagsRequest:
    """Asks for a function's tags."""

    resource: TaggableResource = field(metadata=IN_URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTagsResponse:
    """A function's tags."""

    tags: Tags | None = None
