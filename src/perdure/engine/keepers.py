"""Which worker keeps the suspended handler of which execution: where it can go on without a replay.

It is a memory of this server's alone, and may forget anything at any time: that costs a replay,
never a result (K2). What a worker has said holds for the one invocation that follows: whoever ran
the execution since has raised its epoch, and that handler knows less than was told (F5). Knows no
envelope and no process; what it remembers is bounded, for each worker and in all.
"""

from typing import Final, NamedTuple

__all__ = ["Keepers"]

_KEPT_MAX: Final = 100_000  #: handlers, of all workers


class _Kept(NamedTuple):
    """A handler that was suspended in the invocation of ``epoch``."""

    worker_id: str
    epoch: int


class Keepers:
    """Remembers who keeps what, by the executions' ARNs."""

    def __init__(self, *, per_worker_max: int) -> None:
        """Believe a worker in at most so many handlers, those it suspended last; 0: in none."""
        self._per_worker_max = per_worker_max
        self._kept: dict[str, _Kept] = {}
        self._of_worker: dict[str, dict[str, None]] = {}

    def keep(self, arn: str, *, worker_id: str, epoch: int) -> None:
        """Note that the worker keeps the handler as the invocation of ``epoch`` left it."""
        self.forget(arn)
        if self._per_worker_max == 0:
            return
        if self.count(worker_id) >= self._per_worker_max:
            self.forget(next(iter(self._of_worker[worker_id])))
        if len(self._kept) >= _KEPT_MAX:
            self.forget(next(iter(self._kept)))
        self._kept[arn] = _Kept(worker_id, epoch)
        self._of_worker.setdefault(worker_id, {})[arn] = None

    def keeper(self, arn: str, *, epoch: int) -> str | None:
        """Return the worker whose handler the invocation of ``epoch`` can go on with, if any."""
        kept = self._kept.get(arn)
        return kept.worker_id if kept is not None and kept.epoch == epoch - 1 else None

    def keeps(self, arn: str) -> bool:
        """Tell whether any worker is believed to keep the handler, as it stood once."""
        return arn in self._kept

    def drop(self, arn: str, *, worker_id: str) -> None:
        """Note that the worker has let its handler go; another worker's stays."""
        kept = self._kept.get(arn)
        if kept is not None and kept.worker_id == worker_id:
            self.forget(arn)

    def forget(self, arn: str) -> None:
        """Remember nothing of an execution: it has ended, or nobody keeps its handler any more."""
        kept = self._kept.pop(arn, None)
        if kept is not None:
            others = self._of_worker[kept.worker_id]
            del others[arn]
            if not others:
                del self._of_worker[kept.worker_id]

    def forget_worker(self, worker_id: str) -> None:
        """Remember nothing of a worker: it has gone."""
        for arn in self._of_worker.pop(worker_id, ()):
            del self._kept[arn]

    def count(self, worker_id: str) -> int:
        """Return how many handlers the worker is believed to keep."""
        return len(self._of_worker.get(worker_id, ()))

    def __len__(self) -> int:
        """Return how many handlers are remembered."""
        return len(self._kept)
