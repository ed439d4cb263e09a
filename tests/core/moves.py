"""Commands by chance, most of them sensible: whatever a handler, a caller, time and bad luck may
ask of an execution next.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from perdure.core.commands import (
    AnswerCallback,
    BeginInvocation,
    ChainTarget,
    Checkpoint,
    Command,
    Delete,
    FinishChainedInvoke,
    FinishInvocation,
    Heartbeat,
    Pause,
    ReleaseLease,
    RenewLease,
    Resume,
    Start,
    Stop,
    Token,
    Verdict,
    Wake,
)
from perdure.core.execution import Execution, ExecutionKind, ParentLink
from perdure.core.operation import Operation
from perdure.core.quotas import Quotas
from perdure.protocol.operations import (
    CallbackOptions,
    ChainedInvokeOptions,
    ContextOptions,
    ErrorObject,
    OperationUpdate,
    StepOptions,
    WaitOptions,
)
from perdure.protocol.words import (
    InvocationStatus,
    OperationAction,
    OperationStatus,
    OperationType,
)

from .builders import BOOM, FUNCTION_ARN, LEASE_MS, a_start

Item = TypeVar("Item")

PAYLOADS = (None, "", '"x"', '{"名":"太郎"}', "a\0b", "z" * 300)
ERRORS = (
    None,
    ErrorObject(),
    BOOM,
    ErrorObject(error_data="d", stack_trace=("one", "two")),
    ErrorObject(error_type="Runtime.ExitError", error_message=""),
)
SPANS_MS = (0,) * 8 + (1, 250, 999, 1_000, 2_000, 2_500, 5_000, 61_000)
QUOTAS = (Quotas(), Quotas(), Quotas(operations_max=5), Quotas(operations_max=9, is_hard=True))
_ACTIONS = {
    OperationType.STEP: (
        OperationAction.START,
        OperationAction.SUCCEED,
        OperationAction.FAIL,
        OperationAction.RETRY,
    ),
    OperationType.WAIT: (OperationAction.START, OperationAction.CANCEL),
    OperationType.CALLBACK: (OperationAction.START,),
    OperationType.CHAINED_INVOKE: (OperationAction.START,),
    OperationType.CONTEXT: (OperationAction.START, OperationAction.SUCCEED, OperationAction.FAIL),
}
_ENDS_OF_CHILDREN = (
    OperationStatus.SUCCEEDED,
    OperationStatus.FAILED,
    OperationStatus.TIMED_OUT,
    OperationStatus.STOPPED,
)


class Chance:
    """A stream of chance that is the same for the same seed, everywhere."""

    def __init__(self, seed: int) -> None:
        """Begin the stream of ``seed``."""
        self._state = seed

    def below(self, bound: int) -> int:
        """Return a whole number from 0 to ``bound`` - 1."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % bound


