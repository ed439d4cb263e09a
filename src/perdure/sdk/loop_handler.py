"""An async handler, at work: started, suspended and resumed on one event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from perdure.sdk.conduct import conduct
from perdure.sdk.context import AsyncDurableContext
from perdure.sdk.envelopes import PENDING
from perdure.sdk.journal import Journal
from perdure.sdk.loop import DurableLoop
from perdure.sdk.loop_driver import LoopDriver
from perdure.sdk.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.sdk.client import AsyncServiceClient
    from perdure.sdk.envelopes import Answer, Opening
    from perdure.sdk.plugin_executor import PluginExecutor
    from perdure.sdk.types import LambdaContext

__all__ = ["LoopHandler"]


class LoopHandler:
    """One run of a coroutine function; every method is called on its loop."""

    def __init__(
        self,
        function: Callable[..., Any],
        event: Any,
        opening: Opening,
        client: AsyncServiceClient,
        lambda_context: LambdaContext | None,
        hooks: PluginExecutor | None,
    ) -> None:
        """Prepare to call ``function`` with ``event``, from its first line."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, DurableLoop):
            raise RuntimeError("an async handler needs a loop of perdure.sdk.loop.new_event_loop()")
        self._loop = loop
        journal = Journal(opening.operations)
        # Only the pulse looks in from another thread.
        self.run = Run(opening.arn, opening.token, journal, hooks, threading.Lock(), weight=0)
        self.run.offers = opening.offers
        self.run.lambda_context = lambda_context
        self._driver = LoopDriver(self.run, client, self._come_to_rest)
        self._context = AsyncDurableContext(
            self.run, self._driver, is_replaying=journal.has_history()
        )
        self._body = conduct(self._context, function, event)
        self._is_kept = False
        self._root: asyncio.Task[Answer] | None = None
        self._rest: asyncio.Future[None] | None = None

    async def run_here(self) -> Answer:
        """Run until the handler ends, or comes to rest."""
        self._watch()
        try:
            answer = await self._driver.drive(self._body)
        finally:
            self.run.leave_orphans()
            await self._driver.cancel_all()
            self._unwatch()
            self._driver.part()
        return PENDING if self.run.is_revoked else answer

    def begin(self) -> None:
        """Run in a task of its own, to be parked when it comes to rest."""
        self._is_kept = True
        self._root = self._loop.create_task(self.run_here())
        self._root.add_done_callback(self._wake)

    @property
    def is_resumable(self) -> bool:
        """Whether it still stands where it was parked, on this loop; a timer of its own may have
        moved it.
        """
        return self._loop is asyncio.get_running_loop() and not self.run.is_suspended

    def resume(
        self, opening: Opening, client: AsyncServiceClient, lambda_context: LambdaContext | None
    ) -> None:
        """Go on from where it stands, with what has changed."""
        self.run.token = opening.token
        self.run.lambda_context = lambda_context
        self._driver.client = client
        self._watch()
        self.run.board.merge(opening.operations)

    async def wait(self) -> Answer | None:
        """Return the answer when the handler has ended, None when it is at rest."""
        assert self._root is not None, "it is begun first"
        while True:
            self._rest = self._loop.create_future()
            try:
                if not self._root.done():
                    await self._rest
            except asyncio.CancelledError:
                self._root.cancel()  # the invocation is over, and nobody is left to answer
                raise
            if self._root.done():
                return self._root.result()
            if self._driver.is_at_rest:
                self._unwatch()
                return None
            self._loop.watch(self._driver)

    def discard(self) -> None:
        """Unwind a handler that is at rest; may be called from any thread."""
        self._loop.call_soon_threadsafe(self.run.suspend)

    def _come_to_rest(self) -> None:
        if not self._is_kept:
            self.run.suspend()
        else:
            self._wake()

    def _wake(self, _: object = None) -> None:
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)

    def _watch(self) -> None:
        self._driver.start()
        self._loop.watch(self._driver)

    def _unwatch(self) -> None:
        self._driver.stop()
        self._loop.unwatch(self._driver)
