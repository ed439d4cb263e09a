"""What a batch (a map, a parallel) came to, and how that is recorded.

A ``BatchResult`` is recorded whole, as JSON. One that is too large is recorded as an *envelope*:
what the batch was decided on (``CompletionRecord``), from which replay makes the same result again
out of the operations of its branches. Both are AWS's, to the byte.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, cast

from perdure.sdk.completion import (
    BatchItemStatus,
    CompletionItemStatus,
    CompletionPolicy,
    CompletionReason,
)
from perdure.sdk.error_object import ErrorObject
from perdure.sdk.exceptions import (
    ChildContextError,
    DurableOperationError,
    register_operation_error,
)
from perdure.sdk.records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from perdure.sdk.completion import CompletionConfig
    from perdure.sdk.types import SummaryGenerator

__all__ = [
    "BatchCompletionError",
    "BatchItem",
    "BatchResult",
    "CompletionRecord",
    "envelope_summary_generator",
]

R = TypeVar("R")

_log: Final = logging.getLogger(__name__)


class BatchCompletionError(DurableOperationError):
    """A predicate ended the batch as failed, though no item had."""

    def __init__(
        self,
        completion_reason: CompletionReason = CompletionReason.CUSTOM_COMPLETION_FAILED,
        message: str | None = None,
        error_type: str | None = None,
        data: str | None = None,
        stack_trace: list[str] | None = None,
    ) -> None:
        """Say why the batch was over."""
        said = f"Batch completed as failed by should_complete ({completion_reason.value})"
        super().__init__(message or said, error_type, data, stack_trace)
        self.completion_reason: CompletionReason = completion_reason


register_operation_error(BatchCompletionError)


@record
class BatchItem(Generic[R]):
    """What one branch came to. A failed one may be without ``error``: none was recorded."""

    index: int
    status: BatchItemStatus
    result: R | None = None
    error: ErrorObject | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the item as it is recorded."""
        return {
            "index": self.index,
            "status": self.status.value,
            "result": self.result,
            "error": self.error.to_dict() if self.error else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the item that ``to_dict`` gave ``data`` for."""
        error = data.get("error")
        return cls(
            data["index"],
            BatchItemStatus(data["status"]),
            data.get("result"),
            ErrorObject.from_dict(error) if error else None,
        )


@record
class BatchResult(Generic[R]):
    """What became of every branch that was begun, in the order they were given."""

    all: list[BatchItem[R]]
    completion_reason: CompletionReason

    @classmethod
    def from_items(
        cls, items: list[BatchItem[R]], completion_config: CompletionConfig | None = None
    ) -> Self:
        """Return the result of a batch that has these items and no others."""
        policy = CompletionPolicy.from_config(len(items), completion_config)
        seen = tuple(CompletionItemStatus(index=item.index, status=item.status) for item in items)
        result = cls(items, CompletionReason.ALL_COMPLETED)
        reason = policy.reason(result.success_count, result.failure_count, seen)
        return cls(items, reason)

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], completion_config: CompletionConfig | None = None
    ) -> Self:
        """Return the result that ``to_dict`` gave ``data`` for.

        Where the reason is missing, it is inferred from the items and ``completion_config``.
        """
        items: list[BatchItem[R]] = [BatchItem[R].from_dict(item) for item in data["all"]]
        reason = data.get("completionReason")
        if reason is not None:
            return cls(items, CompletionReason(reason))
        result = cls.from_items(items, completion_config)
        _log.warning(
            "Missing completionReason in BatchResult deserialization, inferred '%s' from batch "
            "item statuses. This may indicate incomplete serialization data.",
            result.completion_reason.value,
        )
        return result

    def to_dict(self) -> dict[str, Any]:
        """Return the result as it is recorded."""
        return {
            "all": [item.to_dict() for item in self.all],
            "completionReason": self.completion_reason.value,
        }

    def succeeded(self) -> list[BatchItem[R]]:
        """Return the items that succeeded."""
        return self._items(BatchItemStatus.SUCCEEDED)

    def failed(self) -> list[BatchItem[R]]:
        """Return the items that failed."""
        return self._items(BatchItemStatus.FAILED)

    def started(self) -> list[BatchItem[R]]:
        """Return the items that were not over when the batch was."""
        return self._items(BatchItemStatus.STARTED)

    def get_results(self) -> list[R]:
        """Return the results of the items that succeeded; None is one, too."""
        return [cast("R", item.result) for item in self.succeeded()]

    def get_errors(self) -> list[ErrorObject | None]:
        """Return the errors of the items that failed; None where none was recorded."""
        return [item.error for item in self.failed()]

    @property
    def status(self) -> BatchItemStatus:
        """FAILED when any item did, unless a predicate has decided."""
        if self.completion_reason is CompletionReason.CUSTOM_COMPLETION_SUCCEEDED:
            return BatchItemStatus.SUCCEEDED
        if self.completion_reason is CompletionReason.CUSTOM_COMPLETION_FAILED or self.has_failure:
            return BatchItemStatus.FAILED
        return BatchItemStatus.SUCCEEDED

    @property
    def has_failure(self) -> bool:
        """Whether any item failed."""
        return any(item.status is BatchItemStatus.FAILED for item in self.all)

    @property
    def success_count(self) -> int:
        """How many items succeeded."""
        return len(self.succeeded())

    @property
    def failure_count(self) -> int:
        """How many items failed."""
        return len(self.failed())

    @property
    def started_count(self) -> int:
        """How many items were not over when the batch was."""
        return len(self.started())

    @property
    def total_count(self) -> int:
        """How many items were begun."""
        return len(self.all)

    def throw_if_error(self) -> None:
        """Raise the failure of the first item that failed, or that of the whole batch.

        Raises:
            ChildContextError: an item failed; so it does when no error of it was recorded.
            BatchCompletionError: a predicate ended the batch as failed, though no item had.
        """
        failed = self.failed()
        if failed:
            _raise_failure(failed[0])
        if self.completion_reason is CompletionReason.CUSTOM_COMPLETION_FAILED:
            raise BatchCompletionError(self.completion_reason)

    def _items(self, status: BatchItemStatus) -> list[BatchItem[R]]:
        return [item for item in self.all if item.status is status]


def _raise_failure(item: BatchItem[Any]) -> NoReturn:
    if item.error is None:
        raise ChildContextError(f"Batch item {item.index} failed without an ErrorObject.")
    item.error.raise_as_operation_error(ChildContextError)


@record
class CompletionRecord:
    """What a batch was decided on: why it was over, and which items were not.

    Items are begun in order: those begun are the first ``started_total``.
    """

    completion_reason: CompletionReason
    started_total: int
    started_indexes: frozenset[int]

    @classmethod
    def from_summary_payload(cls, payload: str | None) -> Self | None:
        """Return what an envelope says; None for whatever is no envelope, or an early one."""
        try:
            data = cast("object", json.loads(payload or ""))
        except (TypeError, ValueError):
            return None
        if not isinstance(data, dict):
            return None
        fields = cast("dict[str, object]", data)
        reason, total = _reason(fields.get("completionReason")), fields.get("totalCount")
        if reason is None or not _is_index(total):
            return None
        started = _indexes(fields, cast("int", total))
        return None if started is None else cls(reason, cast("int", total), started)

    @staticmethod
    def summary_index_fields(items: list[BatchItem[Any]]) -> dict[str, list[int]]:
        """Return the indexes of the items that were over, or of those that were not: the fewer."""
        started = [item.index for item in items if item.status is BatchItemStatus.STARTED]
        completed = [item.index for item in items if item.status is not BatchItemStatus.STARTED]
        if len(started) <= len(completed):
            return {"startedIndexes": started}
        return {"completedIndexes": completed}

    @staticmethod
    def summary_envelope(result: BatchResult[Any], result_type: str, summary: str | None) -> str:
        """Return the envelope of ``result``, with the author's ``summary`` if there is one."""
        fields: dict[str, object] = {
            "type": result_type,
            "totalCount": result.total_count,
            "completionReason": result.completion_reason.value,
            **CompletionRecord.summary_index_fields(result.all),
            "startedCount": result.started_count,
            "successCount": result.success_count,
            "failureCount": result.failure_count,
            "status": result.status.value,
        }
        if summary is not None:
            fields["summary"] = str(summary)
        return json.dumps(fields)


def envelope_summary_generator(
    result_type: str, custom_generator: SummaryGenerator[BatchResult[Any]] | None
) -> Callable[[BatchResult[Any]], str]:
    """Return what makes envelopes of a ``result_type``: ``MapResult`` or ``ParallelResult``.

    What ``custom_generator`` raises fails the operation.
    """

    def generate(result: BatchResult[Any]) -> str:
        summary = None if custom_generator is None else custom_generator(result)
        return CompletionRecord.summary_envelope(result, result_type, summary)

    return generate


def _reason(value: object) -> CompletionReason | None:
    try:
        return CompletionReason(value)
    except ValueError:
        return None


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _indexes(fields: dict[str, object], total: int) -> frozenset[int] | None:
    """Return the indexes of the items that were not over, None if the envelope has them wrong."""
    is_started = isinstance(fields.get("startedIndexes"), list)
    listed = fields.get("startedIndexes" if is_started else "completedIndexes")
    if not isinstance(listed, list):
        return None
    indexes = cast("list[int]", listed)
    if not all(_is_index(index) and index < total for index in indexes):
        return None
    return frozenset(indexes) if is_started else frozenset(range(total)).difference(indexes)
