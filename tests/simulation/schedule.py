"""One schedule: a world drawn from a seed, a fault phase, a heal phase in which everything must
come to its end, and the verdict.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from perdure.core.execution import ExecutionKind
from perdure.engine import states
from perdure.protocol import executions as shapes
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType

from .clients import Clients, payload_of
from .cluster import Cluster
from .dice import Dice
from .expectations import expect, problem_with
from .faults import FaultMix, draw_faults, without_faults
from .loop import StuckError, VirtualLoop
from .network import Network
from .oracle import Oracle
from .programs import Callback, Invoke, Program, draw_programs
from .records import Life
from .server import LogEar
from .workers import Workers

__all__ = ["Report", "play"]

_DRAIN_SECONDS: Final = 400
_log = logging.getLogger("perdure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a schedule."""

    seed: int
    mix: FaultMix
    violations: tuple[str, ...]
    rules: tuple[str, ...]
    lines: tuple[str, ...]  #: the trace, if it was asked for or something is wrong
    trace_hash: str
    counts: dict[str, int]
    seconds: float  #: virtual
    steps: int

    def described(self, last: int = 60) -> str:
        """Return what somebody needs who wants to find the cause."""
        return "\n".join(
            (
                f"seed {self.seed}: {'; '.join(self.violations[:3])}",
                f"faults: {self.mix.described()}",
                *self.lines[-last:],
                f"replay: .venv/bin/python -m tests.simulation --seed {self.seed}",
            )
        )


def play(
    seed: int, *, with_trace: bool = False, stress: Mapping[str, float] | None = None
) -> Report:
    """Play the schedule of ``seed``; the same seed gives the same schedule.

    ``stress`` sets some of the mix, for a hunt that wants certain faults more often.
    """
    mix = replace(draw_faults(Dice(seed, "faults")), **(stress or {}))
    order = Dice(seed, "order").below if mix.is_shuffled else None
    loop = VirtualLoop(order)
    world = _World(seed, mix, loop)
    with _listening(world.oracle), _small_pages(mix.page_operations):
        try:
            loop.run_until_complete(world.run())
        except StuckError as stuck:
            world.oracle.complain("X2", "everything", str(stuck))
        finally:
            loop.drain()
    oracle = world.oracle
    for problem in loop.problems:
        oracle.complain("fault", "loop", f"{problem.get('message')}: {problem.get('exception')!r}")
    lines = oracle.trace.lines() if with_trace or oracle.violations else []
    hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest() if with_trace else ""
    return Report(
        seed=seed,
        mix=mix,
        violations=tuple(str(violation) for violation in oracle.violations),
        rules=tuple(violation.rule for violation in oracle.violations),
        lines=tuple(lines),
        trace_hash=hashed,
        counts=oracle.counts,
        seconds=loop.time(),
        steps=loop.steps,
    )


@contextmanager
def _listening(oracle: Oracle) -> Iterator[None]:
    ear = LogEar(oracle.complain)
    level, propagate = _log.level, _log.propagate
    _log.addHandler(ear)
    _log.setLevel(logging.ERROR)
    _log.propagate = False
    try:
        yield
    finally:
        _log.removeHandler(ear)
        _log.setLevel(level)
        _log.propagate = propagate


@contextmanager
def _small_pages(operations: int) -> Iterator[None]:
    """Have a replay's state come in pages, however small it is."""
    before = states._PAGE_OPERATIONS_MAX
    states._PAGE_OPERATIONS_MAX = operations  # type: ignore[misc]
    try:
        yield
    finally:
        states._PAGE_OPERATIONS_MAX = before  # type: ignore[misc]


