"""Builders with defaults: identities, updates, operations, executions; and a ``Story``, an
execution's life told command by command.
"""

import hashlib
from typing import Any

from perdure.core.commands import (
    BeginInvocation,
    ChainTarget,
    Checkpoint,
    Command,
    FinishInvocation,
    Start,
    Token,
    Verdict,
    Wake,
)
from perdure.core.errors import Refusal
from perdure.core.execution import Execution, Identity, Progress
from perdure.core.machine import apply
from perdure.core.operation import Operation
from perdure.core.outcome import CheckpointReply, Outcome
from perdure.core.quotas import RELAXED_QUOTAS
from perdure.protocol.operations import (
    CallbackOptions,
    ChainedInvokeOptions,
    ErrorObject,
    OperationUpdate,
    StepOptions,
    WaitOptions,
)
from perdure.protocol.words import (
    EventType,
    InvocationStatus,
    OperationAction,
    OperationStatus,
    OperationType,
)

NOW_MS = 1_700_000_000_000
SECOND_MS = 1_000
ROOT_ID = "e" * 32
CHILD_ID = "c" * 32
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
NONCE = hashlib.sha256(b"nonce").digest()
INPUT = '{"n":1}'
LEASE_MS = 60_000
BOOM = ErrorObject(error_type="Boom", error_message="it broke")


def an_identity(**changes: Any) -> Identity:
    """Return the identity of a durable execution."""
    execution_id = changes.get("id", ROOT_ID)
    name = changes.get("name", "order-1")
    values: dict[str, Any] = {
        "id": execution_id,
        "name": name,
        "arn": f"{FUNCTION_ARN}:1/durable-execution/{name}/{execution_id}",
        "function_arn": FUNCTION_ARN,
        "invoked_arn": f"{FUNCTION_ARN}:1",
        "version": "1",
        "code_sha256": "a" * 64,
        "started_at_ms": NOW_MS,
        "execution_timeout_seconds": 3_600,
        "retention_days": 14,
        "input_sha256": hashlib.sha256(INPUT.encode()).digest(),
    }
    return Identity(**(values | changes))


def a_start(**changes: Any) -> Start:
    """Return the start of an execution; ``payload`` is its input, the rest its identity."""
    payload: str | None = changes.pop("payload", INPUT)
    digest = hashlib.sha256((payload or "").encode()).digest()
    return Start(identity=an_identity(**({"input_sha256": digest} | changes)), input=payload)


def an_update(
    kind: OperationType, action: OperationAction, operation_id: str = "op", **members: Any
) -> OperationUpdate:
    """Return an update that has whatever its kind and action cannot do without."""
    needed: dict[str, Any] = {}
    match kind, action:
        case OperationType.STEP, OperationAction.RETRY:
            needed = {"step_options": StepOptions(next_attempt_delay_seconds=5)}
        case OperationType.WAIT, OperationAction.START:
            needed = {"wait_options": WaitOptions(wait_seconds=10)}
        case OperationType.CHAINED_INVOKE, OperationAction.START:
            needed = {"chained_invoke_options": ChainedInvokeOptions(function_name="g:1")}
        case _:
            pass
    return OperationUpdate(id=operation_id, type=kind, action=action, **(needed | members))


def a_step(
    action: OperationAction = OperationAction.START, operation_id: str = "step", **members: Any
) -> OperationUpdate:
    """Return an update of a step; ``delay_seconds`` is for a retry."""
    delay_seconds = members.pop("delay_seconds", None)
    if delay_seconds is not None:
        members["step_options"] = StepOptions(next_attempt_delay_seconds=delay_seconds)
    return an_update(OperationType.STEP, action, operation_id, **members)


def a_wait(seconds: int = 10, operation_id: str = "wait", **members: Any) -> OperationUpdate:
    """Return the start of a wait."""
    options = WaitOptions(wait_seconds=seconds)
    return an_update(
        OperationType.WAIT, OperationAction.START, operation_id, wait_options=options, **members
    )


