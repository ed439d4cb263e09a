"""From a name or ARN to the version that runs: on the path of every invocation, so from memory.

What was found is kept until anything is written. An alias with weights is drawn anew each time.
"""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

from perdure.core.errors import ResourceNotFound, Unavailable
from perdure.engine.directory import AsyncSettings
from perdure.engine.functions.documents import FunctionDocument, StoredVersion
from perdure.engine.functions.registry import LATEST, Registry
from perdure.engine.invoker import DurableSettings, FunctionVersion, LogFormat
from perdure.protocol.arns import FunctionReference
from perdure.protocol.configurations import FunctionConfiguration, LoggingConfig
from perdure.protocol.limits import (
    EPHEMERAL_STORAGE_MB_DEFAULT,
    EVENT_RETRIES_DEFAULT,
    MEMORY_MB_DEFAULT,
    RETENTION_DAYS_DEFAULT,
    TIMEOUT_SECONDS_DEFAULT,
)
from perdure.store.protocol import StoreUnavailableError

__all__ = ["Resolver"]

_ENTRIES_MAX: Final = 10_000

K = TypeVar("K")
V = TypeVar("V")


class _Choice(NamedTuple):
    """What a qualifier stands for: ``other`` is drawn with ``weight``."""

    first: FunctionVersion
    other: FunctionVersion | None = None
    weight: float = 0.0


class Resolver:
    """Finds functions for the engine; implements ``perdure.engine.directory.Functions``."""

    def __init__(self, registry: Registry) -> None:
        """Find what is in ``registry``."""
        self._registry = registry
        self._generation = registry.generation
        self._choices: dict[tuple[str, str | None], _Choice] = {}
        self._pinned: dict[tuple[str, str, str], FunctionVersion] = {}
        self._settings: dict[tuple[str, str], AsyncSettings] = {}

    async def resolve(
        self, identifier: str, qualifier: str | None, *, draw: Callable[[], float]
    ) -> FunctionVersion:
        """Return the version that a name or ARN, with a qualifier, stands for now.

        ``draw`` gives a number from 0 to 1: it decides between the versions of a weighted alias.

        Raises:
            ResourceNotFound: there is no such function, version or alias.
            InvalidParameterValue: the identifier or the qualifier is not one.
            Unavailable: the store cannot be reached.
        """
        key = (identifier, qualifier)
        choice = self._believed(self._choices, key) or await self._found(
            self._choices, key, lambda: self._choice(self._registry.refer(identifier, qualifier))
        )
        if choice.other is not None and draw() < choice.weight:
            return choice.other
        return choice.first

    async def resolve_pinned(
        self, function_arn: str, version: str, code_sha256: str
    ) -> FunctionVersion:
        """Return the version an execution began with, by the hash of its code (V1).

        ``$LATEST`` with that code as it is now, or as it was when it last had that code. One that
        began in a process of the user's has no hash, and is the function's own, whatever its code.

        Raises:
            ResourceNotFound: it is gone; never is another one returned.
            Unavailable: the store cannot be reached.
        """
        key = (function_arn, version, code_sha256)
        return self._believed(self._pinned, key) or await self._found(
            self._pinned, key, lambda: self._find_pinned(function_arn, version, code_sha256)
        )

    async def async_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        """Return how asynchronous invocations are treated.

        Raises:
            ResourceNotFound: there is no such function, version or alias.
            Unavailable: the store cannot be reached.
        """
        return await self._found(
            self._settings,
            (function_arn, qualifier),
            lambda: self._find_settings(function_arn, qualifier),
        )

    def _believed(self, kept: dict[K, V], key: K) -> V | None:
        """Return what is kept under a key, if nothing has to be asked before that is believed."""
        writes = self._registry.writes
        return kept.get(key) if writes.is_believed and writes.number == self._generation else None

    async def _found(self, kept: dict[K, V], key: K, find: Callable[[], Awaitable[V]]) -> V:
        """Return what is kept under a key; what is not is found, and kept until the next write.

        Raises:
            Unavailable: the store cannot be reached.
        """
        try:
            generation = await self._refreshed()
            value = kept.get(key)
            if value is None:
                value = await find()
                if self._keeps(generation):
                    kept[key] = value
        except StoreUnavailableError as error:
            raise Unavailable(str(error)) from error
        return value

    async def _refreshed(self) -> int:
        """Forget what was found before the last write; return which write that was."""
        await self._registry.writes.refresh()
        generation = self._registry.generation
        if generation != self._generation:
            self._generation = generation
            self._choices.clear()
            self._pinned.clear()
            self._settings.clear()
        return generation

    def _keeps(self, generation: int) -> bool:
        """Tell whether what was just read may be kept: nothing was written meanwhile."""
        if len(self._choices) + len(self._pinned) + len(self._settings) > _ENTRIES_MAX:
            self._choices.clear()
            self._pinned.clear()
            self._settings.clear()
        return generation == self._registry.generation == self._generation

    async def _choice(self, reference: FunctionReference) -> _Choice:
        registry = self._registry
        document, stored = await registry.find(reference)
        first = _runnable(document, stored)
        qualifier = reference.qualifier
        if qualifier is None or qualifier == LATEST or qualifier.isdigit():
            return _Choice(first)
        alias = (await registry.alias(reference.name, qualifier)).document
        routing = alias.routing_config
        weights = (routing and routing.additional_version_weights) or {}
        for number, weight in weights.items():
            other = await registry.version(reference.name, number)
            return _Choice(first, _runnable(document, other.document), weight)
        return _Choice(first)

    async def _find_pinned(
        self, function_arn: str, version: str, code_sha256: str
    ) -> FunctionVersion:
        registry = self._registry
        reference = registry.refer(function_arn, version)
        document, stored = await registry.find(reference)
        if code_sha256 and stored.configuration.code_sha256 != code_sha256:
            snapshot = None
            if version == LATEST:
                snapshot = await registry.snapshots.read(f"{reference.name}:{code_sha256}")
            if snapshot is None:
                raise ResourceNotFound(
                    f"the code that the execution began with is gone: {function_arn}:{version},"
                    f" CodeSha256 {code_sha256}"
                )
            stored = snapshot.document
        return _runnable(document, stored)

    async def _find_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        registry = self._registry
        reference = registry.refer(function_arn, qualifier)
        _, stored = await registry.find(reference)
        dead_letter = stored.configuration.dead_letter_config
        held = await registry.event_invokes.read(f"{reference.name}:{qualifier}")
        asked = held.document if held else None
        retries = asked.maximum_retry_attempts if asked else None
        destinations = asked.destination_config if asked else None
        success = destinations.on_success if destinations else None
        failure = destinations.on_failure if destinations else None
        return AsyncSettings(
            retries_max=EVENT_RETRIES_DEFAULT if retries is None else retries,
            on_success=(success and success.destination) or None,
            on_failure=(failure and failure.destination)
            or (dead_letter and dead_letter.target_arn)
            or None,
        )


