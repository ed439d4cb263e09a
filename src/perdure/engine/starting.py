"""How executions are made: ids, names, ARNs, and the function version they are pinned to."""

import hashlib
from dataclasses import dataclass
from typing import Final

from perdure.core.commands import ChainTarget, Start
from perdure.core.errors import (
    InvalidParameterValue,
    Refusal,
    TooManyRequests,
    Unavailable,
)
from perdure.core.execution import ExecutionKind, Identity, ParentLink
from perdure.core.outcome import StartChild
from perdure.engine.directory import Functions
from perdure.engine.entropy import Entropy
from perdure.engine.invoker import FunctionVersion
from perdure.protocol.operations import ChainedInvokeOptions, ErrorObject, OperationUpdate
from perdure.protocol.quick import quick
from perdure.protocol.words import OperationType

__all__ = [
    "Origin",
    "Starter",
    "check_tenant",
    "child_id",
    "execution_arn",
    "qualifier_of",
    "random_uuid",
]

_PLAIN_TIMEOUT_SECONDS: Final = 6 * 3600  #: Source: AWS Lambda, the default maximum age of an event


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a start comes from, beyond its function and input."""

    name: str | None = None
    invoked_arn: str
    tenant_id: str | None = None
    trace_id: str | None = None
    retries_max: int = 0
    is_announced: bool = False


def execution_arn(function_arn: str, version: str, name: str, execution_id: str) -> str:
    """Return the ARN of an execution."""
    return f"{function_arn}:{version}/durable-execution/{name}/{execution_id}"


def child_id(parent_id: str, operation_id: str) -> str:
    """Return the id of the execution that a chained invoke starts: always the same one (I4)."""
    return hashlib.sha256(f"{parent_id}/{operation_id}".encode()).hexdigest()[:32]


class Starter:
    """Makes the ``Start`` commands."""

    def __init__(
        self, functions: Functions, entropy: Entropy, *, needs_qualifier: bool = True
    ) -> None:
        """Find functions with ``functions``; draw ids from ``entropy``.

        ``needs_qualifier``: a durable function is invoked by a version or an alias alone, as on
        AWS.
        """
        self._functions = functions
        self._entropy = entropy
        self._needs_qualifier = needs_qualifier

    def start(
        self, function: FunctionVersion, payload: str | None, origin: Origin, *, now_ms: int
    ) -> Start:
        """Return the start of a new execution of ``function``."""
        execution_id = self._entropy.token(16).hex()
        name = origin.name or random_uuid(self._entropy)
        is_durable = function.durable is not None
        identity = Identity(
            id=execution_id,
            name=name,
            arn=execution_arn(function.function_arn, function.version, name, execution_id),
            kind=ExecutionKind.DURABLE if is_durable else ExecutionKind.PLAIN,
            function_arn=function.function_arn,
            invoked_arn=origin.invoked_arn,
            version=function.version,
            code_sha256=function.code_sha256,
            revision_id=function.revision_id,
            started_at_ms=now_ms,
            execution_timeout_seconds=_timeout_seconds(function),
            retention_days=function.durable.retention_days if function.durable else 0,
            input_sha256=hashlib.sha256((payload or "").encode()).digest(),
            retries_max=origin.retries_max,
            tenant_id=origin.tenant_id,
            trace_id=origin.trace_id,
            is_announced=origin.is_announced,
        )
        return Start(identity=identity, input=payload)

    async def child(self, letter: StartChild, parent_id: str, *, now_ms: int) -> Start:
        """Return the start of the execution that a chained invoke asked for.

        Raises:
            ResourceNotFound: the version that was found at the checkpoint is gone.
        """
        qualified = f"{letter.function_arn}:{letter.version}"
        function = await self._functions.resolve(
            letter.function_arn, letter.version, draw=self._entropy.fraction
        )
        is_durable = letter.child_arn is not None
        identity = Identity(
            id=letter.child_id,
            name=letter.child_id,
            arn=letter.child_arn or qualified,
            kind=ExecutionKind.DURABLE if is_durable else ExecutionKind.PLAIN,
            function_arn=letter.function_arn,
            invoked_arn=qualified,
            version=letter.version,
            code_sha256=function.code_sha256,
            revision_id=function.revision_id,
            started_at_ms=now_ms,
            execution_timeout_seconds=_timeout_seconds(function),
            retention_days=function.durable.retention_days if function.durable else 0,
            input_sha256=hashlib.sha256((letter.payload or "").encode()).digest(),
            parent=ParentLink(parent_id, letter.operation_id),
            depth=letter.depth,
            tenant_id=letter.tenant_id,
            trace_id=letter.trace_id,
        )
        return Start(identity=identity, input=letter.payload)

    async def targets(
        self, parent_id: str, updates: tuple[OperationUpdate, ...]
    ) -> dict[str, ChainTarget]:
        """Return what the functions of the chained invokes in ``updates`` are found to be."""
        found: dict[str, ChainTarget] = {}
        for update in updates:
            options = update.chained_invoke_options
            if options is not None and update.type is OperationType.CHAINED_INVOKE:
                found[update.id] = await self._target(parent_id, update.id, options)
        return found

    async def _target(
        self, parent_id: str, operation_id: str, options: ChainedInvokeOptions
    ) -> ChainTarget:
        name = options.function_name
        try:
            function = await self._functions.resolve(name, None, draw=self._entropy.fraction)
            check_tenant(function, options.tenant_id)
            is_bare = self._needs_qualifier and qualifier_of(name) is None
            if function.durable is not None and is_bare:
                raise InvalidParameterValue(
                    "You cannot invoke a durable function using an unqualified ARN."
                )
        except (Unavailable, TooManyRequests):
            raise  # not the handler's to hear: it tries again
        except Refusal as refusal:
            error = ErrorObject(error_type=refusal.code, error_message=refusal.message)
            return ChainTarget(error=error)
        child = child_id(parent_id, operation_id)
        arn = execution_arn(function.function_arn, function.version, child, child)
        return ChainTarget(
            function_arn=function.function_arn,
            version=function.version,
            child_id=child,
            child_arn=arn if function.durable else None,
        )


def check_tenant(function: FunctionVersion, tenant_id: str | None) -> None:
    """Refuse an invocation without a tenant where tenants are isolated, and one with where not.

    Raises:
        InvalidParameterValue: it is one of the two.
    """
    if function.is_tenant_isolated and tenant_id is None:
        raise InvalidParameterValue(
            f"{function.function_name} isolates its tenants: add a tenant id to the request"
        )
    if tenant_id is not None and not function.is_tenant_isolated:
        raise InvalidParameterValue(
            f"{function.function_name} does not isolate tenants: remove the tenant id"
        )


def _timeout_seconds(function: FunctionVersion) -> int:
    durable = function.durable
    return _PLAIN_TIMEOUT_SECONDS if durable is None else durable.execution_timeout_seconds


def random_uuid(entropy: Entropy) -> str:
    """Return a random UUID, as request ids and generated names are."""
    text = entropy.token(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def qualifier_of(identifier: str) -> str | None:
    """Return the qualifier that a function's name or ARN ends with."""
    _, _, rest = identifier.rpartition("function:")
    _, colon, qualifier = rest.partition(":")
    return qualifier if colon else None
