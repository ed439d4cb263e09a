"""What goes wrong with nodes and their database, drawn from a seed.

Of two nodes, at most, at a time. The last of all, when everything else is whole again, is a node
that is killed in the middle of its work and started again.
"""

import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from tests.chaos.clients import pause
from tests.nodes.group import Group, Node
from tests.nodes.networks import Network
from tests.simulation.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FULL", "Troubles"]

#: Source: issue 4, the proof.
FULL: Final = {"kill": 20, "freeze": 10, "cut from database": 5, "cut from node": 5, "restart": 10}
_FROZEN_SECONDS: Final = 14.0  #: a lease lasts 12
_AT_ONCE_MAX: Final = 2
_WORKING_SECONDS: Final = 0.5  #: until nodes are in the middle of what has just become ready
_PATIENCE_SECONDS: Final = 60.0
_START_TRIES: Final = 20


class Troubles:
    """Makes trouble, until all has been made."""

    def __init__(self, group: Group, network: Network, dice: Dice, counts: dict[str, int]) -> None:
        """Make so many of each kind; from half of them on, no more while ``is_behind`` says that
        there is more to do than was done.
        """
        self.is_behind: Callable[[], bool] = lambda: False
        self._group = group
        self._network = network
        self._dice = dice
        self._todo = [kind for kind, count in counts.items() for _ in range(count)]
        self._count = len(self._todo)
        self._begun = 0
        self._troubled: set[int] = set()
        self._changed = threading.Condition()
        self._database = threading.Lock()
        self._under_way: list[Future[None]] = []
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="trouble")
        self.made: Counter[str] = Counter()
        self.log: list[str] = []

    @property
    def progress(self) -> float:
        """Which part of all the trouble has begun, or is about to."""
        return self._begun / self._count

    def run(self) -> None:
        """Make them all; return when everything is whole again."""
        began = time.monotonic()
        self._todo.remove("kill")
        while self._todo:
            pause(self._dice.between(0.2, 2.5))
            self._let_work()
            kind = self._todo.pop(self._dice.below(len(self._todo)))
            self._begin(kind, began)
        self._wait()
        self._let_work()
        self._begun += 1
        pause(_WORKING_SECONDS)
        self._begin("kill", began)
        self._wait()
        self._pool.shutdown()

    def _let_work(self) -> None:
        """Wait, if there is more to do than this machine can do meanwhile."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while self.progress >= 0.5 and time.monotonic() < until and self.is_behind():
            pause(0.5)

    def _wait(self) -> None:
        for trouble in self._under_way:
            trouble.result()
        self._under_way.clear()

    def _begin(self, kind: str, began: float) -> None:
        number = -1
        if kind != "restart":
            with self._changed:
                self._changed.wait_for(lambda: len(self._troubled) < _AT_ONCE_MAX)
                free = [n for n in range(len(self._group.nodes)) if n not in self._troubled]
                number = self._dice.pick(free)
                self._troubled.add(number)
        self._begun = min(self._begun + 1, self._count)
        self.log.append(f"{time.monotonic() - began:.1f} {kind} {number}")
        self._under_way.append(self._pool.submit(self._make, kind, number, self._dice.fraction()))

    def _make(self, kind: str, number: int, fraction: float) -> None:
        try:
            if kind == "restart":
                with self._database:
                    self._group.cluster.restart("immediate")
            elif kind == "kill":
                self._kill(self._group.nodes[number], fraction)
            elif kind == "freeze":
                self._freeze(self._group.nodes[number])
            else:
                self._cut(kind, number, fraction)
            self.made[kind] += 1
        finally:
            with self._changed:
                self._troubled.discard(number)
                self._changed.notify_all()

    def _kill(self, node: Node, fraction: float) -> None:
        node.kill_machine()
        pause(3 * fraction)
        for _ in range(_START_TRIES):
            try:
                return node.start()
            except AssertionError:  # the database is being restarted
                pause(0.5)
        raise AssertionError(f"{node.data.name} does not start any more: {node.stderr[-2000:]}")

    def _freeze(self, node: Node) -> None:
        node.freeze()
        pause(_FROZEN_SECONDS)
        node.thaw()

    def _cut(self, kind: str, number: int, fraction: float) -> None:
        other = (number + 1) % len(self._group.nodes)
        is_database = kind == "cut from database"
        address = self._network.database if is_database else self._network.address(other)
        self._network.cut(number, address)
        pause(4 + 12 * fraction)
        self._network.mend(number)
