"""Puts an engine together inside this process, starts it and stops it. Everything here runs on the
engine's loop.
"""

import asyncio
import contextlib
import functools
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final

from perdure.clock import ManualClock, SystemClock
from perdure.core.outcome import Outcome
from perdure.core.quotas import RELAXED_QUOTAS
from perdure.embedded.errors import ServiceClosed, StoreFailed
from perdure.embedded.functions import ACCOUNT, RegisteredFunctions
from perdure.embedded.results import Results
from perdure.embedded.settings import EmbeddedSettings
from perdure.engine.announcing import Announcer
from perdure.engine.dispatcher import Dispatcher, DispatcherSettings
from perdure.engine.engine import Engine
from perdure.engine.entropy import SystemEntropy
from perdure.engine.executions import Executions
from perdure.engine.functions.catalog import FunctionCatalog
from perdure.engine.outbox import Outbox
from perdure.engine.pruner import Pruner
from perdure.engine.reaper import Reaper
from perdure.engine.seals import OpenSeals, Seals, load_key
from perdure.engine.starting import Starter
from perdure.engine.ticker import Ticker
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, ExecutionStatus
from perdure.runtime.crossing import ClosedError, Crossing
from perdure.runtime.in_process import InProcessInvoker
from perdure.runtime.in_process_client import LoopClient
from perdure.sdk.parking import Parking
from perdure.sdk.workers import WORKERS
from perdure.store.change import Change
from perdure.store.memory import MemoryStore
from perdure.store.protocol import ExecutionQuery
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite_writer import Defer

__all__ = ["OPEN", "Parts"]

_log = logging.getLogger(__name__)

OPEN: Final = frozenset(ExecutionStatus) - CLOSED_EXECUTION_STATUSES

_KEPT_HANDLERS: Final = 256  #: suspended handlers that go on without a replay
_KEY: Final = "secret.key"  #: beside the file, as a server has it
#: Nobody else can have the file open: a lease is there for the next start alone, which ends it.
_LEASE_MS: Final = 86_400_000
_NOTICE_SECONDS: Final = 5.0
_SHOWN_MAX: Final = 1_000


class Parts:
    """The parts of one service."""

    def __init__(self, settings: EmbeddedSettings, crossing: Crossing, defer: Defer) -> None:
        """Prepare; ``open`` does everything else. ``defer`` waits for the loop's rest."""
        self.settings = settings
        self.clock = settings.clock
        self.entropy = SystemEntropy()
        self._crossing = crossing
        self._defer = defer
        self._failure: str | None = None
        self._is_closing = False
        self._parking = Parking(_KEPT_HANDLERS)
        self._notice: asyncio.TimerHandle | None = None
        self._chores: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Open the file, recover, begin.

        Raises:
            StoreOpenError: it is in use, or cannot be opened as it must be.
        """
        file = self.settings.file
        if file is None:
            self.store: MemoryStore | SqliteStore = MemoryStore()
            key = os.urandom(32)
        else:
            self.store = SqliteStore(file, on_unknown=self._fail, defer=self._defer)
            key = await asyncio.to_thread(load_key, file.with_name(_KEY))
        high_ms = await self.store.open()
        if isinstance(self.clock, SystemClock):
            self.clock.raise_floor(high_ms)
        try:
            self._compose(OpenSeals(key))
            async for function_arn in self.functions.known():
                self.dispatcher.bound(function_arn, 0)  # until it is registered
            await self._begin()
        except BaseException:
            await self.store.aclose()
            raise

    def check(self) -> None:
        """Go on only while there is something to go on with.

        Raises:
            StoreFailed: the file must not be used any more.
            ServiceClosed: the service is being closed.
        """
        if self._failure is not None:
            raise StoreFailed(self._failure)
        if self._is_closing:
            raise ServiceClosed("the service is closed")

    async def aclose(self) -> None:
        """Begin nothing more, let what runs end for a while, put everything away."""
        self._is_closing = True
        await self.dispatcher.stop(grace_seconds=self.settings.close_seconds)
        if self._notice is not None:
            self._notice.cancel()
        if isinstance(self.clock, ManualClock):
            self.clock.unwatch(self._clock_moved)
        for part in (self.ticker, self.outbox, self.reaper, self.pruner):
            await part.stop()
        for chore in list(self._chores):
            chore.cancel()
        await asyncio.to_thread(self._parking.clear)
        self.results.fail(functools.partial(ServiceClosed, "the service was closed meanwhile"))
        await self.store.aclose()

    async def look(self) -> None:
        """Do at once whatever the clock says is due."""
        while await self.ticker.run_once() == 0:
            continue
        await self.dispatcher.run_once()
        await self.pruner.run_once()

    def _compose(self, seals: Seals) -> None:
        clock, entropy, settings = self.clock, self.entropy, self.settings
        self.seals = seals
        catalog = FunctionCatalog(
            self.store,
            clock=clock,
            entropy=entropy,
            check_archive=lambda _: None,
            code_url=lambda name, sha256: "",
            account=ACCOUNT,
        )
        self.functions = functions = RegisteredFunctions(catalog)
        self.engine = engine = Engine(
            self.store,
            clock,
            owner=entropy.token(8).hex(),
            executions_max=max(512, 2 * settings.concurrency),
        )
        self.starter = starter = Starter(functions, entropy, needs_qualifier=False)
        self.executions = Executions(engine, functions, starter, seals, RELAXED_QUOTAS)
        self.dispatcher = Dispatcher(
            engine,
            InProcessInvoker(
                functions.handlers,
                LoopClient(self.executions),
                self._crossing,
                self._parking,
                clock,
            ),
            functions,
            seals,
            entropy,
            DispatcherSettings(
                invocations_max=settings.concurrency,
                lease_ms=_LEASE_MS,
                kept_handlers_max=_KEPT_HANDLERS,
            ),
        )
        self.ticker = Ticker(engine)
        self.outbox = Outbox(engine, starter, Announcer(engine, starter, functions, entropy, {}))
        self.reaper = Reaper(engine)
        self.pruner = Pruner(engine)
        self.results = Results(engine)
        engine.listen(self._let_go)

    async def _begin(self) -> None:
        await self.reaper.start()
        self.ticker.start()
        self.outbox.start()
        self.dispatcher.start()
        self.pruner.start()
        if isinstance(self.clock, ManualClock):
            self.clock.watch(self._clock_moved)
        loop = asyncio.get_running_loop()
        self._notice = loop.call_later(_NOTICE_SECONDS, self._do, self._say_what_waits)

    def _let_go(self, outcome: Outcome, change: Change) -> None:
        """Have the kept handler of an execution that was ended from outside leave."""
        if outcome.progress.ended_at_ms is not None:
            kept = self._parking.take(outcome.identity.arn)
            if kept is not None:
                WORKERS.run(kept.discard)

    def _clock_moved(self) -> None:
        with contextlib.suppress(ClosedError):
            self._crossing.post(functools.partial(self._do, self.look))

    def _do(self, chore: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(chore())
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _say_what_waits(self) -> None:
        async for function_arn in self.functions.known():
            if self.functions.is_registered(function_arn):
                continue
            query = ExecutionQuery(function_arn=function_arn, statuses=OPEN, limit=_SHOWN_MAX)
            count = len(await self.store.list(query))
            if count:
                _log.warning(
                    "%s%d executions wait until %r is registered",
                    "more than " if count == _SHOWN_MAX else "",
                    count,
                    function_arn.rpartition(":")[2],
                )

    def _fail(self, error: Exception) -> None:
        self._failure = f"the file must not be used any more: {error}"
        self.results.fail(functools.partial(StoreFailed, self._failure))
