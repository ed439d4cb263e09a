"""The functions of a service in process: what is registered now, and what its file knows of.

A name that was ever registered is written down in the file's catalog, without code. So executions
may be begun, by a chained invoke, and be listed, also by a server, while nobody has registered its
code yet: they wait. Executions belong to a name; whatever is registered under it runs them.
"""

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from perdure.core.errors import InvalidParameterValue, ResourceNotFound
from perdure.engine.directory import AsyncSettings
from perdure.engine.functions.catalog import FunctionCatalog
from perdure.engine.functions.registry import LATEST, Account
from perdure.engine.invoker import DurableSettings, FunctionVersion
from perdure.protocol.arns import ArnError, FunctionReference, function_arn, parse_function
from perdure.protocol.configurations import DurableConfig
from perdure.protocol.functions import CreateFunctionRequest, FunctionCode
from perdure.protocol.runtimes import Runtime
from perdure.runtime.in_process import Handler

__all__ = ["ACCOUNT", "Registered", "RegisteredFunctions"]

ACCOUNT: Final = Account()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A handler, by the name of its function."""

    name: str
    handler: Handler
    execution_timeout_seconds: int
    retention_days: int


class RegisteredFunctions:
    """Finds them for the engine. Implements ``engine.directory.Functions``."""

    def __init__(self, catalog: FunctionCatalog) -> None:
        """Know what is in ``catalog``, and register nothing yet."""
        self.handlers: dict[str, Handler] = {}
        self._catalog = catalog
        self._versions: dict[str, FunctionVersion] = {}

    async def register(self, registered: Registered) -> None:
        """Have the name stand for this handler from now on.

        Raises:
            InvalidParameterValue: it is no name for a function.
        """
        name = registered.name
        reference = _parse(name)
        if reference != FunctionReference(name):
            raise InvalidParameterValue(f"{name!r} is no plain name for a function")
        if name not in self._versions:
            await self._catalog.declare_function(_declaration(registered))
        self._versions[name] = _version(registered)
        self.handlers[name] = registered.handler

    def is_registered(self, function_arn: str) -> bool:
        """Tell whether there is code for the function with this ARN."""
        return function_arn.rpartition(":")[2] in self.handlers

    def registered(self, name: str) -> FunctionVersion | None:
        """Return what is registered under a name."""
        return self._versions.get(name)

    async def known(self) -> AsyncIterator[str]:
        """Go through the ARNs of all functions that the file knows of."""
        async for name in self._catalog.names():
            yield arn_of(name)

    async def resolve(
        self, identifier: str, qualifier: str | None, *, draw: Callable[[], float]
    ) -> FunctionVersion:
        """Return what a name or ARN stands for; a qualifier makes no difference to what is
        registered here.

        Raises:
            ResourceNotFound: nothing of that name was ever registered.
            InvalidParameterValue: it is no name or ARN.
        """
        reference = _parse(identifier)
        version = self._versions.get(reference.name)
        if version is None or (reference.region, reference.account_id) not in _HERE:
            return await self._catalog.directory.resolve(identifier, qualifier, draw=draw)
        return version

    async def resolve_pinned(
        self, function_arn: str, version: str, code_sha256: str
    ) -> FunctionVersion:
        """Return what is registered under the function's name.

        Raises:
            ResourceNotFound: nothing is.
        """
        registered = self._versions.get(function_arn.rpartition(":")[2])
        if registered is None:
            raise ResourceNotFound(f"no function is registered for {function_arn}")
        return registered

    async def async_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        """Return that nothing special is asked for."""
        return AsyncSettings()


def arn_of(name: str) -> str:
    """Return the ARN of the function with this name."""
    return function_arn(ACCOUNT.region, ACCOUNT.account_id, name)


_HERE: Final = frozenset({(None, None), (ACCOUNT.region, ACCOUNT.account_id)})


def _parse(identifier: str) -> FunctionReference:
    try:
        return parse_function(identifier)
    except ArnError as error:
        raise InvalidParameterValue(str(error)) from None


def _version(registered: Registered) -> FunctionVersion:
    return FunctionVersion(
        function_arn=arn_of(registered.name),
        function_name=registered.name,
        version=LATEST,
        revision_id="",
        runtime=_runtime().value,
        handler=_place_of(registered.handler),
        timeout_seconds=registered.execution_timeout_seconds,
        memory_mb=128,
        durable=DurableSettings(
            execution_timeout_seconds=registered.execution_timeout_seconds,
            retention_days=registered.retention_days,
        ),
    )


def _declaration(registered: Registered) -> CreateFunctionRequest:
    return CreateFunctionRequest(
        function_name=registered.name,
        runtime=_runtime(),
        role=f"arn:aws:iam::{ACCOUNT.account_id}:role/embedded",
        handler=_place_of(registered.handler),
        code=FunctionCode(),
        durable_config=DurableConfig(
            execution_timeout=registered.execution_timeout_seconds,
            retention_period_in_days=max(1, registered.retention_days),
        ),
    )


def _place_of(handler: Handler) -> str:
    module = getattr(handler, "__module__", None) or "embedded"
    name = getattr(handler, "__qualname__", None) or type(handler).__qualname__
    return "".join(c if c.isprintable() and not c.isspace() else "_" for c in f"{module}.{name}")[
        -128:
    ]


def _runtime() -> Runtime:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Runtime(name) if name in list(Runtime) else Runtime.PYTHON3_14
