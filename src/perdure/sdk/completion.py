"""When a batch (a map, a parallel) is over, and what that makes of it.

``CompletionConfig`` is what the author says, ``CompletionPolicy`` what it means for a batch of a
certain size. Pure: it counts, and asks the author's predicate.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from perdure.sdk.exceptions import ValidationError
from perdure.sdk.records import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = [
    "BatchItemStatus",
    "CompletionConfig",
    "CompletionDecision",
    "CompletionItemStatus",
    "CompletionOutcome",
    "CompletionPolicy",
    "CompletionReason",
    "CompletionStatus",
    "complete_batch",
    "continue_batch",
]


class BatchItemStatus(Enum):
    """Where an item of a batch stands."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STARTED = "STARTED"  #: begun, and not over when the batch was


class CompletionOutcome(Enum):
    """What a predicate makes of the batch, whatever became of its items."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class CompletionReason(Enum):
    """Why a batch is over."""

    ALL_COMPLETED = "ALL_COMPLETED"
    MIN_SUCCESSFUL_REACHED = "MIN_SUCCESSFUL_REACHED"
    FAILURE_TOLERANCE_EXCEEDED = "FAILURE_TOLERANCE_EXCEEDED"
    CUSTOM_COMPLETION_SUCCEEDED = "CUSTOM_COMPLETION_SUCCEEDED"
    CUSTOM_COMPLETION_FAILED = "CUSTOM_COMPLETION_FAILED"


@record
class CompletionDecision:
    """What a ``should_complete`` predicate answers: see ``continue_batch``, ``complete_batch``.

    Raises:
        ValidationError: ``outcome`` is missing though ``complete`` is true, or the reverse.
    """

    complete: bool
    outcome: CompletionOutcome | None = None

    def __post_init__(self) -> None:
        """Hold the two members to each other."""
        if self.complete and self.outcome is None:
            raise ValidationError("outcome is required when complete is True")
        if not self.complete and self.outcome is not None:
            raise ValidationError("outcome must be None when complete is False")


def continue_batch() -> CompletionDecision:
    """Return the decision to go on."""
    return CompletionDecision(complete=False)


def complete_batch(
    outcome: CompletionOutcome = CompletionOutcome.SUCCEEDED,
) -> CompletionDecision:
    """Return the decision that the batch is over, and what it is then."""
    return CompletionDecision(complete=True, outcome=outcome)


@record
class CompletionItemStatus:
    """One item, as a predicate sees it; no status: not begun."""

    index: int
    name: str | None = None
    status: BatchItemStatus | None = None


@record
class CompletionStatus:
    """A batch under way, as a predicate sees it; ``items[i]`` is the i-th item as given."""

    success_count: int
    failure_count: int
    completed_count: int
    total_count: int
    items: tuple[CompletionItemStatus, ...] = ()


@record
class CompletionConfig:
    """When a batch is over before all its items are.

    With nothing set, the first failure ends it. ``should_complete`` replaces the other three. It is
    asked before the first item is begun, and whenever one ends or suspends. It must depend on
    nothing but its argument, and more progress must never turn its answer back: items that have
    ended are replayed in any order.

    Attributes:
        min_successful: how many items must succeed for the batch to be over.
        tolerated_failure_count: how many may fail; one more ends it.
        tolerated_failure_percentage: the same, of all items, from 0 to 100.
        should_complete: decides by itself.

    Raises:
        ValidationError: a value is out of its bounds, or a threshold is given with the predicate.
    """

    min_successful: int | None = None
    tolerated_failure_count: int | None = None
    tolerated_failure_percentage: int | float | None = None
    should_complete: Callable[[CompletionStatus], CompletionDecision] | None = None

    def __post_init__(self) -> None:
        """Hold every member to its bounds."""
        least, count = self.min_successful, self.tolerated_failure_count
        percentage = self.tolerated_failure_percentage
        if least is not None and least < 1:
            raise ValidationError(f"min_successful must be at least 1, got: {least}")
        if count is not None and count < 0:
            raise ValidationError(f"tolerated_failure_count must be non-negative, got: {count}")
        if percentage is not None and not 0 <= percentage <= 100:
            raise ValidationError(
                f"tolerated_failure_percentage must be between 0 and 100, got: {percentage}"
            )
        if self.should_complete is None:
            return
        if not callable(self.should_complete):
            raise ValidationError("should_complete must be callable")
        if (least, count, percentage) != (None, None, None):
            raise ValidationError(
                "should_complete cannot be combined with min_successful, "
                "tolerated_failure_count, or tolerated_failure_percentage"
            )

    def check_total(self, total: int) -> None:
        """Raise ValidationError when a batch of ``total`` items cannot meet this."""
        if self.min_successful is not None and self.min_successful > total:
            raise ValidationError(
                "min_successful cannot be greater than total items: "
                f"{self.min_successful} > {total}"
            )

    @staticmethod
    def first_successful() -> CompletionConfig:
        """Return: over when one item has succeeded."""
        return CompletionConfig(min_successful=1)

    @staticmethod
    def all_completed() -> CompletionConfig:
        """Return: over when all items are, however many fail."""
        return CompletionConfig(tolerated_failure_percentage=100)

    @staticmethod
    def all_successful() -> CompletionConfig:
        """Return: over at the first failure."""
        return CompletionConfig(tolerated_failure_count=0, tolerated_failure_percentage=0)


@record
class CompletionPolicy:
    """The rules of a batch of ``total`` items.

    A ``decision`` that the caller has from ``evaluate`` saves the predicate a second call.
    """

    total: int
    min_successful: int | None = None
    tolerated_failure_count: int | None = None
    tolerated_failure_percentage: int | float | None = None
    should_complete: Callable[[CompletionStatus], CompletionDecision] | None = None

    @classmethod
    def from_config(cls, total: int, config: CompletionConfig | None) -> Self:
        """Return the rules that ``config`` makes for ``total`` items."""
        if config is None:
            return cls(total)
        return cls(
            total,
            config.min_successful,
            config.tolerated_failure_count,
            config.tolerated_failure_percentage,
            config.should_complete,
        )

    @property
    def has_criteria(self) -> bool:
        """Whether any threshold is set."""
        return (
            self.min_successful is not None
            or self.tolerated_failure_count is not None
            or self.tolerated_failure_percentage is not None
        )

    def is_tolerance_exceeded(self, failed: int) -> bool:
        """Tell whether too many have failed; a predicate decides that itself."""
        if self.should_complete is not None:
            return False
        if not self.has_criteria:
            return failed > 0
        count, percentage = self.tolerated_failure_count, self.tolerated_failure_percentage
        if count is not None and failed > count:
            return True
        return percentage is not None and self.total > 0 and failed / self.total * 100 > percentage

    def should_continue(self, failed: int) -> bool:
        """Tell whether more items may be begun."""
        return not self.is_tolerance_exceeded(failed)

    def evaluate(
        self, succeeded: int, failed: int, items: tuple[CompletionItemStatus, ...] = ()
    ) -> CompletionDecision | None:
        """Return what the predicate says, None when there is none."""
        if self.should_complete is None:
            return None
        return self.should_complete(
            CompletionStatus(succeeded, failed, succeeded + failed, self.total, items)
        )

    def is_complete(
        self,
        succeeded: int,
        failed: int,
        items: tuple[CompletionItemStatus, ...] = (),
        decision: CompletionDecision | None = None,
    ) -> bool:
        """Tell whether the batch is over, but for its failures: ``is_tolerance_exceeded``."""
        decision = self._decision(succeeded, failed, items, decision)
        if decision is not None and decision.complete:
            return True
        return succeeded + failed >= self.total or self._is_minimum_reached(succeeded)

    def reason(
        self,
        succeeded: int,
        failed: int,
        items: tuple[CompletionItemStatus, ...] = (),
        decision: CompletionDecision | None = None,
    ) -> CompletionReason:
        """Return why a batch that is over is."""
        if self.is_tolerance_exceeded(failed):
            return CompletionReason.FAILURE_TOLERANCE_EXCEEDED
        decision = self._decision(succeeded, failed, items, decision)
        if decision is not None and decision.complete:
            if decision.outcome is CompletionOutcome.FAILED:
                return CompletionReason.CUSTOM_COMPLETION_FAILED
            return CompletionReason.CUSTOM_COMPLETION_SUCCEEDED
        if succeeded + failed < self.total and self._is_minimum_reached(succeeded):
            return CompletionReason.MIN_SUCCESSFUL_REACHED
        return CompletionReason.ALL_COMPLETED

    def _decision(
        self,
        succeeded: int,
        failed: int,
        items: tuple[CompletionItemStatus, ...],
        decision: CompletionDecision | None,
    ) -> CompletionDecision | None:
        is_known = decision is not None and self.should_complete is not None
        return decision if is_known else self.evaluate(succeeded, failed, items)

    def _is_minimum_reached(self, succeeded: int) -> bool:
        return self.min_successful is not None and succeeded >= self.min_successful
