"""One handler at work, from its first line to its last: what it has recorded, and what is still to
be stored.

Colourless: it is told, and it is asked; who sends a batch, and how one waits for it, is the
drivers' affair. With warm resume one run lasts over several invocations.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from perdure.protocol.words import OperationAction, OperationType
from perdure.sdk.chance import client_tokens
from perdure.sdk.exceptions import (
    BackgroundThreadError,
    OrphanedChildException,
    SuspendExecution,
)
from perdure.sdk.failures import divergence
from perdure.sdk.journal import Decision, Diverged, Failed, Identity, Journal, Replayed
from perdure.sdk.service_errors import CheckpointError, GetExecutionStateError
from perdure.sdk.switchboard import Switchboard
from perdure.sdk.witness import WITNESS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from perdure.protocol.operations import ErrorObject, Operation, OperationUpdate
    from perdure.sdk.calls import Calls
    from perdure.sdk.client import Progress
    from perdure.sdk.plugin_executor import PluginExecutor
    from perdure.sdk.scopes import Scope
    from perdure.sdk.types import LambdaContext

__all__ = ["BATCH_BYTES_MAX", "BATCH_UPDATES_MAX", "Run", "suspension"]

#: A checkpoint takes so much at once. Source: AWS's SDK 3.0, CheckpointBatcherConfig.
BATCH_BYTES_MAX: Final = 750 * 1024
BATCH_UPDATES_MAX: Final = 250
_UPDATE_BYTES: Final = 400  #: an update without its payload, about


class _Queued(NamedTuple):
    """An update that is not stored yet."""

    update: OperationUpdate
    size_bytes: int


class Run:
    """The state of one handler's run."""

    def __init__(
        self,
        arn: str,
        token: str,
        journal: Journal,
        hooks: PluginExecutor | None,
        lock: AbstractContextManager[object],
        *,
        weight: int,
    ) -> None:
        """Begin with what an invocation brought; ``weight``: see ``Switchboard``."""
        self.durable_execution_arn = arn
        self.token = token
        self.journal = journal
        self.hooks = hooks
        self.lambda_context: LambdaContext | None = None
        self.offers: Sequence[str] = ()
        self.witness = WITNESS.get()
        self.board = Switchboard(lock, journal, weight=weight)
        self.stored = 0  #: every ticket up to this one is stored
        self.is_suspended = False  #: its threads and tasks are told to leave
        self.is_revoked = False  #: the service takes no more of this invocation
        self.is_completed = False  #: the execution was ended by a checkpoint
        self.fault: BackgroundThreadError | None = None  #: why nothing can be stored any more
        self._lock = lock
        self._weight = weight
        self._pending: deque[_Queued] = deque()
        self._recorded = 0
        self._tokens = client_tokens()

    @property
    def recorded(self) -> int:
        """The ticket of the last update."""
        return self._recorded

    @property
    def has_pending(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._pending)

    def record(self, update: OperationUpdate, scope: Scope) -> int:
        """Queue an update; return the ticket by which to wait until it is stored.

        Raises ``OrphanedChildException`` if the context it belongs to has ended, and what stopped
        the run if it is stopped.
        """
        if self.hooks is not None and update.action is OperationAction.START:
            self.board.check(scope)
            self.hooks.on_operation_start(update, self.journal.find(update.id))
        size = _UPDATE_BYTES + len(update.payload or "") + _error_bytes(update.error)
        with self._lock:
            # Now, when nobody can close the scope and record its end in between.
            self.board.check_locked(scope)
            self._pending.append(_Queued(update, size))
            self._recorded += 1
            return self._recorded

    def compare(self, identity: Identity) -> Decision:
        """Return what is recorded for ``identity``; raise if that is another operation."""
        decision = self.journal.decide(identity)
        if isinstance(decision, Diverged):
            raise divergence(identity, decision)
        return decision

    def look(self, identity: Identity) -> Decision:
        """Return what is to be done for ``identity``; with the plugins told of what ended."""
        decision = self.compare(identity)
        if self.hooks is not None and isinstance(decision, Replayed | Failed):
            self.hooks.observed(identity.operation_id)
        return decision

    def check(self) -> None:
        """Raise if nothing can be stored any more."""
        if self.fault is not None:
            raise self.fault
        if self.is_revoked:
            raise suspension()
        if self.is_completed:
            raise _orphaned()

    def exchange(self) -> Calls[None]:
        """Send one batch, or none, which asks what has changed; take in the answer.

        Raises ``BackgroundThreadError`` when the service refuses, or cannot be reached; then the
        run is over.
        """
        self.check()
        updates, ticket = self._take()
        try:
            answer = yield (
                "checkpoint",
                (self.durable_execution_arn, self.token, updates, next(self._tokens)),
            )
        except Exception as error:
            raise self._broken(CheckpointError.from_exception(error)) from error
        if answer.token is None:
            self._without_token(answer, updates, ticket)
            return
        operations = list(answer.operations)
        marker = answer.marker
        while marker:
            try:
                page = yield "read_state", (self.durable_execution_arn, answer.token, marker)
            except Exception as error:
                raise self._broken(GetExecutionStateError.from_exception(error)) from error
            operations.extend(page.operations)
            marker = page.marker
        self.token = answer.token
        self._merge(operations, updates, ticket)

    def suspend(self) -> None:
        """Have every thread and task of the handler leave, to be replayed later."""
        self.is_suspended = True
        self.board.stop(suspension)

    def leave_orphans(self) -> None:
        """Have whatever still runs after the handler's end leave too."""
        self.board.stop(_orphaned)

    def _take(self) -> tuple[Sequence[OperationUpdate], int]:
        with self._lock:
            updates: list[OperationUpdate] = []
            size = 0
            while self._pending and len(updates) < BATCH_UPDATES_MAX:
                size += self._pending[0].size_bytes
                if updates and size > BATCH_BYTES_MAX:
                    break
                updates.append(self._pending.popleft().update)
            return updates, self._recorded - len(self._pending)

    def _merge(
        self, operations: list[Operation], updates: Sequence[OperationUpdate], ticket: int
    ) -> None:
        if self.hooks is not None:
            waited = {u.id for u in updates} if self._weight else set[str]()
            self.hooks.merged(operations, waited)
        self.board.merge(operations)
        with self._lock:
            self.stored = max(self.stored, ticket)

    def _without_token(
        self, answer: Progress, updates: Sequence[OperationUpdate], ticket: int
    ) -> None:
        if any(update.type is OperationType.EXECUTION for update in updates):
            self.is_completed = True
            self._merge(list(answer.operations), updates, ticket)
            self.board.stop(_orphaned)
        else:
            self.is_revoked = True
            self.suspend()

    def _broken(self, error: Exception) -> BackgroundThreadError:
        fault = self.fault = BackgroundThreadError("Checkpoint creation failed", error)
        self.board.stop(lambda: fault)
        return fault


def suspension() -> SuspendExecution:
    """Return what unwinds a handler that is suspended."""
    return SuspendExecution("the execution is suspended")


def _orphaned() -> OrphanedChildException:
    return OrphanedChildException("the execution has completed", operation_id="")


def _error_bytes(error: ErrorObject | None) -> int:
    if error is None:
        return 0
    trace = sum(len(line) for line in error.stack_trace or ())
    return len(error.error_message or "") + len(error.error_data or "") + trace
