"""The calls on tags."""

from collections.abc import Mapping
from dataclasses import replace

from perdure.core.errors import InvalidParameterValue, ResourceNotFound
from perdure.engine.functions.documents import FunctionDocument
from perdure.engine.functions.records import Held
from perdure.engine.functions.registry import Registry
from perdure.protocol import tags as shapes
from perdure.protocol.limits import TAGS_MAX

__all__ = ["TagCalls", "checked_tags"]


class TagCalls:
    """Answers the calls on tags; only functions have them here."""

    def __init__(self, registry: Registry) -> None:
        """Keep tags with the functions in ``registry``."""
        self._registry = registry

    async def tag_resource(self, request: shapes.TagResourceRequest) -> None:
        """Add tags, or replace their values."""
        async with self._registry.lock:
            held = await self._held(request.resource)
            await self._write(held, checked_tags({**held.document.tags, **request.tags}))

    async def untag_resource(self, request: shapes.UntagResourceRequest) -> None:
        """Remove tags."""
        async with self._registry.lock:
            held = await self._held(request.resource)
            gone = set(request.tag_keys)
            left = {key: value for key, value in held.document.tags.items() if key not in gone}
            await self._write(held, left)

    async def list_tags(self, request: shapes.ListTagsRequest) -> shapes.ListTagsResponse:
        """Return a function's tags."""
        held = await self._held(request.resource)
        return shapes.ListTagsResponse(tags=held.document.tags)

    async def _held(self, resource: str) -> Held[FunctionDocument]:
        if ":function:" not in resource:
            raise ResourceNotFound(f"Resource not found: {resource}")
        reference = self._registry.refer(resource)
        if reference.qualifier is not None:
            raise InvalidParameterValue(
                "Tags on function aliases and versions are not supported. Please specify either a"
                " function name or an unqualified function ARN."
            )
        return await self._registry.get(reference.name)

    async def _write(self, held: Held[FunctionDocument], tags: dict[str, str]) -> None:
        document = replace(held.document, tags=tags)
        await self._registry.write([self._registry.functions.replace(held, document)])


def checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags, if a function may have them.

    Raises:
        InvalidParameterValue: there are too many, or one is in AWS's own name space.
    """
    if len(tags) > TAGS_MAX:
        raise InvalidParameterValue(f"Tags has {len(tags)} entries; the limit is {TAGS_MAX}")
    for key in tags:
        if key.lower().startswith("aws:"):
            raise InvalidParameterValue(f"Tags must not start with aws: (value: {key!r})")
    return dict(tags)
