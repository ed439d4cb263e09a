"""The executions this node has in memory: a bounded number, the least recently used go first.

A command on an execution waits for the one before it: each resident has a lock. What a resident
holds is what the store committed; whoever is interrupted between a commit and taking it over drops
the resident, and the next command reads the store again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from perdure.core.execution import Execution
from perdure.store.protocol import Store

__all__ = ["Resident", "Residents"]


class Resident:
    """One execution in memory; ``execution`` None: not read yet, or none is stored."""

    __slots__ = ("execution", "is_current", "lock", "users")

    def __init__(self) -> None:
        """Begin unread."""
        self.execution: Execution | None = None
        self.is_current = False
        self.lock = asyncio.Lock()
        self.users = 0


class Residents:
    """Lends executions out, one borrower at a time."""

    def __init__(self, store: Store, *, executions_max: int, bytes_max: int) -> None:
        """Keep at most so many executions, of at most so many bytes of payload together."""
        self._store = store
        self._executions_max = executions_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._residents: OrderedDict[str, Resident] = OrderedDict()

    @asynccontextmanager
    async def borrow(self, execution_id: str) -> AsyncGenerator[Resident]:
        """Lend the execution; an exception inside makes the next borrower read it again."""
        resident = self._residents.get(execution_id)
        if resident is None:
            resident = self._residents[execution_id] = Resident()
        else:
            self._residents.move_to_end(execution_id)
        resident.users += 1
        try:
            async with resident.lock:
                try:
                    if not resident.is_current:
                        await self.refresh(execution_id, resident)
                    before = _size(resident)
                    yield resident
                    self._bytes += _size(resident) - before
                except BaseException:
                    self._bytes -= _size(resident)
                    resident.execution, resident.is_current = None, False
                    raise
        finally:
            resident.users -= 1
            self._shrink(execution_id, resident)

    def adopt(self, execution: Execution) -> None:
        """Keep an execution that was just committed for the first time."""
        execution_id = execution.identity.id
        resident = self._residents.get(execution_id)
        if resident is None:
            resident = self._residents[execution_id] = Resident()
            resident.execution, resident.is_current = execution, True
            self._bytes += _size(resident)
            self._shrink(execution_id, resident)

    def drop(self, execution_id: str) -> None:
        """Have the next borrower read the execution again."""
        resident = self._residents.get(execution_id)
        if resident is not None:
            self._bytes -= _size(resident)
            resident.execution, resident.is_current = None, False
            if resident.users == 0:
                del self._residents[execution_id]

    async def refresh(self, execution_id: str, resident: Resident) -> None:
        """Read the execution from the store again."""
        self._bytes -= _size(resident)
        resident.execution, resident.is_current = None, False
        resident.execution = await self._store.load(execution_id)
        resident.is_current = True
        self._bytes += _size(resident)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._residents)

    def _shrink(self, execution_id: str, resident: Resident) -> None:
        if resident.execution is None and resident.users == 0:
            self._residents.pop(execution_id, None)
        for other_id in list(self._residents) if self._is_over() else ():
            other = self._residents[other_id]
            if other.users == 0:
                self._bytes -= _size(other)
                del self._residents[other_id]
            if not self._is_over():
                break

    def _is_over(self) -> bool:
        return len(self._residents) > self._executions_max or self._bytes > self._bytes_max


def _size(resident: Resident) -> int:
    execution = resident.execution
    return 0 if execution is None else execution.progress.stored_bytes
