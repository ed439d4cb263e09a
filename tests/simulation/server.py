"""One incarnation of a server: the real parts, put together as the composition root does it, on a
faulty store, by a clock that may jump. Killing it leaves nothing but what is on disk.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from perdure.core.errors import ResourceNotFound
from perdure.core.quotas import RELAXED_QUOTAS
from perdure.engine.announcing import Announcer
from perdure.engine.directory import AsyncSettings
from perdure.engine.dispatcher import Dispatcher, DispatcherSettings
from perdure.engine.engine import Engine
from perdure.engine.executions import Executions
from perdure.engine.invocations import Invocations
from perdure.engine.invoker import DurableSettings, FunctionVersion
from perdure.engine.nodes import NodeDocument, Nodes
from perdure.engine.outbox import Outbox
from perdure.engine.pruner import Pruner
from perdure.engine.reaper import Reaper
from perdure.engine.seals import Seals
from perdure.engine.starting import Starter
from perdure.engine.ticker import Ticker
from perdure.engine.waiting import Waiting
from perdure.store.hints import Hints, LocalHints
from perdure.store.protocol import (
    StoreFullError,
    StoreUnavailableError,
    StoreUnknownError,
)

from .clocks import ServerClock, WallClock
from .dice import Dice, SimulatedEntropy
from .disk import Connection
from .loop import Crew, crew_of
from .programs import Program
from .records import Call, current_call

__all__ = ["FUNCTION_PREFIX", "FunctionShelf", "LogEar", "Server"]

FUNCTION_PREFIX: Final = "arn:aws:lambda:us-east-1:000000000000:function:"
_KEY: Final = b"k" * 32
#: Faults that the simulator itself has put in: whoever logs them has noticed them.
_EXPECTED: Final = (
    StoreUnknownError,
    StoreFullError,
    StoreUnavailableError,
    asyncio.CancelledError,
)


class FunctionShelf:
    """The functions, two published versions of each, and where the alias points now. Implements
    ``Functions``.
    """

    def __init__(self, programs: dict[str, Program], *, concurrency_max: int | None) -> None:
        """Offer ``programs``, each with so much concurrency."""
        self.live_version = "1"
        self._versions = {
            (name, version): _function(program, version, concurrency_max)
            for name, program in programs.items()
            for version in ("1", "2")
        }

    async def resolve(
        self, identifier: str, qualifier: str | None, *, draw: Callable[[], float]
    ) -> FunctionVersion:
        """Return the version that a name stands for now."""
        name, _, own = identifier.removeprefix(FUNCTION_PREFIX).partition(":")
        wanted = qualifier or own or "live"
        return self._version(name, self.live_version if wanted == "live" else wanted)

    async def resolve_pinned(
        self, function_arn: str, version: str, code_sha256: str
    ) -> FunctionVersion:
        """Return the version an execution began with."""
        return self._version(function_arn.removeprefix(FUNCTION_PREFIX), version)

    async def async_settings(self, function_arn: str, qualifier: str) -> AsyncSettings:
        """Return that nothing special is asked for."""
        return AsyncSettings()

    def _version(self, name: str, version: str) -> FunctionVersion:
        found = self._versions.get((name, version))
        if found is None:
            raise ResourceNotFound(f"there is no {name}:{version}")
        return found


def _function(program: Program, version: str, concurrency_max: int | None) -> FunctionVersion:
    durable = DurableSettings(execution_timeout_seconds=program.timeout_seconds, retention_days=1)
    return FunctionVersion(
        function_arn=FUNCTION_PREFIX + program.name,
        function_name=program.name,
        version=version,
        revision_id=f"r{version}",
        runtime="simulated",
        handler="h",
        timeout_seconds=900,
        memory_mb=128,
        code_sha256=f"sha{version}",
        durable=durable if program.is_durable else None,
        concurrency_max=concurrency_max,
    )


class LogEar(logging.Handler):
    """Hears what servers log as errors: one that nobody has put in is a violation."""

    def __init__(self, complain: Callable[[str, str, str], None]) -> None:
        """Report to ``complain``."""
        super().__init__(logging.ERROR)
        self._complain = complain

    def emit(self, record: logging.LogRecord) -> None:
        """Judge one record."""
        error = record.exc_info[1] if record.exc_info else None
        while error is not None:
            if isinstance(error, _EXPECTED):
                return
            error = error.__cause__
        error = record.exc_info[1] if record.exc_info else None
        message = record.getMessage()
        rule = "E" if message.startswith("quarantined") else "fault"
        self._complain(rule, "server", message if error is None else f"{message} {error!r}")


class Server:
    """One process."""

    def __init__(
        self,
        name: str,
        connect: Callable[[ServerClock], Connection],
        shelf: FunctionShelf,
        wall: WallClock,
        entropy: SimulatedEntropy,
        invoker_of: Callable[["Server"], Any],
    ) -> None:
        """Prepare; ``boot`` begins."""
        self.name = name
        self.predecessor = ""  #: what ran on the same data folder before, and is dead
        self.wall = wall
        self.crew = Crew()
        self._context = crew_of(self.crew)
        self.clock = ServerClock(wall)
        self.store = connect(self.clock)
        self.is_up = False
        self._shelf = shelf
        self._entropy = entropy
        self._invoker_of = invoker_of
        self.hints: Hints = LocalHints()

    @property
    def is_dead(self) -> bool:
        """Whether it was killed."""
        return self.crew.is_dead

    async def boot(self, *, slots: int, lease_ms: int) -> None:
        """Recover and begin, in the server's own context."""
        loop = asyncio.get_running_loop()
        booting = loop.create_task(self._boot(slots, lease_ms), context=self._context)
        await asyncio.wait([booting])
        if not booting.cancelled() and booting.exception() is None:
            self.is_up = True

    async def _boot(self, slots: int, lease_ms: int) -> None:
        store, clock, shelf, entropy = self.store, self.clock, self._shelf, self._entropy
        clock.raise_floor(await store.open())
        engine = self.engine = Engine(store, clock, owner=self.name, hints=self.hints)
        seals = Seals(_KEY)
        starter = Starter(shelf, entropy)
        invoker = self._invoker_of(self)
        settings = DispatcherSettings(invocations_max=slots, lease_ms=lease_ms)
        dispatcher = Dispatcher(engine, invoker, shelf, seals, entropy, settings)
        invoker.watch(dispatcher.keepers)
        announcer = Announcer(engine, starter, shelf, entropy, {})
        waiting = Waiting(engine)
        self.executions = Executions(engine, shelf, starter, seals, RELAXED_QUOTAS)
        self.invocations = Invocations(engine, shelf, starter, invoker, waiting, entropy)
        parts = (dispatcher, Ticker(engine), Outbox(engine, starter, announcer), Pruner(engine))
        reaper = Reaper(engine)
        if engine.is_shared:
            me = NodeDocument(
                node_id=self.name,
                address="",
                version="",
                started_at_ms=clock.now_ms(),
                seen_at_ms=0,
            )
            nodes = Nodes(
                engine,
                me=me,
                predecessor=self.predecessor,
                running=lambda: dispatcher.running,
                on_gone=reaper.look_for_dead,
            )
            reaper.is_alive, dispatcher.bounds.share = nodes.is_alive, nodes.share
            await nodes.start()
        await reaper.start()
        for part in parts:
            part.start()
        self._loops = [part._loop for part in (*parts, reaper)]

    def look(self, dice: Dice) -> None:
        """Have one of the loops begin its next round now."""
        if self.is_up:
            dice.pick(self._loops).nudge()

    def serve(self, call: Call) -> "asyncio.Task[Any]":
        """Begin to work on a call."""
        target = self.invocations if call.method == "invoke" else self.executions
        context = self._context.copy()
        context.run(current_call.set, call)
        loop = asyncio.get_running_loop()
        call.serving = loop.create_task(getattr(target, call.method)(call.request), context=context)
        return call.serving

    def kill(self) -> None:
        """End at once: whatever is not on disk is gone."""
        self.is_up = False
        self.store.is_cut = True
        self.crew.is_dead = True
        loop = asyncio.get_running_loop()

        def again(rounds: int) -> None:
            if self.crew.kill() and rounds:
                loop.call_later(0.001, again, rounds - 1)

        loop.call_soon(again, 1000)
