"""The calls on versions: publish, list; and what other calls need of versions."""

from dataclasses import replace

from perdure.core.errors import InvalidParameterValue, ResourceConflict
from perdure.engine.functions.codes import Codes
from perdure.engine.functions.documents import FunctionDocument, StoredVersion
from perdure.engine.functions.errors import PreconditionFailed
from perdure.engine.functions.registry import (
    LATEST,
    Registry,
    marker_key,
    marker_of,
    shown,
    version_key,
)
from perdure.protocol import functions as shapes
from perdure.protocol.configurations import FunctionConfiguration
from perdure.protocol.limits import LIST_PAGE_DEFAULT
from perdure.store.records import RecordWrite

__all__ = ["VersionCalls"]


class VersionCalls:
    """Answers the calls on versions."""

    def __init__(self, registry: Registry, codes: Codes) -> None:
        """Keep versions in ``registry``; their code is in ``codes``."""
        self._registry = registry
        self._codes = codes

    async def publish_version(self, request: shapes.PublishVersionRequest) -> FunctionConfiguration:
        """Make a version of ``$LATEST``; return the last one if nothing has changed since.

        Raises:
            PreconditionFailed: the RevisionId is not the current one.
            InvalidParameterValue: the code is not the one that was meant.
        """
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        if request.publish_to is not None:
            raise InvalidParameterValue("PublishTo is not supported by Perdure")
        async with registry.lock:
            held = await registry.get(name)
            document, current = held.document, held.document.latest.configuration
            if request.revision_id not in (None, current.revision_id):
                raise PreconditionFailed
            if request.code_sha256 not in (None, "", current.code_sha256):
                raise InvalidParameterValue(
                    f"CodeSHA256 ({request.code_sha256}) is different from current CodeSHA256 in"
                    f" $LATEST ({current.code_sha256}). Please try again with the CodeSHA256 in"
                    " $LATEST."
                )
            version = await self.unchanged(document)
            if version is None:
                document, version, writes = self.next(document, request.description)
                await registry.write([registry.functions.replace(held, document), *writes])
        return shown(version.configuration, version.configuration.version)

    async def list_versions_by_function(
        self, request: shapes.ListVersionsByFunctionRequest
    ) -> shapes.ListVersionsByFunctionResponse:
        """Return a page of a function's versions: ``$LATEST``, then by number."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        latest = (await registry.get(name)).document.latest.configuration
        after = marker_key(request.marker)
        limit = min(request.max_items or LIST_PAGE_DEFAULT, LIST_PAGE_DEFAULT)
        found = [] if after else [(f"{name}:", shown(latest, LATEST))]
        found += await self.configurations(name, after=after, limit=limit + 1)
        return shapes.ListVersionsByFunctionResponse(
            versions=tuple(configuration for _, configuration in found[:limit]),
            next_marker=marker_of(found[limit - 1][0]) if len(found) > limit else None,
        )

    async def configurations(
        self, name: str, *, after: str, limit: int
    ) -> list[tuple[str, FunctionConfiguration]]:
        """Return key and configuration of published versions, by number."""
        page = await self._registry.versions.page(prefix=f"{name}:", after=after, limit=limit)
        return [
            (held.key, shown(held.document.configuration, held.document.configuration.version))
            for held in page
        ]

    async def unchanged(self, document: FunctionDocument) -> StoredVersion | None:
        """Return the last version, if ``$LATEST`` has not changed since it was published."""
        current = document.latest.configuration
        name = current.function_name or ""
        last = await self._registry.versions.read(version_key(name, document.last_version))
        if last is None:
            return None
        published = last.document.configuration
        is_same = (published.code_sha256, published.config_sha256) == (
            current.code_sha256,
            current.config_sha256,
        )
        return last.document if is_same else None

    def next(
        self, document: FunctionDocument, description: str | None = None
    ) -> tuple[FunctionDocument, StoredVersion, list[RecordWrite]]:
        """Return the function with its next version, the version, and the writes that keep it."""
        registry, current = self._registry, document.latest.configuration
        number = document.last_version + 1
        configuration = replace(
            registry.renewed(current),
            version=str(number),
            description=current.description if description is None else description,
        )
        version = replace(document.latest, configuration=configuration)
        key = version_key(current.function_name or "", number)
        writes = [registry.versions.create(key, version), *self._codes.use(version)]
        return replace(document, last_version=number), version, writes

    async def remove(self, name: str, qualifier: str) -> None:
        """Remove a version.

        Raises:
            InvalidParameterValue: the qualifier is no version that can be removed.
            ResourceConflict: an alias stands for it.
        """
        registry = self._registry
        if qualifier == LATEST:
            raise InvalidParameterValue(
                "$LATEST version cannot be deleted without deleting the function."
            )
        if not qualifier.isdigit():
            raise InvalidParameterValue(
                f"Qualifier must be a version's number (value: {qualifier!r})"
            )
        version = await registry.find_version(name, qualifier)
        if version is None:
            return
        async for held in registry.aliases.every(prefix=f"{name}:"):
            alias = held.document
            routing = alias.routing_config
            weights = (routing and routing.additional_version_weights) or {}
            if qualifier == alias.function_version or qualifier in weights:
                raise ResourceConflict(
                    f"Version {qualifier} is referenced by one or more aliases: {alias.name}"
                )
        settings = await registry.event_invokes.read(f"{name}:{qualifier}")
        writes = [registry.event_invokes.remove(settings)] if settings else []
        released = await self._codes.release([version.document])
        await registry.write([registry.versions.remove(version), *writes, *released])
