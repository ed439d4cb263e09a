"""Maps and parallels: many branches beside each other, each in a context of its own.

One coordinator starts the branches in their order, so many at once as it may, and hears how each
ends. It is over when the completion policy says so; what still runs then is left behind.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.batches import BatchItem, BatchResult, CompletionRecord
from perdure.sdk.completion import BatchItemStatus, CompletionItemStatus, CompletionPolicy
from perdure.sdk.config import ChildConfig, NestingType
from perdure.sdk.error_object import ErrorObject
from perdure.sdk.exceptions import (
    ExecutionError,
    InvocationError,
    NonDeterministicExecutionError,
    OrphanedChildException,
    SuspendExecution,
)
from perdure.sdk.journal import FINISHED, Fresh, Identity, Replayed, error_of
from perdure.sdk.operations.child import child
from perdure.sdk.requests import BranchEnd, Call, Close, Receive, Spawn
from perdure.sdk.run import suspension
from perdure.sdk.switchboard import Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.completion import CompletionReason
    from perdure.sdk.config import MapConfig, ParallelConfig
    from perdure.sdk.requests import Request

__all__ = ["Branch", "Plan", "run_batch"]


class Branch(NamedTuple):
    """One branch: its function, and its name where it has one of its own."""

    function: Callable[[Any], Any]
    name: str | None


class Plan(NamedTuple):
    """What a map or parallel is to do."""

    branches: Sequence[Branch]
    sub_type: str  #: of each branch
    name_prefix: str
    config: MapConfig[Any] | ParallelConfig

    @property
    def is_flat(self) -> bool:
        """Whether branches are not recorded themselves."""
        return self.config.nesting_type is NestingType.FLAT


class _State:
    """One branch, as its coordinator knows it."""

    __slots__ = ("error", "result", "status")

    def __init__(self) -> None:
        self.status: BatchItemStatus | None = None  # not begun
        self.result: Any = None
        self.error: BaseException | None = None


def run_batch(
    context: BaseContext, identity: Identity, plan: Plan
) -> Generator[Request, Any, BatchResult[Any]]:
    """Return what became of the branches; ``context`` is the batch's own."""
    match context.run.look(identity):
        case Replayed(payload=payload):
            return (yield from _Rebuilding(context, plan).run(payload))
        case _:
            return (yield from _Coordinator(context, plan).run())


class _Coordinator:
    """Runs the branches of one batch."""

    def __init__(self, context: BaseContext, plan: Plan) -> None:
        self._context = context
        self._plan = plan
        self._policy = CompletionPolicy.from_config(
            len(plan.branches), plan.config.completion_config
        )
        self._states = [_State() for _ in plan.branches]
        self._pending = deque(range(len(plan.branches)))
        self._mailbox = Mailbox()
        self._succeeded = self._failed = self._in_flight = self._running = 0
        self._retryable: InvocationError | None = None
        #: Begun, and recorded as over: they end by themselves, and count whoever is quicker.
        self._known: set[int] = set()

    def run(self) -> Generator[Request, Any, BatchResult[Any]]:
        """Run until the batch is over."""
        context = self._context
        try:
            reason = yield from self._until_over()
        finally:
            yield Close(context.scope)
        while self._mailbox.messages:  # who ended while it was decided
            self._take(self._mailbox.messages.popleft())
        if self._retryable is not None:
            raise self._retryable
        return BatchResult(self._items(), reason)

    def _until_over(self) -> Generator[Request, Any, CompletionReason]:
        policy = self._policy
        while True:
            while self._known:
                if self._take((yield Receive(self._mailbox, self._context.scope))):
                    return policy.reason(self._succeeded, self._failed)
            snapshot = self._snapshot()
            decision = policy.evaluate(self._succeeded, self._failed, snapshot)
            counts = self._succeeded, self._failed
            if not policy.should_continue(self._failed) or policy.is_complete(
                *counts, snapshot, decision
            ):
                return policy.reason(*counts, snapshot, decision)
            if self._may_begin():
                while self._may_begin():
                    yield self._begin(self._pending.popleft())
                continue
            if self._running == 0:
                raise self._retryable or suspension()
            end = yield Receive(self._mailbox, self._context.scope)
            if self._take(end):
                return policy.reason(*counts, snapshot, decision)

    def _may_begin(self) -> bool:
        bound = self._plan.config.max_concurrency
        return bool(self._pending) and (bound is None or self._in_flight < bound)

    def _begin(self, index: int) -> Spawn:
        self._states[index].status = BatchItemStatus.STARTED
        self._in_flight += 1
        self._running += 1
        if self._context.is_replaying() and self._is_recorded(index):
            self._known.add(index)
        body = run_branch(self._context, self._plan, index)
        return Spawn(body, index, self._mailbox, self._context.scope)

    def _is_recorded(self, index: int) -> bool:
        if self._plan.is_flat:
            return False
        identity = branch_identity(self._context, self._plan, index)
        operation = self._context.run.journal.find(identity.operation_id)
        return operation is not None and operation.status in FINISHED

    def _take(self, end: object) -> bool:
        """Note how a branch ended; return True if the whole batch is left behind."""
        assert isinstance(end, BranchEnd), "branches alone write to the mailbox"
        state, error = self._states[end.number], end.error
        self._known.discard(end.number)
        self._running -= 1
        match error:
            case None:
                state.status, state.result = BatchItemStatus.SUCCEEDED, end.result
                self._succeeded += 1
            case SuspendExecution():
                return False  # it keeps its place
            case OrphanedChildException():
                return True
            case ExecutionError():
                raise error
            case Exception():
                state.status, state.error = BatchItemStatus.FAILED, error
                self._failed += 1
                if isinstance(error, InvocationError) and error.is_retryable():
                    self._retryable = error
            case _:
                raise error
        self._in_flight -= 1
        return False

    def _snapshot(self) -> tuple[CompletionItemStatus, ...]:
        if self._policy.should_complete is None:
            return ()
        return tuple(
            CompletionItemStatus(index=i, name=branch.name, status=state.status)
            for i, (branch, state) in enumerate(zip(self._plan.branches, self._states, strict=True))
        )

    def _items(self) -> list[BatchItem[Any]]:
        return [
            BatchItem(i, state.status, state.result, _item_error(state.error))
            for i, state in enumerate(self._states)
            if state.status is not None
        ]


