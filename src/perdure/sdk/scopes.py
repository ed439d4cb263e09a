"""The tree of contexts and steps a handler is in: who may record, and from where.

A scope is closed when its context has ended: what is still running under it may not record any
more. The active place says in which function, and in which of its tasks, the caller is: an
operation used in the wrong place is told so, and one used in a task of its own gets an id of its
own.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asyncio import Task

__all__ = ["ACTIVE", "Place", "Scope"]


class Scope:
    """One context, or one step while its function runs."""

    __slots__ = ("_forks", "_is_closed", "is_work", "name", "parent")

    def __init__(self, parent: Scope | None, name: str | None, *, is_work: bool = False) -> None:
        """Open a scope under ``parent``; ``is_work``: a step, in which no operation may be used."""
        self.parent = parent
        self.name = name
        self.is_work = is_work
        self._is_closed = False
        self._forks: dict[str, int] | None = None

    def close(self) -> None:
        """Let nothing under this scope record any more."""
        self._is_closed = True

    @property
    def is_closed(self) -> bool:
        """Whether this scope or one around it is closed."""
        scope: Scope | None = self
        while scope is not None:
            if scope._is_closed:
                return True
            scope = scope.parent
        return False

    def fork(self, path: str) -> str:
        """Return the path of the next task that the task at ``path`` starts in this scope."""
        if self._forks is None:
            self._forks = {}
        number = self._forks[path] = self._forks.get(path, 0) + 1
        return f"{path}.{number}"


class Place:
    """Where code runs: in which scope, and in which task of it.

    ``path`` is "" for the task that runs the scope's function; ".2.1" is the first task started by
    its second. It depends only on the order in which tasks are started, so a replay finds the same.
    """

    __slots__ = ("path", "scope", "tasks")

    def __init__(self, scope: Scope, path: str = "", tasks: dict[Task[Any], Scope] | None = None):
        """Be in ``scope``; ``tasks`` collects the tasks of the run, where there are any."""
        self.scope = scope
        self.path = path
        self.tasks = tasks


#: The place of the function that is running in this thread or task.
ACTIVE: Final[ContextVar[Place | None]] = ContextVar("perdure_active_place", default=None)
