"""The driver for async handlers, and the event loop they run on.

The loop is asyncio's, with two things added: its selector tells when the loop is about to sleep,
which is when work that was put off is done, and a handler may be at rest; and its task factory
gives each task of a handler its place, so that operations under ``asyncio.gather`` have the same
ids at every replay.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import selectors
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from perdure.sdk.calls import make_calls_async
from perdure.sdk.exceptions import BackgroundThreadError
from perdure.sdk.failures import unwrapped
from perdure.sdk.pulse import PULSE
from perdure.sdk.requests import BranchEnd
from perdure.sdk.run import suspension
from perdure.sdk.scopes import ACTIVE, Place, Scope
from perdure.sdk.switchboard import Waiter
from perdure.sdk.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from perdure.protocol.operations import OperationUpdate
    from perdure.sdk.client import AsyncServiceClient, Progress, ServiceClient
    from perdure.sdk.requests import Body, Call, Close, Flush, Receive, Request, Settle, Spawn
    from perdure.sdk.run import Run

__all__ = [
    "ClientInThread",
    "DurableLoop",
    "LoopDriver",
    "WatchedSelector",
    "new_event_loop",
    "shared_loop",
]


_TURNS_MAX: Final = 16  #: of a busy loop, until what waits for its rest is done anyhow


class WatchedSelector(selectors.DefaultSelector):
    """Says when the loop is about to sleep."""

    before_poll: Callable[[bool], bool] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events, unless something has come up that the loop has to do first."""
        is_sleep = timeout is None or timeout > 0
        if self.before_poll is not None and self.before_poll(is_sleep):
            is_sleep = False
        return self.sleep(timeout) if is_sleep else super().select(0)

    def sleep(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; nothing else is left to do."""
        return super().select(timeout)


class DurableLoop(asyncio.SelectorEventLoop):
    """An event loop for async handlers; everything else runs on it as on any other."""

    def __init__(self, selector: WatchedSelector | None = None) -> None:
        """Watch over no handler yet."""
        selector = selector or WatchedSelector()
        super().__init__(selector)
        selector.before_poll = self._before_poll
        self._put_off: list[Callable[[], None]] = []
        self._turns = 0
        self._drivers: set[LoopDriver] = set()
        factory: Any = _make_task  # typeshed's TaskFactory has no context yet
        self.set_task_factory(factory)

    def call_at_rest(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once nothing else is left to do, or after some turns all the same."""
        self._put_off.append(callback)

    def do_put_off(self) -> None:
        """Do what waits for the loop's rest."""
        self._turns = 0
        callbacks, self._put_off = self._put_off, []
        for callback in callbacks:
            callback()

    def watch(self, driver: LoopDriver) -> None:
        """Tell ``driver`` when its handler is at rest, once."""
        self._drivers.add(driver)

    def unwatch(self, driver: LoopDriver) -> None:
        """Tell ``driver`` no more."""
        self._drivers.discard(driver)

    def _before_poll(self, is_sleep: bool) -> bool:
        if not self._put_off:
            return is_sleep and self._look_for_rest()
        self._turns += 1
        if not is_sleep and self._turns < _TURNS_MAX:
            return False
        self.do_put_off()
        return True

    def _look_for_rest(self) -> bool:
        resting = [driver for driver in self._drivers if driver.is_at_rest]
        for driver in resting:
            self._drivers.discard(driver)
            driver.at_rest()
        return bool(resting)


def new_event_loop() -> DurableLoop:
    """Return a loop that async handlers can run on."""
    return DurableLoop()


_shared: list[DurableLoop] = []
_shared_lock = threading.Lock()


def shared_loop() -> DurableLoop:
    """Return the process's loop for async handlers, running in a thread of its own."""
    with _shared_lock:
        if not _shared:
            loop = DurableLoop()
            thread = threading.Thread(target=loop.run_forever, name="perdure-loop", daemon=True)
            thread.start()
            _shared.append(loop)
    return _shared[0]


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    *,
    context: contextvars.Context | None = None,
    **options: Any,
) -> asyncio.Task[Any]:
    context = contextvars.copy_context() if context is None else context
    place = context.get(ACTIVE)
    if place is None or place.scope.is_work or place.tasks is None:
        return asyncio.Task(coroutine, loop=loop, context=context, **options)
    context = context.copy()
    fork = Place(place.scope, place.scope.fork(place.path), place.tasks)
    context.run(ACTIVE.set, fork)
    task = asyncio.Task(coroutine, loop=loop, context=context, **options)
    place.tasks[task] = place.scope
    task.add_done_callback(place.tasks.pop)
    return task


