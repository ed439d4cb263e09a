"""The catalog: every call on functions, what the engine asks of them, and development's folders."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

from perdure.clock import Clock
from perdure.engine.entropy import Entropy
from perdure.engine.functions.alias_calls import AliasCalls
from perdure.engine.functions.codes import (
    CheckArchive,
    CheckEndpoint,
    Codes,
    IsNeeded,
    sha256_text,
)
from perdure.engine.functions.concurrency_calls import ConcurrencyCalls
from perdure.engine.functions.documents import FunctionDocument, StoredVersion
from perdure.engine.functions.event_invoke_calls import EventInvokeCalls
from perdure.engine.functions.function_calls import CodeUrl, FunctionCalls
from perdure.engine.functions.records import RecordStore
from perdure.engine.functions.registry import Account, Registry
from perdure.engine.functions.resolver import Resolver
from perdure.engine.functions.settings import config_sha256, created
from perdure.engine.functions.tag_calls import TagCalls, checked_tags
from perdure.engine.functions.version_calls import VersionCalls
from perdure.engine.hearsay import Hearsay, Topic
from perdure.protocol.configurations import FunctionConfiguration
from perdure.protocol.functions import CreateFunctionRequest

__all__ = ["FunctionCatalog"]


class FunctionCatalog:
    """All functions of the account.

    ``handlers`` are the objects whose methods answer the API's calls, ``directory`` is what the
    engine finds functions with, ``registry`` is where they are kept.
    """

    def __init__(
        self,
        store: RecordStore,
        *,
        clock: Clock,
        entropy: Entropy,
        check_archive: CheckArchive,
        code_url: CodeUrl,
        account: Account,
    ) -> None:
        """Keep functions in ``store``; ``code_url`` gives the address of a function's zip."""
        self.registry = Registry(store, account=account, clock=clock, entropy=entropy)
        self._codes = Codes(store, self.registry, check_archive)
        versions = VersionCalls(self.registry, self._codes)
        self._functions = FunctionCalls(self.registry, self._codes, versions, code_url)
        self.directory = Resolver(self.registry)
        self.handlers: tuple[object, ...] = (
            self._functions,
            versions,
            AliasCalls(self.registry),
            ConcurrencyCalls(self.registry),
            EventInvokeCalls(self.registry),
            TagCalls(self.registry),
        )

    def join(self, hearsay: Hearsay) -> None:
        """Reckon with other nodes that change functions: tell them, and hear of them."""
        writes = self.registry.writes
        writes.is_shared = True
        writes.on_raised = lambda: hearsay.tell(Topic.FUNCTIONS)
        hearsay.listen(Topic.FUNCTIONS, lambda _: writes.doubt())

    def allow_endpoints(self, check_endpoint: CheckEndpoint) -> None:
        """From now on, take functions at the URLs that ``check_endpoint`` lets pass."""
        self._codes.check_endpoint = check_endpoint

    async def read_code(self, code_sha256: str) -> bytes | None:
        """Return a zip by its hash, as ``CodeSha256`` has it; None if it is gone."""
        return await self._codes.read(code_sha256)

    async def forget_snapshots(self, is_needed: IsNeeded) -> int:
        """Remove code that ``$LATEST`` went on from and no execution needs; return how much.

        ``is_needed`` is asked with a function's ARN and a code's hash. Code that was replaced
        within the last hour is kept in any case.
        """
        return await self._codes.forget_snapshots(is_needed)

    async def names(self) -> AsyncIterator[str]:
        """Go through the names of all functions."""
        async for held in self.registry.functions.every():
            yield held.key

    async def declare_function(self, request: CreateFunctionRequest) -> None:
        """Create a function without code, unless there is one of its name.

        Its executions are kept and shown; they run once code comes, from whatever side. The
        request's ``code`` is not looked at.

        Raises:
            InvalidParameterValue: a setting cannot be had.
        """
        registry = self.registry
        name = self._functions.new_name(request.function_name)
        async with registry.lock:
            if await registry.functions.read(name) is not None:
                return
            configuration = registry.renewed(created(request, name=name, arn=registry.arn(name)))
            latest = StoredVersion(
                configuration=replace(
                    configuration,
                    code_sha256="",
                    code_size=0,
                    config_sha256=config_sha256(configuration),
                )
            )
            document = FunctionDocument(latest=latest)
            await registry.write([registry.functions.create(name, document)])

    async def put_folder_function(
        self, request: CreateFunctionRequest, *, code_folder: str
    ) -> FunctionConfiguration:
        """Create or replace a function of development: its code is a folder.

        Its ``code`` is not looked at. Put again, it has a new revision, so that its workers start
        anew; executions that run go on with what is in the folder then.

        Raises:
            InvalidParameterValue: a setting cannot be had.
        """
        registry = self.registry
        name = self._functions.new_name(request.function_name)
        configuration = registry.renewed(created(request, name=name, arn=registry.arn(name)))
        place = hashlib.sha256(code_folder.encode()).digest()
        latest = StoredVersion(
            configuration=replace(
                configuration,
                code_sha256=sha256_text(place),
                code_size=0,
                config_sha256=config_sha256(configuration),
            ),
            code_folder=code_folder,
        )
        tags = checked_tags(request.tags or {})
        async with registry.lock:
            held = await registry.functions.read(name)
            if held is not None:
                return await self._functions.replace_latest(held, latest, [])
            document = FunctionDocument(latest=latest, tags=tags)
            await registry.write([registry.functions.create(name, document)])
        return latest.configuration