def _runnable(document: FunctionDocument, stored: StoredVersion) -> FunctionVersion:
    configuration = stored.configuration
    storage = configuration.ephemeral_storage
    logging = configuration.logging_config or LoggingConfig()
    environment = configuration.environment
    return FunctionVersion(
        function_arn=configuration.function_arn or "",
        function_name=configuration.function_name or "",
        version=configuration.version or LATEST,
        revision_id=configuration.revision_id or "",
        runtime=configuration.runtime or "",
        handler=configuration.handler or "",
        timeout_seconds=configuration.timeout or TIMEOUT_SECONDS_DEFAULT,
        memory_mb=configuration.memory_size or MEMORY_MB_DEFAULT,
        code_sha256=configuration.code_sha256 or "",
        code_folder=stored.code_folder,
        endpoint_url=stored.endpoint_url,
        environment=dict((environment and environment.variables) or {}),
        ephemeral_storage_mb=storage.size if storage else EPHEMERAL_STORAGE_MB_DEFAULT,
        log_format=LogFormat(logging.log_format or LogFormat.TEXT),
        log_group=logging.log_group or "",
        application_log_level=logging.application_log_level,
        system_log_level=logging.system_log_level,
        durable=_durable(configuration),
        concurrency_max=document.reserved_concurrency,
        runs_per_worker_max=_runs_per_worker(configuration),
        is_tenant_isolated=configuration.tenancy_config is not None,
    )


def _runs_per_worker(configuration: FunctionConfiguration) -> int:
    provider = configuration.capacity_provider_config
    if provider is None:
        return 1
    managed = provider.lambda_managed_instances_capacity_provider_config
    return managed.per_execution_environment_max_concurrency or 1


def _durable(configuration: FunctionConfiguration) -> DurableSettings | None:
    durable = configuration.durable_config
    if durable is None or durable.execution_timeout is None:
        return None
    return DurableSettings(
        execution_timeout_seconds=durable.execution_timeout,
        retention_days=durable.retention_period_in_days or RETENTION_DAYS_DEFAULT,
    )
