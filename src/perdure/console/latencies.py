"""How long checkpoints take: a histogram of whole numbers, and the handler around which it is.

Four buckets for each doubling: a quantile is told to within an eighth. To note one costs a few
additions and keeps nothing.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from perdure.protocol.executions import (
    CheckpointDurableExecutionRequest,
    CheckpointDurableExecutionResponse,
)

__all__ = ["Histogram", "TimedCheckpoints"]

#: Is shown an answer before it is true.
Prepare = Callable[[CheckpointDurableExecutionResponse], None]

_BUCKETS: Final = 128  #: up to half an hour, in microseconds


class Histogram:
    """Counts durations."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts = [0] * _BUCKETS

    def note(self, microseconds: int) -> None:
        """Count one more."""
        bits = microseconds.bit_length()
        place = bits * 4 + (microseconds >> (bits - 3) & 3) if bits > 3 else microseconds
        self._counts[place if place < _BUCKETS else _BUCKETS - 1] += 1

    def quantile_ms(self, fraction: float) -> float | None:
        """Return the duration that so large a part does not pass; None if there is none."""
        total = sum(self._counts)
        if total == 0:
            return None
        rank, seen = fraction * total, 0
        for place, count in enumerate(self._counts):
            seen += count
            if count and seen >= rank:
                return _upper(place) / 1_000
        raise AssertionError("the last bucket holds the rest")

    def clear(self) -> None:
        """Forget them all."""
        self._counts = [0] * _BUCKETS


def _upper(place: int) -> int:
    """Return the end of a bucket, in microseconds."""
    if place < 16:
        return place
    bits, part = divmod(place, 4)
    return ((5 + part) << (bits - 3)) - 1


class Checkpoints(Protocol):
    """Answers checkpoints."""

    async def checkpoint_durable_execution(
        self, request: CheckpointDurableExecutionRequest, prepare: Prepare | None = None
    ) -> CheckpointDurableExecutionResponse:
        """Store a handler's updates."""
        ...


class TimedCheckpoints:
    """Answers checkpoints, and notes how long each took."""

    def __init__(self, checkpoints: Checkpoints, histogram: Histogram) -> None:
        """Have ``checkpoints`` answer them."""
        self._checkpoints = checkpoints
        self._histogram = histogram

    async def checkpoint_durable_execution(
        self, request: CheckpointDurableExecutionRequest, prepare: Prepare | None = None
    ) -> CheckpointDurableExecutionResponse:
        """Store a handler's updates."""
        began = time.perf_counter_ns()
        try:
            return await self._checkpoints.checkpoint_durable_execution(request, prepare)
        finally:
            self._histogram.note((time.perf_counter_ns() - began) // 1_000)
