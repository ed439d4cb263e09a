"""What handlers are given, as Protocols, and the small contexts of the functions they pass.

The contexts with operations are in ``perdure.sdk.context``; ``DurableContext`` here is the
interface that AWS's module of this name has, for those who annotate with it.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from perdure.sdk.records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from perdure.sdk.config import (
        CallbackConfig,
        ChildConfig,
        MapConfig,
        ParallelBranch,
        ParallelConfig,
        StepConfig,
    )
    from perdure.sdk.duration import DurationLike

__all__ = [
    "BatchResult",
    "Callback",
    "DurableContext",
    "DurableExecutionArn",
    "LambdaContext",
    "LoggerInterface",
    "OperationContext",
    "StepContext",
    "SummaryGenerator",
    "WaitForCallbackContext",
    "WaitForConditionCheckContext",
]

T = TypeVar("T")
U = TypeVar("U")
Result_co = TypeVar("Result_co", covariant=True)
Given_contra = TypeVar("Given_contra", contravariant=True)

_EXECUTION_ARN: Final = (
    r"arn:[^:]*:lambda:[^:]*:[^:]*:function:(?P<function_name>[^:/]+):[^:/]+"
    r"/durable-execution/(?P<execution_name>[^/]+)/(?P<invocation_id>[^/]+)"
)


class LoggerInterface(Protocol):
    """What is needed of a logger."""

    def debug(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log a line for whoever looks for an error."""
        ...

    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log a line on what happens."""
        ...

    def warning(
        self, msg: object, *args: object, extra: Mapping[str, object] | None = None
    ) -> None:
        """Log a line on what should not happen."""
        ...

    def error(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log a line on what failed."""
        ...

    def exception(
        self, msg: object, *args: object, extra: Mapping[str, object] | None = None
    ) -> None:
        """Log a line on what failed, with the exception that is being handled."""
        ...


@record
class OperationContext:
    """What every function that is passed to an operation is given."""

    logger: LoggerInterface


@record
class StepContext(OperationContext):
    """What a step's function is given; ``attempt`` is 1 at the first."""

    attempt: int


@record
class WaitForCallbackContext(OperationContext):
    """What the submitter of a ``wait_for_callback`` is given."""


@record
class WaitForConditionCheckContext(OperationContext):
    """What the check of a ``wait_for_condition`` is given; ``attempt`` is 1 at the first."""

    attempt: int


class Callback(Protocol, Generic[Result_co]):
    """An answer from outside, to come."""

    callback_id: str  #: what the other side answers with

    @abstractmethod
    def result(self) -> Result_co | None:
        """Return the answer; the handler is suspended until it is there."""
        ...


class BatchResult(Protocol, Generic[T]):
    """What a batch came to."""

    @abstractmethod
    def get_results(self) -> list[T]:
        """Return the results of the items that succeeded."""
        ...


class DurableContext(Protocol):
    """The durable operations of a context."""

    @abstractmethod
    def step(
        self,
        func: Callable[[StepContext], T],
        name: str | None = None,
        config: StepConfig | None = None,
    ) -> T:
        """Run a function, and record its result."""
        ...

    @abstractmethod
    def run_in_child_context(
        self,
        func: Callable[[DurableContext], T],
        name: str | None = None,
        config: ChildConfig[T] | None = None,
    ) -> T:
        """Run operations as one."""
        ...

    @abstractmethod
    def map(
        self,
        inputs: Sequence[U],
        func: Callable[[DurableContext, U, int, Sequence[U]], T],
        name: str | None = None,
        config: MapConfig[U] | None = None,
    ) -> BatchResult[T]:
        """Run operations for every input, in parallel."""
        ...

    @abstractmethod
    def parallel(
        self,
        functions: Sequence[Callable[[DurableContext], T] | ParallelBranch[T]],
        name: str | None = None,
        config: ParallelConfig | None = None,
    ) -> BatchResult[T]:
        """Run operations in parallel."""
        ...

    @abstractmethod
    def wait(self, duration: DurationLike, name: str | None = None) -> None:
        """Let time pass."""
        ...

    @abstractmethod
    def create_callback(
        self, name: str | None = None, config: CallbackConfig | None = None
    ) -> Callback[Any]:
        """Expect an answer from outside."""
        ...


class LambdaContext(Protocol):
    """What Lambda gives a handler beside the event."""

    aws_request_id: str
    log_group_name: str | None = None
    log_stream_name: str | None = None
    function_name: str | None = None
    memory_limit_in_mb: str | None = None
    function_version: str | None = None
    invoked_function_arn: str | None = None
    tenant_id: str | None = None
    client_context: Any | None = None
    identity: Any | None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take."""
        ...

    def log(self, msg: Any) -> None:
        """Write a line to the log."""
        ...


class SummaryGenerator(Protocol[Given_contra]):
    """Makes a short text of a result that is too large to be recorded."""

    def __call__(self, result: Given_contra) -> str:
        """Return the text."""
        ...


@record
class DurableExecutionArn:
    """The parts of a durable execution's ARN that tell executions apart."""

    function_name: str
    execution_name: str
    invocation_id: str

    @classmethod
    def from_arn(cls, arn: str) -> Self | None:
        """Return the parts of ``arn``, None if it is no such ARN."""
        found = re.fullmatch(_EXECUTION_ARN, arn)
        return None if found is None else cls(**found.groupdict())