def run_branch(context: BaseContext, plan: Plan, index: int) -> Generator[Request, Any, Any]:
    """Return the result of one branch; ``context`` is the batch's."""
    run = context.run
    identity = branch_identity(context, plan, index)
    inner = context.child(identity, is_virtual=plan.is_flat)
    if inner.is_replaying():
        operation = run.journal.find(identity.operation_id)
        if plan.is_flat:
            _check_nesting(context, plan, identity)
        elif operation is None:
            inner.end_replay()
        else:
            run.look(identity)
            if run.hooks is not None:
                run.hooks.on_operation_replay(operation)
    config: ChildConfig[Any] = ChildConfig(
        serdes=plan.config.item_serdes or plan.config.serdes, is_virtual=plan.is_flat
    )
    call = Call(plan.branches[index].function, (inner,), inner.scope, is_work=False)
    return (yield from child(context, identity, inner.scope, lambda: _once(call), config))


def _once(call: Call) -> Generator[Request, Any, Any]:
    return (yield call)


def branch_identity(context: BaseContext, plan: Plan, index: int) -> Identity:
    """Return what a branch is: by its index, whenever it begins."""
    name = plan.branches[index].name
    return Identity(
        context.id_of(index),
        OperationType.CONTEXT,
        plan.sub_type,
        context.parent_id,
        f"{plan.name_prefix}{index}" if name is None else name,
    )


class _Rebuilding:
    """Makes a batch's result again that was too large to be kept."""

    def __init__(self, context: BaseContext, plan: Plan) -> None:
        self._context = context
        self._plan = plan

    def run(self, payload: str | None) -> Generator[Request, Any, BatchResult[Any]]:
        """Follow the recorded decision; without one, take every branch as it is recorded."""
        record = CompletionRecord.from_summary_payload(payload)
        items: list[BatchItem[Any]] = []
        for index in range(len(self._plan.branches)):
            identity = branch_identity(self._context, self._plan, index)
            if record is None:
                _check_nesting(self._context, self._plan, identity)
                items.append((yield from self._recorded(index, identity)))
            elif index in record.started_indexes:
                _check_nesting(self._context, self._plan, identity)
                items.append(BatchItem(index, BatchItemStatus.STARTED))
            elif index < record.started_total:
                items.append((yield from self._ended(index, identity)))
        if record is None:
            return BatchResult[Any].from_items(items, self._plan.config.completion_config)
        return BatchResult(items, record.completion_reason)

    def _recorded(self, index: int, identity: Identity) -> Generator[Request, Any, BatchItem[Any]]:
        operation = self._context.run.journal.find(identity.operation_id)
        match operation.status if operation is not None else None:
            case OperationStatus.SUCCEEDED:
                result = yield from run_branch(self._context, self._plan, index)
                return BatchItem(index, BatchItemStatus.SUCCEEDED, result)
            case OperationStatus.FAILED if operation is not None:
                return BatchItem(
                    index, BatchItemStatus.FAILED, error=ErrorObject.of(error_of(operation))
                )
            case _:
                return BatchItem(index, BatchItemStatus.STARTED)

    def _ended(self, index: int, identity: Identity) -> Generator[Request, Any, BatchItem[Any]]:
        """Return a branch that is known to have ended."""
        _check_nesting(self._context, self._plan, identity)
        operation = self._context.run.journal.find(identity.operation_id)
        if self._plan.is_flat:
            return (yield from self._again(index))
        if operation is None or operation.status not in FINISHED:
            status = None if operation is None else operation.status.value
            raise NonDeterministicExecutionError(
                f"Non-deterministic branch nesting at id={identity.operation_id!r}: recorded"
                " terminal branch requires a terminal NESTED branch context checkpoint, got"
                f" status={status!r}",
                step_id=identity.operation_id,
            )
        return (yield from self._recorded(index, identity))

    def _again(self, index: int) -> Generator[Request, Any, BatchItem[Any]]:
        """Run a branch that is not recorded itself over what is recorded in it."""
        try:
            result = yield from run_branch(self._context, self._plan, index)
        except ExecutionError:
            raise
        except Exception as error:
            if isinstance(error, InvocationError) and error.is_retryable():
                raise
            return BatchItem(index, BatchItemStatus.FAILED, error=_item_error(error))
        return BatchItem(index, BatchItemStatus.SUCCEEDED, result)


def _check_nesting(context: BaseContext, plan: Plan, identity: Identity) -> None:
    """Raise if a branch is recorded that was to be flat, or as something else."""
    decision = context.run.look(identity)
    if plan.is_flat and not isinstance(decision, Fresh):
        raise NonDeterministicExecutionError(
            f"Non-deterministic branch nesting at id={identity.operation_id!r}: checkpoint"
            " contains a NESTED branch context but current nesting is FLAT",
            step_id=identity.operation_id,
        )


def _item_error(error: BaseException | None) -> ErrorObject | None:
    return ErrorObject.from_branch(error) if isinstance(error, Exception) else None
