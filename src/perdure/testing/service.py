"""The service for tests: invokes handlers, answers them, and lets time pass.

Whoever changes something turns the crank (``_turn``): what is ready is invoked, each invocation in
a thread; letters go between parents and children; and when nothing runs any more, skipped time
jumps to what is due next. It does not pass the deadline of a callback while the test is doing
something else than to wait: the test may be about to answer.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perdure.core.commands import (
    BeginInvocation,
    Checkpoint,
    Command,
    FinishInvocation,
    Verdict,
)
from perdure.core.errors import Refusal
from perdure.core.outcome import CheckpointReply, InvocationInput, Outcome
from perdure.core.quotas import RELAXED_QUOTAS
from perdure.protocol.operations import ErrorObject, OperationUpdate
from perdure.protocol.words import InvocationStatus
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.envelopes import Opening
from perdure.sdk.parking import Parking
from perdure.sdk.workers import WORKERS
from perdure.testing.functions import LocalLambdaContext, Registered
from perdure.testing.held import NONCE, Held, Origin, parent_start
from perdure.testing.invocation import Answered, HandlerRun, InvocationClient, perform
from perdure.testing.trials import Keep, Moment, Trial
from perdure.testing.waiting import Waiter, Waiters, is_alone

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.testing.callbacks import Responders
    from perdure.testing.chance import Coin
    from perdure.testing.executions import Executions

__all__ = ["LocalService", "Rules"]

_LEASE_MS: Final = 366 * 86_400_000
#: Source: AWS's testing package, which invokes five times; a server goes on until the execution's
#: own time is over.
_FAILURES_MAX: Final = 5
_KEPT_MAX: Final = 10_000
_KILLED: Final = ErrorObject(
    error_type="Runtime.ExitError", error_message="the test has killed the handler"
)
_STATUSES: Final = {"TooManyRequestsException": 429, "ServiceException": 500}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a service behaves where there is a choice."""

    keep: Keep
    coin: Coin
    responders: Responders
    page_bytes: int
    invocation_ms: int  #: what a handler is told that it has left
    patience_seconds: float  #: a handler that stores nothing for so long does not hold up time


