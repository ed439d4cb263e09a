"""The executions this node has in memory: a bounded number, the least recently used go first.

A command on an execution waits for the one before it: each resident has a lock. What a resident
holds is what the store committed; whoever is interrupted between a commit and taking it over drops
the resident, and the next command reads the store again. Where other nodes may write, every
borrower reads it: what it is refused or shown must not be older than what they committed (F9).
"""

import asyncio
import logging
from collections import OrderedDict
from types import TracebackType

from perdure.core.errors import Refusal, Unavailable
from perdure.core.execution import Execution
from perdure.store.protocol import CorruptRowError, Store

__all__ = ["Loan", "Resident", "Residents"]

_log = logging.getLogger(__name__)


class Resident:
    """One execution in memory; ``execution`` None: not read yet, or none is stored."""

    __slots__ = ("execution", "is_current", "lock", "size_bytes", "users")

    def __init__(self) -> None:
        """Begin unread."""
        self.execution: Execution | None = None
        self.is_current = False
        self.lock = asyncio.Lock()
        self.users = 0
        self.size_bytes = 0


class Residents:
    """Lends executions out, one borrower at a time."""

    def __init__(self, store: Store, *, executions_max: int, bytes_max: int) -> None:
        """Keep at most so many executions, of at most so many bytes of payload together."""
        self._store = store
        self._executions_max = executions_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._residents: OrderedDict[str, Resident] = OrderedDict()

    def borrow(self, execution_id: str) -> "Loan":
        """Lend the execution for the length of an ``async with``.

        A refusal inside has changed nothing. After any other exception, such as an interruption
        between a commit and taking it over, or a commit of which nothing is known, the next
        borrower reads the execution again.
        """
        return Loan(self, execution_id)

    def enter(self, execution_id: str) -> Resident:
        """Return the resident, which stays as long as it has users."""
        resident = self._residents.get(execution_id)
        if resident is None:
            resident = self._residents[execution_id] = Resident()
        else:
            self._residents.move_to_end(execution_id)
        resident.users += 1
        return resident

    def leave(self, execution_id: str, resident: Resident) -> None:
        """Take back what ``enter`` gave."""
        resident.users -= 1
        self._shrink(execution_id, resident)

    def weigh(self, resident: Resident) -> None:
        """Count the resident's size anew."""
        execution = resident.execution
        size = 0 if execution is None else execution.progress.stored_bytes
        self._bytes += size - resident.size_bytes
        resident.size_bytes = size

    def put_off(self, resident: Resident) -> None:
        """Have the next borrower read the execution again."""
        resident.execution, resident.is_current = None, False
        self.weigh(resident)

    def adopt(self, execution: Execution) -> None:
        """Keep an execution that was just committed for the first time."""
        execution_id = execution.identity.id
        resident = self._residents.get(execution_id)
        if resident is None:
            resident = self._residents[execution_id] = Resident()
            resident.execution, resident.is_current = execution, self._store.is_exclusive
            self.weigh(resident)
            self._shrink(execution_id, resident)

    def drop(self, execution_id: str) -> None:
        """Have the next borrower read the execution again."""
        resident = self._residents.get(execution_id)
        if resident is not None:
            self.put_off(resident)
            if resident.users == 0:
                del self._residents[execution_id]

    async def refresh(self, execution_id: str, resident: Resident) -> None:
        """Read the execution from the store, unless it is known and nobody else can change it.

        Raises:
            Unavailable: its rows are damaged (D6).
        """
        self.put_off(resident)
        try:
            resident.execution = await self._store.load(execution_id)
        except CorruptRowError as error:
            _log.critical("execution %s cannot be read: %s", execution_id, error)
            raise Unavailable("the execution cannot be read") from error
        resident.is_current = self._store.is_exclusive
        self.weigh(resident)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._residents)

    def _shrink(self, execution_id: str, resident: Resident) -> None:
        if resident.execution is None and resident.users == 0:
            self._residents.pop(execution_id, None)
        for other_id in list(self._residents) if self._is_over() else ():
            other = self._residents[other_id]
            if other.users == 0:
                self._bytes -= other.size_bytes
                del self._residents[other_id]
            if not self._is_over():
                break

    def _is_over(self) -> bool:
        return len(self._residents) > self._executions_max or self._bytes > self._bytes_max


class Loan:
    """An execution lent to one borrower."""

    __slots__ = ("_execution_id", "_resident", "_residents")

    def __init__(self, residents: Residents, execution_id: str) -> None:
        """Lend nothing yet."""
        self._residents = residents
        self._execution_id = execution_id

    async def __aenter__(self) -> Resident:
        """Wait for the borrower before, then lend."""
        residents, execution_id = self._residents, self._execution_id
        resident = self._resident = residents.enter(execution_id)
        try:
            await resident.lock.acquire()
        except BaseException:
            residents.leave(execution_id, resident)
            raise
        try:
            if not resident.is_current:
                await residents.refresh(execution_id, resident)
        except BaseException:
            self.give_back()
            raise
        return resident

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the execution back."""
        is_harmless = isinstance(error, Refusal) and not isinstance(error, Unavailable)
        if error is not None and not is_harmless:
            self._residents.put_off(self._resident)
        self.give_back()

    def give_back(self) -> None:
        """Let the next borrower have it."""
        residents, resident = self._residents, self._resident
        residents.weigh(resident)
        resident.lock.release()
        residents.leave(self._execution_id, resident)
