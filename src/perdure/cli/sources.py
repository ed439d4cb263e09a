"""Functions as they lie on disk: what ``dev`` registers and ``deploy`` uploads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from perdure.cli.errors import CommandError
from perdure.protocol.configurations import (
    CapacityProviderConfig,
    DurableConfig,
    Environment,
    LambdaManagedInstancesCapacityProviderConfig,
    LoggingConfig,
)
from perdure.protocol.functions import CreateFunctionRequest, FunctionCode
from perdure.protocol.limits import FUNCTION_NAME_CHARACTERS_MAX, RETENTION_DAYS_DEFAULT
from perdure.protocol.runtimes import Runtime
from perdure.protocol.wire import WireError, decode, encode

__all__ = ["DURABLE_DEFAULT", "ROLE", "FunctionSource", "function_name", "request_of"]

#: Nobody assumes it here; AWS's API asks for one.
ROLE: Final = "arn:aws:iam::000000000000:role/perdure"
#: AWS's API asks for one where runs share a worker; here every node is its capacity.
CAPACITY_PROVIDER: Final = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:perdure"
#: Of a durable function that says nothing of it: a day, and as long to look at it as on AWS.
DURABLE_DEFAULT: Final = DurableConfig(
    execution_timeout=86_400, retention_period_in_days=RETENTION_DAYS_DEFAULT
)
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSource:
    """One function: where its code is and how it is to run."""

    name: str
    folder: Path
    handler: str
    runtime: str
    origin: Path  #: the file that says so
    file: Path | None = None  #: the code, where it is one file; None: the whole folder
    durable: DurableConfig | None = None  #: None: a plain function
    timeout_seconds: int | None = None  #: None: AWS's default
    memory_mb: int | None = None  #: as above
    runs_per_worker: int | None = None  #: how many invocations may share a process; None: one
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    logging: LoggingConfig | None = None
    alias: str | None = None  #: to be pointed at each version, from ``AutoPublishAlias``


def function_name(text: str, origin: Path) -> str:
    """Return ``text`` as a function's name, with a hyphen for what no name can have.

    Raises:
        CommandError: nothing of it can be in a name.
    """
    name = _NOT_IN_NAMES.sub("-", text).strip("-")[:FUNCTION_NAME_CHARACTERS_MAX]
    if not name:
        raise CommandError(f"{origin}: {text!r} has no character that a function's name can have")
    return name


def request_of(source: FunctionSource) -> CreateFunctionRequest:
    """Return what creates the function, without its code.

    Raises:
        CommandError: a setting cannot be had; the message names it, the value and the limit.
    """
    request = CreateFunctionRequest(
        function_name=source.name,
        role=ROLE,
        code=FunctionCode(),
        runtime=_runtime(source),
        handler=source.handler,
        timeout=source.timeout_seconds,
        memory_size=source.memory_mb,
        environment=Environment(variables=dict(source.environment)),
        durable_config=source.durable,
        logging_config=source.logging,
        capacity_provider_config=_capacity(source.runs_per_worker),
    )
    try:
        return decode(CreateFunctionRequest, encode(request))
    except WireError as error:
        raise CommandError(f"{source.origin}: function {source.name}: {error}") from error


def _capacity(runs_per_worker: int | None) -> CapacityProviderConfig | None:
    if runs_per_worker is None:
        return None
    return CapacityProviderConfig(
        lambda_managed_instances_capacity_provider_config=LambdaManagedInstancesCapacityProviderConfig(
            capacity_provider_arn=CAPACITY_PROVIDER,
            per_execution_environment_max_concurrency=runs_per_worker,
        )
    )


def _runtime(source: FunctionSource) -> Runtime:
    try:
        return Runtime(source.runtime)
    except ValueError:
        raise CommandError(
            f"{source.origin}: function {source.name}: {source.runtime!r} is not a runtime of AWS"
        ) from None
