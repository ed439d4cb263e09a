"""How each operation is configured.

Names, order and defaults are those of AWS's SDK. Wherever a ``Duration`` is taken, so is a
``timedelta`` or a number of seconds; what is held is a ``Duration``.

A ``sub_type`` labels an operation in history and for plugins. It is part of what replay compares:
changing it breaks the executions under way.
"""

from __future__ import annotations

import math
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from perdure.sdk.chance import Chance, fraction
from perdure.sdk.completion import CompletionConfig
from perdure.sdk.duration import Duration, as_duration
from perdure.sdk.exceptions import ValidationError
from perdure.sdk.records import member, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.sdk.retries import RetryStrategy
    from perdure.sdk.serdes import SerDes
    from perdure.sdk.types import SummaryGenerator

__all__ = [
    "CallbackConfig",
    "ChildConfig",
    "InvokeConfig",
    "JitterStrategy",
    "MapConfig",
    "NestingType",
    "ParallelBranch",
    "ParallelConfig",
    "StepConfig",
    "StepSemantics",
    "WaitForCallbackConfig",
]

P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")

_SUB_TYPE_CHARACTERS_MAX: Final = 32
_SUB_TYPE_CHARACTERS: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)


class NestingType(Enum):
    """Whether the branches of a batch are operations themselves."""

    NESTED = "NESTED"  #: each is a CONTEXT operation, seen in history
    FLAT = "FLAT"  #: none is: about a third fewer operations, and their own are the batch's


class StepSemantics(Enum):
    """What becomes of an attempt that was cut off."""

    AT_MOST_ONCE_PER_RETRY = "AT_MOST_ONCE_PER_RETRY"  #: it has failed; see StepInterruptedError
    AT_LEAST_ONCE_PER_RETRY = "AT_LEAST_ONCE_PER_RETRY"  #: it is made again


