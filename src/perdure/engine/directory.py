"""What the engine needs to know of functions: one Protocol. ``functions`` implements it over the
store's records.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from perdure.engine.invoker import FunctionVersion
from perdure.protocol.quick import quick

__all__ = ["AsyncSettings", "Functions"]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncSettings:
    """How asynchronous invocations of a function version are treated."""

    retries_max: int = 2
    on_success: str | None = None  #: the destination's ARN
    on_failure: str | None = (
        None  #: the destination's ARN; the dead-letter target if there is no destination
    )


class Functions(Protocol):
    """Finds functions."""

    async def resolve(
        self, identifier: str, qualifier: str | None, *, draw: Callable[[], float]
    ) -> FunctionVersion:
        """Return the version that a name or ARN, with a qualifier, stands for now.

        ``draw`` gives a number from 0 to 1: it decides between the versions of a weighted alias.

        Raises:
            ResourceNotFound: there is no such function, version or alias.
            InvalidParameterValue: the identifier or the qualifier is not one.
        """
        ...

    async def resolve_pinned(
        self, function_arn: str, version: str, code_sha256: str
    ) -> FunctionVersion:
        """Return the version an execution began with, by the hash of its code (V1).

        Raises:
            ResourceNotFound: it is gone; never is another one returned.
        """
        ...

    async def async_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        """Return how asynchronous invocations are treated."""
        ...
