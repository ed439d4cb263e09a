"""What nodes tell each other: late, twice, or not at all. A node does not hear itself."""

import asyncio
from collections.abc import Callable, Sequence

from perdure.store.hints import LOST, Hear

from .dice import Dice
from .faults import FaultMix
from .loop import Crew, crew_of
from .oracle import Oracle

__all__ = ["Bus", "Ear"]

_LATE_SECONDS = 0.5


class Bus:
    """Carries hints between the servers that live."""

    def __init__(self, dice: Dice, faults: Callable[[], FaultMix], oracle: Oracle) -> None:
        """Lose what ``faults`` says."""
        self.dice = dice
        self.faults = faults
        self.oracle = oracle
        self.ears: list[Ear] = []

    def connect(self, crew: Crew) -> "Ear":
        """Return a server's end, for as long as its crew lives."""
        self.ears = [ear for ear in self.ears if not ear.crew.is_dead]
        ear = Ear(self, crew)
        self.ears.append(ear)
        return ear


class Ear:
    """One server's end. Implements ``Hints``."""

    def __init__(self, bus: Bus, crew: Crew) -> None:
        """Hear nothing yet."""
        self.crew = crew
        self._bus = bus
        self._context = crew_of(crew)
        self._hearers: list[Hear] = []

    async def open(self) -> None:
        """Begin."""

    async def aclose(self) -> None:
        """End."""

    def subscribe(self, hear: Hear) -> None:
        """Call ``hear`` with what arrives."""
        self._hearers.append(hear)

    def publish(self, topic: str, keys: Sequence[str]) -> None:
        """Send to all others."""
        bus, loop = self._bus, asyncio.get_running_loop()
        for ear in bus.ears:
            if ear is self or ear.crew.is_dead:
                continue
            if bus.dice.chance(bus.faults().lost_hints):
                bus.oracle.count("hint lost")
                if bus.dice.chance(0.05):
                    loop.call_later(1.0, ear.hear, LOST, (), context=ear.context())
                continue
            bus.oracle.count("hint")
            for _ in range(2 if bus.dice.chance(0.1) else 1):
                late = _LATE_SECONDS if bus.dice.chance(0.1) else 0.003
                seconds = bus.dice.between(0, late)
                loop.call_later(seconds, ear.hear, topic, tuple(keys), context=ear.context())

    def context(self):
        """Return the context in which its server's parts are called."""
        return self._context.copy()

    def hear(self, topic: str, keys: tuple[str, ...]) -> None:
        """Pass a hint on."""
        if not self.crew.is_dead:
            for hearer in self._hearers:
                hearer(topic, keys)
