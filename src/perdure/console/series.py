"""What this node did in the last half hour: a point every five seconds, from counters alone.

Whoever commits adds one to a number or two; all else is done when a point is made.
"""

from collections import deque
from typing import Final, TypedDict

from perdure.console.latencies import Histogram
from perdure.core.outcome import CheckpointReply, Closed, InvocationInput, Outcome
from perdure.engine.dispatcher import Dispatcher
from perdure.engine.engine import Engine
from perdure.engine.loops import Loop
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, ExecutionStatus
from perdure.store.change import Change

__all__ = ["INTERVAL_MS", "POINTS_MAX", "Point", "Series"]

INTERVAL_MS: Final = 5_000
POINTS_MAX: Final = 360
_COUNTED_MAX: Final = 100_000
_RECOUNT_POINTS: Final = 60  #: others may change executions, too: what is open is counted anew
_GOOD: Final = frozenset({ExecutionStatus.SUCCEEDED, ExecutionStatus.STOPPED})


class Point(TypedDict):
    """What happened in five seconds, and how things stood at their end."""

    at_ms: int
    checkpoints: int
    starts: int
    completions: int
    invocations: int
    errors: int
    checkpoint_p50_ms: float | None
    checkpoint_p99_ms: float | None
    running: int
    suspended: int | None  #: None: more are open than are counted


class Series:
    """Counts what the engine commits."""

    def __init__(self, engine: Engine, dispatcher: Dispatcher) -> None:
        """Count from now on; ``start`` begins to make points."""
        self.histogram = Histogram()
        self.points: deque[Point] = deque(maxlen=POINTS_MAX)
        self._store = engine.store
        self._clock = engine.clock
        self._dispatcher = dispatcher
        self._checkpoints = self._starts = self._completions = 0
        self._invocations = self._errors = 0
        self._open: int | None = None
        self._until_recount = 0
        self._loop = Loop("series", self.run_once)
        engine.listen(self._hear)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Make a point; return the seconds until the next one."""
        if self._until_recount == 0:
            self._open = await self._count_open()
            self._until_recount = _RECOUNT_POINTS
        self._until_recount -= 1
        running = self._dispatcher.running
        histogram = self.histogram
        self.points.append(
            Point(
                at_ms=self._clock.now_ms(),
                checkpoints=self._checkpoints,
                starts=self._starts,
                completions=self._completions,
                invocations=self._invocations,
                errors=self._errors,
                checkpoint_p50_ms=histogram.quantile_ms(0.5),
                checkpoint_p99_ms=histogram.quantile_ms(0.99),
                running=running,
                suspended=None if self._open is None else max(0, self._open - running),
            )
        )
        histogram.clear()
        self._checkpoints = self._starts = self._completions = 0
        self._invocations = self._errors = 0
        return INTERVAL_MS / 1_000

    async def _count_open(self) -> int | None:
        tallies = await self._store.tally(limit=_COUNTED_MAX)
        if sum(tally.executions for tally in tallies) >= _COUNTED_MAX:
            return None
        return sum(t.executions for t in tallies if t.status not in CLOSED_EXECUTION_STATUSES)

    def _hear(self, outcome: Outcome, change: Change) -> None:
        reply = outcome.reply
        if type(reply) is CheckpointReply:
            self._checkpoints += 1
        elif outcome.base_version == 0:
            self._starts += 1
            if self._open is not None:
                self._open += 1
        if type(reply) is InvocationInput or type(outcome.sequel_reply) is InvocationInput:
            self._invocations += 1
        for effect in outcome.effects:
            if type(effect) is Closed:
                self._completions += 1
                self._errors += effect.status not in _GOOD
                if self._open is not None:
                    self._open -= 1
