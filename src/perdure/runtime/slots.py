"""A worker's slots: the calls for an event that wait, and the runs that are on.

A slot is free while its call waits and nobody was promised it; then a run is on it; then it
settles, until the process asks again. A worker has one slot, or as many as its function allows:
Lambda's ``PerExecutionEnvironmentMaxConcurrency``.
"""

from perdure.runtime.run import Run
from perdure.runtime.runtime_api import RuntimeApiConnection

__all__ = ["Slots"]


class Slots:
    """The slots of one worker."""

    def __init__(self, slots_max: int) -> None:
        """Begin with none that is free: each settles until the process asks for its event."""
        self.runs: dict[str, Run] = {}  #: those that are on, by their request ids
        self.settling = slots_max  #: those that are neither free nor taken
        self._max = slots_max
        self._parked: list[RuntimeApiConnection] = []
        self._promised = 0

    @property
    def free(self) -> int:
        """Return how many runs could be given now."""
        return len(self._parked) - self._promised

    @property
    def are_idle(self) -> bool:
        """Tell whether the process waits for an event, and has nothing else to do."""
        return bool(self._parked) and not self.runs and not self._promised

    def park(self, connection: RuntimeApiConnection) -> bool:
        """Take a call for an event; tell whether there is a slot for it."""
        if len(self._parked) + len(self.runs) >= self._max:
            return False
        self._parked.append(connection)
        self.settling = max(0, self.settling - 1)
        return True

    def can_reach(self) -> bool:
        """Tell whether what is given now would reach the process."""
        while self._parked and not self._parked[-1].is_open:
            self._parked.pop()
        return bool(self._parked)

    def promise(self) -> None:
        """Keep a free slot for a run that is about to begin."""
        self._promised += 1

    def take_back(self) -> None:
        """Have a promised slot be free again."""
        self._promised -= 1

    def begin(self, run: Run) -> RuntimeApiConnection:
        """Put a run on a promised slot; return the call to answer."""
        self._promised -= 1
        self.runs[run.request.request_id] = run
        return self._parked.pop()

    def end(self, run: Run) -> None:
        """Take a run off its slot, which settles."""
        del self.runs[run.request.request_id]
        self.settling += 1

    def hang_up(self, connection: RuntimeApiConnection) -> bool:
        """Forget a call whose connection is gone; tell whether it was the last hold on life."""
        if connection not in self._parked:
            return False
        self._parked.remove(connection)
        return not self._parked and not self.runs
