"""What batches come to is recorded byte for byte as AWS's SDK records it."""

import json
import logging
from typing import Any

import pytest
from aws_durable_execution_sdk_python import config as aws_config
from aws_durable_execution_sdk_python.concurrency import models as aws
from aws_durable_execution_sdk_python.lambda_service import ErrorObject as AwsErrorObject
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk import batches as ours
from perdure.sdk.completion import BatchItemStatus, CompletionConfig, CompletionReason
from perdure.sdk.error_object import ErrorObject
from perdure.sdk.exceptions import ChildContextError, DurableOperationError, error_type_of

SUCCEEDED, FAILED, STARTED = BatchItemStatus
TEXT = st.none() | st.text(max_size=4)
ERRORS = st.none() | st.tuples(TEXT, TEXT, TEXT, st.none() | st.lists(st.text(max_size=3)))
RESULTS = st.none() | st.integers() | st.text(max_size=4) | st.lists(st.booleans(), max_size=2)
ITEMS = st.lists(st.tuples(st.sampled_from(list(BatchItemStatus)), RESULTS, ERRORS), max_size=6)
REASONS = st.sampled_from(list(CompletionReason))


def _batch(items: list[tuple[BatchItemStatus, Any, Any]], reason: CompletionReason) -> Any:
    return ours.BatchResult(
        [
            ours.BatchItem(index, status, result, None if error is None else ErrorObject(*error))
            for index, (status, result, error) in enumerate(items)
        ],
        reason,
    )


def _aws_batch(items: list[tuple[BatchItemStatus, Any, Any]], reason: CompletionReason) -> Any:
    return aws.BatchResult(
        [
            aws.BatchItem(
                index,
                aws_config.BatchItemStatus(status.value),
                result,
                None if error is None else AwsErrorObject(*error),
            )
            for index, (status, result, error) in enumerate(items)
        ],
        aws.CompletionReason(reason.value),
    )


@given(ITEMS, REASONS)
def test_a_result_is_recorded_as_in_aws(items: Any, reason: CompletionReason) -> None:
    result, theirs = _batch(items, reason), _aws_batch(items, reason)
    assert json.dumps(result.to_dict()) == json.dumps(theirs.to_dict())
    read = ours.BatchResult[Any].from_dict(result.to_dict())
    assert json.dumps(read.to_dict()) == json.dumps(
        aws.BatchResult.from_dict(theirs.to_dict()).to_dict()
    )


@given(ITEMS, REASONS)
def test_a_result_says_what_awss_says(items: Any, reason: CompletionReason) -> None:
    result, theirs = _batch(items, reason), _aws_batch(items, reason)
    for name in ("succeeded", "failed", "started"):
        found = [item.index for item in getattr(result, name)()]
        assert found == [item.index for item in getattr(theirs, name)()]
    for name in ("success_count", "failure_count", "started_count", "total_count", "has_failure"):
        assert getattr(result, name) == getattr(theirs, name)
    assert result.status.value == theirs.status.value
    assert result.get_results() == theirs.get_results()
    assert [error and error.to_dict() for error in result.get_errors()] == [
        error and error.to_dict() for error in theirs.get_errors()
    ]


@given(ITEMS, REASONS)
def test_a_failed_batch_raises_what_awss_raises(items: Any, reason: CompletionReason) -> None:
    mine = _raised(_batch(items, reason))
    theirs: Any = _raised(_aws_batch(items, reason))
    while theirs is not None:
        assert type(mine).__name__ == type(theirs).__name__
        members = vars(theirs) | {
            "completion_reason": vars(mine or theirs).get("completion_reason")
        }
        assert vars(mine) | {"completion_reason": members["completion_reason"]} == members
        mine, theirs = mine and mine.__cause__, theirs.__cause__
    assert mine is None


def _raised(result: Any) -> BaseException | None:
    try:
        result.throw_if_error()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is compared
        return error
    return None


