"""The calls on aliases."""

from dataclasses import replace

from perdure.core.errors import InvalidParameterValue, ResourceConflict
from perdure.engine.functions.errors import PreconditionFailed
from perdure.engine.functions.registry import LATEST, Registry, marker_key, marker_of
from perdure.protocol import aliases as shapes
from perdure.protocol.aliases import AliasConfiguration, AliasRoutingConfiguration
from perdure.protocol.limits import ALIAS_VERSIONS_MAX, LIST_PAGE_DEFAULT

__all__ = ["AliasCalls"]


class AliasCalls:
    """Answers the calls on aliases."""

    def __init__(self, registry: Registry) -> None:
        """Keep aliases in ``registry``."""
        self._registry = registry

    async def create_alias(self, request: shapes.CreateAliasRequest) -> AliasConfiguration:
        """Create an alias.

        Raises:
            ResourceConflict: there is one of that name.
            ResourceNotFound: it would stand for a version that is not there.
        """
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        key = f"{name}:{request.name}"
        async with registry.lock:
            await registry.get(name)
            if await registry.aliases.read(key) is not None:
                raise ResourceConflict(f"Alias already exists: {registry.arn(name, request.name)}")
            alias = AliasConfiguration(
                alias_arn=registry.arn(name, request.name),
                name=request.name,
                function_version=request.function_version,
                description=request.description or "",
                routing_config=_routing(request.routing_config),
                revision_id=registry.new_revision(),
            )
            await self._check(name, alias)
            await registry.write([registry.aliases.create(key, alias)])
        return alias

    async def get_alias(self, request: shapes.GetAliasRequest) -> AliasConfiguration:
        """Return an alias."""
        name = self._registry.refer_whole(request.function_name)
        return (await self._registry.alias(name, request.name)).document

    async def update_alias(self, request: shapes.UpdateAliasRequest) -> AliasConfiguration:
        """Change an alias; an empty routing configuration ends the routing."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        async with registry.lock:
            held = await registry.alias(name, request.name)
            current = held.document
            if request.revision_id not in (None, current.revision_id):
                raise PreconditionFailed
            routing = current.routing_config
            if request.routing_config is not None:
                routing = _routing(request.routing_config)
            alias = replace(
                current,
                function_version=request.function_version or current.function_version,
                description=current.description
                if request.description is None
                else request.description,
                routing_config=routing,
                revision_id=registry.new_revision(),
            )
            await self._check(name, alias)
            await registry.write([registry.aliases.replace(held, alias)])
        return alias

    async def delete_alias(self, request: shapes.DeleteAliasRequest) -> None:
        """Remove an alias; nothing happens if there is none."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        key = f"{name}:{request.name}"
        async with registry.lock:
            await registry.get(name)
            held = await registry.aliases.read(key)
            if held is None:
                return
            settings = await registry.event_invokes.read(key)
            writes = [registry.event_invokes.remove(settings)] if settings else []
            await registry.write([registry.aliases.remove(held), *writes])

    async def list_aliases(self, request: shapes.ListAliasesRequest) -> shapes.ListAliasesResponse:
        """Return a page of a function's aliases by name, perhaps only those of one version."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        await registry.get(name)
        after = marker_key(request.marker)
        limit = min(request.max_items or LIST_PAGE_DEFAULT, LIST_PAGE_DEFAULT)
        found = [
            held
            async for held in registry.aliases.every(prefix=f"{name}:")
            if held.key > after
            and request.function_version in (None, held.document.function_version)
        ]
        return shapes.ListAliasesResponse(
            aliases=tuple(held.document for held in found[:limit]),
            next_marker=marker_of(found[limit - 1].key) if len(found) > limit else None,
        )

    async def _check(self, name: str, alias: AliasConfiguration) -> None:
        """Refuse an alias for versions that are not there, or that cannot share it."""
        version = alias.function_version or ""
        weights = (alias.routing_config and alias.routing_config.additional_version_weights) or {}
        if len(weights) >= ALIAS_VERSIONS_MAX:
            raise InvalidParameterValue(
                "RoutingConfig.AdditionalVersionWeights has"
                f" {len(weights)} entries; the limit is {ALIAS_VERSIONS_MAX - 1}"
            )
        if weights and version == LATEST:
            raise InvalidParameterValue(
                "$LATEST is not supported for an alias pointing to more than 1 version"
            )
        if version in weights:
            raise InvalidParameterValue(
                f"Invalid function version {version}. Function version {version} is already"
                " included in routing configuration."
            )
        if version != LATEST:
            _check_number(version)
            await self._registry.version(name, version)
        for other in weights:
            await self._registry.version(name, other)


def _check_number(version: str) -> None:
    if not version.isdigit():
        raise InvalidParameterValue(
            f"FunctionVersion must be a number or $LATEST (value: {version!r})"
        )


def _routing(asked: AliasRoutingConfiguration | None) -> AliasRoutingConfiguration | None:
    return asked if asked and asked.additional_version_weights else None
