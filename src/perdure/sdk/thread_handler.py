"""A handler that blocks, at work: started, suspended and resumed."""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any, Final

from perdure.sdk.conduct import conduct
from perdure.sdk.context import DurableContext
from perdure.sdk.envelopes import PENDING
from perdure.sdk.journal import Journal
from perdure.sdk.run import Run
from perdure.sdk.threads import ThreadDriver
from perdure.sdk.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.sdk.client import ServiceClient
    from perdure.sdk.envelopes import Answer, Opening
    from perdure.sdk.plugin_executor import PluginExecutor
    from perdure.sdk.types import LambdaContext

__all__ = ["ThreadHandler"]

_AT_REST: Final = object()


class ThreadHandler:
    """One run of a function that blocks.

    ``run_here`` runs it in the caller's thread and unwinds it when it comes to rest; ``begin`` and
    ``wait`` run it in a thread of its own, where it may be parked.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        event: Any,
        opening: Opening,
        client: ServiceClient,
        lambda_context: LambdaContext | None,
        hooks: PluginExecutor | None,
    ) -> None:
        """Prepare to call ``function`` with ``event``, from its first line."""
        journal = Journal(opening.operations)
        self.run = Run(opening.arn, opening.token, journal, hooks, threading.Lock(), weight=1)
        self.run.offers = opening.offers
        self.run.lambda_context = lambda_context
        self.run.board.busy = 1
        self._driver = ThreadDriver(self.run, client, self._come_to_rest)
        self._context = DurableContext(self.run, self._driver, is_replaying=journal.has_history())
        self._body = conduct(self._context, function, event)
        self._is_kept = False
        self._lock = threading.Lock()
        self._is_awaited = False
        self._signal = threading.Semaphore(0)
        self._outcome: Any = None

    def run_here(self) -> Answer:
        """Run until the handler ends, or comes to rest."""
        self._driver.start()
        try:
            answer = self._driver.drive(self._body)
        finally:
            self.run.leave_orphans()
            self._driver.join()
            self._driver.stop()
        return PENDING if self.run.is_revoked else answer

    def begin(self) -> None:
        """Run in a thread of its own, to be parked when it comes to rest."""
        self._is_kept = self._is_awaited = True
        self._driver.start()
        context = contextvars.copy_context()
        WORKERS.run(lambda: context.run(self._root))

    def resume(
        self, opening: Opening, client: ServiceClient, lambda_context: LambdaContext | None
    ) -> None:
        """Go on from where it stands, with what has changed."""
        self._is_awaited = True
        self.run.token = opening.token
        self.run.lambda_context = lambda_context
        self._driver.client = client
        self._driver.start()
        self.run.board.merge(opening.operations)
        if self.run.board.is_at_rest:
            self._report(_AT_REST)

    def wait(self) -> Answer | None:
        """Return the answer when the handler has ended, None when it is at rest."""
        while True:
            self._signal.acquire()
            outcome = self._outcome
            if isinstance(outcome, BaseException):
                raise outcome
            if outcome is not _AT_REST:
                return outcome
            if self._driver.is_quiet():
                self._driver.stop()
                return None
            self._is_awaited = True
            if self.run.board.is_at_rest:
                self._report(_AT_REST)

    def discard(self) -> None:
        """Unwind a handler that is at rest; return when its threads are gone."""
        self._is_awaited = True
        self.run.suspend()
        self._signal.acquire()

    def _root(self) -> None:
        try:
            outcome: Any = self.run_here()
        except BaseException as error:  # noqa: BLE001 - raised again in the invocation's thread
            outcome = error
        self._report(outcome)

    def _come_to_rest(self) -> None:
        if self._is_kept and not self._driver.has_unwound:
            self._report(_AT_REST)
        else:
            self._driver.suspend()

    def _report(self, outcome: Any) -> None:
        with self._lock:
            if not self._is_awaited:
                return
            self._is_awaited = False
            self._outcome = outcome
        self._signal.release()
