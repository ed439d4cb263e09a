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
    from typing import TypeAlias

    from perdure.sdk.client import ServiceClient
    from perdure.sdk.envelopes import Answer, Opening
    from perdure.sdk.plugin_executor import PluginExecutor
    from perdure.sdk.types import LambdaContext

    #: Hears an invocation's answer; None: the handler is at rest; or what it has raised.
    Answered: TypeAlias = Callable[[Answer | BaseException | None], None]

__all__ = ["ThreadHandler"]

_AT_REST: Final = object()


class ThreadHandler:
    """One run of a function that blocks.

    ``run_here`` runs it in the caller's thread and unwinds it when it comes to rest. ``run_kept``
    runs it in a thread that it may be parked in, and tells its answers, one for each invocation;
    with ``begin`` that is another thread than the caller's, who ``wait``s for them.
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
        self._reporting = threading.Lock()
        self._is_awaited = False
        self._answered: Answered | None = None  #: None: whoever waits
        self._has_answer = threading.Semaphore(0)
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
            self._driver.part()
        return PENDING if self.run.is_revoked else answer

    def run_kept(self, answered: Answered | None) -> None:
        """Run in this thread, to be parked in it when it comes to rest; ``answered``, or whoever
        waits, gets the answer, None for a handler at rest, or what was raised.
        """
        self._answered = answered
        self._is_kept = self._is_awaited = True
        self._driver.start()
        try:
            outcome: Any = self.run_here()
        except BaseException as error:  # noqa: BLE001 - raised again in the invocation's thread
            outcome = error
        self._report(outcome)

    def begin(self) -> None:
        """Run in a thread of its own, to be parked when it comes to rest."""
        context = contextvars.copy_context()
        WORKERS.run(lambda: context.run(self.run_kept, None))

    def resume(
        self,
        opening: Opening,
        client: ServiceClient,
        lambda_context: LambdaContext | None,
        answered: Answered | None = None,
    ) -> None:
        """Go on from where it stands, with what has changed; never blocks."""
        with self._reporting:
            self._answered = answered
            self._is_awaited = True
            self.run.token = opening.token
            self.run.lambda_context = lambda_context
            self._driver.client = client
            self._driver.start()
            self.run.board.merge(opening.operations)
            is_at_rest = self.run.board.is_at_rest
        if is_at_rest:
            WORKERS.run(lambda: self._report(_AT_REST))

    def wait(self) -> Answer | None:
        """Return the answer when the handler has ended, None when it is at rest."""
        self._has_answer.acquire()
        outcome = self._outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def discard(self) -> None:
        """Unwind a handler that is at rest; return when its threads are gone."""
        with self._reporting:
            self._answered = None
            self._is_awaited = True
            self.run.suspend()
        self._has_answer.acquire()

    def _come_to_rest(self) -> None:
        if self._is_kept and not self._driver.has_unwound:
            self._report(_AT_REST)
        else:
            self._driver.suspend()

    def _report(self, outcome: Any) -> None:
        """Tell the outcome, unless somebody has, or the handler goes on after all.

        A thread that has seen the handler at rest may come here late, in the midst of another
        invocation. So whoever reports waits for whoever does, or resumes, and looks again.
        """
        with self._reporting:
            if not self._is_awaited:
                return
            if outcome is _AT_REST:
                if not self._driver.is_quiet():
                    return  # whoever runs comes to rest later, and reports it
                self._driver.stop()
                outcome = None
            self._is_awaited = False
            answered, self._answered = self._answered or self._signal, None
        answered(outcome)

    def _signal(self, outcome: Any) -> None:
        self._outcome = outcome
        self._has_answer.release()