def test_a_batch_without_a_failure_raises_nothing() -> None:
    _batch([(SUCCEEDED, 1, None), (STARTED, None, None)], _ALL).throw_if_error()


def test_a_failure_without_an_error_still_raises() -> None:
    with pytest.raises(ChildContextError, match="Batch item 1 failed without an ErrorObject"):
        _batch([(SUCCEEDED, 1, None), (FAILED, None, None)], _ALL).throw_if_error()


def test_a_batch_may_fail_without_a_failure() -> None:
    with pytest.raises(ours.BatchCompletionError) as error:
        _batch([], CompletionReason.CUSTOM_COMPLETION_FAILED).throw_if_error()
    assert error.value.completion_reason is CompletionReason.CUSTOM_COMPLETION_FAILED


def test_a_failed_batch_is_read_as_itself() -> None:
    recorded = error_type_of(ours.BatchCompletionError)
    assert recorded == f"{aws.__name__}.BatchCompletionError"
    read = DurableOperationError.from_error_fields(recorded, "m", None, None)
    assert isinstance(read, ours.BatchCompletionError)
    assert read.message == "m"


_ALL = CompletionReason.ALL_COMPLETED


@given(ITEMS, st.none() | st.integers(1, 4), st.none() | st.integers(0, 3))
def test_a_missing_reason_is_inferred_as_in_aws(
    items: Any, least: int | None, tolerated: int | None
) -> None:
    data = {"all": _batch(items, _ALL).to_dict()["all"]}
    mine = ours.BatchResult[Any].from_dict(
        data, CompletionConfig(min_successful=least, tolerated_failure_count=tolerated)
    )
    theirs: Any = aws.BatchResult.from_dict(
        data, aws_config.CompletionConfig(min_successful=least, tolerated_failure_count=tolerated)
    )
    assert mine.to_dict() == theirs.to_dict()


def test_a_missing_reason_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ours.BatchResult[Any].from_dict({"all": []})
    assert "inferred 'ALL_COMPLETED'" in caplog.text


@given(ITEMS, REASONS, st.none() | st.text(max_size=5))
def test_an_envelope_is_awss(items: Any, reason: CompletionReason, summary: str | None) -> None:
    custom: Any = None if summary is None else lambda _result: summary
    mine = ours.envelope_summary_generator("MapResult", custom)(_batch(items, reason))
    theirs = aws.envelope_summary_generator("MapResult", custom)(_aws_batch(items, reason))
    assert mine == theirs
    record = ours.CompletionRecord.from_summary_payload(mine)
    assert record is not None
    assert record.completion_reason is reason
    assert record.started_total == len(items)
    assert record.started_indexes == {
        index for index, item in enumerate(items) if item[0] is STARTED
    }


VALUES = st.sampled_from([None, True, -1, 0, 1, 3, 1.0, "x", "ALL_COMPLETED", [], {}])
LISTS = st.lists(st.sampled_from([0, 1, 2, 3, -1, True, "0", None, 1.0, []]), max_size=3)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "completionReason": VALUES | st.just("ALL_COMPLETED"),
            "totalCount": VALUES | st.just(3),
            "startedIndexes": VALUES | LISTS,
            "completedIndexes": VALUES | LISTS,
        },
    )
    | VALUES
)
def test_whatever_is_no_envelope_is_told_as_in_aws(data: Any) -> None:
    _reads_the_same(json.dumps(data))


@pytest.mark.parametrize("payload", [None, "", "{", "[]", "\ud800", 5, b"\xff"])
def test_what_is_no_json_is_no_envelope(payload: Any) -> None:
    _reads_the_same(payload)


def _reads_the_same(payload: Any) -> None:
    mine = ours.CompletionRecord.from_summary_payload(payload)
    theirs = aws.CompletionRecord.from_summary_payload(payload)
    if mine is None or theirs is None:
        assert mine is None
        assert theirs is None
        return
    assert mine.completion_reason.value == theirs.completion_reason.value
    assert mine.started_total == theirs.started_total
    assert mine.started_indexes == theirs.started_indexes
