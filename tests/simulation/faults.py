"""What goes wrong in a schedule: each seed draws its own mix and its own rates (swarm testing)."""

from dataclasses import dataclass, fields, replace

from .dice import Dice

__all__ = ["FaultMix", "draw_faults", "without_faults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultMix:
    """Probabilities are of one request, commit or invocation; periods are means, 0 for never."""

    servers: int = 1  #: at the same time, on one store
    slots: int = 3  #: handlers that run at once on a server
    reserved: int = 0  #: the concurrency of each function on all servers together; 0: any
    lease_ms: int = 8_000
    latency_seconds: float = 0.01  #: of a message, at most, while nothing is wrong
    commit_seconds: float = 0.004
    page_operations: int = 1000  #: of a replay's state
    is_shuffled: bool = False  #: what runs at one instant runs in any order
    kept_handlers: float = 0.0  #: of those that suspend
    #: a commit of which nothing is known costs its connection; else the server dies of it
    is_surviving: bool = False
    fault_seconds: float = 20.0
    lost_requests: float = 0.0
    lost_replies: float = 0.0
    delayed: float = 0.0
    duplicated: float = 0.0
    disconnected: float = 0.0
    slow_commits: float = 0.0
    conflicts: float = 0.0
    unknown_commits: float = 0.0
    full_store: float = 0.0
    unreachable_store: float = 0.0
    lost_hints: float = 0.0
    slow_returns: float = 0.0  #: what a handler returns arrives late
    busy_workers: float = 0.0  #: an invocation waits for a worker, and not the one it prefers
    killed_workers: float = 0.0
    zombies: float = 0.0
    killed_servers_seconds: float = 0.0
    killed_at_commit: float = 0.0
    clock_jumps_seconds: float = 0.0
    early_looks_seconds: float = 0.0  #: a server looks into the store before it has to

    def described(self) -> str:
        """Return what differs from nothing going wrong."""
        plain = FaultMix()
        return " ".join(
            f"{field.name}={getattr(self, field.name):.4g}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(plain, field.name)
        )


def draw_faults(dice: Dice) -> FaultMix:
    """Return a mix."""

    def rate(*rates: float) -> float:
        return dice.pick(rates) if dice.chance(0.45) else 0.0

    servers = dice.pick((1, 1, 1, 2, 2, 3, 4, 5))
    is_surviving = servers > 1 and dice.chance(0.7)
    return FaultMix(
        servers=servers,
        is_surviving=is_surviving,
        slots=dice.integer(2, 4),
        lease_ms=dice.pick((2_000, 5_000, 10_000)),
        latency_seconds=dice.pick((0.0, 0.002, 0.02)),
        commit_seconds=dice.pick((0.0, 0.002, 0.01)),
        page_operations=dice.pick((2, 5, 1000)),
        is_shuffled=dice.chance(0.5),
        fault_seconds=dice.between(5, 25),
        lost_requests=rate(0.02, 0.1, 0.3),
        lost_replies=rate(0.02, 0.1, 0.3),
        delayed=rate(0.05, 0.3),
        duplicated=rate(0.05, 0.3),
        disconnected=rate(0.02, 0.1),
        slow_commits=rate(0.02, 0.2),
        conflicts=rate(0.02, 0.2),
        unknown_commits=rate(0.002, 0.01, 0.03),
        full_store=rate(0.01, 0.05),
        unreachable_store=rate(0.01, 0.1) if is_surviving else 0.0,
        lost_hints=dice.pick((0.0, 0.3, 1.0)),
        slow_returns=rate(0.2, 0.6, 1.0),
        killed_workers=rate(0.05, 0.3, 0.6),
        zombies=rate(0.2, 1.0),
        killed_servers_seconds=rate(2.0, 6.0, 15.0),
        killed_at_commit=rate(0.005, 0.02, 0.05),
        clock_jumps_seconds=rate(3.0, 10.0),
        early_looks_seconds=rate(0.05, 0.3, 2.0),
        kept_handlers=dice.pick((0.0, 0.5, 0.9, 1.0)),
        busy_workers=rate(0.1, 0.5),
        reserved=dice.pick((0, 0, 1, 2)),
    )


def without_faults(mix: FaultMix) -> FaultMix:
    """Return the mix of the heal phase: the same machines, and nothing goes wrong."""
    healed = {field.name: getattr(mix, field.name) for field in fields(FaultMix)[:11]}
    return replace(FaultMix(), **healed)
