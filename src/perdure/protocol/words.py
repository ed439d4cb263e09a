"""The words of durable execution, as AWS's Lambda model spells them.

Source: botocore, ``lambda/2015-03-31``: OperationType, OperationAction, OperationStatus,
ExecutionStatus, EventType.
"""

from enum import StrEnum
from typing import Final

__all__ = [
    "CLOSED_EXECUTION_STATUSES",
    "FINISHED_OPERATION_STATUSES",
    "EventType",
    "ExecutionStatus",
    "InvocationStatus",
    "OperationAction",
    "OperationStatus",
    "OperationType",
]


class OperationType(StrEnum):
    """What kind of unit of work an operation is."""

    EXECUTION = "EXECUTION"  #: the execution itself: holds the input, then the result
    CONTEXT = "CONTEXT"  #: a child context: groups operations
    STEP = "STEP"  #: code that runs, and is retried
    WAIT = "WAIT"  #: time that passes
    CALLBACK = "CALLBACK"  #: an answer from outside
    CHAINED_INVOKE = "CHAINED_INVOKE"  #: another function's result


class OperationAction(StrEnum):
    """What an update does to an operation."""

    START = "START"
    SUCCEED = "SUCCEED"
    FAIL = "FAIL"
    RETRY = "RETRY"
    CANCEL = "CANCEL"


class OperationStatus(StrEnum):
    """Where an operation stands."""

    STARTED = "STARTED"
    PENDING = "PENDING"  #: a step that waits for its next attempt
    READY = "READY"  #: a step whose next attempt may start
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"


class ExecutionStatus(StrEnum):
    """Where an execution stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"
    DELETING = "DELETING"  #: closed, and its rows are being removed
    PAUSING = "PAUSING"  #: to be paused when the running invocation ends
    PAUSED = "PAUSED"


class InvocationStatus(StrEnum):
    """What a handler answers to an invocation."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    PENDING = "PENDING"  #: suspended; something is still to come


class EventType(StrEnum):
    """The kinds of lines in an execution's history."""

    EXECUTION_STARTED = "ExecutionStarted"
    EXECUTION_SUCCEEDED = "ExecutionSucceeded"
    EXECUTION_FAILED = "ExecutionFailed"
    EXECUTION_TIMED_OUT = "ExecutionTimedOut"
    EXECUTION_STOPPED = "ExecutionStopped"
    CONTEXT_STARTED = "ContextStarted"
    CONTEXT_SUCCEEDED = "ContextSucceeded"
    CONTEXT_FAILED = "ContextFailed"
    WAIT_STARTED = "WaitStarted"
    WAIT_SUCCEEDED = "WaitSucceeded"
    WAIT_CANCELLED = "WaitCancelled"
    STEP_STARTED = "StepStarted"
    STEP_SUCCEEDED = "StepSucceeded"
    STEP_FAILED = "StepFailed"
    CHAINED_INVOKE_STARTED = "ChainedInvokeStarted"
    CHAINED_INVOKE_SUCCEEDED = "ChainedInvokeSucceeded"
    CHAINED_INVOKE_FAILED = "ChainedInvokeFailed"
    CHAINED_INVOKE_TIMED_OUT = "ChainedInvokeTimedOut"
    CHAINED_INVOKE_STOPPED = "ChainedInvokeStopped"
    CALLBACK_STARTED = "CallbackStarted"
    CALLBACK_SUCCEEDED = "CallbackSucceeded"
    CALLBACK_FAILED = "CallbackFailed"
    CALLBACK_TIMED_OUT = "CallbackTimedOut"
    INVOCATION_COMPLETED = "InvocationCompleted"
    EXECUTION_PAUSED = "ExecutionPaused"
    EXECUTION_RESUMED = "ExecutionResumed"


#: An operation in one of these never changes again.
FINISHED_OPERATION_STATUSES: Final = frozenset(
    {
        OperationStatus.SUCCEEDED,
        OperationStatus.FAILED,
        OperationStatus.CANCELLED,
        OperationStatus.TIMED_OUT,
        OperationStatus.STOPPED,
    }
)

#: An execution in one of these has ended, and only its deletion is left.
CLOSED_EXECUTION_STATUSES: Final = frozenset(
    {
        ExecutionStatus.SUCCEEDED,
        ExecutionStatus.FAILED,
        ExecutionStatus.TIMED_OUT,
        ExecutionStatus.STOPPED,
        ExecutionStatus.DELETING,
    }
)
