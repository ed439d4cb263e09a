"""What maps and parallels come to: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.batches import (
    BatchCompletionError,
    BatchItem,
    BatchResult,
    CompletionRecord,
    envelope_summary_generator,
)
from perdure.sdk.completion import CompletionPolicy, CompletionReason

__all__ = [
    "BatchCompletionError",
    "BatchItem",
    "BatchResult",
    "CompletionPolicy",
    "CompletionReason",
    "CompletionRecord",
    "envelope_summary_generator",
]
