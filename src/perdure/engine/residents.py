"""The executions this node has in memory: a bounded number, the least recently used go first.

A command on an execution waits for the one before it: each resident has a lock. What a resident
holds is what the store committed; whoever is interrupted between a commit and taking it over drops
the resident, and the next command reads the store again.

Where other nodes may write, what is in memory may be old. A command may work on it all the same:
its commit compares versions, so that nothing comes of an old state but a conflict. What is shown or
refused without a commit must not be older than what others have committed (F9): for that the store
is asked first whether it knows more, which costs little if it does not.
"""

import asyncio
import logging
from collections import OrderedDict
from types import TracebackType

from perdure.core.errors import Refusal, Unavailable
from perdure.core.execution import Execution
from perdure.store.protocol import CorruptRowError, Store, StoreUnavailableError

__all__ = ["Loan", "Resident", "Residents"]

_log = logging.getLogger(__name__)


class Resident:
    """One execution in memory; ``execution`` None: not read yet, or none is stored.

    ``is_current``: what is here was stored at some instant since it was borrowed.
    """

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

    def borrow(self, execution_id: str, *, since_version: int | None = None) -> "Loan":
        """Lend the execution for the length of an ``async with``.

        As it stands; or, with ``since_version``, as it stood at some instant after it had that
        version, which is in memory more often than not.

        A refusal inside has changed nothing. After any other exception, such as an interruption
        between a commit and taking it over, or a commit of which nothing is known, the next
        borrower reads the execution again.
        """
        return Loan(self, execution_id, since_version)

    def peek(self, execution_id: str, since_version: int) -> Execution | None:
        """Return what is in memory of an execution, whoever has borrowed it; None: nothing that is
        new enough.
        """
        resident = self._residents.get(execution_id)
        execution = None if resident is None else resident.execution
        is_new = execution is not None and execution.progress.version >= since_version
        return execution if is_new else None

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
        if resident.execution is None and resident.users == 0:
            self._residents.pop(execution_id, None)
        self._shrink()

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
            self._shrink()

    def drop(self, execution_id: str) -> None:
        """Have the next borrower read the execution again."""
        resident = self._residents.get(execution_id)
        if resident is not None:
            self.put_off(resident)
            if resident.users == 0:
                del self._residents[execution_id]

    async def refresh(self, execution_id: str, resident: Resident) -> None:
        """Read what the store knows of the execution beyond what is here.

        Raises:
            Unavailable: its rows are damaged (D6), or the store cannot be reached.
        """
        known = resident.execution
        self.put_off(resident)
        try:
            resident.execution = await self._store.load(execution_id, known)
        except CorruptRowError as error:
            _log.critical("execution %s cannot be read: %s", execution_id, error)
            raise Unavailable("the execution cannot be read") from error
        except StoreUnavailableError as error:
            raise Unavailable(str(error)) from error
        resident.is_current = True
        self.weigh(resident)

    def age(self, resident: Resident) -> None:
        """Note that time goes by, in which others may write."""
        resident.is_current = resident.is_current and self._store.is_exclusive

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._residents)

    def _shrink(self) -> None:
        while len(self._residents) > self._executions_max or self._bytes > self._bytes_max:
            idle = (i for i, resident in self._residents.items() if resident.users == 0)
            oldest_id = next(idle, None)
            if oldest_id is None:
                break
            self._bytes -= self._residents.pop(oldest_id).size_bytes


class Loan:
    """An execution lent to one borrower."""

    __slots__ = ("_execution_id", "_resident", "_residents", "_since_version")

    def __init__(
        self, residents: Residents, execution_id: str, since_version: int | None = None
    ) -> None:
        """Lend nothing yet."""
        self._residents = residents
        self._execution_id = execution_id
        self._since_version = since_version

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
            if not resident.is_current and not self._will_do(resident):
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
        residents.age(resident)
        resident.lock.release()
        residents.leave(self._execution_id, resident)

    def _will_do(self, resident: Resident) -> bool:
        """Tell whether what is in memory is new enough for this borrower."""
        execution, version = resident.execution, self._since_version
        return (
            execution is not None and version is not None and execution.progress.version >= version
        )
