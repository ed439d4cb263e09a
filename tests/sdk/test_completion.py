"""When a batch is over is decided as AWS's SDK decides it."""

from typing import Any

import pytest
from aws_durable_execution_sdk_python import config as aws
from aws_durable_execution_sdk_python.concurrency import models as aws_models
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk import completion as ours
from perdure.sdk.exceptions import ValidationError
from tests.sdk.refusals import refusal

COUNTS = st.none() | st.integers(-2, 8)
PERCENTAGES = st.none() | st.integers(-5, 105) | st.floats(-5, 105, allow_nan=False)
THRESHOLDS = st.fixed_dictionaries(
    {
        "min_successful": COUNTS,
        "tolerated_failure_count": COUNTS,
        "tolerated_failure_percentage": PERCENTAGES,
    }
)


def _stop_at(module: Any, successes: int, failures: int) -> Any:
    """Return a predicate in the words of ``module``."""

    def decide(status: Any) -> Any:
        assert status.completed_count == status.success_count + status.failure_count
        if status.failure_count >= failures:
            return module.complete_batch(module.CompletionOutcome.FAILED)
        is_over = status.success_count >= successes
        return module.complete_batch() if is_over else module.continue_batch()

    return decide


@given(THRESHOLDS, st.booleans(), st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))
def test_decisions_are_awss(
    thresholds: dict[str, Any], is_custom: bool, total: int, succeeded: int, failed: int
) -> None:
    def configured(module: Any) -> Any:
        predicate = _stop_at(module, 3, 2) if is_custom else None
        return module.CompletionConfig(**thresholds, should_complete=predicate)

    refused = refusal(lambda: configured(aws))
    assert refusal(lambda: configured(ours)) == refused
    if refused is not None:
        return
    wanted = aws_models.CompletionPolicy.from_config(total, configured(aws))
    policy = ours.CompletionPolicy.from_config(total, configured(ours))
    assert policy.has_criteria == wanted.has_criteria
    assert policy.is_tolerance_exceeded(failed) == wanted.is_tolerance_exceeded(failed)
    assert policy.should_continue(failed) == wanted.should_continue(failed)
    assert policy.is_complete(succeeded, failed) == wanted.is_complete(succeeded, failed)
    assert policy.reason(succeeded, failed).value == wanted.reason(succeeded, failed).value


@pytest.mark.parametrize("decision", [ours.continue_batch(), ours.complete_batch()])
def test_a_known_decision_spares_the_predicate(decision: ours.CompletionDecision) -> None:
    calls: list[ours.CompletionStatus] = []

    def decide(status: ours.CompletionStatus) -> ours.CompletionDecision:
        calls.append(status)
        return decision

    policy = ours.CompletionPolicy(2, should_complete=decide)
    items = (ours.CompletionItemStatus(0, "a", ours.BatchItemStatus.SUCCEEDED),)
    known = policy.evaluate(1, 0, items)
    assert policy.is_complete(1, 0, items, known) is decision.complete
    policy.reason(1, 0, items, known)
    assert calls == [ours.CompletionStatus(1, 0, 1, 2, items)]


def test_a_decision_without_a_predicate_counts_for_nothing() -> None:
    assert not ours.CompletionPolicy(2).is_complete(0, 0, (), ours.complete_batch())


def test_without_a_config_the_first_failure_ends_a_batch() -> None:
    policy = ours.CompletionPolicy.from_config(3, None)
    assert policy == ours.CompletionPolicy(3)
    assert policy.reason(0, 1) is ours.CompletionReason.FAILURE_TOLERANCE_EXCEEDED


def test_enough_successes_end_a_batch() -> None:
    policy = ours.CompletionPolicy.from_config(3, ours.CompletionConfig.first_successful())
    assert policy.is_complete(1, 0)
    assert policy.reason(1, 0) is ours.CompletionReason.MIN_SUCCESSFUL_REACHED
    assert policy.reason(0, 0) is ours.CompletionReason.ALL_COMPLETED


@pytest.mark.parametrize("preset", ["first_successful", "all_completed", "all_successful"])
def test_presets_are_awss(preset: str) -> None:
    mine, theirs = getattr(ours.CompletionConfig, preset)(), getattr(aws.CompletionConfig, preset)()
    names = ["min_successful", "tolerated_failure_count", "tolerated_failure_percentage"]
    assert [getattr(mine, name) for name in names] == [getattr(theirs, name) for name in names]


@pytest.mark.parametrize("total", [1, 2, 3])
def test_a_minimum_above_the_total_is_refused_as_aws_does(total: int) -> None:
    theirs, mine = aws.CompletionConfig(min_successful=2), ours.CompletionConfig(min_successful=2)
    assert refusal(lambda: mine.check_total(total)) == refusal(
        lambda: theirs._validate_for_total(total)
    )


def test_a_predicate_must_be_callable() -> None:
    with pytest.raises(ValidationError, match="should_complete must be callable"):
        ours.CompletionConfig(should_complete=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("complete", "outcome", "problem"),
    [
        (True, None, "outcome is required when complete is True"),
        (False, ours.CompletionOutcome.FAILED, "outcome must be None when complete is False"),
    ],
)
def test_a_decision_and_its_outcome_belong_together(
    complete: bool, outcome: ours.CompletionOutcome | None, problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        ours.CompletionDecision(complete, outcome)