class JitterStrategy(StrEnum):
    """How a delay is spread, so that what failed together is not tried again together.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    NONE = "NONE"  #: the delay as it is
    FULL = "FULL"  #: anything from nothing to the delay
    HALF = "HALF"  #: anything from half the delay to the whole

    def apply_jitter(self, delay: float, *, chance: Chance = fraction) -> float:
        """Return ``delay``, spread."""
        if self is JitterStrategy.NONE:
            return delay
        if self is JitterStrategy.HALF:
            return delay / 2 + chance() * (delay / 2)
        return chance() * delay

    def finalize_delay(self, base_delay: float, *, chance: Chance = fraction) -> int:
        """Return ``base_delay``, spread, in whole seconds: rounded up, and at least one."""
        return max(1, math.ceil(self.apply_jitter(base_delay, chance=chance)))


@record
class StepConfig:
    """How a step is run.

    Attributes:
        retry_strategy: decides, of the exception and the number of attempts made, whether there is
            another; None: ``RetryPresets.default()``.
        step_semantics: what becomes of an attempt that was cut off.
        serdes: writes and reads the result; None: the extended JSON.
        sub_type: 1 to 32 of A-Z, a-z, 0-9, ``-`` and ``_``; None: ``Step``.

    Raises:
        ValidationError: ``sub_type`` is not as it must be.
    """

    retry_strategy: RetryStrategy | None = None
    step_semantics: StepSemantics = StepSemantics.AT_LEAST_ONCE_PER_RETRY
    serdes: SerDes[Any] | None = None
    sub_type: str | None = member(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        _check_sub_type(self.sub_type)


@record
class ChildConfig(Generic[T]):
    """How a child context is run.

    Attributes:
        serdes: writes and reads the result; None: the extended JSON.
        sub_type: 1 to 32 of A-Z, a-z, 0-9, ``-`` and ``_``; None: ``RunInChildContext``.
        summary_generator: makes what is recorded instead of a result above 256 KiB, which is made
            again from the context's operations on replay; None: nothing is.
        is_virtual: record nothing of the context itself: its operations are the parent's.

    Raises:
        ValidationError: ``sub_type`` is not as it must be.
    """

    serdes: SerDes[T] | None = None
    sub_type: str | None = None
    summary_generator: SummaryGenerator[T] | None = None
    is_virtual: bool = False

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        _check_sub_type(self.sub_type)


@record
class MapConfig(Generic[T]):
    """How a map is run.

    Attributes:
        max_concurrency: how many items are under way at once; None: all.
        completion_config: when the map is over; the default: at the first failure.
        serdes: writes and reads the ``BatchResult``; alone, each item's result too.
        item_serdes: writes and reads each item's result.
        summary_generator: adds a ``summary`` to what is recorded instead of a result above 256 KiB.
        nesting_type: whether the items are operations themselves.
        item_namer: names an item, given it and its index; None: ``map-item-<index>``. It is called
            for every item whenever the map begins, and at every replay: it must always return the
            same.

    Raises:
        ValidationError: ``max_concurrency`` is below 1.
    """

    max_concurrency: int | None = None
    completion_config: CompletionConfig = CompletionConfig()
    serdes: SerDes[Any] | None = None
    item_serdes: SerDes[Any] | None = None
    summary_generator: SummaryGenerator[Any] | None = None
    nesting_type: NestingType = NestingType.NESTED
    item_namer: Callable[[T, int], str] | None = None

    def __post_init__(self) -> None:
        """Refuse a map that could never begin an item."""
        _check_concurrency(self.max_concurrency)


@record
class ParallelConfig:
    """How branches are run in parallel: as in ``MapConfig``.

    Raises:
        ValidationError: ``max_concurrency`` is below 1.
    """

    max_concurrency: int | None = None
    completion_config: CompletionConfig = CompletionConfig.all_successful()
    serdes: SerDes[Any] | None = None
    item_serdes: SerDes[Any] | None = None
    summary_generator: SummaryGenerator[Any] | None = None
    nesting_type: NestingType = NestingType.NESTED

    def __post_init__(self) -> None:
        """Refuse a batch that could never begin a branch."""
        _check_concurrency(self.max_concurrency)


@record
class ParallelBranch(Generic[T]):
    """A branch with a name of its own; without one it is ``parallel-branch-<index>``."""

    func: Callable[..., T]
    name: str | None = None

    def __call__(self, *args: object, **kwargs: object) -> T:
        """Call the function."""
        return self.func(*args, **kwargs)


@record
class InvokeConfig(Generic[P, R]):
    """How another function is invoked.

    Attributes:
        serdes_payload: writes the payload; None: JSON.
        serdes_result: reads the result; None: JSON.
        tenant_id: the tenant on whose behalf it is invoked.
    """

    serdes_payload: SerDes[P] | None = None
    serdes_result: SerDes[R] | None = None
    tenant_id: str | None = None


@record
class CallbackConfig:
    """How a callback is waited for.

    Attributes:
        timeout: how long the answer may take; nothing: for ever.
        heartbeat_timeout: how long there may be between heartbeats; nothing: for ever.
        serdes: reads the answer; None: it is returned as it came, a string.
        sub_type: 1 to 32 of A-Z, a-z, 0-9, ``-`` and ``_``; None: ``Callback``.

    Raises:
        ValidationError: ``sub_type`` is not as it must be, or a timeout is negative.
    """

    timeout: Duration = member(default=Duration(), converter=as_duration)
    heartbeat_timeout: Duration = member(default=Duration(), converter=as_duration)
    serdes: SerDes[Any] | None = None
    sub_type: str | None = member(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        _check_sub_type(self.sub_type)

    @property
    def timeout_seconds(self) -> int:
        """The timeout in seconds; 0: none."""
        return self.timeout.to_seconds()

    @property
    def heartbeat_timeout_seconds(self) -> int:
        """The heartbeat timeout in seconds; 0: none."""
        return self.heartbeat_timeout.to_seconds()


@record
class WaitForCallbackConfig(CallbackConfig):
    """How a callback is handed out and waited for; ``retry_strategy`` is the submitter's."""

    retry_strategy: RetryStrategy | None = None


def _check_sub_type(sub_type: str | None) -> None:
    if not sub_type:
        return
    if len(sub_type) > _SUB_TYPE_CHARACTERS_MAX or not _SUB_TYPE_CHARACTERS.issuperset(sub_type):
        raise ValidationError(
            f"sub_type must be 1 to {_SUB_TYPE_CHARACTERS_MAX} characters from "
            f"A-Z, a-z, 0-9, hyphen, and underscore, got: {sub_type!r}"
        )


def _check_concurrency(max_concurrency: int | None) -> None:
    if max_concurrency is not None and max_concurrency < 1:
        raise ValidationError(f"max_concurrency must be at least 1, got: {max_concurrency}")
