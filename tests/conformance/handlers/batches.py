"""What the handlers of parallel and map operations share."""

from typing import Any

from .sdk import BatchResult


def projection(result: BatchResult[Any], *fields: str) -> dict[str, Any]:
    """Return the named counters of a batch under the names the requirements give them."""
    values = {
        "completionReason": result.completion_reason.value,
        "status": result.status.value,
        "successCount": result.success_count,
        "failureCount": result.failure_count,
        "totalCount": result.total_count,
    }
    return {field: values[field] for field in fields}


def summary(result: BatchResult[Any]) -> dict[str, Any]:
    """Return why a batch ended, how it went as a whole, and its counts."""
    return projection(
        result, "completionReason", "status", "successCount", "failureCount", "totalCount"
    )


def counts(result: BatchResult[Any]) -> dict[str, Any]:
    """Return why a batch ended and its counts."""
    return projection(result, "completionReason", "successCount", "failureCount", "totalCount")