def a_callback(
    operation_id: str = "callback",
    *,
    timeout_seconds: int | None = None,
    heartbeat_seconds: int | None = None,
    **members: Any,
) -> OperationUpdate:
    """Return the start of a callback."""
    options = CallbackOptions(
        timeout_seconds=timeout_seconds, heartbeat_timeout_seconds=heartbeat_seconds
    )
    return an_update(
        OperationType.CALLBACK,
        OperationAction.START,
        operation_id,
        callback_options=options,
        **members,
    )


def a_chained_invoke(operation_id: str = "invoke", **members: Any) -> OperationUpdate:
    """Return the start of a chained invoke."""
    return an_update(OperationType.CHAINED_INVOKE, OperationAction.START, operation_id, **members)


def a_context(
    action: OperationAction = OperationAction.START, operation_id: str = "context", **members: Any
) -> OperationUpdate:
    """Return an update of a context."""
    return an_update(OperationType.CONTEXT, action, operation_id, **members)


def an_end(action: OperationAction = OperationAction.SUCCEED, **members: Any) -> OperationUpdate:
    """Return the update that ends the execution."""
    return an_update(OperationType.EXECUTION, action, ROOT_ID, **members)


def a_target(**changes: Any) -> ChainTarget:
    """Return the durable function that a chained invoke was found to mean."""
    values: dict[str, Any] = {
        "function_arn": f"{FUNCTION_ARN}-g",
        "version": "1",
        "child_id": CHILD_ID,
        "child_arn": f"{FUNCTION_ARN}-g:1/durable-execution/{CHILD_ID}/{CHILD_ID}",
    }
    return ChainTarget(**(values | changes))


def an_operation(
    kind: OperationType = OperationType.STEP,
    status: OperationStatus = OperationStatus.STARTED,
    operation_id: str = "op",
    **members: Any,
) -> Operation:
    """Return an operation as the core keeps it."""
    return Operation(operation_id, kind, status, NOW_MS, **members)


def a_progress(**changes: Any) -> Progress:
    """Return where an execution stands whose first invocation has just begun."""
    values: dict[str, Any] = {
        "version": 2,
        "updated_at_ms": NOW_MS,
        "epoch": 1,
        "nonce_sha256": NONCE,
        "lease_owner": "server-1",
        "lease_until_ms": NOW_MS + LEASE_MS,
        "request_id": "request-1",
        "invoked_at_ms": NOW_MS,
        "timeout_at_ms": NOW_MS + 3_600_000,
        "wake_at_ms": NOW_MS + 3_600_000,
        "event_count": 1,
    }
    return Progress(**(values | changes))


def an_execution(
    *operations: Operation, identity: Identity | None = None, **changes: Any
) -> Execution:
    """Return an execution that is being invoked and holds ``operations``, all told already."""
    identity = identity or an_identity()
    root = Operation(
        identity.id,
        OperationType.EXECUTION,
        OperationStatus.STARTED,
        NOW_MS,
        name=identity.name,
        input=INPUT,
    )
    held = {root.id: root} | {operation.id: operation for operation in operations}
    numbered = [
        operation._replace(sequence=number, position=number)
        for number, operation in enumerate(held.values(), start=1)
    ]
    count = len(numbered)
    due = [o.wakes_at_ms for o in numbered if o.wakes_at_ms is not None and not o.is_finished]
    counts: dict[str, Any] = {
        "sequence": count,
        "seen_sequence": count,
        "operation_count": count,
        "wake_at_ms": min([*due, NOW_MS + 3_600_000]),
    }
    return Execution.of(identity, a_progress(**(counts | changes)), numbered)


def a_checkpoint(execution: Execution, *updates: OperationUpdate, **changes: Any) -> Checkpoint:
    """Return a checkpoint with the token that is current."""
    progress = execution.progress
    values: dict[str, Any] = {
        "token": Token(progress.epoch, progress.token_sequence, NONCE),
        "updates": updates,
        "client_token": "",
        "updates_sha256": hashlib.sha256(repr(updates).encode()).digest(),
        "quotas": RELAXED_QUOTAS,
        "targets": {
            update.id: a_target()
            for update in updates
            if update.type is OperationType.CHAINED_INVOKE
            and update.action is OperationAction.START
        },
    }
    return Checkpoint(**(values | changes))


