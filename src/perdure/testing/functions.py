"""The functions that executions under test may invoke, and what Lambda gives each of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perdure.core.commands import ChainTarget
from perdure.protocol.arns import ArnError, execution_arn, function_arn, parse_function
from perdure.protocol.operations import ErrorObject, OperationUpdate
from perdure.protocol.words import OperationType

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "CHILD_TIMEOUT_SECONDS",
    "FOREVER_SECONDS",
    "LATEST",
    "Functions",
    "LocalLambdaContext",
    "Registered",
]

LATEST: Final = "$LATEST"
#: How long an execution may last that was given no limit: the longest that there is.
FOREVER_SECONDS: Final = 366 * 86_400
#: How long a child may last if nothing is said. Source: AWS's testing package.
CHILD_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A function by its name."""

    name: str
    handler: Callable[..., Any]
    is_durable: bool
    timeout_seconds: int = FOREVER_SECONDS
    retention_days: int = 7


@dataclass(slots=True, kw_only=True)
class LocalLambdaContext:
    """What Lambda gives a function beside its event. Source: ``perdure.types.LambdaContext``."""

    aws_request_id: str
    function_name: str | None = None
    function_version: str | None = LATEST
    invoked_function_arn: str | None = None
    tenant_id: str | None = None
    remaining_ms: int = 900_000
    memory_limit_in_mb: str | None = "128"
    log_group_name: str | None = None
    log_stream_name: str | None = None
    client_context: Any = None
    identity: Any = None

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take: always all of it."""
        return self.remaining_ms

    def log(self, msg: Any) -> None:
        """Drop a line."""


class Functions:
    """Functions by name, as the executions of one runner find them."""

    def __init__(self, region: str) -> None:
        """Know none yet; all are in ``region``."""
        self.region = region
        self._by_name: dict[str, Registered] = {}

    def register(self, function: Registered) -> None:
        """Let ``function`` be invoked under its name, which may have a qualifier."""
        self._by_name[function.name] = function

    def copy_from(self, other: Functions) -> None:
        """Know the functions of ``other`` too."""
        self._by_name |= other._by_name

    def find(self, identifier: str) -> Registered | None:
        """Return what is meant: a function with the qualifier in its name before one without."""
        try:
            reference = parse_function(identifier)
        except ArnError:
            return self._by_name.get(identifier)
        qualified = f"{reference.name}:{reference.qualifier}"
        return self._by_name.get(qualified) or self._by_name.get(reference.name)

    def targets(
        self, parent_id: str, account_id: str, updates: tuple[OperationUpdate, ...]
    ) -> dict[str, ChainTarget]:
        """Return what the functions of the chained invokes in ``updates`` are found to be."""
        return {
            update.id: self._target(
                f"{parent_id}/{update.id}", account_id, update.chained_invoke_options.function_name
            )
            for update in updates
            if update.type is OperationType.CHAINED_INVOKE
            and update.chained_invoke_options is not None
        }

    def _target(self, place: str, account_id: str, identifier: str) -> ChainTarget:
        problem = self._problem(identifier, account_id)
        if problem is not None:
            return ChainTarget(error=problem)
        try:
            reference = parse_function(identifier)
            name, qualifier = reference.name, reference.qualifier
        except ArnError:
            name, qualifier = identifier, None
        function = self.find(identifier)
        if function is None:
            return ChainTarget(
                error=ErrorObject(
                    error_type="ResourceNotFoundException",
                    error_message=f"Function not found: {name}. Register it with"
                    " register_durable_function or register_function.",
                )
            )
        version = qualifier if qualifier and qualifier.isdigit() else LATEST
        unqualified = function_arn(self.region, account_id, name)
        child_id = hashlib.sha256(place.encode()).hexdigest()[:32]
        return ChainTarget(
            function_arn=unqualified,
            version=version,
            child_id=child_id,
            child_arn=execution_arn(unqualified, version, child_id, child_id)
            if function.is_durable
            else None,
        )

    def _problem(self, identifier: str, account_id: str) -> ErrorObject | None:
        try:
            reference = parse_function(identifier)
        except ArnError:
            return None
        if reference.account_id not in (None, account_id):
            return _refused("the function is in another account, where no chained invoke can reach")
        if reference.region not in (None, self.region):
            return _refused("the function is in another region, where no chained invoke can reach")
        return None


def _refused(message: str) -> ErrorObject:
    return ErrorObject(error_type="InvalidParameterValueException", error_message=message)
