"""The composition root: the one file that knows every layer. It puts a server together, starts it
and stops it.
"""

import asyncio
import contextlib
import gc
import logging
import os
import socket
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from perdure import __version__
from perdure.api.app import create_app
from perdure.api.code import code_url
from perdure.api.health import HealthSource
from perdure.api.log_calls import LogCalls
from perdure.api.settings import ApiSettings
from perdure.console import Console
from perdure.console.assembly import ConsoleParts, create_console, own_pages
from perdure.console.explaining import Explainer
from perdure.console.latencies import TimedCheckpoints
from perdure.console.links import Links
from perdure.console.operations import NodeFacts, StoreFacts
from perdure.console.series import Series
from perdure.console.tokens import PageTokens
from perdure.core.quotas import AWS_QUOTAS
from perdure.data_folder import Occupancy, occupy
from perdure.engine.announcing import Announcer
from perdure.engine.dispatcher import Dispatcher, DispatcherSettings
from perdure.engine.engine import Engine
from perdure.engine.entropy import SystemEntropy
from perdure.engine.executions import Executions
from perdure.engine.functions.catalog import FunctionCatalog
from perdure.engine.functions.registry import Account
from perdure.engine.invocations import Invocations
from perdure.engine.nodes import NodeDocument, Nodes
from perdure.engine.outbox import Outbox
from perdure.engine.pruner import Pruner
from perdure.engine.reaper import Reaper
from perdure.engine.seals import Seals
from perdure.engine.starting import Starter
from perdure.engine.sweeper import Sweeper, is_code_needed
from perdure.engine.ticker import Ticker
from perdure.engine.waiting import Waiting
from perdure.listening import HttpServer, InsecureBindError, check_bind, listen
from perdure.runners import runners_of
from perdure.runtime.archive import check_archive
from perdure.settings import ServerSettings
from perdure.store.protocol import StoreUnavailableError, StoreUnknownError
from perdure.stores import lay_foundation

__all__ = ["InsecureBindError", "Server", "StoreFailedError"]

_log = logging.getLogger(__name__)

_GRACEFUL_SECONDS: Final = 2
_GC_THRESHOLD: Final = 20_000
_LEASE_MS: Final = 60_000
_SHARED_LEASE_MS: Final = 12_000


class StoreFailedError(Exception):
    """The store must not be used any more: a new process has to read what is there (D4)."""