def a_begin(**changes: Any) -> BeginInvocation:
    """Return the beginning of an invocation."""
    values: dict[str, Any] = {
        "owner": "server-1",
        "lease_ms": LEASE_MS,
        "nonce_sha256": NONCE,
        "request_id": "request-1",
    }
    return BeginInvocation(**(values | changes))


class Story:
    """One execution's life. ``tell`` carries out a command now and takes over what it comes to."""

    def __init__(self, start: Start | None = None, *, is_begun: bool = True) -> None:
        """Start an execution and, if ``is_begun``, its first invocation."""
        self.now_ms = NOW_MS
        outcome = apply(None, start or a_start(), self.now_ms)
        self.events = [*outcome.events]
        self.execution = Execution.of(
            outcome.identity, outcome.progress, outcome.operations.values()
        )
        if is_begun:
            self.begin()

    @property
    def progress(self) -> Progress:
        """Where the execution stands."""
        return self.execution.progress

    @property
    def statuses(self) -> dict[str, OperationStatus]:
        """The status of each operation beside the EXECUTION one."""
        operations = self.execution.operations.values()
        return {o.id: o.status for o in operations if o.type is not OperationType.EXECUTION}

    @property
    def token(self) -> Token:
        """The token that is current, if any is."""
        return Token(self.progress.epoch, self.progress.token_sequence, NONCE)

    def operation(self, operation_id: str) -> Operation:
        """Return an operation as it now is."""
        return self.execution.operations[operation_id]

    def pass_ms(self, span_ms: int) -> "Story":
        """Let time pass; nothing happens by itself."""
        self.now_ms += span_ms
        return self

    def tell(self, command: Command) -> Outcome:
        """Carry out a command and take over its outcome."""
        outcome = apply(self.execution, command, self.now_ms)
        self.execution.advance(outcome)
        self.events += outcome.events
        return outcome

    def refusal(self, command: Command) -> Refusal:
        """Return the refusal that a command meets; the execution is as before."""
        before = (self.progress, dict(self.execution.operations))
        try:
            apply(self.execution, command, self.now_ms)
        except Refusal as refusal:
            assert (self.progress, self.execution.operations) == before
            return refusal
        raise AssertionError(f"{command} was not refused")

    def begin(self, **changes: Any) -> Outcome:
        """Begin an invocation."""
        return self.tell(a_begin(**changes))

    def checkpoint(self, *updates: OperationUpdate, **changes: Any) -> CheckpointReply:
        """Store updates with the token that is current."""
        reply = self.tell(a_checkpoint(self.execution, *updates, **changes)).reply
        assert isinstance(reply, CheckpointReply)
        return reply

    def finish(
        self,
        status: InvocationStatus | None = InvocationStatus.PENDING,
        *,
        jitter: float = 1.0,
        **verdict: Any,
    ) -> Outcome:
        """End the running invocation."""
        return self.tell(self.a_finish(status, jitter=jitter, **verdict))

    def a_finish(
        self,
        status: InvocationStatus | None = InvocationStatus.PENDING,
        *,
        jitter: float = 1.0,
        **verdict: Any,
    ) -> FinishInvocation:
        """Return the end of the invocation that runs."""
        return FinishInvocation(
            epoch=self.progress.epoch,
            started_at_ms=self.now_ms,
            ended_at_ms=self.now_ms,
            verdict=Verdict(status=status, **verdict),
            jitter=jitter,
        )

    def wake(self) -> Outcome:
        """Do what is due."""
        return self.tell(Wake())

    def kinds(self, since: int = 0) -> list[EventType]:
        """Return the types of the events recorded, from the one after ``since``."""
        return [event.type for event in self.events[since:]]


def a_suspended_story(*updates: OperationUpdate, start: Start | None = None) -> Story:
    """Return a story whose handler has stored ``updates`` and suspended."""
    story = Story(start)
    story.checkpoint(*updates)
    story.finish()
    return story


def a_closed_story(
    status: InvocationStatus = InvocationStatus.SUCCEEDED, start: Start | None = None
) -> Story:
    """Return a story that has ended."""
    story = Story(start)
    if status is InvocationStatus.FAILED:
        story.finish(status, error=BOOM)
    else:
        story.finish(status, result='"done"')
    return story
