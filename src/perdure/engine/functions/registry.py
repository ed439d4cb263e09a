"""Where functions are kept, found and changed: what all calls of the catalog stand on.

Changes are made one at a time in this process (``lock``); another process that comes between is
noticed by the revisions of what was read.
"""

import asyncio
import base64
import binascii
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from perdure.clock import Clock
from perdure.core.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from perdure.engine.entropy import Entropy
from perdure.engine.functions.documents import FunctionDocument, StoredVersion
from perdure.engine.functions.generation import Generation
from perdure.engine.functions.records import Collection, Held, RecordStore
from perdure.protocol.aliases import AliasConfiguration
from perdure.protocol.arns import ArnError, FunctionReference, function_arn, parse_function
from perdure.protocol.configurations import FunctionConfiguration
from perdure.protocol.event_invokes import FunctionEventInvokeConfig
from perdure.protocol.limits import CONCURRENCY_MAX
from perdure.store.records import RecordConflictError, RecordWrite

__all__ = ["LATEST", "Account", "Registry", "marker_key", "marker_of", "shown", "version_key"]

LATEST: Final = "$LATEST"
#: Hears of a function, by its ARN, and how often it may run at once; None: no bound of its own.
Bounded = Callable[[str, int | None], None]
_DIGITS_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose functions these are, and where."""

    region: str = "us-east-1"
    account_id: str = "000000000000"
    concurrency_max: int = CONCURRENCY_MAX


class Registry:
    """All functions of the account."""

    def __init__(
        self, store: RecordStore, *, account: Account, clock: Clock, entropy: Entropy
    ) -> None:
        """Keep functions in ``store``."""
        self.account = account
        self.functions = Collection(store, "function", FunctionDocument)
        self.versions = Collection(store, "version", StoredVersion)
        self.snapshots = Collection(store, "snapshot", StoredVersion)
        self.aliases = Collection(store, "alias", AliasConfiguration)
        self.event_invokes = Collection(store, "event-invoke", FunctionEventInvokeConfig)
        self.lock = asyncio.Lock()
        self.on_bound: list[Bounded] = []  #: told when a function's reserved concurrency changes
        self.writes = Generation(store)
        self._store = store
        self._clock = clock
        self._entropy = entropy

    @property
    def generation(self) -> int:
        """Which write is the last one known: what was read before it may be out of date."""
        return self.writes.number

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """Return a function's ARN."""
        return function_arn(self.account.region, self.account.account_id, name, qualifier)

    def refer(self, identifier: str, qualifier: str | None = None) -> FunctionReference:
        """Return what a caller said of a function, in one place or in two.

        Raises:
            InvalidParameterValue: it is no name or ARN, or the two qualifiers differ.
            ResourceNotFound: the ARN is of another account, region or partition.
        """
        try:
            reference = parse_function(identifier)
        except ArnError as error:
            raise InvalidParameterValue(str(error)) from None
        account = self.account
        for said, here in (
            (reference.partition, "aws"),
            (reference.region, account.region),
            (reference.account_id, account.account_id),
        ):
            if said not in (None, here):
                raise ResourceNotFound(f"Function not found: {identifier}")
        if qualifier is None or qualifier == reference.qualifier:
            return reference
        if reference.qualifier is not None:
            raise InvalidParameterValue(
                "The derived qualifier from the function name does not match the specified"
                f" qualifier: {reference.qualifier} and {qualifier}"
            )
        return reference._replace(qualifier=qualifier)

    def refer_whole(self, identifier: str) -> str:
        """Return the name of a function that is meant as a whole.

        Raises:
            InvalidParameterValue: a version or alias was named.
        """
        reference = self.refer(identifier)
        if reference.qualifier not in (None, LATEST):
            raise InvalidParameterValue(
                "This operation is permitted on Lambda functions only. Aliases and versions do not"
                " support this operation. Please specify either a function name or an unqualified"
                " function ARN."
            )
        return reference.name

    async def get(self, name: str) -> Held[FunctionDocument]:
        """Return a function.

        Raises:
            ResourceNotFound: there is none.
        """
        held = await self.functions.read(name)
        if held is None:
            raise ResourceNotFound(f"Function not found: {self.arn(name)}")
        return held

    async def find(self, reference: FunctionReference) -> tuple[FunctionDocument, StoredVersion]:
        """Return a function, and the version that its qualifier stands for.

        A weighted alias stands for its first version here; ``Resolver`` draws.

        Raises:
            ResourceNotFound: there is no such function, version or alias.
        """
        document = (await self.get(reference.name)).document
        qualifier = reference.qualifier
        if qualifier is not None and not qualifier.isdigit() and qualifier != LATEST:
            alias = await self.alias(reference.name, qualifier)
            qualifier = alias.document.function_version
        if qualifier in (None, LATEST):
            return document, document.latest
        return document, (await self.version(reference.name, qualifier)).document

    async def version(self, name: str, number: str) -> Held[StoredVersion]:
        """Return a published version.

        Raises:
            ResourceNotFound: there is none.
        """
        held = await self.find_version(name, number)
        if held is None:
            raise ResourceNotFound(f"Function not found: {self.arn(name, number)}")
        return held

    async def find_version(self, name: str, number: str) -> Held[StoredVersion] | None:
        """Return a published version, if there is one of that number, written as we write it."""
        if not number.isdigit() or number.startswith("0") or len(number) > _DIGITS_MAX:
            return None
        return await self.versions.read(version_key(name, int(number)))

    async def alias(self, name: str, alias: str) -> Held[AliasConfiguration]:
        """Return an alias.

        Raises:
            ResourceNotFound: there is none.
        """
        held = await self.aliases.read(f"{name}:{alias}")
        if held is None:
            raise ResourceNotFound(f"Function not found: {self.arn(name, alias)}")
        return held

    async def write(self, writes: Sequence[RecordWrite]) -> None:
        """Make changes, all or none.

        Raises:
            ResourceConflict: another process was first.
        """
        try:
            await self._store.write_records([*writes, *self.writes.marks()])
        except RecordConflictError:
            raise ResourceConflict(
                "The operation cannot be performed at this time. An update is in progress"
            ) from None
        finally:
            self.writes.raise_number()

    def bound(self, name: str, concurrency_max: int | None) -> None:
        """Tell whoever runs functions that one may run so often at once from now on."""
        for hear in self.on_bound:
            hear(self.arn(name), concurrency_max)

    def now_ms(self) -> int:
        """Return the current instant."""
        return self._clock.now_ms()

    def new_revision(self) -> str:
        """Return a new RevisionId."""
        return str(uuid.UUID(bytes=self._entropy.token(16), version=4))

    def renewed(self, configuration: FunctionConfiguration) -> FunctionConfiguration:
        """Return a configuration as one that is changed now."""
        now = datetime.fromtimestamp(self.now_ms() / 1000, UTC)
        return replace(
            configuration,
            revision_id=self.new_revision(),
            last_modified=now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}+0000",
        )


def version_key(name: str, number: int) -> str:
    """Return the key of a published version: such that keys are in the order of numbers."""
    return f"{name}:{number:0{_DIGITS_MAX}}"


def shown(
    configuration: FunctionConfiguration, qualifier: str | None = None
) -> FunctionConfiguration:
    """Return a stored configuration under the qualifier it was asked for with."""
    if qualifier is None:
        return configuration
    return replace(configuration, function_arn=f"{configuration.function_arn}:{qualifier}")


def marker_of(key: str) -> str:
    """Return the marker of a page that ends with ``key``."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def marker_key(marker: str | None) -> str:
    """Return the key that a marker stands for; empty: from the start.

    Raises:
        InvalidParameterValue: it is none of ours.
    """
    try:
        return base64.b64decode(marker or "", altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        raise InvalidParameterValue(
            f"Marker is not valid (value: {(marker or '')[:80]!r})"
        ) from None