class Server:
    """One server: API, engine and workers; alone on a SQLite file, or one of many on PostgreSQL."""

    def __init__(self, settings: ServerSettings) -> None:
        """Prepare; ``start`` does everything else."""
        self.settings = settings
        self.url = ""
        self._owner = os.urandom(8).hex()
        self._stopped: asyncio.Future[None] | None = None
        self._occupancy: Occupancy | None = None  #: only where nodes share a store

    async def start(self) -> None:
        """Bind, recover, begin.

        Raises:
            InsecureBindError: the address is not loopback, and the settings do not allow that.
            StoreOpenError: the data folder is in use, or the store cannot be opened.
            ValueError: the store's address, or the signing key, is none.
            OSError: the address cannot be bound.
        """
        settings = self.settings
        check_bind(settings)
        self._stopped = asyncio.get_running_loop().create_future()
        listening = listen(settings.host, settings.port)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.url = f"http://{host}:{listening.getsockname()[1]}"
        try:
            await self._open(settings.data_folder.absolute())
        except BaseException:
            listening.close()
            raise
        self._compose()
        await self._begin([listening])
        # What is here now stays: the collector need not look at it, nor as often as by default at
        # the many small values of a checkpoint, none of which are part of a cycle.
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, 20, 50)

    @property
    def node_id(self) -> str:
        """This node's name, new at each start."""
        return self._owner

    @property
    def place(self) -> str:
        """Where its data is, for people."""
        return self._foundation.place

    async def wait_stopped(self) -> None:
        """Return when the server was closed.

        Raises:
            StoreFailedError: it stopped by itself: the store failed.
        """
        assert self._stopped is not None, "start comes first"
        await self._stopped

    async def aclose(self) -> None:
        """Begin no more invocations, let the running ones end for a while, put everything away.

        Calls are taken until then: what runs has to checkpoint. Callers that still wait are let go.
        """
        if self._nodes is not None:
            await self._left_to_others(self._nodes.drain())
        await self._dispatcher.stop(grace_seconds=self.settings.shutdown_seconds)
        if self._console is not None:
            await self._console.aclose()
        self._http.should_exit = True
        for part in (
            self._ticker,
            self._outbox,
            self._reaper,
            self._pruner,
            self._sweeper,
            self._series,
        ):
            await part.stop()
        if self._nodes is not None:
            await self._left_to_others(self._nodes.stop())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.shutdown_seconds):
                await self._serving
        await self._runners.aclose()
        await self._foundation.aclose()
        if self._occupancy is not None:
            self._occupancy.end()
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)

    async def _left_to_others(self, saying: Coroutine[Any, Any, None]) -> None:
        """Say goodbye; the others find out by themselves if that cannot be said now."""
        try:
            async with asyncio.timeout(_GRACEFUL_SECONDS):
                await saying
        except (StoreUnavailableError, StoreUnknownError, TimeoutError) as error:
            _log.warning("the other nodes could not be told of the end: %s", error)

    async def _open(self, folder: Path) -> None:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        if self.settings.store_url:
            self._occupancy = await asyncio.to_thread(occupy, folder)
        self._foundation = await lay_foundation(self.settings, on_unknown=self._fail)
        self._store, self._clock = self._foundation.store, self._foundation.clock
        self._logs = self._foundation.logs
        self._seals = Seals(self._foundation.key)

    def _compose(self) -> None:
        settings, clock, entropy = self.settings, self._clock, SystemEntropy()
        account = Account(region=settings.region, account_id=settings.account_id)
        self.functions = FunctionCatalog(
            self._store,
            clock=clock,
            entropy=entropy,
            check_archive=check_archive,
            code_url=lambda name, sha256: code_url(self.url, name, sha256),
            account=account,
        )
        functions = self.functions.directory
        self._runners = runners_of(
            settings,
            url=self.url,
            clock=clock,
            logs=self._logs,
            key=self._foundation.key,
            load_code=self._load_code,
        )
        self.functions.allow_endpoints(self._runners.check_endpoint)
        self.engine = engine = Engine(
            self._store,
            clock,
            owner=self._owner,
            hints=self._foundation.hints,
            executions_max=max(512, 4 * settings.invocations_max),
        )
        if engine.is_shared:
            self.functions.join(engine.hearsay)
        starter = Starter(functions, entropy)
        waiting = self._waiting = Waiting(engine)
        self._dispatcher = Dispatcher(
            engine,
            self._runners.invoker,
            functions,
            self._seals,
            entropy,
            DispatcherSettings(
                invocations_max=settings.invocations_max,
                lease_ms=settings.lease_ms or (_SHARED_LEASE_MS if engine.is_shared else _LEASE_MS),
                kept_handlers_max=settings.kept_handlers_max,
            ),
        )
        self._runners.pool.watch(self._dispatcher.keepers)
        self.functions.registry.on_bound += [self._dispatcher.bound, self._runners.pool.bound]
        self._series = Series(engine, self._dispatcher)
        self._ticker = Ticker(engine)
        announcer = Announcer(engine, starter, functions, entropy, settings.destinations)
        self._outbox = Outbox(engine, starter, announcer)
        self._reaper = Reaper(engine)
        self._nodes = self._join() if engine.is_shared else None
        self._pruner = Pruner(engine)
        self._links = Links(self._seals, self._store)
        self._sweeper = Sweeper(
            {"logs": self._prune_logs, "code": self._forget_code, "links": self._prune_links}
        )
        executions = Executions(engine, functions, starter, self._seals, settings.quotas)
        invocations = Invocations(
            engine, functions, starter, self._runners.invoker, waiting, entropy
        )
        logs = LogCalls(self._logs, region=settings.region, account_id=settings.account_id)
        tokens = PageTokens(self._seals, clock)
        self._console = self._create_console(tokens) if settings.has_console else None
        self.app = create_app(
            (
                TimedCheckpoints(executions, self._series.histogram),
                executions,
                invocations,
                logs,
                *self.functions.handlers,
            ),
            ApiSettings(
                allowed_hosts=(settings.host, *settings.allowed_hosts),
                own_pages=own_pages(tokens, has_console=settings.has_console),
            ),
            fallback=self._console,
            read_code=self.functions.read_code,
            health=HealthSource(
                unreadable_rows=lambda: self._store.unreadable_rows,
                is_ready=lambda: not self._dispatcher.is_draining,
                about=self._about(),
                nodes=self._shown_nodes,
            ),
        )

    def _join(self) -> Nodes:
        """Return this node among those that share the store."""
        settings, now_ms = self.settings, self._clock.now_ms()
        nodes = Nodes(
            self.engine,
            me=NodeDocument(
                node_id=self._owner,
                address=settings.node_address or self.url,
                version=__version__,
                started_at_ms=now_ms,
                seen_at_ms=now_ms,
                capacity=settings.invocations_max,
            ),
            predecessor=self._occupancy.predecessor if self._occupancy else "",
            running=lambda: self._dispatcher.running,
            on_gone=self._reaper.look_for_dead,
        )
        self._reaper.is_alive, self._dispatcher.bounds.share = nodes.is_alive, nodes.share
        return nodes

    def _about(self) -> dict[str, Any]:
        """Return what the health page says of this node."""
        about: dict[str, Any] = {"nodeId": self._owner, "store": self._foundation.kind}
        if self._foundation.weaknesses:
            about["weakDurability"] = list(self._foundation.weaknesses)
        return about

    def _known_nodes(self) -> Sequence[NodeDocument]:
        return () if self._nodes is None else self._nodes.known

    def _shown_nodes(self) -> list[dict[str, Any]]:
        now_ms = self._clock.now_ms()
        return [{**asdict(node), "is_alive": node.is_alive(now_ms)} for node in self._known_nodes()]

    def _create_console(self, tokens: PageTokens) -> Console:
        settings = self.settings
        return create_console(
            ConsoleParts(
                explainer=Explainer(
                    engine=self.engine,
                    functions=self.functions.directory,
                    dispatcher=self._dispatcher,
                    seals=self._seals,
                    node_max=settings.invocations_max,
                    runtime_problem=self._runners.pool.problem,
                    is_waiting=self._runners.pool.is_waiting,
                ),
                registry=self.functions.registry,
                tokens=tokens,
                links=self._links,
                facts={
                    "region": settings.region,
                    "account_id": settings.account_id,
                    "version": __version__,
                    "node_id": self._owner,
                    "mode": "dev" if settings.is_development else "serve",
                    "quotas": "aws" if settings.quotas == AWS_QUOTAS else "relaxed",
                },
                runtimes=self._runners.pool.runtimes,
                pool=self._runners.pool,
                series=self._series,
                node_facts=NodeFacts(
                    id=self._owner,
                    version=__version__,
                    address=self.url,
                    started_at_ms=self._clock.now_ms(),
                    capacity=settings.invocations_max,
                    store=self._store_facts,
                    nodes=self._known_nodes,
                    letters=lambda: self._outbox.letters,
                    sync_callers=lambda: self._waiting.callers,
                ),
            )
        )

    async def _store_facts(self) -> StoreFacts:
        size_bytes, free_bytes = await self._foundation.space()
        return StoreFacts(
            kind=self._foundation.kind,
            size_bytes=size_bytes,
            free_bytes=free_bytes,
            unreadable_rows=self._store.unreadable_rows,
        )

    async def _begin(self, sockets: Sequence[socket.socket]) -> None:
        if self._nodes is not None:
            await self._nodes.start()
            if self._occupancy is not None:
                self._occupancy.note(self._owner)
        await self._reaper.start()
        self._ticker.start()
        self._outbox.start()
        self._dispatcher.start()
        self._pruner.start()
        self._sweeper.start()
        self._series.start()
        self._http = HttpServer(self.app)
        self._serving = asyncio.create_task(self._http.serve(sockets=list(sockets)))
        await self._http.listening.wait()

    async def _prune_logs(self) -> None:
        await self._logs.prune(self._clock.now_ms())

    async def _prune_links(self) -> None:
        await self._links.prune(self._clock.now_ms())

    async def _forget_code(self) -> None:
        await self.functions.forget_snapshots(
            lambda arn, sha256: is_code_needed(self._store, arn, sha256)
        )

    async def _load_code(self, code_sha256: str) -> bytes:
        code = await self.functions.read_code(code_sha256)
        if code is None:
            raise KeyError(code_sha256)
        return code

    def _fail(self, error: Exception) -> None:
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_exception(StoreFailedError(str(error)))
