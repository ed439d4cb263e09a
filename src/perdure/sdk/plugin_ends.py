"""Which thread calls an operation's end hook: the first that reads its result; the others wait.

The one who handles a checkpoint's answer records the ended operations before they can be read, and
calls nothing. Rules: one end hook an operation and invocation; a result is acted on only after its
hook has returned; a descendant that nobody has read is told before its ancestor; a thread that is
inside a hook neither calls nor waits. No hook is called under a lock.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from perdure.protocol.words import FINISHED_OPERATION_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from perdure.protocol.operations import Operation

__all__ = ["EndHooks"]


class _Ended:
    """An operation whose end hook has not returned yet.

    Owned by the thread that calls the hook, or reserved, which is owned too, for the one that waits
    for the checkpoint, until that comes for it.
    """

    __slots__ = ("done", "is_owned", "is_reserved", "operation")

    def __init__(self, operation: Operation, *, is_reserved: bool) -> None:
        self.operation = operation
        self.is_reserved = is_reserved
        self.is_owned = is_reserved
        self.done = threading.Event()

    def take(self) -> None:
        self.is_owned = True
        self.is_reserved = False


class EndHooks:
    """The end hooks of one invocation that are still to be called."""

    def __init__(self, call: Callable[[Operation], None], is_in_hook: Callable[[], bool]) -> None:
        """Begin empty; ``call`` runs one end hook, ``is_in_hook`` knows the calling thread."""
        self._call = call
        self._is_in_hook = is_in_hook
        self._lock = threading.Lock()
        self._pending: dict[str, _Ended] = {}
        self._by_parent: dict[str, dict[str, _Ended]] = {}
        self._told: set[str] = set()

    def record(self, operations: Iterable[Operation], waited_for: Collection[str]) -> None:
        """Note the ended ones of ``operations``, before anyone can read them.

        The hooks of those in ``waited_for`` are kept for the threads that wait for them. One noted
        again keeps its place, with the newer state unless its hook is owned.
        """
        ended = [each for each in operations if each.status in FINISHED_OPERATION_STATUSES]
        if not ended:
            return
        with self._lock:
            for operation in ended:
                self._note(operation, is_reserved=operation.id in waited_for)

    def observed(self, operation_id: str, *, waiter: bool = False) -> None:
        """Have the operation's end hook called, or wait until who owns it has called it."""
        # Recorded before it could be read: what is not here has no hook, or has had it.
        ended = self._pending.get(operation_id)
        if ended is None or self._is_in_hook():
            return
        with self._lock:
            is_anothers = ended.is_owned and not (waiter and ended.is_reserved)
            taken = [] if is_anothers else self._take_tree(ended)
        if is_anothers:
            ended.done.wait()
        self._call_taken(taken)

    def tell_once(self, operation: Operation) -> None:
        """Have the end hook of an operation called that ended before this invocation."""
        with self._lock:
            if operation.id in self._told:
                return
            if operation.id not in self._pending:
                self._note(operation, is_reserved=False)
        self.observed(operation.id)

    def drain(self) -> None:
        """Call every hook that is left, on this thread; raise at the end what must go on.

        For when nobody else can come any more: neither the owner of a reserved one, nor a reader.
        """
        held: BaseException | None = None
        while (taken := self._take_next()) is not None:
            try:
                self._call_taken(taken)
            except BaseException as control:  # noqa: BLE001 - raised below
                held = held or control
        if held is not None:
            raise held

    def _note(self, operation: Operation, *, is_reserved: bool) -> None:
        if operation.id in self._told:
            return
        ended = self._pending.get(operation.id)
        if ended is None:
            ended = _Ended(operation, is_reserved=is_reserved)
            self._pending[operation.id] = ended
            if operation.parent_id is not None:
                self._by_parent.setdefault(operation.parent_id, {})[operation.id] = ended
        elif not ended.is_owned:
            ended.operation = operation

    def _take_tree(self, root: _Ended) -> list[_Ended]:
        """Take ``root`` and those below it that nobody owns; the deepest come first."""
        root.take()
        taken = [root]
        for ended in taken:
            for child in self._by_parent.get(ended.operation.id, {}).values():
                if not child.is_owned:
                    child.take()
                    taken.append(child)
        taken.reverse()
        return taken

    def _take_next(self) -> list[_Ended] | None:
        with self._lock:
            for ended in self._pending.values():
                if ended.is_reserved or not ended.is_owned:
                    return self._take_tree(ended)
        return None

    def _call_taken(self, taken: Sequence[_Ended]) -> None:
        for place, ended in enumerate(taken):
            try:
                self._call(ended.operation)
            except BaseException:
                # Nobody may wait for ever for what is not called any more.
                for left in taken[place + 1 :]:
                    self._retire(left)
                raise
            finally:
                self._retire(ended)

    def _retire(self, ended: _Ended) -> None:
        operation = ended.operation
        with self._lock:
            self._told.add(operation.id)
            self._pending.pop(operation.id, None)
            if operation.parent_id is not None:
                siblings = self._by_parent.get(operation.parent_id, {})
                siblings.pop(operation.id, None)
                if not siblings:
                    self._by_parent.pop(operation.parent_id, None)
        ended.done.set()
