"""Which branches of a handler run, and which wait for something outside: when none runs, the
handler can suspend.
"""

import asyncio
from collections.abc import Callable, Mapping

from .checkpoints import View

__all__ = ["Branches", "Group"]


class Group:
    """The branches of one parallel operation; the last to end (or the first) goes on for them."""

    def __init__(self, left: int, *, is_first: bool) -> None:
        """Begin with ``left`` branches."""
        self.left = left
        self.is_first = is_first
        self.is_taken = False
        self.begun: dict[str, None] = {}


class Branches:
    """Counts those that run; one to begin with."""

    def __init__(self, views: Mapping[str, View], when_idle: Callable[[], None]) -> None:
        """Wait for changes of ``views``; call ``when_idle`` whenever nothing runs any more."""
        self.running = 1
        self._views = views
        self._when_idle = when_idle
        self._awaited: dict[str, asyncio.Future[None]] = {}

    async def until(self, operation_id: str, is_enough: Callable[[View], bool]) -> View:
        """Return the operation once it is as wanted."""
        while not is_enough(self._views[operation_id]):
            changed = asyncio.get_running_loop().create_future()
            self._awaited[operation_id] = changed
            self._park()
            try:
                await changed
            except asyncio.CancelledError:
                if changed.cancelled():
                    self.running += 1  # whoever is cancelled counts itself out
                raise
        return self._views[operation_id]

    def hear(self, view: View) -> None:
        """Wake whoever waits for the operation."""
        awaited = self._awaited.pop(view.id, None)
        if awaited is not None and not awaited.done():
            self.running += 1
            awaited.set_result(None)

    def enter(self, group: Group) -> None:
        """Count the branches of a group in, and the one that waits for them out."""
        self.running += group.left - 1

    def leave(self, group: Group) -> None:
        """Count one branch of a group out, or the one that waits for it in."""
        group.left -= 1
        if not group.is_taken and (group.is_first or group.left == 0):
            group.is_taken = True
        else:
            self._park()

    def _park(self) -> None:
        self.running -= 1
        if self.running == 0:
            self._when_idle()
