"""When what failed is tried again.

A retry strategy is any function of the exception and the number of attempts made so far (1 after
the first) that returns a ``RetryDecision``. Delays are whole seconds, as AWS's service has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perdure.sdk.chance import Chance, fraction
from perdure.sdk.config import JitterStrategy
from perdure.sdk.duration import Duration, as_duration
from perdure.sdk.records import member, open_record

if TYPE_CHECKING:
    from typing import Self

    from perdure.sdk.duration import DurationLike

__all__ = [
    "LinearRetryStrategyConfig",
    "RetryDecision",
    "RetryPresets",
    "RetryStrategy",
    "RetryStrategyConfig",
    "create_linear_retry_strategy",
    "create_retry_strategy",
]

_EVERYTHING: Final = re.compile(r".*")


@open_record
class RetryDecision:
    """Whether there is another attempt, and how long it waits."""

    should_retry: bool
    delay: Duration = member(converter=as_duration)

    @property
    def delay_seconds(self) -> int:
        """The delay in seconds."""
        return self.delay.to_seconds()

    @classmethod
    def retry(cls, delay: DurationLike) -> Self:
        """Return: try again after ``delay``."""
        return cls(True, delay)

    @classmethod
    def no_retry(cls) -> Self:
        """Return: give up."""
        return cls(False, Duration())


#: Decides, of the exception and the number of attempts made, whether there is another.
RetryStrategy: TypeAlias = Callable[[Exception, int], RetryDecision]


@open_record
class RetryStrategyConfig:
    """Delays that grow by a factor.

    Attributes:
        max_attempts: how many attempts there are, with the first.
        initial_delay: the delay before the second attempt, of which each next is
            ``backoff_rate`` times the one before, and none longer than ``max_delay``.
        max_delay: the longest delay.
        backoff_rate: the factor.
        jitter_strategy: how delays are spread.
        retryable_errors: only exceptions are tried again whose message holds one of these strings,
            or a match of one of these patterns...
        retryable_error_types: ...or that are of one of these types. With neither list, all are.
    """

    max_attempts: int = 3
    initial_delay: Duration = member(default=Duration(5), converter=as_duration)
    max_delay: Duration = member(default=Duration.from_minutes(5), converter=as_duration)
    backoff_rate: int | float = 2.0
    jitter_strategy: JitterStrategy = JitterStrategy.FULL
    retryable_errors: list[str | re.Pattern[str]] | None = None
    retryable_error_types: list[type[Exception]] | None = None

    @property
    def initial_delay_seconds(self) -> int:
        """The initial delay in seconds."""
        return self.initial_delay.to_seconds()

    @property
    def max_delay_seconds(self) -> int:
        """The longest delay in seconds."""
        return self.max_delay.to_seconds()

    def delay_after(self, attempts_made: int) -> float:
        """Return the delay in seconds before it is spread."""
        growth = self.backoff_rate ** (attempts_made - 1)
        return min(self.initial_delay_seconds * growth, self.max_delay_seconds)


@open_record
class LinearRetryStrategyConfig:
    """Delays that grow by the same ``increment``; the rest is as in ``RetryStrategyConfig``."""

    max_attempts: int = 6
    initial_delay: Duration = member(default=Duration(1), converter=as_duration)
    increment: Duration = member(default=Duration(1), converter=as_duration)
    max_delay: Duration = member(default=Duration.from_minutes(5), converter=as_duration)
    jitter_strategy: JitterStrategy = JitterStrategy.FULL
    retryable_errors: list[str | re.Pattern[str]] | None = None
    retryable_error_types: list[type[Exception]] | None = None

    @property
    def initial_delay_seconds(self) -> int:
        """The initial delay in seconds."""
        return self.initial_delay.to_seconds()

    @property
    def increment_seconds(self) -> int:
        """The increment in seconds."""
        return self.increment.to_seconds()

    @property
    def max_delay_seconds(self) -> int:
        """The longest delay in seconds."""
        return self.max_delay.to_seconds()

    def delay_after(self, attempts_made: int) -> float:
        """Return the delay in seconds before it is spread."""
        growth = self.increment_seconds * (attempts_made - 1)
        return min(self.initial_delay_seconds + growth, self.max_delay_seconds)


def create_retry_strategy(
    config: RetryStrategyConfig | None = None, *, chance: Chance = fraction
) -> RetryStrategy:
    """Return the strategy that ``config`` describes; ``chance`` spreads its delays."""
    return _strategy(config or RetryStrategyConfig(), chance)


def create_linear_retry_strategy(
    config: LinearRetryStrategyConfig | None = None, *, chance: Chance = fraction
) -> RetryStrategy:
    """Return the strategy that ``config`` describes; ``chance`` spreads its delays."""
    return _strategy(config or LinearRetryStrategyConfig(), chance)


def _strategy(
    config: RetryStrategyConfig | LinearRetryStrategyConfig, chance: Chance
) -> RetryStrategy:
    is_retryable = _filter(config.retryable_errors, config.retryable_error_types)

    def decide(error: Exception, attempts_made: int) -> RetryDecision:
        if attempts_made >= config.max_attempts or not is_retryable(error):
            return RetryDecision.no_retry()
        delay = config.delay_after(attempts_made)
        return RetryDecision.retry(config.jitter_strategy.finalize_delay(delay, chance=chance))

    return decide


def _filter(
    messages: list[str | re.Pattern[str]] | None, types: list[type[Exception]] | None
) -> Callable[[Exception], bool]:
    """Return the test whether an exception is one to try again for."""
    wanted: list[Any] = [_EVERYTHING] if messages is None and types is None else messages or []
    kinds = tuple(types or ())

    def is_retryable(error: Exception) -> bool:
        message = str(error)
        return isinstance(error, kinds) or any(
            part in message if isinstance(part, str) else part.search(message) for part in wanted
        )

    return is_retryable


class RetryPresets:
    """Strategies for common cases."""

    @classmethod
    def none(cls) -> RetryStrategy:
        """Return: one attempt."""
        return create_retry_strategy(RetryStrategyConfig(max_attempts=1))

    @classmethod
    def default(cls) -> RetryStrategy:
        """Return what a step has without a strategy: 6 attempts, from 5 s to 1 min."""
        return create_retry_strategy(RetryStrategyConfig(max_attempts=6, max_delay=60))

    @classmethod
    def transient(cls) -> RetryStrategy:
        """Return what suits a passing failure: 3 attempts."""
        return create_retry_strategy(
            RetryStrategyConfig(max_attempts=3, jitter_strategy=JitterStrategy.HALF)
        )

    @classmethod
    def resource_availability(cls) -> RetryStrategy:
        """Return what suits a resource that is not there yet: 5 attempts, up to 5 min apart."""
        return create_retry_strategy(RetryStrategyConfig(max_attempts=5))

    @classmethod
    def critical(cls) -> RetryStrategy:
        """Return what suits an operation that must not fail: 10 attempts, from 1 s to 1 min."""
        return create_retry_strategy(
            RetryStrategyConfig(
                max_attempts=10,
                initial_delay=1,
                max_delay=60,
                backoff_rate=1.5,
                jitter_strategy=JitterStrategy.NONE,
            )
        )

    @classmethod
    def linear(cls) -> RetryStrategy:
        """Return: 6 attempts, after 1, 2, 3, 4 and 5 s."""
        return create_linear_retry_strategy(
            LinearRetryStrategyConfig(jitter_strategy=JitterStrategy.NONE)
        )

    @classmethod
    def fixed(cls, interval: DurationLike | None = None) -> RetryStrategy:
        """Return: 5 attempts, ``interval`` (5 s) apart."""
        delay = Duration(5) if interval is None else as_duration(interval)
        return create_retry_strategy(
            RetryStrategyConfig(
                max_attempts=5,
                initial_delay=delay,
                max_delay=delay,
                backoff_rate=1,
                jitter_strategy=JitterStrategy.NONE,
            )
        )