class _World:
    """Everything of one schedule."""

    def __init__(self, seed: int, mix: FaultMix, loop: VirtualLoop) -> None:
        self.mix = mix
        self.now_mix = mix
        self.loop = loop
        self.is_healing = False
        self.dice = Dice(seed, "world")
        self.oracle = Oracle(loop.time)
        self.programs = draw_programs(Dice(seed, "programs"))
        self.cluster = Cluster(loop, seed, self._faults, self.oracle, self.programs)
        self.network = Network(
            lambda: self.cluster.servers, Dice(seed, "network"), self._faults, self.oracle
        )
        self.workers = Workers(
            self.programs, self.network, self.oracle, Dice(seed, "workers"), self._faults
        )
        self.clients = Clients(
            self.network, self.oracle, Dice(seed, "clients"), self.cluster.disk.load
        )
        self.clients.has_steady_clocks = not mix.clock_jumps_seconds
        self.workers.publish = self.clients.publish
        self.workers.load = self.cluster.disk.load
        self.cluster.invoker_of = self.workers.of
        self._failed: asyncio.Future[None] | None = None

    def _faults(self) -> FaultMix:
        return self.now_mix

    async def run(self) -> None:
        failed = self._failed = self.loop.create_future()
        self.oracle.on_violation = lambda: failed.done() or failed.set_result(None)
        playing = self.loop.create_task(self._play())
        await asyncio.wait([playing, failed], return_when=asyncio.FIRST_COMPLETED)
        self.oracle.on_violation = lambda: None
        self.cluster.close()
        if playing.done():
            playing.result()
        else:
            playing.cancel()

    async def _play(self) -> None:
        await self.cluster.boot_all()
        for number in range(self.dice.integer(1, 4)):
            self.clients.send(self._start(number))
        if self.dice.chance(0.5):
            self.clients.send(self._move_alias())
        trouble = self.loop.create_task(self.cluster.trouble())
        await self._suffer()
        trouble.cancel()
        self._heal()
        await self._drain()
        self._check_ends()
        self.oracle.hold_all(self.cluster.disk.load)
        await self._check_history()

    # The fault phase.

    async def _suffer(self) -> None:
        while not self._is_quiet():
            await asyncio.sleep(0.5)
            if self.loop.time() >= self.mix.fault_seconds:
                return

    async def _start(self, number: int) -> None:
        dice = self.dice
        await asyncio.sleep(dice.fraction() * self.mix.fault_seconds * 0.5)
        durable = [name for name, program in self.programs.items() if program.is_durable]
        function = durable[-1] if dice.chance(0.6) else dice.pick(durable)
        name = f"name{dice.integer(0, 1)}" if dice.chance(0.6) else None
        racers = dice.pick((1, 1, 2, 4)) if name else 1
        payloads = [number] * racers
        if racers > 1 and dice.chance(0.4):
            payloads[0] = 100 + number
        for payload in payloads:
            self.clients.send(self._start_one(function, name, payload_of(payload)))

    async def _start_one(self, function: str, name: str | None, payload: str) -> None:
        is_event = self.dice.chance(0.7)
        arn = await self.clients.start(function, name, payload, is_event=is_event)
        if arn is None:
            return
        self._control(arn)
        await self.clients.look(arn)

    def _control(self, arn: str) -> None:
        dice, clients = self.dice, self.clients
        if dice.chance(0.12):
            clients.send(self._later(clients.stop, arn, dice.between(0, 8)))
        if dice.chance(0.3) and arn.rpartition("/")[2] not in clients.pauses:
            clients.send(self._pause(arn, dice.between(0, 5)))
        if dice.chance(0.2):
            clients.send(self._later(clients.delete, arn, dice.between(0, 10)))

    async def _later(self, errand: object, arn: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await errand(arn)  # type: ignore[operator]

    async def _pause(self, arn: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if arn.rpartition("/")[2] not in self.clients.pauses:
            await self.clients.pause(arn, lambda: self.is_healing)

    async def _move_alias(self) -> None:
        await asyncio.sleep(self.dice.between(0, self.mix.fault_seconds))
        self.oracle.note("alias", "live is now 2")
        self.cluster.shelf.live_version = "2"

    def _is_quiet(self) -> bool:
        return not self.clients.busy and all(
            life.is_ended for life in self.oracle.commits.lives.values()
        )

    # The heal phase (X2).

    def _heal(self) -> None:
        self.oracle.note("heals")
        self.is_healing = True
        self.now_mix = without_faults(self.mix)
        self.cluster.heal()

    async def _drain(self) -> None:
        until = self.loop.time() + _DRAIN_SECONDS
        deleted = False
        while not self._is_quiet() or not deleted:
            if self._is_quiet():
                deleted = True
                self._delete_some()
            for life in list(self.oracle.commits.lives.values()):
                is_paused = life.progress.pause is not None and not life.is_ended
                if is_paused and self.clients.pauses.get(life.id, True):
                    await self.clients.resume(life.identity.arn)
            if self.loop.time() > until:
                self._complain_of_waiting()
                return
            await asyncio.sleep(0.5)

    def _delete_some(self) -> None:
        for life in list(self.oracle.commits.lives.values()):
            is_durable = life.identity.kind is ExecutionKind.DURABLE
            if is_durable and not life.is_erased and self.dice.chance(0.2):
                self.clients.send(self.clients.delete(life.identity.arn))

    def _complain_of_waiting(self) -> None:
        """Say what everybody waits for."""
        for life in self.oracle.commits.lives.values():
            if not life.is_ended:
                progress = life.progress
                waits = {o.id: str(o.status) for o in life.operations.values() if not o.is_finished}
                self.oracle.complain(
                    "X2",
                    life.id,
                    f"{progress.status}, waits for {waits}; ready {progress.ready_at_ms},"
                    f" leased until {progress.lease_until_ms}, wakes {progress.wake_at_ms},"
                    f" failures {progress.failures}, now {self.cluster.servers[0].clock.now_ms()}",
                )
        if not self.oracle.violations:
            self.oracle.complain("X2", "clients", f"{self.clients.busy} still wait for an answer")

    # The verdict.

    def _check_ends(self) -> None:
        for life in self.oracle.commits.lives.values():
            self.oracle.count(f"execution {life.root().status}")
            for operation in life.operations.values():
                self.oracle.count(f"{operation.type} {operation.status}")
            if life.is_ended:
                self._check_end(life)

    def _check_end(self, life: Life) -> None:
        name = life.identity.function_arn.rpartition(":")[2]
        version, root = life.identity.version, life.root()
        if life.identity.kind is ExecutionKind.PLAIN:
            if root.payload != f'"{version}:{name}"':
                self.oracle.complain("result", life.id, f"{root.status} {root.payload!r}")
            return
        program = self.programs[name]
        expected = expect(program, version, _Seen(self, life))
        allowed = _ends_of(program, has_failed=expected.failure is not None)
        if life.id in self.clients.stopped:
            allowed.add(OperationStatus.STOPPED)
        if root.status not in allowed:
            self.oracle.complain("result", life.id, f"ended {root.status} {root.error}")
        elif root.status is OperationStatus.SUCCEEDED:
            problem = problem_with(expected, _decoded(root.payload))
            if problem is not None:
                self.oracle.complain("result", life.id, problem)
            self._check_effects(life)
        elif root.status is OperationStatus.FAILED:
            message = root.error.error_message if root.error else None
            if message != expected.failure:
                self.oracle.complain("result", life.id, f"failed: {message}")

    def _check_effects(self, life: Life) -> None:
        for operation in life.operations.values():
            is_done = operation.status is OperationStatus.SUCCEEDED
            is_step = operation.type is OperationType.STEP
            if is_step and is_done and not self.oracle.has_run(life.id, operation.id):
                self.oracle.complain("S4", life.id, f"{operation.id} never ran")

    async def _check_history(self) -> None:
        """Read one history forward and backward, in pages (H1, H2)."""
        lives = [
            life
            for life in self.oracle.commits.lives.values()
            if life.identity.kind is ExecutionKind.DURABLE and not life.is_erased
            if life.progress.status is not ExecutionStatus.DELETING
        ]
        if not lives:
            return
        life = self.dice.pick(lives)
        forward = await self._event_ids(life.identity.arn, is_reverse=False)
        backward = await self._event_ids(life.identity.arn, is_reverse=True)
        if forward != list(range(1, life.event_count + 1)) or forward != backward[::-1]:
            self.oracle.complain("H1", life.id, f"history is {forward} and {backward}")

    async def _event_ids(self, arn: str, *, is_reverse: bool) -> list[int]:
        found: list[int] = []
        marker = None
        while True:
            response = await self.clients.insist(
                "get_durable_execution_history",
                shapes.GetDurableExecutionHistoryRequest(
                    durable_execution_arn=arn, max_items=7, marker=marker, reverse_order=is_reverse
                ),
            )
            found += [event.event_id for event in response.events]
            marker = response.next_marker
            if marker is None:
                return found


class _Seen:
    """What was seen of one execution from outside. Implements ``Seen``."""

    def __init__(self, world: _World, life: Life) -> None:
        self._world = world
        self._life = life

    def callback(self, item: Callback) -> frozenset[str]:
        return self._world.clients.callback(self._life.id, item)

    def child(self, item: Invoke) -> frozenset[str]:
        commits = self._world.oracle.commits
        children = commits.children.get((self._life.id, item.path), [])
        roots = [commits.lives[child_id].root() for child_id in children]
        return frozenset(f"{root.status} {root.payload}" for root in roots)


def _ends_of(program: Program, *, has_failed: bool) -> set[OperationStatus]:
    natural = OperationStatus.FAILED if has_failed else OperationStatus.SUCCEEDED
    if program.is_out_of_time:
        return {OperationStatus.TIMED_OUT, natural} if has_failed else {OperationStatus.TIMED_OUT}
    return {natural, OperationStatus.TIMED_OUT} if program.may_time_out else {natural}


def _decoded(payload: str | None) -> dict[str, str]:
    return json.loads(payload or "{}")
