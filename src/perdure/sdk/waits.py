"""How long a condition is polled for.

A wait strategy is any function of the polled state and the number of polls made so far (1 after the
first) that returns a ``WaitForConditionDecision``. Delays are whole seconds, as AWS's service has
them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from perdure.sdk.chance import Chance, fraction
from perdure.sdk.config import JitterStrategy
from perdure.sdk.duration import Duration, as_duration
from perdure.sdk.exceptions import WaitForConditionError
from perdure.sdk.records import member, open_record, record

if TYPE_CHECKING:
    from typing import Self

    from perdure.sdk.duration import DurationLike
    from perdure.sdk.serdes import SerDes

__all__ = [
    "WaitForConditionConfig",
    "WaitForConditionDecision",
    "WaitStrategy",
    "WaitStrategyConfig",
    "create_wait_strategy",
]

T = TypeVar("T")


@record
class WaitForConditionDecision:
    """Whether there is another poll, and how long it waits."""

    should_continue: bool
    delay: Duration = member(converter=as_duration)

    @property
    def delay_seconds(self) -> int:
        """The delay in seconds."""
        return self.delay.to_seconds()

    @classmethod
    def continue_waiting(cls, delay: DurationLike) -> Self:
        """Return: poll again after ``delay``."""
        return cls(True, delay)

    @classmethod
    def stop_polling(cls) -> Self:
        """Return: the condition is met."""
        return cls(False, Duration())


#: Decides, of the state and the number of polls made, whether there is another.
WaitStrategy: TypeAlias = Callable[[T, int], WaitForConditionDecision]


@open_record
class WaitStrategyConfig(Generic[T]):
    """Polls, less and less often, for as long as ``should_continue_polling`` says so of the state.

    Attributes:
        should_continue_polling: tells of a state that the condition is not met.
        max_attempts: how many polls there are.
        initial_delay: the delay before the second poll, of which each next is ``backoff_rate``
            times the one before, and none longer than ``max_delay``.
        max_delay: the longest delay.
        backoff_rate: the factor.
        jitter_strategy: how delays are spread.
    """

    should_continue_polling: Callable[[T], bool]
    max_attempts: int = 60
    initial_delay: Duration = member(default=Duration(5), converter=as_duration)
    max_delay: Duration = member(default=Duration.from_minutes(5), converter=as_duration)
    backoff_rate: int | float = 1.5
    jitter_strategy: JitterStrategy = JitterStrategy.FULL

    @property
    def initial_delay_seconds(self) -> int:
        """The initial delay in seconds."""
        return self.initial_delay.to_seconds()

    @property
    def max_delay_seconds(self) -> int:
        """The longest delay in seconds."""
        return self.max_delay.to_seconds()


def create_wait_strategy(
    config: WaitStrategyConfig[T], *, chance: Chance = fraction
) -> WaitStrategy[T]:
    """Return the strategy that ``config`` describes; ``chance`` spreads its delays.

    It raises WaitForConditionError when the last poll does not meet the condition either.
    """

    def decide(result: T, attempts_made: int) -> WaitForConditionDecision:
        if not config.should_continue_polling(result):
            return WaitForConditionDecision.stop_polling()
        if attempts_made >= config.max_attempts:
            raise WaitForConditionError(
                f"wait_for_condition exhausted {config.max_attempts} attempts "
                "before the condition was met"
            )
        growth = config.backoff_rate ** (attempts_made - 1)
        delay = min(config.initial_delay_seconds * growth, config.max_delay_seconds)
        return WaitForConditionDecision.continue_waiting(
            config.jitter_strategy.finalize_delay(delay, chance=chance)
        )

    return decide


@record
class WaitForConditionConfig(Generic[T]):
    """How a condition is polled for.

    Attributes:
        wait_strategy: decides, of the state and the number of polls made, whether there is another.
        initial_state: what the first check is given; it is written and read before, like every
            other state.
        serdes: writes and reads the state; None: the extended JSON.
    """

    wait_strategy: WaitStrategy[T]
    initial_state: T
    serdes: SerDes[T] | None = None
