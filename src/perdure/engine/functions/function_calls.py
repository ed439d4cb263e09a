"""The calls on functions as a whole: create, show, change, remove, list."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from perdure.core.errors import InvalidParameterValue, ResourceConflict
from perdure.engine.functions.codes import Codes, sha256_text
from perdure.engine.functions.documents import FunctionDocument, StoredVersion
from perdure.engine.functions.errors import PreconditionFailed
from perdure.engine.functions.records import Held
from perdure.engine.functions.registry import (
    LATEST,
    Registry,
    marker_key,
    marker_of,
    shown,
)
from perdure.engine.functions.settings import config_sha256, created, updated
from perdure.engine.functions.tag_calls import checked_tags
from perdure.engine.functions.version_calls import VersionCalls
from perdure.protocol import functions as shapes
from perdure.protocol.configurations import FunctionConfiguration
from perdure.protocol.limits import LIST_PAGE_DEFAULT
from perdure.store.records import RecordWrite

__all__ = ["CodeUrl", "FunctionCalls"]

#: Gives the URL where a version's zip can be downloaded, by the function's name and the zip's hash.
CodeUrl = Callable[[str, str], str]


class FunctionCalls:
    """Answers the calls on functions."""

    def __init__(
        self, registry: Registry, codes: Codes, versions: VersionCalls, code_url: CodeUrl
    ) -> None:
        """Keep functions in ``registry`` and their code in ``codes``."""
        self._registry = registry
        self._codes = codes
        self._versions = versions
        self._code_url = code_url

    async def create_function(self, request: shapes.CreateFunctionRequest) -> FunctionConfiguration:
        """Create a function, and its first version if asked.

        Raises:
            ResourceConflict: there is one of that name.
            InvalidParameterValue: something cannot be had.
        """
        name = self.new_name(request.function_name)
        configuration = created(request, name=name, arn=self._registry.arn(name))
        tags = checked_tags(request.tags or {})
        code = await self._codes.given(request.code, request.package_type)
        async with self._registry.lock:
            if await self._registry.functions.read(name) is not None:
                raise ResourceConflict(f"Function already exist: {name}")
            latest = self.coded(configuration, code)
            document = FunctionDocument(latest=latest, tags=tags)
            writes = [*self._codes.kept(latest, code), *self._codes.use(latest)]
            version = latest
            if request.publish:
                document, version, more = self._versions.next(document)
                writes += more
            await self._registry.write([self._registry.functions.create(name, document), *writes])
        return version.configuration

    async def get_function(self, request: shapes.GetFunctionRequest) -> shapes.GetFunctionResponse:
        """Return a function, where its code is, its tags."""
        reference = self._registry.refer(request.function_name, request.qualifier)
        document, version = await self._registry.find(reference)
        configuration = version.configuration
        reserved = document.reserved_concurrency
        return shapes.GetFunctionResponse(
            configuration=shown(configuration, reference.qualifier),
            code=self._location(version),
            tags=document.tags or None,
            concurrency=None
            if reserved is None
            else shapes.Concurrency(reserved_concurrent_executions=reserved),
        )

    async def get_function_configuration(
        self, request: shapes.GetFunctionConfigurationRequest
    ) -> FunctionConfiguration:
        """Return a function's settings."""
        reference = self._registry.refer(request.function_name, request.qualifier)
        _, version = await self._registry.find(reference)
        return shown(version.configuration, reference.qualifier)

    async def update_function_code(
        self, request: shapes.UpdateFunctionCodeRequest
    ) -> FunctionConfiguration:
        """Replace the code of ``$LATEST``; running executions keep theirs (V1)."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        if request.publish_to is not None:
            raise InvalidParameterValue("PublishTo is not supported by Perdure")
        package_type = (await registry.get(name)).document.latest.configuration.package_type
        code = await self._codes.given(request, package_type)
        async with registry.lock:
            held = await registry.get(name)
            check_revision(held.document.latest.configuration, request.revision_id)
            configuration = held.document.latest.configuration
            if request.architectures is not None:
                configuration = replace(configuration, architectures=request.architectures)
            if configuration.package_type is not package_type:
                raise ResourceConflict(f"{name} was created anew meanwhile")
            latest = self.coded(configuration, code)
            if request.dry_run:
                return latest.configuration
            writes = self._codes.kept(latest, code)
            return await self.replace_latest(held, latest, writes, publish=request.publish or False)

    async def update_function_configuration(
        self, request: shapes.UpdateFunctionConfigurationRequest
    ) -> FunctionConfiguration:
        """Change the settings of ``$LATEST``."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        async with registry.lock:
            held = await registry.get(name)
            latest = held.document.latest
            check_revision(latest.configuration, request.revision_id)
            configuration = registry.renewed(updated(latest.configuration, request))
            configuration = replace(configuration, config_sha256=config_sha256(configuration))
            return await self.replace_latest(held, replace(latest, configuration=configuration), [])

    async def delete_function(
        self, request: shapes.DeleteFunctionRequest
    ) -> shapes.DeleteFunctionResponse:
        """Remove a function with all that belongs to it, or one of its versions."""
        registry = self._registry
        reference = registry.refer(request.function_name, request.qualifier)
        async with registry.lock:
            held = await registry.get(reference.name)
            if reference.qualifier is None:
                await registry.write(await self._removal(held))
            else:
                await self._versions.remove(reference.name, reference.qualifier)
        return shapes.DeleteFunctionResponse(status_code=204)

    async def list_functions(
        self, request: shapes.ListFunctionsRequest
    ) -> shapes.ListFunctionsResponse:
        """Return a page of functions by name, or of all versions of all functions."""
        registry = self._registry
        after = marker_key(request.marker)
        limit = min(request.max_items or LIST_PAGE_DEFAULT, LIST_PAGE_DEFAULT)
        if request.function_version is None:
            page = await registry.functions.page(after=after, limit=limit + 1)
            return shapes.ListFunctionsResponse(
                functions=tuple(held.document.latest.configuration for held in page[:limit]),
                next_marker=marker_of(page[limit - 1].key) if len(page) > limit else None,
            )
        found = await self._every_version(after, limit + 1)
        return shapes.ListFunctionsResponse(
            functions=tuple(configuration for _, configuration in found[:limit]),
            next_marker=marker_of(found[limit - 1][0]) if len(found) > limit else None,
        )

    def new_name(self, identifier: str) -> str:
        """Return the name that a new function is to have.

        Raises:
            InvalidParameterValue: it is none, or has a qualifier.
        """
        reference = self._registry.refer(identifier)
        if reference.qualifier is not None:
            raise InvalidParameterValue(
                f"FunctionName must not have a qualifier (value: {reference.qualifier!r})"
            )
        return reference.name

    def coded(self, configuration: FunctionConfiguration, code: bytes | str) -> StoredVersion:
        """Return ``$LATEST`` with its code, new or renewed: a zip, or an endpoint's URL."""
        configuration = self._registry.renewed(configuration)
        is_zip = isinstance(code, bytes)
        return StoredVersion(
            configuration=replace(
                configuration,
                code_sha256=sha256_text(code if is_zip else code.encode()),
                code_size=len(code) if is_zip else 0,
                config_sha256=config_sha256(configuration),
            ),
            endpoint_url=None if is_zip else code,
        )

    async def replace_latest(
        self,
        held: Held[FunctionDocument],
        latest: StoredVersion,
        writes: Sequence[RecordWrite],
        *,
        publish: bool = False,
    ) -> FunctionConfiguration:
        """Put ``latest`` in place of the ``$LATEST`` that was; return it, or its version.

        The one that was is kept under its code's hash, as executions may be pinned to it.
        """
        registry, replaced = self._registry, held.document.latest
        document = replace(held.document, latest=latest)
        changes = [*writes, *self._codes.use(latest)]
        code_sha256 = replaced.configuration.code_sha256
        if code_sha256 != latest.configuration.code_sha256:
            snapshot = replace(replaced, replaced_at_ms=registry.now_ms())
            changes.append(registry.snapshots.put(f"{held.key}:{code_sha256}", snapshot))
        version, qualifier = latest, None
        if publish:
            existing = await self._versions.unchanged(document)
            if existing is not None:
                version = existing
            else:
                document, version, more = self._versions.next(document)
                changes += more
            qualifier = version.configuration.version
        await registry.write([registry.functions.replace(held, document), *changes])
        return shown(version.configuration, qualifier)

    async def _removal(self, held: Held[FunctionDocument]) -> list[RecordWrite]:
        registry, prefix = self._registry, f"{held.key}:"
        ended = [held.document.latest]
        writes = [registry.functions.remove(held)]
        for collection in (registry.versions, registry.snapshots):
            async for version in collection.every(prefix=prefix):
                ended.append(version.document)
                writes.append(collection.remove(version))
        writes += [registry.aliases.remove(a) async for a in registry.aliases.every(prefix=prefix)]
        settings = registry.event_invokes
        writes += [settings.remove(held) async for held in settings.every(prefix=prefix)]
        return writes + await self._codes.release(ended)

    async def _every_version(
        self, after: str, limit: int
    ) -> list[tuple[str, FunctionConfiguration]]:
        """Return key and configuration of all versions after ``after``, NAME or NAME:NUMBER."""
        registry = self._registry
        name, _, number = after.partition(":")
        found: list[tuple[str, FunctionConfiguration]] = []
        if name:
            more_after = after if number else ""
            found += await self._versions.configurations(name, after=more_after, limit=limit)
        async for held in registry.functions.every():
            if held.key <= name:
                continue
            if len(found) >= limit:
                break
            found.append((held.key, shown(held.document.latest.configuration, LATEST)))
            found += await self._versions.configurations(held.key, after="", limit=limit)
        return found[:limit]

    def _location(self, version: StoredVersion) -> shapes.FunctionCodeLocation:
        if version.endpoint_url is not None:
            return shapes.FunctionCodeLocation(
                repository_type="Endpoint",
                image_uri=version.endpoint_url,
                resolved_image_uri=version.endpoint_url,
            )
        if version.code_folder is not None:
            return shapes.FunctionCodeLocation(repository_type="Local")
        configuration = version.configuration
        url = self._code_url(configuration.function_name or "", configuration.code_sha256 or "")
        return shapes.FunctionCodeLocation(repository_type="S3", location=url)


def check_revision(configuration: FunctionConfiguration, revision_id: str | None) -> None:
    """Refuse a change that was asked for of another revision.

    Raises:
        PreconditionFailed: it is not the current one.
    """
    if revision_id is not None and revision_id != configuration.revision_id:
        raise PreconditionFailed
