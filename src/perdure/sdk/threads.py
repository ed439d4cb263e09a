"""The driver for handlers that block: a thread for the handler, one for each branch.

Whoever needs something stored sends it himself, together with whatever else waits; whoever comes
meanwhile waits for his turn, and finds most often that his own went along.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from typing import TYPE_CHECKING, Any, Final

from perdure.sdk.calls import make_calls
from perdure.sdk.exceptions import BackgroundThreadError, ValidationError
from perdure.sdk.pulse import PULSE
from perdure.sdk.requests import BranchEnd, Flush
from perdure.sdk.run import suspension
from perdure.sdk.scopes import ACTIVE, Place
from perdure.sdk.send_queue import SendQueue
from perdure.sdk.switchboard import Waiter
from perdure.sdk.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.sdk.client import ServiceClient
    from perdure.sdk.requests import Body, Call, Close, Receive, Request, Settle, Spawn
    from perdure.sdk.run import Run

__all__ = ["ThreadDriver"]

#: So many threads of one handler may be blocked at once; one more unwinds, and is replayed.
_BLOCKED_MAX: Final = 2_000
#: When so many of them wait for a checkpoint, the next branch begins after it.
_CROWD: Final = 32


class ThreadDriver:
    """Carries out one run's requests by blocking."""

    def __init__(self, run: Run, client: ServiceClient, at_rest: Callable[[], None]) -> None:
        """Send through ``client``; ``at_rest`` is called when only the service can go on."""
        self.client = client
        self._run = run
        self._at_rest = at_rest
        self._sending = threading.Lock()
        self._queue = SendQueue()
        self._blocked = 0
        self._live = 0
        self._all_left = threading.Condition(threading.Lock())
        self._seen_ticket = 0
        self._is_on = False
        self.has_unwound = False  #: a thread has left that will be missed when the others go on

    def drive(self, body: Body) -> Any:
        """Run an operation to its end; return its result."""
        step: Callable[[Any], Request] = body.send
        answer: Any = None
        try:
            while True:
                request = step(answer)
                try:
                    answer = request.by(self)
                    step = body.send
                except BaseException as error:  # noqa: BLE001 - the operation's to handle
                    answer = error
                    step = body.throw
        except StopIteration as stop:
            return stop.value

    def call(self, request: Call) -> Any:
        """Run the user's function in this thread."""
        before = ACTIVE.set(Place(request.scope))
        try:
            result = request.function(*request.arguments)
        finally:
            ACTIVE.reset(before)
        if type(result) is _COROUTINE:
            result.close()
            name = getattr(request.function, "__qualname__", repr(request.function))
            raise ValidationError(
                f"{name} is a coroutine function; a handler that uses it must be async itself"
            )
        return result

    def flush(self, request: Flush) -> None:
        """Send, or wait until somebody else has sent, what is recorded up to the ticket."""
        run = self._run
        while run.stored < request.ticket:
            if self._queue.enter():
                try:
                    with self._sending:
                        if run.stored < request.ticket:
                            run.check()
                            make_calls(run.exchange(), self.client)
                finally:
                    self._queue.leave()

    def settle(self, request: Settle) -> None:
        """Block until the operation has changed."""
        if self._blocked >= _BLOCKED_MAX:
            self.has_unwound = True
            raise suspension()
        lock = threading.Lock()
        lock.acquire()
        waiter = Waiter(lock.release, request.scope)
        if self._run.board.block_on(request.seen, request.until_ms, waiter):
            if request.until_ms is not None and self._run.board.busy:
                PULSE.hurry(request.until_ms)
            self._block(lock, waiter)

    def receive(self, request: Receive) -> object:
        """Block until there is a message."""
        mailbox = request.mailbox
        while not mailbox.messages:
            lock = threading.Lock()
            lock.acquire()
            waiter = Waiter(lock.release, request.scope)
            if self._run.board.block_on_mail(mailbox, waiter):
                self._block(lock, waiter)
        return mailbox.messages.popleft()

    def spawn(self, request: Spawn) -> None:
        """Give the branch a thread of its own.

        Those that wait for a checkpoint end or block soon: until some have, more threads would
        only be in their way.
        """
        if self._queue.waiting >= _CROWD:
            self.flush(Flush(self._run.recorded))
        with self._all_left:
            self._live += 1
        self._run.board.add(1)
        context = contextvars.copy_context()
        WORKERS.run(lambda: context.run(self._branch, request))

    def close(self, request: Close) -> None:
        """Have the threads under a scope leave when they next ask for something."""
        self._run.board.close(request.scope)

    def join(self) -> None:
        """Wait until every branch has left, and nothing is being sent."""
        with self._all_left:
            self._all_left.wait_for(lambda: self._live == 0)
        with self._sending:
            pass

    def is_quiet(self) -> bool:
        """Tell whether the handler is at rest, and stays so: nobody is asking the service."""
        with self._sending:
            return self._run.board.is_at_rest

    def suspend(self) -> None:
        """Have every thread leave, unless what the service has just said moves the handler on."""
        with self._sending:
            if self._run.board.is_at_rest:
                self._run.suspend()

    def tick(self, now_ms: int) -> int | None:
        """Send what has waited for company long enough; ask for what is due. Never blocks."""
        run = self._run
        is_old = run.has_pending and run.stored < self._seen_ticket
        self._seen_ticket = run.recorded
        due_ms = run.board.earliest_ms
        if (is_old or (due_ms is not None and due_ms <= now_ms)) and not self._sending.locked():
            WORKERS.run(self._refresh)
        return due_ms

    def start(self) -> None:
        """Begin to be asked, now and then, whether something has waited for long."""
        self._is_on = True
        PULSE.add(self)

    def stop(self) -> None:
        """Be asked no more."""
        with self._sending:
            self._is_on = False
        PULSE.discard(self)

    def part(self) -> None:
        """Forget the handler, which has ended: nothing of its run may refer to itself."""
        self._at_rest = _rest

    def _refresh(self) -> None:
        run = self._run
        with self._sending:
            is_over = run.is_revoked or run.is_completed or run.fault or not self._is_on
            if not (is_over or run.board.is_at_rest):
                # A fault is raised where it stops the handler, not here.
                with contextlib.suppress(BackgroundThreadError):
                    make_calls(run.exchange(), self.client)

    def _block(self, lock: threading.Lock, waiter: Waiter) -> None:
        board = self._run.board
        self._blocked += 1
        if board.is_at_rest:
            self._at_rest()
        lock.acquire()
        self._blocked -= 1
        if waiter.error is not None:
            raise waiter.error

    def _branch(self, request: Spawn) -> None:
        board = self._run.board
        result, error = None, None
        try:
            result = self.drive(request.branch)
        except BaseException as raised:  # noqa: BLE001 - the coordinator's to handle
            error = raised
        end = BranchEnd(request.number, result, error)
        board.deliver(request.mailbox, end, is_last_word=True)
        if board.is_at_rest:
            self._at_rest()
        with self._all_left:
            self._live -= 1
            self._all_left.notify_all()


def _rest() -> None: ...


async def _nothing() -> None: ...


_example = _nothing()
_COROUTINE: Final = type(_example)
_example.close()
