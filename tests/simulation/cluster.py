"""The servers of a schedule: booted, killed, booted again on the same store; and their clocks."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from .clocks import EPOCH_MS, ServerClock, WallClock
from .dice import Dice, SimulatedEntropy
from .disk import Connection, Disk
from .faults import FaultMix
from .hints import Bus
from .loop import VirtualLoop, crew_of
from .oracle import Oracle
from .programs import Program
from .server import FunctionShelf, Server

__all__ = ["Cluster"]

_JUMPS_MS: Final = (-3_600_000, 3_600_000, 61_000, -5_000, 5_000, 500)
_HOUR_MS: Final = 3_600_000


class Cluster:
    """Keeps the machines running, or not."""

    def __init__(
        self,
        loop: VirtualLoop,
        seed: int,
        faults: Callable[[], FaultMix],
        oracle: Oracle,
        programs: dict[str, Program],
    ) -> None:
        """Prepare ``faults().servers`` machines."""
        self.oracle = oracle
        self.disk = Disk(oracle)
        self.shelf = FunctionShelf(programs, concurrency_max=faults().reserved or None)
        self.invoker_of: Callable[[Server], Any] = lambda server: None
        self._faults = faults
        self._dice = Dice(seed, "cluster")
        self._store_dice = Dice(seed, "store")
        self._bus = Bus(Dice(seed, "hints"), faults, oracle)
        self._entropy = SimulatedEntropy(Dice(seed, "entropy"))
        self._walls = [WallClock(loop) for _ in range(faults().servers)]
        self._servers: list[Server | None] = [None] * faults().servers
        self._incarnations = 0
        self._is_closing = False

    @property
    def servers(self) -> list[Server]:
        """The servers that were booted last."""
        return [server for server in self._servers if server is not None]

    async def boot_all(self) -> None:
        """Boot every machine."""
        for machine in range(len(self._servers)):
            await self._boot(machine)

    async def trouble(self) -> None:
        """Kill servers and move clocks, for as long as there are faults."""
        faults = self._faults()
        kill_at = self._next(faults.killed_servers_seconds)
        jump_at = self._next(faults.clock_jumps_seconds)
        look_at = self._next(faults.early_looks_seconds)
        loop = asyncio.get_running_loop()
        while (at := min(kill_at, jump_at, look_at)) < faults.fault_seconds:
            await asyncio.sleep(max(0.0, at - loop.time()))
            if at == kill_at:
                self.fell(self._dice.below(len(self._servers)), "server killed")
                kill_at = at + self._next(faults.killed_servers_seconds)
            elif at == look_at:
                self._dice.pick(self.servers).look(self._dice)
                look_at = at + self._next(faults.early_looks_seconds)
            else:
                self._jump()
                jump_at = at + self._next(faults.clock_jumps_seconds)

    def heal(self) -> None:
        """Have all clocks agree, on the latest."""
        high_ms = max(
            [server.clock.now_ms() for server in self.servers]
            + [wall.wall_ms() for wall in self._walls]
        )
        for wall in self._walls:
            wall.wrong_ms = high_ms - EPOCH_MS - wall.elapsed_ms()

    def close(self) -> None:
        """Boot nothing more, and kill what runs."""
        self._is_closing = True
        for server in self.servers:
            server.kill()

    def fell(self, machine: int, why: str) -> None:
        """Kill what runs on a machine; it boots again after a while."""
        server = self._servers[machine]
        if server is None or server.is_dead:
            return
        self.oracle.count(why)
        self.oracle.note("killed", server.name, why)
        server.kill()
        self.oracle.hold_all(self.disk.load)
        seconds = self._dice.pick((0.01, 0.3, 3.0)) * self._dice.fraction()
        asyncio.get_running_loop().call_later(
            seconds, self._boot_later, machine, context=crew_of(None)
        )

    def _boot_later(self, machine: int) -> None:
        if not self._is_closing:
            self._booting = asyncio.get_running_loop().create_task(self._boot(machine))

    async def _boot(self, machine: int) -> None:
        self._incarnations += 1
        name = f"s{machine}.{self._incarnations}"

        def connect(clock: ServerClock) -> Connection:
            return Connection(self.disk, self._store_dice, self._faults, clock, self.oracle)

        server = Server(
            name,
            connect,
            self.shelf,
            self._walls[machine],
            self._entropy,
            self.invoker_of,
        )
        server.hints = self._bus.connect(server.crew)
        before = self._servers[machine]
        server.predecessor = "" if before is None else before.name

        def fatal() -> None:
            if server.store.is_broken:
                seconds = self._dice.between(0, 0.5)
                loop = asyncio.get_running_loop()
                loop.call_later(seconds, self._fatal, machine, server)
            else:
                self._fatal(machine, server)

        server.store.on_fatal = fatal
        self._servers[machine] = server
        faults = self._faults()
        self.oracle.note("boots", name)
        await server.boot(slots=faults.slots, lease_ms=faults.lease_ms)
        if not server.is_up and not server.is_dead and not self._is_closing:
            self.fell(machine, "boot failed")

    def _fatal(self, machine: int, server: Server) -> None:
        if self._servers[machine] is server:
            self.fell(machine, "server died of a commit")

    def _next(self, mean_seconds: float) -> float:
        return self._dice.between(0.01, 2 * mean_seconds) if mean_seconds else 1e9

    def _jump(self) -> None:
        wall = self._dice.pick(self._walls)
        by_ms = self._dice.pick(_JUMPS_MS)
        if abs(wall.wrong_ms + by_ms) > 4 * _HOUR_MS:
            return
        self.oracle.count("clock jump")
        self.oracle.note("clock", self._walls.index(wall), f"{by_ms:+d} ms")
        wall.jump(by_ms)
