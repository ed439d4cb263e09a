"""What each update of a checkpoint does to its operation, and when it is refused.

The batch is checked and applied update by update on a draft, in order; the first that is not
acceptable refuses the whole (D2). The messages are those of AWS's testing package, since people
search for them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from perdure.core.closing import close
from perdure.core.commands import ChainTarget
from perdure.core.draft import Draft
from perdure.core.errors import InvalidParameterValue
from perdure.core.event import error_details
from perdure.core.operation import Operation
from perdure.core.outcome import StartChild
from perdure.core.quotas import CHAINED_PAYLOAD_BYTES_MAX, ERROR_BYTES_MAX
from perdure.core.transitions import Trigger, next_status
from perdure.protocol.operations import PAYLOAD_BYTES_MAX, ErrorObject, OperationUpdate
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationAction,
    OperationStatus,
    OperationType,
)

__all__ = ["apply_updates"]

# By names of our own: to reach a member through its class takes ten times as long.
_START, _RETRY = OperationAction.START, OperationAction.RETRY
_SUCCEED, _FAIL = OperationAction.SUCCEED, OperationAction.FAIL
_EXECUTION, _CHAINED_INVOKE = OperationType.EXECUTION, OperationType.CHAINED_INVOKE
_IN_PAIRS = (OperationType.STEP, OperationType.CONTEXT)  #: begun and ended by one batch
_STARTED = OperationStatus.STARTED
_STEP_STARTED, _STEP_SUCCEEDED = EventType.STEP_STARTED, EventType.STEP_SUCCEEDED


def apply_updates(
    draft: Draft, updates: tuple[OperationUpdate, ...], targets: Mapping[str, ChainTarget]
) -> None:
    """Apply the batch in order; ``targets`` says what each chained invoke's function is.

    Raises:
        InvalidParameterValue: an update is not acceptable; the draft is to be thrown away.
    """
    _check_order(updates)
    seen: dict[str, OperationUpdate] = {}
    for update in updates:
        _apply(draft, update, seen.get(update.id), targets.get(update.id))
        seen[update.id] = update


def _check_order(updates: tuple[OperationUpdate, ...]) -> None:
    ends = 0
    for update in updates:
        if update.type is _EXECUTION:
            ends += 1
    if ends > 1:
        raise InvalidParameterValue("Cannot checkpoint multiple EXECUTION updates.")
    if ends and updates[-1].type is not _EXECUTION:
        raise InvalidParameterValue("EXECUTION checkpoint must be the last update.")


def _apply(
    draft: Draft,
    update: OperationUpdate,
    earlier: OperationUpdate | None,
    target: ChainTarget | None,
) -> None:
    if earlier is not None:
        _check_duplicate(earlier, update)
    if update.parent_id is not None:
        _check_parent(draft, update.parent_id)
    has_data = update.payload is not None or update.error is not None
    if has_data:
        _check_sizes(draft, update)
    if update.type is _EXECUTION:
        _end(draft, update)
        return
    before = draft.operation(update.id)
    if before is not None:
        _check_unchanged(before, update)
        if update.parent_id is None:
            _check_parent(draft, before.parent_id)
    status = next_status(update.type, before.status if before else None, update.action)
    if status is None:
        raise InvalidParameterValue(_ILLEGAL.get((update.type, update.action), _NEVER_LEGAL))
    if has_data:
        _check_outcome_fields(update)
    operation = before or _new(draft, update)
    if target is not None and update.type is _CHAINED_INVOKE:
        _start_chained_invoke(draft, update, operation, target)
    else:
        _APPLIERS[update.type](draft, update, operation, status)


def _new(draft: Draft, update: OperationUpdate) -> Operation:
    return Operation(
        update.id,
        update.type,
        _STARTED,
        draft.now_ms,
        sub_type=update.sub_type,
        name=update.name,
        parent_id=update.parent_id,
    )


def _check_duplicate(earlier: OperationUpdate, update: OperationUpdate) -> None:
    may_follow = earlier.type in _IN_PAIRS
    if not may_follow or earlier.action is not _START or update.action is _START:
        raise InvalidParameterValue("Cannot checkpoint multiple operations with the same ID.")


def _check_parent(draft: Draft, parent_id: str | None) -> None:
    while parent_id is not None:
        parent = draft.operation(parent_id)
        if parent is None or parent.type is not OperationType.CONTEXT:
            raise InvalidParameterValue("Invalid parent operation id.")
        if parent.is_finished:
            raise InvalidParameterValue(
                f"Invalid parent operation id. The context {parent_id} is {parent.status}."
            )
        parent_id = parent.parent_id


def _check_unchanged(before: Operation, update: OperationUpdate) -> None:
    if update.type is not before.type:
        raise InvalidParameterValue("Inconsistent operation type.")
    if update.sub_type is not None and update.sub_type != before.sub_type:
        raise InvalidParameterValue("Inconsistent operation subtype.")
    if update.name is not None and update.name != before.name:
        raise InvalidParameterValue("Inconsistent operation name.")
    if update.parent_id is not None and update.parent_id != before.parent_id:
        raise InvalidParameterValue("Inconsistent parent operation id.")


def _check_sizes(draft: Draft, update: OperationUpdate) -> None:
    if update.error is not None and _error_bytes(update.error) > ERROR_BYTES_MAX:
        raise InvalidParameterValue(f"Error object size must be less than {ERROR_BYTES_MAX} bytes.")
    if update.payload is None or len(update.payload) * 4 <= CHAINED_PAYLOAD_BYTES_MAX:
        return
    size = len(update.payload.encode())
    if size > PAYLOAD_BYTES_MAX:
        raise InvalidParameterValue(
            f"payload of operation {update.id} is {size:,} bytes;"
            f" the limit is {PAYLOAD_BYTES_MAX:,}"
        )
    if size > CHAINED_PAYLOAD_BYTES_MAX:
        if update.type is OperationType.CHAINED_INVOKE:
            raise InvalidParameterValue(
                "CHAINED_INVOKE input payload size must be less than or equal to"
                f" {CHAINED_PAYLOAD_BYTES_MAX} bytes."
            )
        if update.type is OperationType.EXECUTION and draft.identity.parent is not None:
            raise InvalidParameterValue(
                "Execution output payload size must be less than or equal to"
                f" {CHAINED_PAYLOAD_BYTES_MAX} bytes."
            )


def _error_bytes(error: ErrorObject) -> int:
    values = (error.error_type, error.error_message, error.error_data, error.stack_trace)
    return len(json.dumps(values))


def _check_outcome_fields(update: OperationUpdate) -> None:
    if update.action is _FAIL and update.payload is not None:
        raise InvalidParameterValue("Cannot provide a Payload for FAIL action.")
    if update.action is _SUCCEED and update.error is not None:
        raise InvalidParameterValue("Cannot provide an Error for SUCCEED action.")
    if update.action is _RETRY and update.payload is not None and update.error is not None:
        raise InvalidParameterValue("Cannot provide both error and payload to RETRY a STEP.")


def _end(draft: Draft, update: OperationUpdate) -> None:
    if update.action not in (OperationAction.SUCCEED, OperationAction.FAIL):
        raise InvalidParameterValue("Invalid EXECUTION action.")
    _check_outcome_fields(update)
    if update.action is OperationAction.SUCCEED:
        close(draft, ExecutionStatus.SUCCEEDED, payload=update.payload)
    else:
        close(draft, ExecutionStatus.FAILED, error=update.error or ErrorObject())


def _apply_step(
    draft: Draft, update: OperationUpdate, step: Operation, status: OperationStatus
) -> None:
    if update.action is _START:
        draft.put(step, status=status)
        draft.record(_STEP_STARTED, step.id)
    elif update.action is _RETRY:
        _retry_step(draft, update, step, status)
    else:
        is_success = update.action is _SUCCEED
        attempt = step.attempt + 1
        draft.put(
            step,
            status=status,
            attempt=attempt,
            ended_at_ms=draft.now_ms,
            payload=update.payload,
            error=update.error if is_success else update.error or ErrorObject(),
        )
        kind = _STEP_SUCCEEDED if is_success else EventType.STEP_FAILED
        draft.record(kind, step.id, attempt=attempt)


def _retry_step(
    draft: Draft, update: OperationUpdate, step: Operation, status: OperationStatus
) -> None:
    options = update.step_options
    if options is None or options.next_attempt_delay_seconds is None:
        raise InvalidParameterValue("Invalid StepOptions for the given action.")
    seconds = options.next_attempt_delay_seconds
    attempt = step.attempt + 1
    draft.put(
        step,
        status=status,
        attempt=attempt,
        due_at_ms=draft.now_ms + seconds * 1000,
        payload=update.payload,
        error=update.error,
    )
    # An attempt's own outcome is kept with the event: the next one replaces it in the operation.
    if update.error is not None:
        draft.record(
            EventType.STEP_FAILED,
            step.id,
            attempt=attempt,
            delay_seconds=seconds,
            error=error_details(update.error),
        )
    else:
        draft.record(
            EventType.STEP_SUCCEEDED,
            step.id,
            attempt=attempt,
            delay_seconds=seconds,
            payload=update.payload,
        )


def _apply_wait(
    draft: Draft, update: OperationUpdate, wait: Operation, status: OperationStatus
) -> None:
    if update.action is OperationAction.CANCEL:
        draft.put(wait, status=status, ended_at_ms=draft.now_ms, due_at_ms=None)
        draft.record(EventType.WAIT_CANCELLED, wait.id)
        return
    options = update.wait_options
    span_ms = options and (options.wait_milliseconds or (options.wait_seconds or 0) * 1000)
    if not span_ms:
        raise InvalidParameterValue("Invalid WaitOptions for the given action.")
    draft.put(
        wait,
        status=status,
        seconds=-(-span_ms // 1000),
        span_ms=span_ms if span_ms % 1000 else None,
        due_at_ms=draft.now_ms + span_ms,
    )
    draft.record(EventType.WAIT_STARTED, wait.id)


def _apply_callback(
    draft: Draft, update: OperationUpdate, callback: Operation, status: OperationStatus
) -> None:
    options = update.callback_options
    timeout = (options and options.timeout_seconds) or None
    heartbeat = (options and options.heartbeat_timeout_seconds) or None
    draft.put(
        callback,
        status=status,
        seconds=timeout,
        due_at_ms=None if timeout is None else draft.now_ms + timeout * 1000,
        heartbeat_seconds=heartbeat,
        heartbeat_due_at_ms=None if heartbeat is None else draft.now_ms + heartbeat * 1000,
    )
    draft.record(EventType.CALLBACK_STARTED, callback.id)


def _start_chained_invoke(
    draft: Draft, update: OperationUpdate, invoke: Operation, target: ChainTarget
) -> None:
    options = update.chained_invoke_options
    if options is None:
        raise InvalidParameterValue(_NO_CHAINED_INVOKE_OPTIONS)
    invoke = invoke._replace(target=options.function_name, tenant_id=options.tenant_id)
    if target.error is not None:
        # The function cannot be invoked: the handler learns it from this very checkpoint.
        draft.record(EventType.CHAINED_INVOKE_STARTED, invoke.id)
        draft.move(invoke, Trigger.REJECT, ended_at_ms=draft.now_ms, error=target.error)
        draft.record(EventType.CHAINED_INVOKE_FAILED, invoke.id)
        return
    draft.put(
        invoke, input=update.payload, child_arn=target.child_arn, child_version=target.version
    )
    draft.record(EventType.CHAINED_INVOKE_STARTED, invoke.id)
    draft.send(
        StartChild(
            operation_id=invoke.id,
            child_id=target.child_id,
            child_arn=target.child_arn,
            function_arn=target.function_arn,
            version=target.version,
            target=options.function_name,
            payload=update.payload,
            tenant_id=options.tenant_id,
            trace_id=options.x_amzn_trace_id,
            depth=draft.identity.depth + 1,
        )
    )


def _refuse_chained_invoke(
    draft: Draft, update: OperationUpdate, invoke: Operation, status: OperationStatus
) -> None:
    raise InvalidParameterValue(_NO_CHAINED_INVOKE_OPTIONS)


def _apply_context(
    draft: Draft, update: OperationUpdate, context: Operation, status: OperationStatus
) -> None:
    match update.action:
        case OperationAction.START:
            draft.put(context, status=status)
            draft.record(EventType.CONTEXT_STARTED, context.id)
        case OperationAction.SUCCEED:
            options = update.context_options
            draft.put(
                context,
                status=status,
                ended_at_ms=draft.now_ms,
                payload=update.payload,
                replay_children=bool(options and options.replay_children),
            )
            draft.record(EventType.CONTEXT_SUCCEEDED, context.id)
        case _:
            draft.put(
                context,
                status=status,
                ended_at_ms=draft.now_ms,
                error=update.error or ErrorObject(),
            )
            draft.record(EventType.CONTEXT_FAILED, context.id)


_Applier = Callable[[Draft, OperationUpdate, Operation, OperationStatus], None]
_APPLIERS: Final[Mapping[OperationType, _Applier]] = {
    OperationType.STEP: _apply_step,
    OperationType.WAIT: _apply_wait,
    OperationType.CALLBACK: _apply_callback,
    OperationType.CHAINED_INVOKE: _refuse_chained_invoke,
    OperationType.CONTEXT: _apply_context,
}

_NO_CHAINED_INVOKE_OPTIONS: Final = (
    "Update for CHAINED_INVOKE operation requires ChainedInvokeOptions."
)
_NEVER_LEGAL: Final = "Invalid action for the given operation type."
_ILLEGAL: Final[Mapping[tuple[OperationType, OperationAction], str]] = {
    (OperationType.STEP, OperationAction.START): "Invalid current STEP state to start.",
    (OperationType.STEP, OperationAction.SUCCEED): "Invalid current STEP state to close.",
    (OperationType.STEP, OperationAction.FAIL): "Invalid current STEP state to close.",
    (OperationType.STEP, OperationAction.RETRY): "Invalid current STEP state to re-attempt.",
    (OperationType.WAIT, OperationAction.START): "Cannot start a WAIT that already exist.",
    (OperationType.WAIT, OperationAction.CANCEL): (
        "Cannot cancel a WAIT that does not exist or has already completed."
    ),
    (OperationType.CALLBACK, OperationAction.START): "Cannot start a CALLBACK that already exist.",
    (OperationType.CHAINED_INVOKE, OperationAction.START): (
        "Cannot start a CHAINED_INVOKE operation that already exists."
    ),
    (OperationType.CONTEXT, OperationAction.START): "Cannot start a CONTEXT that already exist.",
    (OperationType.CONTEXT, OperationAction.SUCCEED): "Invalid current CONTEXT state to close.",
    (OperationType.CONTEXT, OperationAction.FAIL): "Invalid current CONTEXT state to close.",
}