class Moves:
    """Makes commands; ``below(n)`` is the one source of chance: a whole number from 0 to n - 1."""

    def __init__(self, below: Callable[[int], int]) -> None:
        """Choose with ``below``."""
        self._below = below

    def span_ms(self) -> int:
        """Return how much time passes before the next command."""
        return self._pick(SPANS_MS)

    def start(self, execution_id: str, now_ms: int) -> Start:
        """Return the start of some execution."""
        kind = ExecutionKind.PLAIN if self._one_in(6) else ExecutionKind.DURABLE
        return a_start(
            id=execution_id,
            name=f"name-{self._below(4)}",
            kind=kind,
            function_arn=f"{FUNCTION_ARN}{self._below(2)}",
            version=self._pick(("1", "2", "$LATEST")),
            started_at_ms=now_ms,
            execution_timeout_seconds=self._pick((30, 600, 600, 31_622_400)),
            retention_days=self._pick((0, 1, 14)),
            parent=ParentLink("f" * 32, "invoke") if self._one_in(3) else None,
            retries_max=self._below(3),
            is_announced=self._one_in(3),
            payload=self._pick(PAYLOADS),
        )

    def command(self, execution: Execution) -> Command:
        """Return what is asked of ``execution`` next."""
        progress = execution.progress
        makers: list[Callable[[Execution], Command]] = [self._anything]
        if progress.nonce_sha256:
            makers += [self._checkpoint] * 12
        if progress.lease_until_ms is not None:
            makers += [self._finish] * 3
        if progress.ready_at_ms is not None:
            makers += [self._begin] * 6
        makers += [lambda _: Wake()]
        if any(o.type is OperationType.CALLBACK for o in execution.operations.values()):
            makers += [self._answer, self._heartbeat, self._heartbeat]
        if any(o.type is OperationType.CHAINED_INVOKE for o in execution.operations.values()):
            makers += [self._child_ended] * 2
        if progress.pause is not None:
            makers += [self._resume] * 2
        if progress.ended_at_ms is not None:
            makers += [lambda _: Delete()] * 2
        return self._pick(makers)(execution)

    def _anything(self, execution: Execution) -> Command:
        makers: list[Callable[[Execution], Command]] = [
            self._pause,
            self._pause,
            self._pause,
            self._resume,
            self._begin,
            self._finish,
            self._checkpoint,
            self._answer,
            self._heartbeat,
            self._child_ended,
            lambda _: ReleaseLease(),
            lambda _: ReleaseLease(epoch=self._epoch(execution)),
            lambda _: RenewLease(epoch=self._epoch(execution), lease_ms=LEASE_MS),
            lambda _: Delete(),
            lambda _: Stop(error=self._pick(ERRORS)) if self._one_in(3) else Wake(),
        ]
        return self._pick(makers)(execution)

    def _begin(self, execution: Execution) -> Command:
        number = execution.progress.epoch + 1
        return BeginInvocation(
            owner="server-1",
            lease_ms=LEASE_MS,
            nonce_sha256=_digest(f"nonce {number}"),
            request_id=f"request-{number}",
        )

    def _finish(self, execution: Execution) -> Command:
        status = self._pick(
            (InvocationStatus.PENDING,) * 16
            + (None,) * 5
            + (InvocationStatus.SUCCEEDED, InvocationStatus.FAILED)
        )
        at_ms = execution.progress.updated_at_ms
        return FinishInvocation(
            epoch=self._epoch(execution),
            started_at_ms=at_ms,
            ended_at_ms=at_ms + self._below(3),
            verdict=Verdict(
                status=status,
                result=self._pick(PAYLOADS),
                error=self._pick(ERRORS),
                is_final=self._one_in(30),
                is_counted=not self._one_in(8),
            ),
            jitter=self._below(11) / 10,
        )

    def _checkpoint(self, execution: Execution) -> Command:
        progress = execution.progress
        sequence = progress.token_sequence - self._one_in(8)
        nonce = b"" if self._one_in(20) else _digest(f"nonce {progress.epoch}")
        updates = tuple(self._update(execution) for _ in range(self._pick((0, 1, 1, 2, 3))))
        return Checkpoint(
            token=Token(self._epoch(execution), sequence, nonce),
            updates=updates,
            client_token=self._pick(("", f"c-{sequence}", "c")),
            updates_sha256=_digest(repr(updates)),
            quotas=self._pick(QUOTAS),
            targets={
                update.id: self._target(update.id)
                for update in updates
                if update.type is OperationType.CHAINED_INVOKE
            },
        )

    def _update(self, execution: Execution) -> OperationUpdate:
        known = [*execution.operations.values()]
        if self._one_in(80):
            return self._end(execution)
        ours = [o for o in known[1:] if not o.is_finished] or known[1:]
        if ours and self._one_in(2):
            known_one = self._pick(ours)
            operation_id, kind = known_one.id, known_one.type
            parent_id = known_one.parent_id
        else:
            operation_id = f"o{self._below(len(known) + 8)}"
            kind = self._pick([*_ACTIONS])
            parent_id = self._parent(known)
        any_action = self._one_in(40)
        action = self._pick([*OperationAction] if any_action else _ACTIONS[kind])
        fails = action is OperationAction.FAIL
        payload = None if fails else self._pick(PAYLOADS)
        error = self._pick(ERRORS) if fails or action is OperationAction.RETRY else None
        return OperationUpdate(
            id=operation_id,
            type=kind,
            action=action,
            parent_id=parent_id,
            name=execution.operations[operation_id].name
            if operation_id in execution.operations
            else self._pick((None, "name")),
            payload=None if error is not None else payload,
            error=error,
            context_options=ContextOptions(replay_children=self._one_in(2)),
            step_options=StepOptions(next_attempt_delay_seconds=1 + self._below(5)),
            wait_options=WaitOptions(wait_seconds=1 + self._below(20)),
            callback_options=CallbackOptions(
                timeout_seconds=self._pick((None, 0, 60, 600)),
                heartbeat_timeout_seconds=self._pick((None, 0, 20)),
            ),
            chained_invoke_options=ChainedInvokeOptions(
                function_name="g:1", tenant_id=self._pick((None, "t"))
            ),
        )

    def _end(self, execution: Execution) -> OperationUpdate:
        is_success = self._one_in(2)
        return OperationUpdate(
            id=execution.identity.id,
            type=OperationType.EXECUTION,
            action=OperationAction.SUCCEED if is_success else OperationAction.FAIL,
            payload=self._pick(PAYLOADS) if is_success else None,
            error=None if is_success else self._pick(ERRORS),
        )

    def _parent(self, known: Sequence[Operation]) -> str | None:
        contexts = [o.id for o in known if o.type is OperationType.CONTEXT]
        return self._pick([None, None, *contexts])

    def _target(self, operation_id: str) -> ChainTarget:
        if self._one_in(4):
            return ChainTarget(error=BOOM)
        child_id = hashlib.sha256(operation_id.encode()).hexdigest()[:32]
        child_arn = f"{FUNCTION_ARN}-g:1/durable-execution/n/{child_id}"
        return ChainTarget(
            function_arn=f"{FUNCTION_ARN}-g",
            version="1",
            child_id=child_id,
            child_arn=None if self._one_in(3) else child_arn,
        )

    def _answer(self, execution: Execution) -> Command:
        error = self._pick((None,) * 4 + ERRORS)
        payload = self._pick(PAYLOADS) if error is None else None
        operation_id = self._id(execution, OperationType.CALLBACK)
        return AnswerCallback(operation_id=operation_id, payload=payload, error=error)

    def _heartbeat(self, execution: Execution) -> Command:
        return Heartbeat(operation_id=self._id(execution, OperationType.CALLBACK))

    def _child_ended(self, execution: Execution) -> Command:
        return FinishChainedInvoke(
            operation_id=self._id(execution, OperationType.CHAINED_INVOKE),
            status=self._pick(_ENDS_OF_CHILDREN),
            payload=self._pick(PAYLOADS),
            error=self._pick(ERRORS),
        )

    def _pause(self, execution: Execution) -> Command:
        return Pause(
            client_token=self._pick((None, "p")),
            reason=self._pick(PAYLOADS),
            is_timeout_paused=self._one_in(2),
        )

    def _resume(self, execution: Execution) -> Command:
        return Resume(client_token=self._pick((None, "r")), reason=self._pick(PAYLOADS))

    def _id(self, execution: Execution, kind: OperationType) -> str:
        fitting = [o for o in execution.operations.values() if o.type is kind]
        open_ones = [o for o in fitting if not o.is_finished]
        found = (open_ones or fitting) if self._below(4) else fitting
        return self._pick(found).id if found else "o1"

    def _epoch(self, execution: Execution) -> int:
        return execution.progress.epoch - self._one_in(12)

    def _one_in(self, chances: int) -> bool:
        return self._below(chances) == chances - 1

    def _pick(self, items: Sequence[Item]) -> Item:
        return items[self._below(len(items))]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