class LocalService:
    """Runs executions. The lock is held for every look at them, and never while code runs."""

    def __init__(self, executions: Executions, rules: Rules, trial: Trial) -> None:
        """Begin with no execution."""
        self.lock = threading.RLock()
        self.executions = executions
        self.clock = executions.clock
        self.trial = trial
        self.rules = rules
        self._changed = threading.Condition(self.lock)
        self._waiters = Waiters()
        self._parking = Parking(_KEPT_MAX)
        self._busy = 0  #: invocations, and answers to callbacks, that are under way
        self._invocations = 0
        self._progress_at = time.monotonic()
        self._timer: threading.Timer | None = None
        self._fault: BaseException | None = None
        self._is_closed = False
        trial.services.append(self)

    # What a test asks for.

    def start(self, function: Registered, origin: Origin, payload: str | None) -> Held:
        """Start an execution; it is invoked at once."""
        with self.lock:
            number, now_ms = len(self.executions.held), self.clock.now_ms()
            command = parent_start(function, origin, payload, number=number, now_ms=now_ms)
            held = self.executions.admit(command, function)
            self._turn()
            return held

    def tell(self, held: Held, command: Command) -> Outcome:
        """Carry out a command, and what follows; raise ``Refusal`` if it is not acceptable."""
        with self.lock:
            outcome = self.executions.tell(held, command)
            self._turn()
            return outcome

    def wait(self, find: Callable[[], Any], timeout_seconds: float) -> Any:
        """Let time pass until ``find`` returns something; return that.

        Raises ``TimeoutError`` when the time, which is real, is over, or when nothing can happen
        any more and nobody is left to answer.
        """
        deadline = time.monotonic() + timeout_seconds
        waiter = Waiter(find)
        with self.lock:
            self._waiters.add(waiter)
            self._turn()
            while not waiter.is_over and self._fault is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    self._waiters.discard(waiter)
                    raise TimeoutError(f"it did not come within {timeout_seconds} s")
                if self._busy == 0 and self.executions.next_due_ms() is None and is_alone():
                    self._waiters.discard(waiter)
                    raise TimeoutError("nothing runs, nothing is due, and nobody is left to answer")
                self._changed.wait(left)
        if self._fault is not None:
            raise self._fault
        if waiter.error is not None:
            raise waiter.error
        return waiter.value

    def close(self) -> None:
        """Invoke nothing more, let kept handlers go, and end those that run at their next call."""
        with self.lock:
            self._is_closed = True
            for held in self.executions.open:
                if held.run is not None:
                    held.run.is_dead = True
            if self._timer is not None:
                self._timer.cancel()
            parking = self._let_go()
        parking.clear()

    # What a handler asks for, through its client; the lock is held.

    def checkpoint(
        self, held: Held, token: str, updates: tuple[OperationUpdate, ...], client_token: str
    ) -> Progress:
        """Apply updates; raise ``ServiceError`` if they are refused."""
        if updates:
            self._progress_at = time.monotonic()
        elif time.monotonic() - self._progress_at > self.rules.patience_seconds:
            self._pass_time(is_forced=True)
        functions, identity = self.executions.functions, held.execution.identity
        command = Checkpoint(
            token=held.token_of(token),
            updates=updates,
            client_token=client_token,
            updates_sha256=str(hash(updates)).encode(),
            quotas=RELAXED_QUOTAS,
            targets=functions.targets(identity.id, held.account_id, updates),
        )
        try:
            reply = self.executions.tell(held, command).reply
        except Refusal as refusal:
            status = _STATUSES.get(refusal.code, 400)
            raise ServiceError(refusal.message, code=refusal.code, status=status) from None
        assert isinstance(reply, CheckpointReply), "a checkpoint is answered as one"
        self._turn()
        changes = [held.shape(operation) for operation in reply.operations]
        return Progress(held.token if reply.token else None, changes, None)

    def read_state(self, held: Held, marker: str | None) -> Progress:
        """Return one page of the state."""
        page = held.page(marker) if marker else held.open_pages(self.rules.page_bytes)
        return Progress(None, *page)

    # The crank; the lock is held.

    def _turn(self) -> None:
        try:
            while not self._is_closed:
                self.executions.deliver()
                for held in self.executions.open:
                    if self.executions.is_wanted(held) and held.client is None:
                        self._begin(held)
                    self._respond(held)
                is_waited_for = self._waiters.look()
                if not self._pass_time(is_waited_for=is_waited_for):
                    break
        finally:
            self._changed.notify_all()

    def _begin(self, held: Held) -> None:
        self._invocations += 1
        request_id = f"00000000-0000-4000-a000-{self._invocations:012d}"
        command = BeginInvocation(
            owner="test", lease_ms=_LEASE_MS, nonce_sha256=NONCE, request_id=request_id
        )
        begun = self.executions.tell(held, command).reply
        assert isinstance(begun, InvocationInput), "a beginning is answered as one"
        opening = self._opening(held, begun)
        if held.run is None or not opening.changes_only:
            held.forget_run()
            held.run = HandlerRun(held.arn, self.trial)
        client = held.client = InvocationClient(self, held, held.run)
        identity = held.execution.identity
        context = LocalLambdaContext(
            aws_request_id=request_id,
            function_name=held.function.name.partition(":")[0],
            function_version=identity.version,
            invoked_function_arn=identity.invoked_arn,
            tenant_id=identity.tenant_id,
            remaining_ms=self.rules.invocation_ms,
        )
        keep = None if self.rules.keep == "off" else self._parking
        started_at_ms = self.clock.now_ms()
        self._busy += 1

        def work() -> None:
            answered = perform(held, opening, context, client, keep)
            self._guarded(lambda: self._finish(held, client, answered, started_at_ms))

        WORKERS.run(work)

    def _opening(self, held: Held, begun: InvocationInput) -> Opening:
        changes = [held.shape(operation) for operation in begun.changes]
        ids = [operation.id for operation in changes]
        if held.is_kept and (self.rules.keep == "on" or self.rules.coin.toss()):
            held.is_kept = False
            return Opening(held.arn, held.token, changes, None, ids, changes_only=True)
        operations, marker = held.open_pages(self.rules.page_bytes)
        return Opening(held.arn, held.token, operations, marker, ids)

    def _finish(
        self, held: Held, client: InvocationClient, answered: Answered, started_at_ms: int
    ) -> Parking | None:
        """Record the end of an invocation; return the handlers that have died with it."""
        self._busy -= 1
        self._progress_at = time.monotonic()
        held.client = None
        verdict, died = answered.verdict, None
        if held.is_durable and not client.run.is_dead:
            what = verdict.status or f"an error: {verdict.error and verdict.error.error_type}"
            keys = [self.trial.key(f"answer of {held.arn}")]
            client.run.is_dead = self.trial.comes_to(Moment.ANSWER, what, keys)
        if client.run.is_dead and held.execution.is_leased:
            verdict, died = Verdict(status=None, error=_KILLED, is_counted=False), self._let_go()
        elif verdict.status is InvocationStatus.PENDING:
            held.is_kept = answered.is_kept
        failures = held.execution.progress.failures + verdict.is_counted
        if verdict.status is None and failures >= _FAILURES_MAX:
            verdict = Verdict(status=None, error=verdict.error, is_final=True)
        self.executions.tell(
            held,
            FinishInvocation(
                epoch=held.execution.progress.epoch,
                started_at_ms=started_at_ms,
                ended_at_ms=self.clock.now_ms(),
                verdict=verdict,
                jitter=1.0,
            ),
        )
        held.settled_sequence = held.execution.progress.sequence
        return died

    def _respond(self, held: Held) -> None:
        for callback in held.open_callbacks():
            if callback.id in held.responded or not held.is_ready_for_answer(callback):
                continue
            respond = self.rules.responders.find(held, callback)
            if respond is None:
                continue
            held.responded.add(callback.id)
            self._busy += 1
            WORKERS.run(lambda respond=respond: self._answer(held, respond()))

    def _answer(self, held: Held, command: Command) -> None:
        def work() -> None:
            self._busy -= 1
            # Somebody may have been faster, or its time over: as from outside.
            with contextlib.suppress(Refusal):
                self.executions.tell(held, command)

        self._guarded(work)

    def _guarded(self, work: Callable[[], Parking | None]) -> None:
        """Do something at the end of a thread; what goes wrong is raised where a test waits."""
        try:
            with self.lock:
                parking = work()
                if parking is None:
                    self._turn()
                    return
                self._busy += 1
            parking.clear()
            with self.lock:
                self._busy -= 1
                self._turn()
        except BaseException as fault:  # noqa: BLE001 - raised where a test waits
            with self.lock:
                self._fault = fault
                self._changed.notify_all()

    # Time; the lock is held.

    def _pass_time(self, *, is_waited_for: bool = False, is_forced: bool = False) -> bool:
        """Let what is due happen, if it may; tell whether anything did."""
        due_ms = self.executions.next_due_ms()
        if due_ms is None:
            return False
        span_ms = due_ms - self.clock.now_ms()
        if span_ms > 0:
            if not self.clock.is_skipping:
                self._set_timer(span_ms)
                return False
            is_held_up = self._busy > 0 or (
                not is_waited_for and self.executions.has_deadline(due_ms)
            )
            if is_held_up and not is_forced:
                return False
            self.clock.move_to(due_ms)
        return self.executions.wake()

    def _set_timer(self, span_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(span_ms / 1000, self._guarded, args=(lambda: None,))
        self._timer.name = "perdure-timer"
        self._timer.daemon = True
        self._timer.start()

    # Kept handlers; the lock is held.

    def _let_go(self) -> Parking:
        """Forget the kept handlers; return them, to be let go when the lock is free."""
        parking, self._parking = self._parking, Parking(_KEPT_MAX)
        for held in self.executions.held.values():
            if held.is_kept:
                held.forget_run()
        return parking
