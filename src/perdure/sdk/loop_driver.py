"""The driver for async handlers: it carries out their requests by awaiting."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from functools import partial
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any

from perdure.sdk.exceptions import BackgroundThreadError
from perdure.sdk.failures import unwrapped
from perdure.sdk.loop_calls import begin_calls
from perdure.sdk.loop_threads import in_thread
from perdure.sdk.pulse import PULSE
from perdure.sdk.requests import BranchEnd
from perdure.sdk.run import suspension
from perdure.sdk.scopes import ACTIVE, Place, Scope
from perdure.sdk.switchboard import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.sdk.client import AsyncServiceClient
    from perdure.sdk.requests import Body, Call, Close, Flush, Receive, Request, Settle, Spawn
    from perdure.sdk.run import Run

__all__ = ["LoopDriver"]


class LoopDriver:
    """Carries out one run's requests by awaiting."""

    def __init__(self, run: Run, client: AsyncServiceClient, at_rest: Callable[[], None]) -> None:
        """Send through ``client``; ``at_rest`` is called when only the service can go on."""
        self.client = client
        self.at_rest = at_rest
        self.tasks: dict[asyncio.Task[Any], Scope] = {}
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._blank = contextvars.Context()
        self._is_sending = False
        self._sending_ends: asyncio.Future[None] | None = None  #: for whoever waits for it
        self._flushers: list[tuple[int, asyncio.Future[None]]] = []
        self._seen_ticket = 0
        self._is_on = False

    @property
    def is_at_rest(self) -> bool:
        """Whether only the service can move the handler on, now that the loop is about to sleep."""
        return self._run.board.is_at_rest and not self._is_sending

    async def drive(self, body: Body) -> Any:
        """Run an operation to its end; return its result."""
        step: Callable[[Any], Request] = body.send
        answer: Any = None
        try:
            while True:
                if not self._is_on:
                    # A parked handler has moved by itself, as by a timer of ``asyncio``: let it go.
                    self._run.suspend()
                request = step(answer)
                try:
                    answer = await request.by(self)
                    step = body.send
                except BaseException as error:  # noqa: BLE001 - the operation's to handle
                    answer = error
                    step = body.throw
        except StopIteration as stop:
            return stop.value

    async def call(self, request: Call) -> Any:
        """Run the user's function here; a step that is no coroutine function, in a thread."""
        board = self._run.board
        if self._run.is_suspended:
            raise suspension()
        function, arguments, scope, is_work = request
        if is_work:
            board.add(1)
        before = ACTIVE.set(Place(scope, "", self.tasks))
        try:
            if is_work and not _is_coroutine_function(function):
                result = await in_thread(lambda: function(*arguments))
            else:
                result = function(*arguments)
            return await result if _is_awaitable(result) else result
        except BaseExceptionGroup as group:
            raise unwrapped(group) from None
        finally:
            ACTIVE.reset(before)
            if is_work:
                board.add(-1)

    async def flush(self, request: Flush) -> None:
        """Wait until what is recorded up to the ticket is stored."""
        run = self._run
        while run.stored < request.ticket:
            run.check()
            future = self._loop.create_future()
            self._flushers.append((request.ticket, future))
            self._send_soon()
            await future

    async def settle(self, request: Settle) -> None:
        """Wait until the operation has changed."""
        future = self._loop.create_future()
        waiter = Waiter(partial(_settle, future), request.scope)
        if self._run.board.block_on(request.seen, request.until_ms, waiter):
            if request.until_ms is not None:
                PULSE.hurry(request.until_ms)
            await self._wait(future, waiter)

    async def receive(self, request: Receive) -> object:
        """Wait until there is a message."""
        mailbox = request.mailbox
        while not mailbox.messages:
            future = self._loop.create_future()
            waiter = Waiter(partial(_settle, future), request.scope)
            if self._run.board.block_on_mail(mailbox, waiter):
                await self._wait(future, waiter)
        return mailbox.messages.popleft()

    async def spawn(self, request: Spawn) -> None:
        """Give the branch a task of its own."""
        context = contextvars.copy_context()
        context.run(ACTIVE.set, None)
        task = self._loop.create_task(self._branch(request), context=context)
        self.tasks[task] = request.scope
        task.add_done_callback(self.tasks.pop)

    async def close(self, request: Close) -> None:
        """Cancel what still runs under a scope."""
        self._run.board.close(request.scope)
        for task, scope in list(self.tasks.items()):
            if scope.is_closed:
                task.cancel()

    async def cancel_all(self) -> None:
        """Cancel what the handler has left running, and wait until it is gone."""
        while remaining := [task for task in self.tasks if task is not asyncio.current_task()]:
            for task in remaining:
                task.cancel()
            await asyncio.gather(*remaining, return_exceptions=True)
        if self._is_sending:
            self._sending_ends = self._loop.create_future()
            await self._sending_ends

    def start(self) -> None:
        """Begin to be asked, now and then, whether something has waited for long."""
        self._is_on = True
        PULSE.add(self)

    def stop(self) -> None:
        """Be asked no more."""
        self._is_on = False
        PULSE.discard(self)

    def part(self) -> None:
        """Forget the handler, which has ended: nothing of its run may refer to itself."""
        self.at_rest = _rest

    def tick(self, now_ms: int) -> int | None:
        """Send what has waited for company long enough; ask for what is due. Never blocks."""
        run = self._run
        is_old = run.has_pending and run.stored < self._seen_ticket
        self._seen_ticket = run.recorded
        due_ms = run.board.earliest_ms
        if is_old or (due_ms is not None and due_ms <= now_ms and not run.board.is_at_rest):
            self._loop.call_soon_threadsafe(self._refresh)
        return due_ms

    async def _wait(self, future: asyncio.Future[None], waiter: Waiter) -> None:
        try:
            await future
        except asyncio.CancelledError:
            self._run.board.withdraw(waiter)
            raise
        if waiter.error is not None:
            raise waiter.error

    def _refresh(self) -> None:
        # By now the invocation may be over, or about to be.
        if self._is_on and not self._run.board.is_at_rest:
            self._send_soon()

    def _send_soon(self) -> None:
        run = self._run
        if not self._is_sending and not (run.is_revoked or run.is_completed or run.fault):
            self._is_sending = True
            self._loop.call_soon(self._send, context=self._blank)

    def _send(self) -> None:
        """Send whatever was recorded in the last turn of the loop."""
        begin_calls(self._run.exchange(), self.client, self._sent)

    def _sent(self, error: BaseException | None) -> None:
        run = self._run
        self._let_go(run.stored if error is None else run.recorded)
        if self._flushers and not (run.is_revoked or run.is_completed):
            self._loop.call_soon(self._send, context=self._blank)
            return
        self._is_sending = False
        self._let_go(run.recorded)
        if self._sending_ends is not None:
            _settle(self._sending_ends)
        # A fault is raised where it is waited for: the run has noted it.
        if error is not None and not isinstance(error, BackgroundThreadError):
            problem = {"message": "a checkpoint has failed", "exception": error}
            self._loop.call_exception_handler(problem)

    def _let_go(self, ticket: int) -> None:
        """Wake those who wait for what is recorded up to ``ticket``."""
        flushers, self._flushers = self._flushers, []
        for awaited, future in flushers:
            if awaited > ticket:
                self._flushers.append((awaited, future))
            else:
                _settle(future)

    async def _branch(self, request: Spawn) -> None:
        result, error = None, None
        try:
            result = await self.drive(request.branch)
        except BaseException as raised:  # noqa: BLE001 - the coordinator's to handle
            error = raised
        end = BranchEnd(request.number, result, error)
        self._run.board.deliver(request.mailbox, end, is_last_word=True)


def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    # The common case first: ``inspect`` looks through partials, methods and marks.
    if type(function) is FunctionType and function.__code__.co_flags & inspect.CO_COROUTINE:
        return True
    return inspect.iscoroutinefunction(function)


def _is_awaitable(result: object) -> bool:
    return type(result) is CoroutineType or inspect.isawaitable(result)


def _rest() -> None: ...


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