class ClientInThread:
    """A blocking client, for a loop: each call in a thread."""

    def __init__(self, client: ServiceClient) -> None:
        """Pass on to ``client``."""
        self._client = client

    async def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """As the client's."""
        return await _in_thread(partial(self._client.checkpoint, arn, token, updates, client_token))

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """As the client's."""
        return await _in_thread(partial(self._client.read_state, arn, token, marker))


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
        self._sender: asyncio.Task[None] | None = None
        self._flushers: list[tuple[int, asyncio.Future[None]]] = []
        self._seen_ticket = 0
        self._is_on = False

    @property
    def is_at_rest(self) -> bool:
        """Whether only the service can move the handler on, now that the loop is about to sleep."""
        return self._run.board.is_at_rest and self._sender is None

    async def drive(self, body: Body) -> Any:
        """Run an operation to its end; return its result."""
        step: Callable[[Any], Request] = body.send
        answer: Any = None
        self._check_on()
        try:
            while True:
                request = step(answer)
                try:
                    answer = await request.by(self)
                    step = body.send
                except BaseException as error:  # noqa: BLE001 - the operation's to handle
                    answer = error
                    step = body.throw
                self._check_on()
        except StopIteration as stop:
            return stop.value

    async def call(self, request: Call) -> Any:
        """Run the user's function here; a step that is no coroutine function, in a thread."""
        board = self._run.board
        if self._run.is_suspended:
            raise suspension()
        board.add(request.is_work)
        before = ACTIVE.set(Place(request.scope, "", self.tasks))
        try:
            function, arguments = request.function, request.arguments
            if request.is_work and not inspect.iscoroutinefunction(function):
                result = await _in_thread(lambda: function(*arguments))
            else:
                result = function(*arguments)
            return await result if inspect.isawaitable(result) else result
        except BaseExceptionGroup as group:
            raise unwrapped(group) from None
        finally:
            ACTIVE.reset(before)
            board.add(-request.is_work)

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
        if self._sender is not None:
            await asyncio.wait({self._sender})

    def start(self) -> None:
        """Begin to be asked, now and then, whether something has waited for long."""
        self._is_on = True
        PULSE.add(self)

    def stop(self) -> None:
        """Be asked no more."""
        self._is_on = False
        PULSE.discard(self)

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

    def _check_on(self) -> None:
        """Let a parked handler go that has moved by itself, as by a timer of ``asyncio``."""
        if not self._is_on:
            self._run.suspend()

    def _refresh(self) -> None:
        # By now the invocation may be over, or about to be.
        if self._is_on and not self._run.board.is_at_rest:
            self._send_soon()

    def _send_soon(self) -> None:
        run = self._run
        if self._sender is None and not (run.is_revoked or run.is_completed or run.fault):
            self._sender = self._loop.create_task(self._send(), context=self._blank.copy())

    async def _send(self) -> None:
        run = self._run
        try:
            while True:
                # Whatever is recorded in this turn of the loop goes along.
                await asyncio.sleep(0)
                await make_calls_async(run.exchange(), self.client)
                self._let_go(run.stored)
                if not self._flushers or run.is_revoked or run.is_completed:
                    break
        except BackgroundThreadError:
            pass  # it is raised where it is waited for: the run has noted it
        finally:
            self._sender = None
            self._let_go(run.recorded)

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


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _in_thread(work: Callable[[], Any]) -> Any:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        result, error = None, None
        try:
            result = context.run(work)
        except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
            error = raised
        # The loop may be gone, if nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_finish, future, result, error)

    WORKERS.run(run)
    return await future


def _finish(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
